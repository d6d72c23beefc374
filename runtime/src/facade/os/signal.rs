//! Signals between the threads of the process.

use std::io;
use std::mem;
use std::ptr;

pub(crate) use crate::stack::fault::thread_init as signal_stack;

/// Installs what the process does on signals, once; `preempt`: SIGURG preempts.
///
/// # Errors
///
/// What `sigaction` says.
pub(crate) fn install_handlers(preempt: bool) -> io::Result<()> {
    crate::stack::fault::install()?;
    if preempt {
        crate::signal::install()?;
    }
    crate::dump::quit::install()
}

/// Sends SIGURG to the thread of that number; `false` if there is none.
pub(crate) fn send_sigurg(thread: i32) -> bool {
    // SAFETY: only numbers.
    unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread, libc::SIGURG) == 0 }
}

/// The calling thread takes no SIGURG any more.
pub(crate) fn block_sigurg() {
    // SAFETY: a set of one signal, for this thread.
    unsafe {
        let mut set = mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGURG);
        libc::pthread_sigmask(libc::SIG_BLOCK, &set, ptr::null_mut());
    }
}
