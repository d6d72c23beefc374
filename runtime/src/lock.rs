//! The runtime's own lock: blocks the thread, for tens of nanoseconds.
//!
//! 1. While an M holds one, `m.locks` is not zero, and neither kind of preemption touches that M: so the
//!    holder always runs on, and whoever waits never waits for a goroutine to be scheduled.
//! 2. Nobody allocates, prints, calls foreign code or drops a user's value while holding one (a goroutine may be
//!    parked inside malloc with malloc's lock held).
//! 3. Before it, a goroutine that lost its P in a foreign call gets one (`proc/adopt.rs`): what it does under the lock may need it.
//! 4. The count goes up before the lock is taken and down after it is given back.
//!
//! Go: `lock`, `unlock` (lock_futex.go).

use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};

use crate::facade::{RawLock, getm_here};
use crate::proc::settle;

/// [`M::acquire`](crate::m::M::acquire), if the thread has one. Not inlined, nor is its counterpart: user code that locks are inlined into
/// never has the M in hand (`safepoint/`).
#[inline(never)]
fn acquirem() {
    if let Some(mp) = getm_here() {
        settle(mp).acquire();
    }
}

/// [`M::release`](crate::m::M::release), if the thread has one.
#[inline(never)]
fn releasem() {
    if let Some(mp) = getm_here() {
        mp.release();
    }
}

/// A value that only the holder of the lock reaches.
pub(crate) struct Lock<T> {
    pub(crate) raw: RawLock,
    value: UnsafeCell<T>,
}

// SAFETY: the lock lets one thread at a time reach the value.
unsafe impl<T: Send> Sync for Lock<T> {}
// SAFETY: the lock owns its value.
unsafe impl<T: Send> Send for Lock<T> {}

impl<T> Lock<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { raw: RawLock::new(), value: UnsafeCell::new(value) }
    }

    /// Takes the lock. The guard must be dropped on the thread that made it.
    #[inline]
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        acquirem();
        self.raw.lock();
        Guard { lock: self }
    }

    /// The value, for whoever alone has the lock.
    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// The value, for whoever does not hold the lock or has forgotten its guard.
    ///
    /// # Safety
    ///
    /// Without the lock only atomics of the value may be used. Nobody may make a `&mut` of the value out of a guard.
    #[inline]
    pub(crate) unsafe fn unguarded(&self) -> &T {
        // SAFETY: the caller promises that there is no `&mut` of it.
        unsafe { &*self.value.get() }
    }

    /// Gives back a lock whose guard was forgotten, as who holds a number of them at once does.
    ///
    /// # Safety
    ///
    /// The calling thread holds the lock, and its guard was given to `mem::forget`.
    #[inline]
    pub(crate) unsafe fn unlock(&self) {
        drop(Guard { lock: self });
    }
}

/// Proof of holding a [`Lock`]; gives it back when dropped.
pub(crate) struct Guard<'a, T> {
    lock: &'a Lock<T>,
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard is proof that this thread alone holds the lock.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Guard<'_, T> {
    /// Gives the lock back, then calls `f`, before this thread may be preempted again. Without this, those that `f` is to
    /// wake could have to wait for a time slice of others.
    #[inline]
    pub(crate) fn unlock_then(self, f: impl FnOnce()) {
        self.lock.raw.unlock();
        std::mem::forget(self);
        f();
        releasem();
    }
}

impl<T> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.raw.unlock();
        releasem();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn one_thread_at_a_time_reaches_the_value() {
        let (threads, rounds) = if cfg!(miri) { (2, 50) } else { (4, 20_000) };
        let value = Arc::new(Lock::new(0u64));
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let value = Arc::clone(&value);
                std::thread::spawn(move || (0..rounds).for_each(|_| *value.lock() += 1))
            })
            .collect();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        assert_eq!(*value.lock(), threads * rounds);
    }
}
