//! A lock that blocks the thread: one word and the kernel.
//!
//! 1. States: 0 free, 1 held, 2 held and somebody may sleep. Only the holder moves 1 or 2 to 0.
//! 2. Whoever slept takes the lock as 2: there may be other sleepers that it knows nothing about.

use super::atomic::AtomicU32;
use super::atomic::Ordering::{Acquire, Relaxed, Release};
use super::{futex_wait, futex_wake, procyield, scaled};

const FREE: u32 = 0;
const HELD: u32 = 1;
const CONTENDED: u32 = 2;

/// How often to look again before sleeping, and the pauses before each look: the critical sections here are tens of
/// nanoseconds. Whoever looks takes the cache line from the holder, who is quicker without: so pauses are long. One look is
/// all there is to explore.
const LOOKS: usize = scaled(4, 1);
const PAUSES: u32 = 30;

/// See the module.
pub(crate) struct RawLock {
    word: AtomicU32,
}

impl RawLock {
    pub(crate) const fn new() -> Self {
        Self { word: AtomicU32::new(FREE) }
    }

    #[inline]
    pub(crate) fn lock(&self) {
        if !self.try_lock() {
            self.lock_slow();
        }
    }

    /// Takes the lock if it is free.
    #[inline]
    pub(crate) fn try_lock(&self) -> bool {
        // Acquire pairs with the Release of `unlock`. A failure decides nothing: Relaxed.
        self.word.compare_exchange(FREE, HELD, Acquire, Relaxed).is_ok()
    }

    #[cold]
    fn lock_slow(&self) {
        for _ in 0..LOOKS {
            procyield(PAUSES);
            // Relaxed: only a hint; the exchange in `try_lock` is what takes it.
            if self.word.load(Relaxed) == FREE && self.try_lock() {
                return;
            }
        }
        // Acquire pairs with the Release of `unlock`.
        while self.word.swap(CONTENDED, Acquire) != FREE {
            futex_wait(&self.word, CONTENDED, -1);
        }
    }

    /// Gives the lock back; the caller must hold it.
    #[inline]
    pub(crate) fn unlock(&self) {
        // Release pairs with the Acquire of whoever takes it next.
        if self.word.swap(FREE, Release) == CONTENDED {
            futex_wake(&raw const self.word, 1);
        }
    }
}
