//! What is to happen at a time: timers of the Ps.
//!
//! Each P has its [`Timers`]; a goroutine arms a timer on the P that runs it, and whoever holds that P, or has nothing
//! better to do (the last round of `find_runnable`), runs what is due. A [`Timer`] lives on the stack of
//! whoever waits for it.
//!
//! 1. `Timer::timers` is null if the timer is settled: neither armed nor about to run. It becomes non-null by
//!    `add` alone, on behalf of its owner, and null again by its owner's `stop`, which took it out under the lock, or by
//!    who ran it, after `f` returned, as the last thing done to it.
//! 2. `f` runs without the lock, on g0, after the timer left the heap. So `stop` finds it in the heap, and then it never
//!    runs; or does not, and waits until it is settled.
//! 3. `wake_time` is when the earliest timer in the heap is due: it changes under the lock, before the lock is free.
//! 4. `f` obeys the rule of g0 code (no malloc, no lock of a user) and stops no timer: it would wait for itself. For the
//!    same reason nobody stops a timer while holding a lock that some `f` takes.
//!
//! Go: `timers` and `timer` (time.go). A ticker is its owner's loop here, so there is no period.

mod heap;
#[cfg(test)]
mod tests;

use std::ptr;

use crate::facade::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use crate::facade::atomic::{AtomicI64, AtomicPtr, AtomicUsize};
use crate::facade::{getm, osyield, procyield};
use crate::lock::{Guard, Lock};
use crate::proc::settle;
use heap::Heap;

/// How many due timers one hold of the lock takes out. A `stop` waits for that many calls at most.
const BATCH: usize = 16;

/// How often `stop` looks before it lets another thread have the processor, and how long a look takes.
const SPINS: u32 = 30;
const SPIN_CYCLES: u32 = 10;

/// The timers of one P. Go: `timers`.
pub(crate) struct Timers {
    /// When the earliest is due, 0 if there is none. Holder of the lock.
    wake: AtomicI64,
    /// How many are armed. Holder of the lock.
    len: AtomicUsize,
    heap: Lock<Heap>,
}

impl Timers {
    pub(crate) const fn new() -> Self {
        Self { wake: AtomicI64::new(0), len: AtomicUsize::new(0), heap: Lock::new(Heap::new()) }
    }

    /// When the earliest timer is due, nanoseconds of the monotonic clock; 0 if there is none. Any thread.
    #[inline]
    pub(crate) fn wake_time(&self) -> i64 {
        // SeqCst: who goes to sleep first says until when, then looks here; who arms stores here (`unlock`), then looks
        // who sleeps (`wake_poller`). One of the two sees the other.
        self.wake.load(SeqCst)
    }

    /// How many timers are armed. Any thread.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        // Relaxed: stale at once unless the world is stopped, and then whoever stopped it has synchronised with all.
        self.len.load(Relaxed)
    }

    /// Runs what is due at `now`, in order. When the next timer is due, 0 if there is none; whether any ran.
    ///
    /// On g0, by any M. One load if nothing is due. Go: `timers.check`.
    #[inline]
    pub(crate) fn check(&self, now: i64) -> (i64, bool) {
        let next = self.wake_time();
        if next == 0 || now < next { (next, false) } else { self.run(now) }
    }

    #[cold]
    #[inline(never)]
    fn run(&self, now: i64) -> (i64, bool) {
        let mut due = [ptr::null(); BATCH];
        let mut ran = false;
        loop {
            let mut heap = self.heap.lock();
            let mut count = 0;
            while count < BATCH
                && let Some(timer) = heap.pop_due(now)
            {
                due[count] = timer;
                count += 1;
            }
            let next = self.unlock(heap);
            for &timer in &due[..count] {
                ran = true;
                // SAFETY: it was armed, and is not settled before this call settles it (invariant 2).
                unsafe { Timer::fire(timer) };
            }
            if next == 0 || now < next {
                return (next, ran);
            }
        }
    }

    /// Puts `timer`, which is settled, in; whether it is now the earliest. Go: `maybeAdd`.
    ///
    /// # Safety
    ///
    /// As for [`Timer::arm`].
    #[must_use]
    #[inline]
    pub(crate) unsafe fn add(&self, timer: *const Timer, when: i64) -> bool {
        // 0 is no time.
        let when = when.max(1);
        let mut heap = self.heap.lock();
        let slot = heap.push(timer, when);
        // SAFETY: the caller keeps the timer in place; nobody runs it while the lock is held.
        unsafe { Timer::armed_in(timer, self, slot) };
        // Relaxed: only the holder of the lock writes it.
        let before = self.wake.load(Relaxed);
        self.unlock(heap);
        before == 0 || when < before
    }

    /// Takes over the timers of a P that is being destroyed. The world is stopped. Go: `timers.take`.
    ///
    /// The caller then tells whoever sleeps, as for a timer that is armed.
    pub(crate) fn take_from(&self, other: &Self) {
        // Two of these locks are held at once here only, where nobody else wants either.
        let mut from = other.heap.lock();
        let mut to = self.heap.lock();
        from.drain(|timer, when| {
            let slot = to.push(timer, when);
            // SAFETY: it is armed, so it is in place; nobody runs it while both locks are held.
            unsafe { Timer::armed_in(timer, self, slot) };
        });
        self.unlock(to);
        other.unlock(from);
    }

    /// Gives the lock back and publishes what it changed; as [`Timers::wake_time`] then is.
    #[inline]
    fn unlock(&self, heap: Guard<'_, Heap>) -> i64 {
        let next = heap.first().unwrap_or(0);
        // Relaxed: only the holder of the lock writes it.
        if self.wake.load(Relaxed) != next {
            // SeqCst: see `wake_time`.
            self.wake.store(next, SeqCst);
        }
        // Relaxed: see `len`.
        self.len.store(heap.len(), Relaxed);
        drop(heap);
        next
    }
}

