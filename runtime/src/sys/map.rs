//! Anonymous memory straight from the kernel, for code that must not call malloc.
//!
//! Every call saves `errno`: the caller may stand between another library's system call and its look at `errno`.

use std::ptr::{self, NonNull};

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

/// Maps `len` zeroed bytes, readable and writable, that cost nothing until they are touched, then a small page each:
/// huge pages are off. `None` if the address space, the limit on mappings or, where the kernel counts every promise
/// (`vm.overcommit_memory` 2), the memory is used up.
pub(crate) fn reserve(len: usize) -> Option<NonNull<u8>> {
    let mut base = ptr::null_mut();
    let prot = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    let mapped = keep_errno(|| {
        // SAFETY: a new mapping at an address that the kernel chooses.
        base = unsafe { libc::mmap(ptr::null_mut(), len, prot, flags, -1, 0) };
        base != libc::MAP_FAILED
    });
    mapped.ok()?;
    // A kernel without huge pages refuses, and needs no telling.
    // SAFETY: the mapping is the one just made.
    let _ = keep_errno(|| unsafe { libc::madvise(base, len, libc::MADV_NOHUGEPAGE) == 0 });
    // The parts of a mapping are found by address: `guard`, `discard`.
    let _ = base.expose_provenance();
    NonNull::new(base.cast())
}

/// Gives `len` bytes at `base` back to the kernel.
///
/// # Safety
///
/// The range came from [`reserve`], nothing in it is used any more, and it is given back once.
pub(crate) unsafe fn unmap(base: NonNull<u8>, len: usize) {
    // SAFETY: the caller's promise. It cannot fail: whole pages of ours.
    let _ = keep_errno(|| unsafe { libc::munmap(base.as_ptr().cast(), len) == 0 });
}

/// Makes `len` bytes at `base` fault when touched; `false` if the kernel has no room to note it: where it has no
/// guards of its own each guard splits a mapping, and `vm.max_map_count` limits those.
///
/// # Safety
///
/// Whole pages from [`reserve`] that nobody uses.
pub(crate) unsafe fn guard(base: usize, len: usize) -> bool {
    let base = ptr::with_exposed_provenance_mut(base);
    // SAFETY: the caller's promise.
    let installed = keep_errno(|| unsafe { libc::madvise(base, len, MADV_GUARD_INSTALL) == 0 });
    let result = match installed {
        // SAFETY: the caller's promise.
        Err(libc::EINVAL) => keep_errno(|| unsafe { libc::mprotect(base, len, libc::PROT_NONE) == 0 }),
        other => other,
    };
    result.is_ok()
}

/// Gives the memory of `len` bytes at `base` back; they read as zero when touched again.
///
/// # Safety
///
/// Whole pages from [`reserve`] whose contents nobody needs.
pub(crate) unsafe fn discard(base: usize, len: usize) {
    let base = ptr::with_exposed_provenance_mut(base);
    // SAFETY: the caller's promise. It fails only for locked pages, which then stay.
    let _ = keep_errno(|| unsafe { libc::madvise(base, len, libc::MADV_DONTNEED) == 0 });
}
