//! Memory from the kernel, for those who must not allocate.

use std::io;
use std::ptr::{self, NonNull};

/// `bytes` of zeros that cost memory only where they are touched; never given back.
///
/// # Errors
///
/// If there is no such room among the addresses of the process.
pub(crate) fn reserve_pages(bytes: usize) -> io::Result<NonNull<u8>> {
    #[cfg(not(miri))]
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    #[cfg(miri)]
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping, which touches none that exists.
    let at = unsafe { libc::mmap(ptr::null_mut(), bytes, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
    if at == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    NonNull::new(at.cast()).ok_or_else(|| io::Error::other("the kernel mapped page zero"))
}
