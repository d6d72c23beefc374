//! Signals between simulated threads.

use std::io;

use super::machine::{inside, with};

/// Handlers run on the stack that they interrupt, as goroutines' stacks are large enough.
pub(crate) struct NoStack;

impl Drop for NoStack {
    fn drop(&mut self) {}
}

pub(crate) fn signal_stack() -> NoStack {
    NoStack
}

/// Only the report of an overflowing stack: SIGURG is simulated, and SIGQUIT is the process's own affair.
pub(crate) fn install_handlers(_preempt: bool) -> io::Result<()> {
    crate::stack::fault::install()
}

/// Sends SIGURG to the thread of that number; `false` if there is none.
pub(crate) fn send_sigurg(thread: i32) -> bool {
    with(|machine| machine.is_some_and(|machine| machine.send(thread)))
}

/// The calling thread takes no SIGURG any more.
pub(crate) fn block_sigurg() {
    inside(|machine| machine.mask());
}

/// What SIGURG does to the current thread.
pub(super) fn handle() {
    let Some(mp) = super::thread::getm() else { return };
    let here = 0u8;
    let sp = (&raw const here).addr();
    let mut context = context_at(sp);
    crate::proc::do_sig_preempt(mp, sp, (&raw mut context).cast());
}

/// What the kernel would have saved: the stack pointer, and nothing else that matters.
fn context_at(sp: usize) -> libc::ucontext_t {
    // SAFETY: numbers, and pointers that may be null.
    let mut context: libc::ucontext_t = unsafe { std::mem::zeroed() };
    #[cfg(target_arch = "x86_64")]
    {
        context.uc_mcontext.gregs[libc::REG_RSP as usize] = sp as i64;
    }
    #[cfg(target_arch = "aarch64")]
    {
        context.uc_mcontext.sp = sp as u64;
    }
    context
}
