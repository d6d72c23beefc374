//! The runtime's own lock: blocks the thread, for tens of nanoseconds.
//!
//! 1. While an M holds one, `m.locks` is not zero, and neither kind of preemption touches that M: so the
//!    holder always runs on, and whoever waits never waits for a goroutine to be scheduled.
//! 2. Nobody allocates, prints, calls foreign code or drops a user's value while holding one (a goroutine may be
//!    parked inside malloc with malloc's lock held).
//! 3. The count goes up before the lock is taken and down after it is given back.
//!
//! Go: `lock`, `unlock` (lock_futex.go).

use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};

use crate::facade::{RawLock, getm};

/// A value that only the holder of the lock reaches.
pub(crate) struct Lock<T> {
    raw: RawLock,
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
        if let Some(mp) = getm() {
            mp.acquire();
        }
        self.raw.lock();
        Guard { lock: self }
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

impl<T> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.raw.unlock();
        if let Some(mp) = getm() {
            mp.release();
        }
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
