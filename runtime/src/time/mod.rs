//! Letting time pass: sleeps and tickers.
//!
//! A goroutine that sleeps costs one entry in a heap of its P and no thread. Everything here works on plain threads
//! too: they sleep as threads do. A time limit for anything else is a case of `select!`, or a deadline of the thing.
//!
//! Times are of the monotonic clock and pass while the process runs, not while the machine is suspended. No sleep ends
//! early; how late it ends depends on the load: on an idle runtime some tens of microseconds.
//!
//! Go: package time.

mod clock;
mod ticker;

use std::time::{Duration, Instant};

use crate::facade::nanotime;
use crate::proc::safe_point;
use crate::wait::Wait;
use crate::waitreason::WaitReason;

pub(crate) use clock::{after, at};
pub use ticker::{Ticker, interval};

/// Pauses the calling goroutine, or plain thread, for at least `duration`.
///
/// Zero returns at once, without giving way to others: that is `yield_now`. A duration too long for
/// the clock (292 years) sleeps for ever.
///
/// Go: `time.Sleep`.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// let start = Instant::now();
/// sigurg::time::sleep(Duration::from_millis(5));
/// assert!(start.elapsed() >= Duration::from_millis(5));
/// ```
pub fn sleep(duration: Duration) {
    safe_point();
    if !duration.is_zero() {
        sleep_until_ns(after(duration));
    }
}

/// Pauses the calling goroutine, or plain thread, until `deadline`; returns at once if that has passed.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// let deadline = Instant::now() + Duration::from_millis(5);
/// sigurg::time::sleep_until(deadline);
/// assert!(Instant::now() >= deadline);
/// ```
pub fn sleep_until(deadline: Instant) {
    safe_point();
    sleep_until_ns(at(deadline));
}

fn sleep_until_ns(when: i64) {
    if nanotime() < when {
        let wait = Wait::new();
        // Nobody knows of `wait`, so only its time can end it.
        let woken = wait.block_until(Some(when), WaitReason::Sleep, || ());
        debug_assert!(!woken, "a sleep was woken before its time");
    }
}
