//! The kernel's wait queue for one word.
//!
//! 1. The look at the word and going to sleep are one step: loom switches threads before its operations, not after.
//! 2. The look sees the newest value, as the kernel's does, and hands nothing over: it is Relaxed. But loom hands over
//!    what the waker did to whoever sleeps; so only those who come late show that a word is Relaxed that must not be.

use super::atomic::AtomicU32;
use super::atomic::Ordering::Relaxed;
use super::clock::{nanotime, osyield};
use super::execution::{is_active, with};

/// No word that is slept on has this value: an exchange for it reads, as exchanges do, the newest value, and writes none.
const NEVER: u32 = 0x6c6f_6f6d;

/// Sleeps while `*word == expected`, for at most `timeout_ns` nanoseconds if not negative.
///
/// `false` only if the time is up.
pub(crate) fn futex_wait(word: &AtomicU32, expected: u32, timeout_ns: i64) -> bool {
    assert!(is_active(), "only a model may sleep");
    let newest = || match word.compare_exchange(NEVER, NEVER, Relaxed, Relaxed) {
        Ok(value) | Err(value) => value,
    };
    if timeout_ns < 0 {
        if newest() == expected {
            let me = ::loom::thread::current();
            let at = std::ptr::from_ref(word).addr();
            with(|execution| execution.sleepers.entry(at).or_default().push(me));
            ::loom::thread::park();
        }
        return true;
    }
    // The clock wakes nobody: whoever waits for a time looks at it again and again.
    let until = nanotime() + timeout_ns;
    loop {
        if newest() != expected {
            return true;
        }
        if nanotime() >= until {
            return false;
        }
        osyield();
    }
}

/// Wakes up to `count` threads that sleep on the word at that address.
pub(crate) fn futex_wake(word: *const AtomicU32, count: i32) {
    if !is_active() {
        return;
    }
    let woken = with(|execution| {
        let sleepers = execution.sleepers.entry(word.addr()).or_default();
        let count = sleepers.len().min(count as usize);
        sleepers.drain(..count).collect::<Vec<_>>()
    });
    for thread in woken {
        thread.unpark();
    }
}
