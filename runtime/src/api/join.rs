//! Fork and join, for recursive parallelism.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::api::packet::{Packet, drop_result};
use crate::proc::{self, SpawnOptions};
use crate::waitreason::WaitReason;

/// The address of a packet on the stack of whoever forks.
struct Home<R>(*const Packet<R>);

// SAFETY: one result is handed through the packet, whose owner waits for it.
unsafe impl<R: Send> Send for Home<R> {}

/// Runs `a` and `b`, at the same time if a processor is idle, and returns what both return.
///
/// `b` is started as a goroutine, `a` runs in the caller; so a recursion that halves its work keeps every processor
/// busy, as a fork-join pool does. Nothing is allocated.
///
/// # Panics
///
/// If `a` panics, with its panic; else if `b` does, with that one. Either way only when both have ended. Also if the
/// caller is not a goroutine.
///
/// ```no_run
/// fn fib(n: u32) -> u64 {
///     if n < 2 {
///         return n.into();
///     }
///     let (a, b) = sigurg::join(|| fib(n - 2), || fib(n - 1));
///     a + b
/// }
/// assert_eq!(fib(20), 6765);
/// ```
#[inline]
pub fn join<A, B, RA, RB>(a: A, b: B) -> (RA, RB)
where
    A: FnOnce() -> RA,
    B: FnOnce() -> RB + Send,
    RB: Send,
{
    let packet = Packet::new();
    let home = Home(&raw const packet);
    let body = move || {
        let home = home;
        // SAFETY: whoever forks stays below until the result is there. Nobody gives the packet up.
        unsafe { Packet::run(home.0, b) };
    };
    // SAFETY: nothing that `body` borrows is used after `Packet::run` has handed over the result.
    unsafe { proc::newproc_unchecked(body, SpawnOptions::default()) };
    let a = catch_unwind(AssertUnwindSafe(a));
    packet.wait(WaitReason::Join);
    // SAFETY: it is there; taken once.
    let b = unsafe { packet.take() };
    match (a, b) {
        (Ok(a), Ok(b)) => (a, b),
        (Err(panic), b) => {
            drop_result(Some(b));
            resume_unwind(panic)
        }
        (Ok(a), Err(panic)) => {
            drop_result(Some(a));
            resume_unwind(panic)
        }
    }
}
