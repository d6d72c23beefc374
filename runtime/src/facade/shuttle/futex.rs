//! A wait queue for one word.

use super::atomic::AtomicU32;
use super::atomic::Ordering::SeqCst;
use super::machine::{inside, with};

/// Sleeps while `*word == expected`, for at most `timeout_ns` nanoseconds if not negative.
///
/// May return early because of a signal; `false` only if the time is up.
pub(crate) fn futex_wait(word: &AtomicU32, expected: u32, timeout_ns: i64) -> bool {
    // SeqCst, as all that is simulated.
    if word.load(SeqCst) != expected {
        return true;
    }
    with(|machine| match machine {
        Some(machine) => machine.wait((&raw const *word).addr(), timeout_ns),
        None => panic!("a thread outside of the simulation waits for one inside"),
    })
}

/// Wakes up to `count` threads that sleep on the word at that address, in the order in which they came.
pub(crate) fn futex_wake(word: *const AtomicU32, count: i32) {
    inside(|machine| machine.wake(word.addr(), count));
}
