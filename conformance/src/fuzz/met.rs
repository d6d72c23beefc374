//! What an execution met that code coverage does not show.

use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::Relaxed;

/// Counters that a coverage-guided engine looks at after each execution, and sets to zero before the next: how often a row of
/// the model was taken, which steps followed each other. libFuzzer takes them from the section
/// `__libfuzzer_extra_counters`, others as they like.
#[derive(Debug)]
pub struct Met([AtomicU8; SIZE]);

const SIZE: usize = 1 << 14;

impl Default for Met {
    fn default() -> Self {
        Self::new()
    }
}

impl Met {
    /// Nothing was met.
    #[must_use]
    pub const fn new() -> Self {
        Self([const { AtomicU8::new(0) }; SIZE])
    }

    /// Something was met once more. Things share a counter if their numbers differ by a multiple of 2^14.
    pub fn once(&self, what: usize) {
        self.times(what, 1);
    }

    /// Something was met so many times more.
    pub fn times(&self, what: usize, times: u64) {
        let counter = &self.0[what % SIZE];
        // Relaxed: one thread counts; who reads comes after it on the same thread.
        let sum = u64::from(counter.load(Relaxed)).saturating_add(times);
        counter.store(sum.min(u8::MAX.into()) as u8, Relaxed);
    }

    /// What was met, and how often, up to 255.
    pub fn counts(&self) -> impl Iterator<Item = (usize, u8)> + '_ {
        // Relaxed: as above.
        let counts = self.0.iter().map(|counter| counter.load(Relaxed)).enumerate();
        counts.filter(|(_, count)| *count > 0)
    }

    /// How many different things were met.
    #[must_use]
    pub fn different(&self) -> usize {
        // Relaxed: as above.
        self.0.iter().filter(|counter| counter.load(Relaxed) > 0).count()
    }
}
