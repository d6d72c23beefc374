//! Time and ways to let it pass.

use std::hint::spin_loop;

/// Nanoseconds of `CLOCK_MONOTONIC`.
#[inline]
pub(crate) fn nanotime() -> i64 {
    let mut ts = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `ts` is a valid place to write to; the clock exists on every Linux.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut ts) };
    ts.tv_sec * 1_000_000_000 + ts.tv_nsec
}

/// Spins for `cycles` short pauses.
#[inline]
pub(crate) fn procyield(cycles: u32) {
    for _ in 0..cycles {
        spin_loop();
    }
}

/// Lets another thread have the processor.
#[inline]
pub(crate) fn osyield() {
    // SAFETY: takes no arguments and cannot fail on Linux.
    unsafe { libc::sched_yield() };
}

/// Sleeps for `us` microseconds, or less if a signal arrives.
pub(crate) fn usleep(us: u32) {
    let ts = libc::timespec { tv_sec: i64::from(us / 1_000_000), tv_nsec: i64::from(us % 1_000_000) * 1_000 };
    // SAFETY: `ts` is a valid time; null asks for no remainder.
    unsafe { libc::nanosleep(&ts, std::ptr::null_mut()) };
}
