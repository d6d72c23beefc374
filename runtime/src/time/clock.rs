//! From std's times to those of the scheduler: nanoseconds of the monotonic clock, in an `i64`.
//!
//! What does not fit saturates: `i64::MAX` is 292 years after the machine started, which is never.

use std::time::{Duration, Instant};

use crate::facade::nanotime;

/// When `duration` from now is. Go: `time.when`.
#[inline]
pub(crate) fn after(duration: Duration) -> i64 {
    nanotime().saturating_add(nanos(duration))
}

/// When `instant` is: never too early, and late by as long as it takes to read the clock.
pub(crate) fn at(instant: Instant) -> i64 {
    // std does not say what is in an `Instant`, only how far two are apart. Its clock is read before ours: so the
    // sum errs to the late side.
    let std_now = Instant::now();
    let now = nanotime();
    match instant.checked_duration_since(std_now) {
        Some(ahead) => now.saturating_add(nanos(ahead)),
        None => now.saturating_sub(nanos(std_now.saturating_duration_since(instant))),
    }
}

#[inline]
pub(super) fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn an_instant_becomes_its_time_and_never_an_earlier_one() {
        let before = nanotime();
        let instant = Instant::now();
        let after = nanotime();
        let when = at(instant + Duration::from_secs(10)) - 10 * SECOND;
        assert!(when >= before, "{when} is before {before}");
        // The upper side holds but for the time between the two looks at the clock, which the scheduler of the machine
        // may stretch: a second is enough for any.
        assert!(when < after + SECOND, "{when} is long after {after}");
    }

    #[test]
    fn an_instant_in_the_past_stays_in_the_past() {
        let Some(past) = Instant::now().checked_sub(Duration::from_millis(10)) else { return };
        assert!(at(past) < nanotime());
    }

    #[test]
    fn what_is_too_far_away_is_never() {
        assert_eq!(after(Duration::MAX), i64::MAX);
        assert_eq!(nanos(Duration::MAX), i64::MAX);
        let centuries = Duration::from_secs(400 * 366 * 86_400);
        if let Some(far) = Instant::now().checked_add(centuries) {
            assert_eq!(at(far), i64::MAX);
        }
    }
}
