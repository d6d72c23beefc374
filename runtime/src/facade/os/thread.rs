//! The threads of the process.

use std::io;
use std::thread;

/// Starts a thread that nobody waits for, with a stack of `stack` bytes or the usual one.
///
/// # Errors
///
/// If the system gives no thread.
pub(crate) fn spawn(
    name: String,
    stack: Option<usize>,
    body: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    let mut builder = thread::Builder::new().name(name);
    if let Some(bytes) = stack {
        builder = builder.stack_size(bytes);
    }
    builder.spawn(body).map(drop)
}

/// The kernel's number of the calling thread.
pub(crate) fn thread_id() -> i32 {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::gettid() }
}

/// Threads of this process, by the kernel's count. No allocation.
pub(crate) fn threads() -> Option<i32> {
    let mut text = [0u8; 4096];
    // SAFETY: the path ends in a zero; `text` is as long as said.
    let len = unsafe {
        let fd = libc::open(c"/proc/self/status".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC);
        if fd < 0 {
            return None;
        }
        let len = libc::read(fd, text.as_mut_ptr().cast(), text.len());
        libc::close(fd);
        usize::try_from(len).ok()?
    };
    let text = core::str::from_utf8(&text[..len]).ok()?;
    text.lines().find_map(|line| line.strip_prefix("Threads:"))?.trim().parse().ok()
}
