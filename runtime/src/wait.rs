//! One blocking call of one goroutine or one plain thread: what channels, locks, joins and the network wait on.
//!
//! A [`Wait`] lives on the stack of whoever waits. Others reach it through a queue that the caller put it on, under
//! that queue's lock, and wake it at most once:
//!
//! 1. `WAITING` changes to `CLAIMED` or `TIMED_OUT` by one compare-and-swap; who makes it, and nobody else, readies the
//!    waiter. So a waker and a deadline, or the cases of a select, cannot both win.
//! 2. The waiter leaves `block` only after that. A waker may use the `Wait` until its `ready`, or, if its `claim`
//!    failed, only while it holds the lock under which it found it: whoever wakes up by another way takes its nodes
//!    off the queues, under their locks, before it returns.
//! 3. `unlock` runs when the waiter can already be woken: after the G is `Waiting`, on g0.
//! 4. A waker gives its lock back, or looks for others to wake, between `claim` and `ready`: meanwhile the waiter can
//!    neither leave nor time out.
//!
//! Everything that parks goes through here, so all of it works on plain threads too: they sleep on the state word.

use std::marker::PhantomPinned;

use crate::facade::atomic::AtomicU32;
use crate::facade::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::facade::{futex_wait, futex_wake, nanotime};
use crate::g::G;
use crate::proc;
use crate::timer::Timer;
use crate::waitreason::WaitReason;

const WAITING: u32 = 0;
/// Somebody has won the right to wake it, and will. The waiter still waits.
const CLAIMED: u32 = 1;
/// This and more: the waiter may go.
const WOKEN: u32 = 2;
const TIMED_OUT: u32 = 3;

/// See the module.
pub(crate) struct Wait {
    state: AtomicU32,
    /// Null: a plain thread, which sleeps on `state`.
    gp: Option<&'static G>,
    _pinned: PhantomPinned,
}

impl Wait {
    /// A wait of the goroutine, or plain thread, that calls.
    #[inline]
    pub(crate) fn new() -> Self {
        // In a system call a goroutine has no P to give up: it waits as a thread does.
        let gp = proc::current_g_with_p();
        Self { state: AtomicU32::new(WAITING), gp, _pinned: PhantomPinned }
    }

    /// Wins the right to wake the waiter; `false` if somebody else did, or its time was up. Whoever won calls
    /// [`Wait::ready`]; until then `self` stays valid.
    #[inline]
    pub(crate) fn claim(&self) -> bool {
        // Relaxed: it decides who wakes. What the waker did is handed over by `ready`; the waiter was found under a lock.
        self.state.compare_exchange(WAITING, CLAIMED, Relaxed, Relaxed).is_ok()
    }

    /// Wakes a waiter that the caller has claimed, or that nobody else can wake.
    ///
    /// # Safety
    ///
    /// The caller's `claim` of this `Wait` returned `true`, or something else gives the caller alone the right to wake
    /// it and it has no deadline; and this is its only `ready`. `this` is dangling afterwards.
    #[inline]
    pub(crate) unsafe fn ready(this: *const Self) {
        // SAFETY: a claimed waiter stays until the lines below let it go.
        let (gp, word) = unsafe { ((*this).gp, &raw const (*this).state) };
        match gp {
            Some(gp) => proc::ready_from_anywhere(gp),
            None => {
                // SAFETY: as above. Release pairs with the Acquire loads in `block`.
                unsafe { (*word).store(WOKEN, Release) };
                // The thread may be gone: only the address is used.
                futex_wake(word, 1);
            }
        }
    }

    /// Waits until woken. `unlock` gives back the lock under which the waiter was put on a queue.
    #[inline]
    pub(crate) fn block(&self, reason: WaitReason, unlock: impl FnOnce()) {
        match self.gp {
            Some(_) => proc::gopark_with(reason, unlock),
            None => {
                unlock();
                self.sleep();
            }
        }
    }

    /// A plain thread's sleep until somebody lets it go.
    fn sleep(&self) {
        loop {
            // Acquire pairs with the Release of `ready`.
            let state = self.state.load(Acquire);
            if state >= WOKEN {
                return;
            }
            futex_wait(&self.state, state, -1);
        }
    }

    /// Waits until woken or until `deadline`, nanoseconds of the monotonic clock (`None`: for ever); `false` if the
    /// time was up. Then the caller takes its node off the queue itself.
    pub(crate) fn block_until(
        &self,
        deadline: Option<i64>,
        reason: WaitReason,
        unlock: impl FnOnce(),
    ) -> bool {
        let Some(deadline) = deadline else {
            self.block(reason, unlock);
            return true;
        };
        match self.gp {
            Some(_) => {
                let timer = Timer::new(Self::time_is_up, (&raw const *self).cast());
                let armed = &raw const timer;
                proc::gopark_with(reason, move || {
                    // Not before the park: whoever runs the timer readies the G, which must be `Waiting`. Not after
                    // `unlock`: whoever is woken leaves with the timer.
                    // SAFETY: `timer` stays where it is, on the waiter's stack, until `stop` has returned.
                    let earliest = unsafe { Timer::arm(armed, deadline) };
                    unlock();
                    if earliest {
                        proc::wake_poller(deadline);
                    }
                });
                timer.stop();
            }
            None => {
                unlock();
                // Relaxed: `sleep` acquires.
                while self.state.load(Relaxed) == WAITING {
                    let left = deadline - nanotime();
                    if left <= 0 {
                        // Relaxed as in `claim`: this thread is its own waker.
                        let _ = self.state.compare_exchange(WAITING, TIMED_OUT, Relaxed, Relaxed);
                        break;
                    }
                    futex_wait(&self.state, WAITING, left);
                }
                self.sleep();
            }
        }
        // Relaxed: the Acquire above, or the park, came before.
        self.state.load(Relaxed) != TIMED_OUT
    }

    /// The timer of `block_until`. Runs while its waiter is in `block_until`.
    fn time_is_up(wait: *const ()) {
        // SAFETY: the waiter cannot leave `block_until` before its timer's `stop`, which waits for this call.
        let wait = unsafe { &*wait.cast::<Self>() };
        // Relaxed as in `claim`. Only goroutines have timers, and this one stays parked, and so `wait` alive, until this.
        if wait.state.compare_exchange(WAITING, TIMED_OUT, Relaxed, Relaxed).is_ok()
            && let Some(gp) = wait.gp
        {
            proc::ready_from_anywhere(gp);
        }
    }
}
