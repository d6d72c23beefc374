//! The kernel's wait queue for one word.
//!
//! Both calls save `errno`: the caller may be in the middle of foreign code (a signal handler).

use core::sync::atomic::AtomicU32;
use std::ptr;

/// Sleeps while `*word == expected`, for at most `timeout_ns` nanoseconds if not negative.
///
/// May return early for no reason; `false` only if the time is up.
pub(crate) fn futex_wait(word: &AtomicU32, expected: u32, timeout_ns: i64) -> bool {
    let ts = libc::timespec { tv_sec: timeout_ns / 1_000_000_000, tv_nsec: timeout_ns % 1_000_000_000 };
    let timeout = if timeout_ns < 0 { ptr::null() } else { &raw const ts };
    // SAFETY: `word` lives for the call, `timeout` is null or points to `ts`; errno is this thread's own.
    unsafe {
        let errno = libc::__errno_location();
        let saved = *errno;
        let op = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
        let failed = libc::syscall(libc::SYS_futex, word.as_ptr(), op, expected, timeout) < 0;
        let timed_out = failed && *errno == libc::ETIMEDOUT;
        *errno = saved;
        !timed_out
    }
}

/// Wakes up to `count` threads that sleep on the word at that address, which may be gone by now: then
/// nobody sleeps on it, or somebody who expects to be woken for no reason.
pub(crate) fn futex_wake(word: *const AtomicU32, count: i32) {
    // SAFETY: the kernel uses the address only as a key and never reads it here.
    unsafe {
        let errno = libc::__errno_location();
        let saved = *errno;
        let op = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
        libc::syscall(libc::SYS_futex, word, op, count);
        *errno = saved;
    }
}