/// One timer, to be armed any number of times by one owner. Its place in memory must not change while it is armed.
/// Go: `timer`.
pub(crate) struct Timer {
    f: fn(*const ()),
    arg: *const (),
    /// See invariant 1.
    timers: AtomicPtr<Timers>,
    /// Its number in the heap of `timers`. Holder of that one's lock.
    slot: AtomicUsize,
}

impl Timer {
    /// A timer that is to call `f(arg)`. `f` obeys rule 4 of the module.
    pub(crate) const fn new(f: fn(*const ()), arg: *const ()) -> Self {
        Self { f, arg, timers: AtomicPtr::new(ptr::null_mut()), slot: AtomicUsize::new(0) }
    }

    /// Calls `f(arg)` once on some M's scheduler stack at `when`, nanoseconds of the monotonic clock, or soon after. If it
    /// is armed already it is stopped first.
    ///
    /// Whether it is now the earliest of its P: then the caller, once it has given its locks back, calls
    /// [`wake_poller`](crate::proc::wake_poller) with `when`.
    ///
    /// `f` may run, its owner wake up and `timer` be gone before this returns. So if `f` readies a goroutine, that one
    /// must be `Waiting` by now: arm on g0, in the `unlock` of its park. Go: `resetForSleep`.
    ///
    /// # Panics
    ///
    /// If the calling thread has no P: only goroutines, and the scheduler on their behalf, have timers.
    ///
    /// # Safety
    ///
    /// The timer stays in place, and `arg` valid, until its owner's `stop` has returned. One thread at a time arms and
    /// stops it.
    #[must_use]
    pub(crate) unsafe fn arm(timer: *const Self, when: i64) -> bool {
        // SAFETY: it is in place, and not armed by anybody else meanwhile.
        unsafe { (*timer).stop() };
        let Some(mp) = getm().map(settle) else { no_p() };
        // Until the matching release this M keeps its P: a P that lost its M might be destroyed and its timers
        // moved before this one is among them.
        mp.acquire();
        let Some(pp) = mp.p() else {
            mp.release();
            no_p()
        };
        // SAFETY: the caller's promise; `stop` settled it.
        let earliest = unsafe { pp.timers.add(timer, when) };
        mp.release();
        earliest
    }

    /// After this `f` does not run, nor will it until armed again: takes the timer out, or waits for a call in
    /// progress. Any thread, but by the owner alone; without a lock that some `f` takes.
    #[inline]
    pub(crate) fn stop(&self) {
        // Acquire pairs with the Release of `fire`: what `f` did is seen, and done.
        if !self.timers.load(Acquire).is_null() {
            self.stop_slow();
        }
    }

    #[inline(never)]
    fn stop_slow(&self) {
        let mut spins = 0;
        loop {
            // Acquire: as in `stop`.
            // SAFETY: null, or the timers of a P, which is never freed, or of a test that outlives its timers.
            let Some(timers) = (unsafe { self.timers.load(Acquire).as_ref() }) else { return };
            let mut heap = timers.heap.lock();
            // Relaxed: the lock, if these still are its timers; if not, `remove` refuses whatever this reads.
            if heap.remove(self.slot.load(Relaxed), self) {
                // Relaxed: the owner is the caller.
                self.timers.store(ptr::null_mut(), Relaxed);
                timers.unlock(heap);
                return;
            }
            drop(heap);
            // It is being run, or its P was destroyed and another has it.
            if spins < SPINS {
                spins += 1;
                procyield(SPIN_CYCLES);
            } else {
                osyield();
            }
        }
    }

    /// # Safety
    ///
    /// `timer` is valid, and the caller holds the lock of `timers`, where it is under `slot`.
    #[inline]
    unsafe fn armed_in(timer: *const Self, timers: &Timers, slot: usize) {
        // SAFETY: the caller's promise.
        let timer = unsafe { &*timer };
        // Relaxed, both: read by the owner, which is the caller or is handed this through the stopped world, and else
        // under the lock.
        timer.slot.store(slot, Relaxed);
        timer.timers.store(ptr::from_ref(timers).cast_mut(), Relaxed);
    }

    /// Runs it and settles it.
    ///
    /// # Safety
    ///
    /// `timer` is armed, and the caller has taken it out of its heap.
    #[inline]
    unsafe fn fire(timer: *const Self) {
        // SAFETY: it is not settled, so its owner keeps it in place.
        let (f, arg) = unsafe { ((*timer).f, (*timer).arg) };
        f(arg);
        // Release pairs with the Acquire of `stop`. The owner may be gone with the timer right after, so this is the last
        // touch, and through no reference that outlives it.
        // SAFETY: as above, until the store.
        unsafe { (*timer).timers.store(ptr::null_mut(), Release) };
    }
}

#[cold]
fn no_p() -> ! {
    panic!(
        "a timer was armed on a thread that has no P: goroutines and the scheduler arm timers, plain threads sleep"
    )
}
