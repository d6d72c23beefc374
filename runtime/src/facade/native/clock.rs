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

/// Sleeps of the calling thread end when they are due. The kernel would add 50 us to save wake-ups, and to what is left of a sleep
/// each time that a signal interrupts it: of what is interrupted every 50 us there would be no end.
pub(crate) fn sleep_exactly() {
    // SAFETY: only numbers. A failure leaves the sleeps as they are.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1) };
}

/// The calling thread, which sleeps most of the time, runs when its sleeps are due: where threads that compute have all
/// processors, the kernel would let it wait for the rest of their slices, milliseconds.
pub(crate) fn be_punctual() {
    sleep_exactly();
    shorten_slice(100_000);
}

/// Asks the kernel for slices of `ns` nanoseconds for the calling thread, so that it need not wait for others that ask for
/// longer ones. Kernels before 6.12 ignore it, and so do they all where the thread is scheduled in real time.
fn shorten_slice(ns: u64) {
    // SAFETY: all zero is a valid value.
    let mut attr: libc::sched_attr = unsafe { std::mem::zeroed() };
    // SAFETY: `attr` is a place for that many bytes; thread 0 is the calling one.
    let known =
        unsafe { libc::syscall(libc::SYS_sched_getattr, 0, &raw mut attr, size_of_val(&attr), 0) } == 0;
    if known && matches!(attr.sched_policy.cast_signed(), libc::SCHED_OTHER | libc::SCHED_BATCH) {
        attr.sched_runtime = ns;
        // SAFETY: a valid request that changes only the slice; a failure leaves it as it is.
        unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attr, 0) };
    }
}
