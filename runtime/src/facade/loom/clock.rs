//! A clock that stands still until a model moves it, and ways to let others go on.

use super::atomic::Ordering::Relaxed;
use super::execution::{is_active, with};
use std::rc::Rc;

/// Nanoseconds since the model began.
pub(crate) fn nanotime() -> i64 {
    if !is_active() {
        return 0;
    }
    let clock = with(|execution| Rc::clone(&execution.clock));
    // Relaxed: threads may disagree a little.
    clock.load(Relaxed).cast_signed()
}

/// Moves the clock.
pub(crate) fn advance(ns: i64) {
    let clock = with(|execution| Rc::clone(&execution.clock));
    clock.fetch_add(ns.cast_unsigned(), Relaxed);
}

pub(crate) fn cputicks() -> u64 {
    nanotime().cast_unsigned()
}

pub(crate) fn procyield(_cycles: u32) {
    osyield();
}

/// The thread waits for what another one does: it goes on when there was something.
pub(crate) fn osyield() {
    if is_active() {
        ::loom::thread::yield_now();
    }
}

/// A pause: takes no time of the clock, as what it waits for need not take any.
pub(crate) fn usleep(_us: u32) {
    osyield();
}

pub(crate) fn sleep_exactly() {}
pub(crate) fn be_punctual() {}
