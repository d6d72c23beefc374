//! Simulated threads, and what one knows about itself.

use std::io;

use super::atomic::AtomicU64;
use super::atomic::Ordering::Relaxed;
use super::machine::{self, inside, with};
use crate::m::M;

/// Starts a thread that nobody waits for.
pub(crate) fn spawn(
    name: String,
    _stack: Option<usize>,
    body: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    with(|machine| match machine {
        Some(machine) => {
            machine.spawn(name, Box::new(body));
            Ok(())
        }
        None => Err(io::Error::other("the runtime was called outside of an execution")),
    })
}

/// Number of the calling thread, from 1.
pub(crate) fn thread_id() -> i32 {
    with(|machine| machine.map_or(0, |machine| machine.thread_id()))
}

/// Threads of this execution that have not ended.
pub(crate) fn threads() -> Option<i32> {
    with(|machine| machine.map(|machine| machine.live_threads()))
}

/// The M of this thread; `None` on a thread that is none of the runtime's.
pub(crate) fn getm() -> Option<&'static M> {
    // SAFETY: null, or an M, which lives as long as the execution.
    unsafe { machine::getm().as_ref() }
}

/// The same: what is inlined where makes no difference to a simulated thread.
pub(crate) fn getm_here() -> Option<&'static M> {
    getm()
}

/// Makes `mp` the M of this thread.
pub(crate) fn setm(mp: Option<&'static M>) {
    machine::setm(mp.map_or(std::ptr::null(), std::ptr::from_ref));
}

/// Adds to a word that only this thread writes, and its signal handlers; the value before.
pub(crate) fn add_local(word: &AtomicU64, add: u64) -> u64 {
    // Relaxed: one instruction of one thread.
    word.fetch_add(add, Relaxed)
}

/// The stack pointer of that thread, if it sleeps.
pub(crate) fn sleeps_in_call(tid: i32) -> Option<usize> {
    inside(|machine| machine.sleeps_at(tid))?
}

/// How much virtual time that thread has computed: all that passed while it did not sleep.
pub(crate) fn thread_cputime(tid: i32) -> Option<i64> {
    inside(|machine| machine.cputime(tid))?
}
