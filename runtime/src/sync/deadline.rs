//! Time limits as users say them, in nanoseconds of the monotonic clock.

use std::time::{Duration, Instant};

use crate::facade::nanotime;

/// The time that is `timeout` from now; a limit past the end of the clock is its end.
pub(super) fn after(timeout: Duration) -> i64 {
    nanotime().saturating_add(i64::try_from(timeout.as_nanos()).unwrap_or(i64::MAX))
}

/// The time of `instant`; now, if it has passed.
pub(super) fn at(instant: Instant) -> i64 {
    after(instant.saturating_duration_since(Instant::now()))
}
