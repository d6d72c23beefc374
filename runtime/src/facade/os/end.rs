//! The last words of a process, and its end.

pub(crate) use crate::sys::lifeboat::launch as last_task;

/// Writes to standard error without a buffer and without a lock; how much, or nothing if nobody listens.
pub(crate) fn write_stderr(bytes: &[u8]) -> Option<usize> {
    // SAFETY: the slice is valid for its length.
    let written = unsafe { libc::write(2, bytes.as_ptr().cast(), bytes.len()) };
    usize::try_from(written).ok()
}

/// The end by SIGABRT, so that there is a core to look at.
pub(crate) fn abort() -> ! {
    // SAFETY: takes nothing, returns never.
    unsafe { libc::abort() }
}

/// The end with exit status `status`, at once.
pub(crate) fn exit(status: i32) -> ! {
    // SAFETY: no handler of `atexit` may run: other threads still do.
    unsafe { libc::_exit(status) }
}
