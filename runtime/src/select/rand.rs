//! Random numbers for the order in which a select looks at its cases.

use crate::facade::atomic::AtomicU64;
use crate::facade::atomic::Ordering::Relaxed;
use crate::facade::{getm, global};

/// Step of the sequence of plain threads: the golden ratio, which spreads over all bits (SplitMix64).
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

global! {
    /// Where plain threads are in their common sequence.
    static NEXT: AtomicU64 = AtomicU64::new(0);
}

/// A random number below `n`. Go: `cheaprandn`.
#[inline]
pub(super) fn cheaprandn(n: u32) -> u32 {
    match getm() {
        Some(mp) => mp.cheaprandn(n),
        None => ((u64::from(next()) * u64::from(n)) >> 32) as u32,
    }
}

/// The next number of the plain threads.
fn next() -> u32 {
    // Relaxed: any order of the threads will do.
    let mut x = NEXT.fetch_add(GAMMA, Relaxed).wrapping_add(GAMMA);
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ x >> 31) >> 32) as u32
}
