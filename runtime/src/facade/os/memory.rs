//! Memory: what stays for ever, and pages from the kernel.

use std::ptr::{self, NonNull};

use crate::facade::reserve_pages;

/// Keeps `value` for the rest of the process: others may look at it at any time.
pub(crate) fn immortal<T>(value: Box<T>) -> &'static T {
    Box::leak(value)
}

/// Maps `len` bytes, readable and writable, that cost nothing until they are touched, then a small page each: huge pages are
/// off. New pages are zeros, whether or not the caller needs them `zeroed`. The caller saves `errno`.
pub(crate) fn map_pages(len: usize, _zeroed: bool) -> Option<NonNull<u8>> {
    let prot = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new mapping at an address that the kernel chooses.
    let base = unsafe { libc::mmap(ptr::null_mut(), len, prot, flags, -1, 0) };
    if base == libc::MAP_FAILED {
        return None;
    }
    // A kernel without huge pages refuses, and needs no telling.
    // SAFETY: the mapping is the one just made.
    unsafe { libc::madvise(base, len, libc::MADV_NOHUGEPAGE) };
    NonNull::new(base.cast())
}

/// Gives `len` bytes at `base` back. The caller saves `errno`.
///
/// # Safety
///
/// `map_pages` gave them, nothing in them is used any more, and this is called once.
pub(crate) unsafe fn unmap_pages(base: NonNull<u8>, len: usize) {
    // SAFETY: the caller's promise. It cannot fail: whole pages of ours.
    unsafe { libc::munmap(base.as_ptr().cast(), len) };
}

/// Gives the memory of `len` bytes at `base` back, which read as zero when touched again. The caller saves `errno`.
///
/// # Safety
///
/// Whole pages of `map_pages` whose contents nobody needs.
pub(crate) unsafe fn discard_pages(base: NonNull<u8>, len: usize) {
    // SAFETY: the caller's promise. It fails only for locked pages, which then stay.
    unsafe { libc::madvise(base.as_ptr().cast(), len, libc::MADV_DONTNEED) };
}

/// A mapping of its own for a table, which may be moved and grown: where it is, and how many bytes it has, `len` or more.
pub(crate) fn take_table(len: usize) -> Option<(NonNull<u8>, usize)> {
    reserve_pages(len).ok().map(|base| (base, len))
}

/// Gives it back, of `len` bytes by now.
///
/// # Safety
///
/// `take_table` gave it, nothing in it is used any more, and this is called once.
pub(crate) unsafe fn give_table(base: NonNull<u8>, len: usize) {
    // SAFETY: the caller's promise.
    unsafe { libc::munmap(base.as_ptr().cast(), len) };
}

/// Has `install` make the page at `base` fault.
pub(crate) fn guard_once(_base: usize, install: impl FnOnce() -> bool) -> bool {
    install()
}

/// A stack is about to be used for the first time: nobody takes notes of the frames of another that was there before.
pub(crate) fn begin_stack(_lo: usize, _len: usize) {}
