//! The work itself, the same in every language: no calls, no memory.

use std::hint::black_box;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Computes.
#[inline(never)]
pub(crate) fn spin(iters: u64, seed: u64) -> u64 {
    let mut x = seed | 1;
    for _ in 0..iters {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    x
}

/// Computes until told to stop, and never calls or yields: how often it went round.
#[inline(never)]
pub(crate) fn hog(stop: &AtomicU32) -> u64 {
    let (mut x, mut n) = (88_172_645_463_325_252_u64, 0);
    // Relaxed: when it stops does not matter.
    while stop.load(Relaxed) == 0 {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        n += 1;
    }
    black_box(x);
    n
}

/// How long task `i` of B6b is: most are short, a few very long.
pub(crate) fn uneven_size(i: u64) -> u64 {
    let mut h = i.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x0123_4567);
    h ^= h >> 29;
    h = h.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    h ^= h >> 32;
    match h {
        _ if h & 1023 == 0 => 1_000_000,
        _ if h & 63 == 0 => 50_000,
        _ => 1000,
    }
}

/// How long sleeper `i` of B8 sleeps.
pub(crate) fn delay(i: u64) -> Duration {
    let mut h = i.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x7F4A_7C15);
    h ^= h >> 30;
    h = h.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    h ^= h >> 27;
    h = h.wrapping_mul(0x94D0_49BB_1331_11EB);
    h ^= h >> 31;
    Duration::from_millis(1 + h % 100)
}
