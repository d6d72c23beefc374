//! A beat that drops what nobody waited for.

use std::time::{Duration, Instant};

use super::clock::{after, nanos};
use super::sleep_until_ns;
use crate::facade::nanotime;
use crate::proc::safe_point;

/// A beat: made by [`interval`], waited for by [`tick`](Ticker::tick).
#[derive(Debug)]
pub struct Ticker {
    /// One moment on two clocks.
    start: (Instant, i64),
    /// When the next tick is due.
    next: i64,
    /// At least 1.
    period: i64,
}

/// A [`Ticker`] whose first tick is due after `period`, as are all later ones.
///
/// # Panics
///
/// If `period` is zero.
///
/// Go: `time.NewTicker`.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// let start = Instant::now();
/// let mut ticker = sigurg::time::interval(Duration::from_millis(2));
/// for _ in 0..3 {
///     ticker.tick();
/// }
/// assert!(start.elapsed() >= Duration::from_millis(6));
/// ```
#[must_use]
pub fn interval(period: Duration) -> Ticker {
    // std's clock first: an instant made from the pair is never later than the tick that it names.
    let start = (Instant::now(), nanotime());
    let mut ticker = Ticker { start, next: 0, period: 0 };
    ticker.reset(period);
    ticker
}

impl Ticker {
    /// Waits for the next tick; the instant at which it was due.
    ///
    /// Ticks are due at whole periods after the start, however long the work between them takes. Whoever comes
    /// late gets the first missed tick at once; the others that were missed are dropped, and the next one is due at the
    /// next whole period. So a slow loop never gets more than two ticks in a row without waiting.
    pub fn tick(&mut self) -> Instant {
        safe_point();
        let due = self.next;
        sleep_until_ns(due);
        self.next = next_after(due, self.period, nanotime());
        let (instant, ns) = self.start;
        // `due` is after `start`, and std's clock reaches further than ours.
        instant + Duration::from_nanos((due - ns).unsigned_abs())
    }

    /// Stops the beat and starts another: the next tick is due after `period`.
    ///
    /// # Panics
    ///
    /// If `period` is zero.
    ///
    /// Go: `Ticker.Reset`.
    pub fn reset(&mut self, period: Duration) {
        safe_point();
        assert!(!period.is_zero(), "a ticker needs a period above zero");
        self.period = nanos(period);
        self.next = after(period);
    }

    /// Time from tick to tick.
    #[must_use]
    pub fn period(&self) -> Duration {
        Duration::from_nanos(self.period.unsigned_abs())
    }
}

/// The first whole period after `due` that is still to come at `now`; `now >= due`.
fn next_after(due: i64, period: i64, now: i64) -> i64 {
    let missed = (now - due) / period;
    due.saturating_add(period.saturating_mul(missed.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: if cfg!(miri) { 16 } else { 256 },
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn the_next_tick_is_the_first_whole_period_to_come(
            due in 1..i64::MAX / 4,
            period in prop_oneof![1i64..1_000_000_000, 1..=i64::MAX],
            late in prop_oneof![0i64..10_000_000_000, 0..i64::MAX / 4],
        ) {
            let now = due + late;
            let next = i128::from(next_after(due, period, now));
            let (due, period, now) = (i128::from(due), i128::from(period), i128::from(now));
            if next == i128::from(i64::MAX) {
                prop_assert!(now + period >= next);
            } else {
                prop_assert!(next > now && next - period <= now, "next {next}, now {now}");
                prop_assert_eq!((next - due) % period, 0);
            }
        }
    }

    #[test]
    fn ticks_are_due_at_whole_periods_and_missed_ones_are_dropped() {
        let period = Duration::from_millis(2);
        let mut ticker = interval(period);
        let (first, due) = (ticker.tick(), ticker.next);
        super::super::sleep(10 * period);
        let now = nanotime();
        assert!(due < now, "a sleep of ten periods ended at {now}, before the tick at {due}");
        // The first of those that were missed comes, then one that is still to come.
        let missed = ticker.tick();
        assert!(ticker.next > now, "{} was missed at {now}, and is not dropped", ticker.next);
        let next = ticker.tick();
        for tick in [missed, next] {
            assert!(tick > first);
            assert_eq!((tick - first).as_nanos() % period.as_nanos(), 0);
        }
    }

    #[test]
    fn a_reset_starts_the_beat_anew() {
        let mut ticker = interval(Duration::MAX);
        let start = nanotime();
        ticker.reset(Duration::from_millis(1));
        assert_eq!(ticker.period(), Duration::from_millis(1));
        ticker.tick();
        assert!(nanotime() >= start + 1_000_000);
    }

    #[test]
    #[should_panic(expected = "a ticker needs a period above zero")]
    fn no_period_is_refused() {
        let _ = interval(Duration::ZERO);
    }
}
