//! Go's mutex: one word of state and a [`Sema`].
//!
//! Normal mode: a woken waiter competes with newcomers, who have the advantage of running already. Starvation mode: a
//! waiter that failed for more than 1 ms turns it on; from then the lock is handed to the first waiter and
//! newcomers queue, until a waiter is the last one or waited for less.
//!
//! 1. `WOKEN` belongs to one: the permit on its way, the waiter that took it, or a waiter that spins. While it is set no
//!    further waiter is woken; its owner clears it when it takes the lock or goes back to sleep.
//! 2. In normal mode `unlock` takes a waiter off the count together with setting `WOKEN`, and then releases the
//!    permit. In starvation mode the receiver takes itself off. So the waiters that are between "counted" and "has taken
//!    its permit" are as many as the count and the permits together (in starvation mode: as the count).
//! 3. `STARVING` is set only together with waiters.
//! 4. A waiter whose time is up takes *a* waiter off the count: by 2 all are alike. If none is left to take, a
//!    permit is on its way that only it can take. It takes the permit, and the lock if that is free; otherwise it
//!    gives `WOKEN` up, and the holder's `unlock` wakes the next.
//!
//! Go: internal/sync/mutex.go, which has no deadlines; 4 is ours.

use super::sema::{Acquired, Enter, Sema};
use crate::facade::atomic::AtomicU32;
use crate::facade::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::facade::{nanotime, procyield};
use crate::proc;
use crate::waitreason::WaitReason;

const LOCKED: u32 = 1;
const WOKEN: u32 = 2;
const STARVING: u32 = 4;
/// One waiter in the count, which has the remaining bits.
const WAITER: u32 = 8;

/// A waiter that failed for so long turns starvation mode on. Go: `starvationThresholdNs`.
const STARVATION_THRESHOLD_NS: i64 = 1_000_000;
/// Pauses of one round of spinning. Go: `active_spin_cnt`.
const SPIN_PAUSES: u32 = 30;

/// See the module.
pub(super) struct RawMutex {
    state: AtomicU32,
    sema: Sema,
}

impl RawMutex {
    pub(super) const fn new() -> Self {
        Self { state: AtomicU32::new(0), sema: Sema::new() }
    }

    #[inline]
    pub(super) fn lock(&self, reason: WaitReason) {
        // Acquire pairs with the Release of `unlock`.
        if self.state.compare_exchange(0, LOCKED, Acquire, Relaxed).is_err() {
            self.lock_slow(None, reason);
        }
    }

    /// Takes the lock if that is possible until `deadline`; whether it did.
    #[inline]
    pub(super) fn lock_until(&self, deadline: i64, reason: WaitReason) -> bool {
        // Acquire pairs with the Release of `unlock`.
        self.state.compare_exchange(0, LOCKED, Acquire, Relaxed).is_ok()
            || self.lock_slow(Some(deadline), reason)
    }

    /// Takes the lock if it is free and nobody has a better right to it.
    #[inline]
    pub(super) fn try_lock(&self) -> bool {
        // Relaxed: only a guess for the exchange below.
        let old = self.state.load(Relaxed);
        // Acquire pairs with the Release of `unlock`.
        old & (LOCKED | STARVING) == 0
            && self.state.compare_exchange(old, old | LOCKED, Acquire, Relaxed).is_ok()
    }

    /// Whether somebody holds the lock; may be out of date at once.
    #[inline]
    pub(super) fn is_locked(&self) -> bool {
        // Relaxed: a hint that guards nothing.
        self.state.load(Relaxed) & LOCKED != 0
    }

    /// Gives the lock back; the caller holds it.
    #[inline]
    pub(super) fn unlock(&self) {
        // Release pairs with the Acquire of whoever takes the lock next.
        let new = self.state.fetch_sub(LOCKED, Release) - LOCKED;
        if new != 0 {
            self.unlock_slow(new);
        }
    }

    #[cfg(test)]
    pub(super) fn state(&self) -> State {
        let state = self.state.load(Relaxed);
        State {
            locked: state & LOCKED != 0,
            woken: state & WOKEN != 0,
            starving: state & STARVING != 0,
            waiters: state / WAITER,
        }
    }

