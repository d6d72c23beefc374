//! [`RwLock`]: a value that many may read, or one may change.

use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use super::raw_rwlock::RawRwLock;
use crate::proc::safe_point;
use crate::time;

/// A reader-writer lock that parks the goroutine, not the thread. Go: `sync.RWMutex`.
///
/// - *Writers first*: while a writer waits, new readers wait behind it; when it goes, they are all let in before the next
///   writer. So neither kind can starve the other.
/// - *No recursion*: who reads and reads again waits for ever if a writer came in between.
/// - *No poisoning*: as [`Mutex`](super::Mutex).
///
/// ```
/// use sigurg::sync::RwLock;
///
/// let names = RwLock::new(vec!["G", "M"]);
/// assert_eq!(names.read().len(), 2);
/// names.write().push("P");
/// assert_eq!(names.read().last(), Some(&"P"));
/// ```
pub struct RwLock<T: ?Sized> {
    raw: RawRwLock,
    value: UnsafeCell<T>,
}

// SAFETY: readers on many threads share the value (Sync), and a writer takes it to its thread (Send).
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}
// SAFETY: the lock owns its value.
unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}

impl<T> RwLock<T> {
    /// An unlocked lock around `value`.
    #[inline]
    pub const fn new(value: T) -> Self {
        Self { raw: RawRwLock::new(), value: UnsafeCell::new(value) }
    }

    /// Takes the value out.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Waits until no writer has the lock or waits for it, and shares the value. Go: `RLock`.
    ///
    /// # Panics
    ///
    /// If 2²⁹ guards are alive or were forgotten.
    #[inline]
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        safe_point();
        self.raw.read(None);
        RwLockReadGuard::new(self)
    }

    /// Shares the value if that needs no waiting. Go: `TryRLock`.
    #[inline]
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        safe_point();
        self.raw.try_read().then(|| RwLockReadGuard::new(self))
    }

    /// As [`RwLock::read`], but waits no longer than `timeout`; `None` if the time was up.
    pub fn try_read_for(&self, timeout: Duration) -> Option<RwLockReadGuard<'_, T>> {
        safe_point();
        self.raw.read(Some(time::after(timeout))).then(|| RwLockReadGuard::new(self))
    }

    /// As [`RwLock::read`], but waits no longer than until `instant`; `None` if the time was up.
    pub fn try_read_until(&self, instant: Instant) -> Option<RwLockReadGuard<'_, T>> {
        safe_point();
        self.raw.read(Some(time::at(instant))).then(|| RwLockReadGuard::new(self))
    }

    /// Waits until nobody reads or writes, and takes the value for itself. Go: `Lock`.
    #[inline]
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        safe_point();
        self.raw.write(None);
        RwLockWriteGuard::new(self)
    }

    /// Takes the value for itself if that needs no waiting. Go: `TryLock`.
    #[inline]
    pub fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        safe_point();
        self.raw.try_write().then(|| RwLockWriteGuard::new(self))
    }

    /// As [`RwLock::write`], but waits no longer than `timeout`; `None` if the time was up. Readers that waited behind it
    /// are let in then.
    pub fn try_write_for(&self, timeout: Duration) -> Option<RwLockWriteGuard<'_, T>> {
        safe_point();
        self.raw.write(Some(time::after(timeout))).then(|| RwLockWriteGuard::new(self))
    }

    /// As [`RwLock::write`], but waits no longer than until `instant`; `None` if the time was up.
    pub fn try_write_until(&self, instant: Instant) -> Option<RwLockWriteGuard<'_, T>> {
        safe_point();
        self.raw.write(Some(time::at(instant))).then(|| RwLockWriteGuard::new(self))
    }

    #[cfg(test)]
    pub(super) fn raw(&self) -> &RawRwLock {
        &self.raw
    }

    /// Whether somebody reads or writes. Out of date at once: for reports, not for decisions.
    pub fn is_locked(&self) -> bool {
        safe_point();
        self.raw.is_locked()
    }

    /// The value, without locking: nobody else can reach it.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("RwLock");
        match self.try_read() {
            Some(guard) => out.field("value", &&*guard),
            None => out.field("value", &format_args!("<locked>")),
        };
        out.finish_non_exhaustive()
    }
}

/// Proof of reading under a [`RwLock`]; ends when dropped, on any thread.
#[must_use = "the lock is given back at once if the guard is not kept"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    /// It gives `&T` away: shared and sent only as that may be.
    _value: PhantomData<&'a T>,
}

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    /// The caller may read under `lock`, and no other guard stands for that.
    #[inline]
    fn new(lock: &'a RwLock<T>) -> Self {
        Self { lock, _value: PhantomData }
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard is proof that nobody writes.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> Drop for RwLockReadGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.raw.unlock_read();
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// Proof of being the one writer under a [`RwLock`]; ends when dropped, on any thread.
#[must_use = "the lock is given back at once if the guard is not kept"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    /// It gives `&mut T` away: shared and sent only as that may be.
    _value: PhantomData<&'a mut T>,
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// The caller may write under `lock`, and no other guard stands for that.
    #[inline]
    fn new(lock: &'a RwLock<T>) -> Self {
        Self { lock, _value: PhantomData }
    }

    /// Goes on as a reader, beside others, with no other writer in between.
    pub fn downgrade(guard: Self) -> RwLockReadGuard<'a, T> {
        let lock = ManuallyDrop::new(guard).lock;
        lock.raw.downgrade();
        RwLockReadGuard::new(lock)
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard is proof that its owner alone holds the lock.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T: ?Sized> Drop for RwLockWriteGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.raw.unlock_write();
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
