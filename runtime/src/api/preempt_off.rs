//! Code that is not to be preempted.
//!
//! 1. The count is written by its goroutine alone, and read by it and by a signal handler on its thread: compiler fences
//!    order the two.
//! 2. A request that comes meanwhile stays with the goroutine and is met at its first safe point afterwards (C11).

use crate::api::goroutine::curg;
use crate::facade::atomic::Ordering::{Relaxed, SeqCst};
use crate::facade::atomic::compiler_fence;
use crate::g::G;
use crate::proc::poison;

/// Takes the count back, also when the caller's function unwinds.
struct Off(&'static G);

impl Off {
    fn new(gp: &'static G) -> Self {
        // Relaxed: see the module.
        gp.preempt_off.store(gp.preempt_off.load(Relaxed) + 1, Relaxed);
        // A handler that interrupts what comes after sees the count.
        compiler_fence(SeqCst);
        Self(gp)
    }
}

impl Drop for Off {
    fn drop(&mut self) {
        // What came before is done when the count goes down.
        compiler_fence(SeqCst);
        let count = self.0.preempt_off.load(Relaxed) - 1;
        self.0.preempt_off.store(count, Relaxed);
        // Relaxed, both: a request that is missed here is repeated by whoever made it.
        if count == 0 && self.0.preempt.load(Relaxed) {
            poison(self.0);
        }
    }
}

/// Runs `f` on the calling goroutine without preempting it, neither by signal nor at calls of the runtime. Calls nest. On a
/// plain thread it only calls `f`.
///
/// For a few microseconds in which the goroutine should not lose its processor: a spin lock that others spin for, a
/// measurement, a conversation with a device. Nothing *needs* it to be correct: a preempted goroutine keeps its thread, its
/// thread-locals and its locks.
///
/// It promises nothing against the kernel, which preempts threads as it likes. `f` may block, and then others run, but what
/// lasts long starves whoever waits for this processor, and stopping the world ([`set_gomaxprocs`](crate::set_gomaxprocs))
/// waits for its end. If somebody asked for the processor meanwhile, the goroutine gives it up at its next call of
/// the runtime or the next signal. If `f` panics, the panic goes on, and preemption is as it was.
///
/// Go: what `m.locks` does for the runtime itself; programs have no such call.
///
/// ```no_run
/// use std::time::Instant;
///
/// let (sum, took) = sigurg::preempt_off(|| {
///     let start = Instant::now();
///     let sum: u64 = (0..1000).sum();
///     (sum, start.elapsed())
/// });
/// ```
#[inline]
pub fn preempt_off<T>(f: impl FnOnce() -> T) -> T {
    let _off = curg().map(Off::new);
    f()
}
