//! A lock that blocks the thread: loom's own, which is one step to take and none to give back.
//!
//! The one that the machine uses is checked by itself (`models/lock.rs`); everything else may then take it for this.

use std::cell::UnsafeCell;
use std::rc::Rc;

use ::loom::sync::{Mutex, MutexGuard};

use super::execution::{KnownLock, is_active, note, try_with, with};

/// As large as the machine's.
pub(crate) struct RawLock(UnsafeCell<u32>);

// SAFETY: only its address is used.
unsafe impl Sync for RawLock {}

impl RawLock {
    pub(crate) const fn new() -> Self {
        Self(UnsafeCell::new(0))
    }

    fn at(&self) -> usize {
        self.0.get().addr()
    }

    /// Outside a model nobody else wants it.
    pub(crate) fn lock(&self) {
        if !is_active() {
            return;
        }
        let mutex = with(|execution| execution.locks.get(&self.at()).map(|known| Rc::clone(&known.mutex)));
        let mutex = mutex.unwrap_or_else(|| {
            let mutex = Rc::new(Mutex::new(()));
            let known = KnownLock { held: None, mutex: Rc::clone(&mutex) };
            with(|execution| execution.locks.insert(self.at(), known));
            mutex
        });
        let Ok(guard) = mutex.lock() else { panic!("a holder panicked") };
        // SAFETY: only the lifetime changes. The guard is dropped before the mutex, by `unlock` or with its `KnownLock`.
        let guard = unsafe { std::mem::transmute::<MutexGuard<'_, ()>, MutexGuard<'static, ()>>(guard) };
        with(|execution| execution.locks.get_mut(&self.at()).map(|known| known.held = Some(guard)));
        note("lock", None, self.at(), None);
    }

    /// Gives the lock back; the caller must hold it.
    pub(crate) fn unlock(&self) {
        if is_active() {
            let guard =
                with(|execution| execution.locks.get_mut(&self.at()).and_then(|known| known.held.take()));
            assert!(guard.is_some(), "unlocked by nobody who holds it");
            note("unlock", None, self.at(), None);
        }
    }
}

impl Drop for RawLock {
    fn drop(&mut self) {
        try_with(|execution| _ = execution.locks.remove(&self.at()));
    }
}
