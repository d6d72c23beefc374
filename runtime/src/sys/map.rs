//! Anonymous memory straight from the kernel, for code that must not call malloc.
//!
//! Every call saves `errno`: the caller may stand between another library's system call and its look at `errno`.

use std::ptr::{self, NonNull};

use crate::facade::{discard_pages, guard_once, map_pages, unmap_pages};

/// `MADV_GUARD_INSTALL` (Linux 6.13): pages that fault when touched, noted in the page table alone, so that a guard
/// splits no mapping. The libc crate does not have it yet.
const MADV_GUARD_INSTALL: libc::c_int = 102;

/// Runs `call` and puts `errno` back; the `errno` of the call if it failed.
fn keep_errno(call: impl FnOnce() -> bool) -> Result<(), i32> {
    // SAFETY: errno is this thread's own word.
    unsafe {
        let errno = libc::__errno_location();
        let saved = *errno;
        let result = if call() { Ok(()) } else { Err(*errno) };
        *errno = saved;
        result
    }
}

/// Bytes of a page.
pub(crate) fn page_size() -> usize {
    // SAFETY: asks for a constant that every Linux has.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as usize }
}

/// Maps `len` zeroed bytes, readable and writable, that cost nothing until they are touched, then a small page each. `None` if the address space, the limit on mappings or, where the kernel counts every promise
/// (`vm.overcommit_memory` 2), the memory is used up.
pub(crate) fn reserve(len: usize) -> Option<NonNull<u8>> {
    map(len, true)
}

/// As [`reserve`], for memory that nobody relies on to be zero.
pub(crate) fn reserve_dirty(len: usize) -> Option<NonNull<u8>> {
    map(len, false)
}

fn map(len: usize, zeroed: bool) -> Option<NonNull<u8>> {
    let mut mapped = None;
    let _ = keep_errno(|| {
        mapped = map_pages(len, zeroed);
        mapped.is_some()
    });
    let base = mapped?;
    // The parts of a mapping are found by address: `guard`, `discard`.
    base.as_ptr().expose_provenance();
    Some(base)
}

/// Gives `len` bytes at `base` back to the kernel.
///
/// # Safety
///
/// The range came from [`reserve`], nothing in it is used any more, and it is given back once.
pub(crate) unsafe fn unmap(base: NonNull<u8>, len: usize) {
    let _ = keep_errno(|| {
        // SAFETY: the caller's promise.
        unsafe { unmap_pages(base, len) };
        true
    });
}

/// Makes `len` bytes at `base` fault when touched; `false` if the kernel has no room to note it: where it has no
/// guards of its own each guard splits a mapping, and `vm.max_map_count` limits those.
///
/// # Safety
///
/// Whole pages from [`reserve`] that nobody uses.
pub(crate) unsafe fn guard(base: usize, len: usize) -> bool {
    guard_once(base, || {
        let base = ptr::with_exposed_provenance_mut(base);
        // SAFETY: the caller's promise.
        let installed = keep_errno(|| unsafe { libc::madvise(base, len, MADV_GUARD_INSTALL) == 0 });
        let result = match installed {
            // SAFETY: the caller's promise.
            Err(libc::EINVAL) => keep_errno(|| unsafe { libc::mprotect(base, len, libc::PROT_NONE) == 0 }),
            other => other,
        };
        result.is_ok()
    })
}

/// Gives the memory of `len` bytes at `base` back; nobody needs what they read as when touched again.
///
/// # Safety
///
/// Whole pages from [`reserve`] whose contents nobody needs.
pub(crate) unsafe fn discard(base: usize, len: usize) {
    let Some(base) = NonNull::new(ptr::with_exposed_provenance_mut(base)) else { return };
    let _ = keep_errno(|| {
        // SAFETY: the caller's promise.
        unsafe { discard_pages(base, len) };
        true
    });
}