    #[cold]
    fn lock_slow(&self, deadline: Option<i64>, reason: WaitReason) -> bool {
        let mut wait_start = None;
        let mut starving = false;
        let mut awoke = false;
        let mut expired = false;
        let mut spins = 0;
        // Relaxed, here and below: a guess that the next exchange confirms.
        let mut old = self.state.load(Relaxed);
        loop {
            // No spinning in starvation mode: the lock goes to a waiter.
            if old & (LOCKED | STARVING) == LOCKED && !expired && proc::can_spin(spins) {
                // Tell `unlock` not to wake anybody else. Relaxed: the bit guards nothing but the choice of whom to wake.
                if !awoke
                    && old & WOKEN == 0
                    && old >= WAITER
                    && self.state.compare_exchange(old, old | WOKEN, Relaxed, Relaxed).is_ok()
                {
                    awoke = true;
                }
                procyield(SPIN_PAUSES);
                spins += 1;
                old = self.state.load(Relaxed);
                continue;
            }
            let free = old & (LOCKED | STARVING) == 0;
            let give_up = expired && !free;
            let mut new = old;
            // Newcomers must not take a starving lock.
            if old & STARVING == 0 {
                new |= LOCKED;
            }
            if !free && !give_up {
                new += WAITER;
                // Only a held lock: its `unlock` relies on invariant 3.
                if starving && old & LOCKED != 0 {
                    new |= STARVING;
                }
            }
            if awoke {
                debug_assert!(new & WOKEN != 0, "inconsistent mutex state {new:#x}");
                new &= !WOKEN;
            }
            // Acquire pairs with the Release of `unlock`, if this takes the lock.
            if let Err(now) = self.state.compare_exchange(old, new, Acquire, Relaxed) {
                old = now;
                continue;
            }
            if free {
                return true;
            }
            if give_up {
                return false;
            }
            let enter = if wait_start.is_some() { Enter::Front } else { Enter::Back };
            let since = *wait_start.get_or_insert_with(nanotime);
            match self.sema.acquire(enter, deadline, reason, || self.leave()) {
                Acquired::InTime => {}
                Acquired::Late => expired = true,
                Acquired::Never => return false,
            }
            starving = starving || nanotime() - since > STARVATION_THRESHOLD_NS;
            // Acquire pairs with the Release of `unlock`, if this is a hand-off.
            old = self.state.load(Acquire);
            if old & STARVING != 0 {
                debug_assert!(
                    old & (LOCKED | WOKEN) == 0 && old >= WAITER,
                    "inconsistent mutex state {old:#x}"
                );
                self.take_handed_off(old, starving);
                return true;
            }
            awoke = true;
            spins = 0;
        }
    }

    /// The lock was handed to the caller, but it is still counted as a waiter and `LOCKED` is not set.
    fn take_handed_off(&self, old: u32, starving: bool) {
        let mut delta = LOCKED.wrapping_sub(WAITER);
        if !starving || old / WAITER == 1 {
            // Starvation mode is slow: two goroutines could go on for ever handing the lock to each other.
            delta = delta.wrapping_sub(STARVING);
        }
        // Relaxed: only the receiver may take a starving lock, and it has seen the last `unlock` already.
        self.state.fetch_add(delta, Relaxed);
    }

    /// Takes a waiter off the count, for one whose time is up and that is on the queue no more; `false` if there
    /// is none but the one for whom a permit is on its way.
    fn leave(&self) -> bool {
        // Relaxed throughout: a waiter that leaves has seen nothing and shows nothing.
        let mut old = self.state.load(Relaxed);
        loop {
            let handed_off = old & (LOCKED | STARVING) == STARVING;
            if old < WAITER || (handed_off && old / WAITER == 1) {
                return false;
            }
            let mut new = old - WAITER;
            if new < WAITER {
                new &= !STARVING;
            }
            match self.state.compare_exchange(old, new, Relaxed, Relaxed) {
                Ok(_) => return true,
                Err(now) => old = now,
            }
        }
    }

    #[cold]
    fn unlock_slow(&self, mut old: u32) {
        if old & STARVING != 0 {
            // The first waiter owns the lock from here, and this goroutine gives it the processor too: otherwise a
            // lock that many want would move at the pace of time slices. But not while it unwinds: std counts panics per
            // thread, and the goroutine might go on on another.
            if self.sema.release() && !std::thread::panicking() {
                proc::goyield_from_anywhere();
            }
            return;
        }
        loop {
            // Nobody waits; or somebody was woken or has the lock, and will see to the others.
            if old < WAITER || old & (LOCKED | WOKEN | STARVING) != 0 {
                return;
            }
            // Relaxed: the `fetch_sub` of `unlock` has released; an exchange keeps its release sequence.
            match self.state.compare_exchange(old, (old - WAITER) | WOKEN, Relaxed, Relaxed) {
                Ok(_) => {
                    self.sema.release();
                    return;
                }
                Err(now) => old = now,
            }
        }
    }
}

/// The word in words, for tests.
#[cfg(test)]
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) locked: bool,
    pub(super) woken: bool,
    pub(super) starving: bool,
    pub(super) waiters: u32,
}
