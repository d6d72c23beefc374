//! [`Once`] and [`OnceLock`]: what is to happen once.
//!
//! 1. `done` is set by the holder of the mutex when its call has returned, and never cleared but through `&mut`.
//! 2. A call that panics leaves it unset, and gives the mutex to the next.
//!
//! Go: once.go (package sync). There a call that panics counts as done.

use std::cell::UnsafeCell;
use std::fmt;
use std::mem::MaybeUninit;

use super::raw_mutex::RawMutex;
use crate::facade::atomic::AtomicBool;
use crate::facade::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::proc::safe_point;
use crate::waitreason::WaitReason;

/// Runs one call among many. Go: `sync.Once`.
///
/// A call that panics does not count: its panic goes to its caller, and the next caller tries again. That differs from Go,
/// where it counts as done, and from std, where it poisons.
///
/// ```
/// use sigurg::sync::Once;
///
/// static START: Once = Once::new();
/// START.call_once(|| println!("once"));
/// START.call_once(|| unreachable!());
/// assert!(START.is_completed());
/// ```
pub struct Once {
    done: AtomicBool,
    running: RawMutex,
}

impl Once {
    /// Nothing has run yet.
    pub const fn new() -> Self {
        Self { done: AtomicBool::new(false), running: RawMutex::new() }
    }

    /// Calls `f` if no call has returned yet; waits for one that runs. Go: `Do`.
    ///
    /// When this returns, a call has returned, and what it did is seen. A call that calls again waits for itself for ever.
    #[inline]
    pub fn call_once(&self, f: impl FnOnce()) {
        safe_point();
        if !self.is_completed() {
            self.call_slow(f);
        }
    }

    /// Whether a call has returned. If so, what it did is seen.
    #[inline]
    pub fn is_completed(&self) -> bool {
        // Acquire pairs with the Release of `call_slow`.
        self.done.load(Acquire)
    }

    #[cold]
    fn call_slow(&self, f: impl FnOnce()) {
        struct Unlock<'a>(&'a RawMutex);
        impl Drop for Unlock<'_> {
            fn drop(&mut self) {
                self.0.unlock();
            }
        }
        self.running.lock(WaitReason::SyncOnce);
        let _unlock = Unlock(&self.running);
        // Relaxed: written under the mutex.
        if !self.done.load(Relaxed) {
            f();
            // Release pairs with the Acquire of `is_completed`.
            self.done.store(true, Release);
        }
    }
}

impl Default for Once {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").field("completed", &self.is_completed()).finish_non_exhaustive()
    }
}

/// A value that is set once. As `std::sync::OnceLock`; Go: `sync.OnceValue`.
///
/// ```
/// use sigurg::sync::OnceLock;
///
/// static LIMIT: OnceLock<u32> = OnceLock::new();
/// assert_eq!(*LIMIT.get_or_init(|| 10), 10);
/// assert_eq!(LIMIT.set(11), Err(11));
/// ```
pub struct OnceLock<T> {
    once: Once,
    /// Written by the call that `once` lets run; a value from when that is completed.
    value: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: many share the value (Sync), and it may be made on one thread and taken or dropped on another (Send).
unsafe impl<T: Send + Sync> Sync for OnceLock<T> {}
// SAFETY: the lock owns its value.
unsafe impl<T: Send> Send for OnceLock<T> {}

impl<T> OnceLock<T> {
    /// No value yet.
    pub const fn new() -> Self {
        Self { once: Once::new(), value: UnsafeCell::new(MaybeUninit::uninit()) }
    }

    /// The value, if it is set.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        // SAFETY: there is a value once the call is completed, and nobody writes it again while it is shared.
        self.once.is_completed().then(|| unsafe { (*self.value.get()).assume_init_ref() })
    }

    /// The value, if it is set; nobody else can reach it.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        // SAFETY: there is a value once the call is completed.
        self.once.is_completed().then(|| unsafe { self.value.get_mut().assume_init_mut() })
    }

    /// Sets the value.
    ///
    /// # Errors
    ///
    /// Gives `value` back if there is one already; waits for one that is being made.
    pub fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        self.once.call_once(|| self.write(value.take().expect("one call runs")));
        value.map_or(Ok(()), Err)
    }

    /// The value; makes it by `f` if there is none. If `f` panics there is still none, and the next caller tries.
    #[inline]
    pub fn get_or_init(&self, f: impl FnOnce() -> T) -> &T {
        self.once.call_once(|| self.write(f()));
        self.get().expect("the call is completed")
    }

    /// Takes the value out, and is as new.
    pub fn take(&mut self) -> Option<T> {
        let once = std::mem::take(&mut self.once);
        // SAFETY: there is a value once the call is completed, and the new `once` forgets it.
        once.is_completed().then(|| unsafe { self.value.get_mut().assume_init_read() })
    }

    /// Takes the value out.
    pub fn into_inner(mut self) -> Option<T> {
        self.take()
    }

    /// Only inside the call that `once` lets run.
    fn write(&self, value: T) {
        // SAFETY: that call is alone, and nobody reads before it is completed.
        unsafe { (*self.value.get()).write(value) };
    }
}

impl<T> Drop for OnceLock<T> {
    fn drop(&mut self) {
        drop(self.take());
    }
}

impl<T> Default for OnceLock<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> From<T> for OnceLock<T> {
    fn from(value: T) -> Self {
        let lock = Self::new();
        lock.once.call_once(|| lock.write(value));
        lock
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_tuple("OnceLock");
        match self.get() {
            Some(value) => out.field(value),
            None => out.field(&format_args!("<unset>")),
        };
        out.finish()
    }
}
