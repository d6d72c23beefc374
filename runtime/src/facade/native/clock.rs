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

/// A count that goes up with time at a steady rate that only a comparison with [`nanotime`] tells: the cheapest clock
/// there is. Threads may disagree a little.
#[inline]
pub(crate) fn cputicks() -> u64 {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: every x86-64 has the instruction, and Linux lets programs use it.
    unsafe {
        core::arch::x86_64::_rdtsc()
    }
    #[cfg(any(not(target_arch = "x86_64"), miri))]
    nanotime().cast_unsigned()
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

/// The calling thread's sleeps end when they are due: the kernel otherwise adds 50 us to save wake-ups.
pub(crate) fn exact_sleeps() {
    // SAFETY: only numbers. A failure leaves the sleeps as they are.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1) };
}
