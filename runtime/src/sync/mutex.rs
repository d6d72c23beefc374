//! [`Mutex`]: a value that one goroutine or thread at a time may reach.

use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use super::raw_mutex::RawMutex;
use crate::proc::safe_point;
use crate::time;
use crate::waitreason::WaitReason;

/// A mutual exclusion lock that parks the goroutine, not the thread. Go: `sync.Mutex`.
///
/// - *Fair enough*: a waiter that fails for more than 1 ms is handed the lock before anybody else.
/// - *No poisoning*: a panic while a guard is alive gives the lock back, and the next holder sees the value as the
///   panic left it. A type that must not be seen half-changed has to restore itself on unwinding.
/// - *Not reentrant*: who locks twice waits for itself for ever.
///
/// ```
/// use sigurg::sync::Mutex;
///
/// let total = Mutex::new(1);
/// *total.lock() += 1;
/// assert_eq!(total.into_inner(), 2);
/// ```
pub struct Mutex<T: ?Sized> {
    raw: RawMutex,
    value: UnsafeCell<T>,
}

// SAFETY: the lock lets one holder at a time reach the value, perhaps each on another thread.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}
// SAFETY: the lock owns its value.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}

impl<T> Mutex<T> {
    /// An unlocked mutex around `value`.
    #[inline]
    pub const fn new(value: T) -> Self {
        Self { raw: RawMutex::new(), value: UnsafeCell::new(value) }
    }

    /// Takes the value out.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits until nobody holds the lock, and takes it. Go: `Lock`.
    #[inline]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        safe_point();
        self.raw.lock(WaitReason::SyncMutexLock);
        MutexGuard::new(self)
    }

    /// Takes the lock if that needs no waiting; `None` if it is held or being handed to a waiter. Go: `TryLock`.
    #[inline]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        safe_point();
        self.raw.try_lock().then(|| MutexGuard::new(self))
    }

    /// As [`Mutex::lock`], but waits no longer than `timeout`; `None` if the time was up.
    pub fn try_lock_for(&self, timeout: Duration) -> Option<MutexGuard<'_, T>> {
        self.lock_until(time::after(timeout))
    }

    /// As [`Mutex::lock`], but waits no longer than until `instant`; `None` if the time was up.
    pub fn try_lock_until(&self, instant: Instant) -> Option<MutexGuard<'_, T>> {
        self.lock_until(time::at(instant))
    }

    #[cfg(test)]
    pub(super) fn state(&self) -> super::raw_mutex::State {
        self.raw.state()
    }

    fn lock_until(&self, deadline: i64) -> Option<MutexGuard<'_, T>> {
        safe_point();
        self.raw.lock_until(deadline, WaitReason::SyncMutexLock).then(|| MutexGuard::new(self))
    }

    /// Whether somebody holds the lock. Out of date at once: for reports, not for decisions.
    pub fn is_locked(&self) -> bool {
        safe_point();
        self.raw.is_locked()
    }

    /// The value, without locking: nobody else can reach it.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Mutex");
        match self.try_lock() {
            Some(guard) => out.field("value", &&*guard),
            None => out.field("value", &format_args!("<locked>")),
        };
        out.finish_non_exhaustive()
    }
}

/// Proof of holding a [`Mutex`]; gives it back when dropped.
///
/// It may be kept across blocking calls, and dropped on another thread than the one that locked: a lock belongs to
/// whoever has its guard.
#[must_use = "the lock is given back at once if the guard is not kept"]
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    /// It gives `&mut T` away: shared and sent only as that may be.
    _value: PhantomData<&'a mut T>,
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// The caller holds the lock of `mutex`, and no other guard stands for that.
    #[inline]
    fn new(mutex: &'a Mutex<T>) -> Self {
        Self { mutex, _value: PhantomData }
    }

    /// The mutex that this guard holds.
    #[inline]
    pub fn mutex(guard: &Self) -> &'a Mutex<T> {
        guard.mutex
    }

    /// Gives the lock back for the time of `f`, which waits for something.
    pub(super) fn unlocked<R>(guard: &mut Self, f: impl FnOnce() -> R) -> R {
        let raw = &guard.mutex.raw;
        raw.unlock();
        let result = f();
        raw.lock(WaitReason::SyncMutexLock);
        result
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard is proof that its owner alone holds the lock.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`.
        unsafe { &mut *self.mutex.value.get() }
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.mutex.raw.unlock();
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
