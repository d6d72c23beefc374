//! A one-shot event for one sleeping thread (Go: `note`).
//!
//! 1. `clear`, then any number of `wakeup` and one `sleep`, in any order. A wake-up that comes first is not lost.
//! 2. Only one thread sleeps on a note, and only that thread clears it.

use super::atomic::AtomicU32;
use super::atomic::Ordering::{Acquire, Relaxed, Release};
use super::{futex_wait, futex_wake, nanotime};

/// See the module.
pub(crate) struct Note {
    word: AtomicU32,
}

impl Note {
    pub(crate) const fn new() -> Self {
        Self { word: AtomicU32::new(0) }
    }

    /// Forgets earlier wake-ups.
    pub(crate) fn clear(&self) {
        // Relaxed: whoever may wake is told to by something that is published after this.
        self.word.store(0, Relaxed);
    }

    /// Wakes the sleeper, now or when it comes.
    pub(crate) fn wakeup(&self) {
        // Release pairs with the Acquire loads in `sleep` and `sleep_for`: what was written before is seen after.
        if self.word.swap(1, Release) == 0 {
            futex_wake(&raw const self.word, 1);
        }
    }

    /// Sleeps until woken.
    pub(crate) fn sleep(&self) {
        // Acquire pairs with the Release of `wakeup`.
        while self.word.load(Acquire) == 0 {
            futex_wait(&self.word, 0, -1);
        }
    }

    /// Sleeps until woken or for `ns` nanoseconds; whether it was woken.
    pub(crate) fn sleep_for(&self, ns: i64) -> bool {
        let deadline = nanotime().saturating_add(ns);
        loop {
            // Acquire pairs with the Release of `wakeup`.
            if self.word.load(Acquire) != 0 {
                return true;
            }
            let left = deadline - nanotime();
            if left <= 0 {
                return false;
            }
            futex_wait(&self.word, 0, left);
        }
    }
}
