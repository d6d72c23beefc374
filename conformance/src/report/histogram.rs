//! Times and counts in buckets of two significant digits.
//!
//! Invariant: a histogram that is written, read and written again is the same, and adding is exact on buckets: so
//! it does not matter who recorded what, nor in which order it is joined.

use serde::{Deserialize, Serialize};

/// The largest value: an hour in ns, and more than anything that is counted.
const MAX: u64 = 3_600_000_000_000;

/// A histogram.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<(u64, u64)>", into = "Vec<(u64, u64)>")]
pub struct Histogram {
    inner: hdrhistogram::Histogram<u64>,
}

impl Default for Histogram {
    fn default() -> Self {
        let inner = hdrhistogram::Histogram::new_with_bounds(1, MAX, 2).expect("1 < MAX and 2 digits");
        Self { inner }
    }
}

impl Histogram {
    /// Records one value; beyond an hour it counts as an hour.
    pub fn record(&mut self, value: u64) {
        self.inner.saturating_record(value);
    }

    /// Adds what another recorded.
    pub fn add(&mut self, other: &Self) {
        self.inner.add(&other.inner).expect("both have the same bounds");
    }

    /// How many values.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.inner.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// The value below which that part (0 to 1) of all lies.
    #[must_use]
    pub fn quantile(&self, part: f64) -> u64 {
        self.inner.value_at_quantile(part)
    }

    /// The largest value.
    #[must_use]
    pub fn max(&self) -> u64 {
        self.inner.max()
    }

    /// Values and how often each bucket was hit, ascending; empty buckets are left out.
    #[must_use]
    pub fn buckets(&self) -> Vec<(u64, u64)> {
        self.inner.iter_recorded().map(|v| (v.value_iterated_to(), v.count_at_value())).collect()
    }
}

impl From<Vec<(u64, u64)>> for Histogram {
    fn from(buckets: Vec<(u64, u64)>) -> Self {
        let mut histogram = Self::default();
        for (value, count) in buckets {
            histogram.inner.saturating_record_n(value, count);
        }
        histogram
    }
}

impl From<Histogram> for Vec<(u64, u64)> {
    fn from(histogram: Histogram) -> Self {
        histogram.buckets()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(values: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        values.iter().for_each(|&value| histogram.record(value));
        histogram
    }

    proptest! {
        #[test]
        fn adding_is_recording_all(a in prop::collection::vec(any::<u64>(), 0..50), b in prop::collection::vec(0u64..9_999, 0..50)) {
            let mut sum = of(&a);
            sum.add(&of(&b));
            prop_assert_eq!(sum.buckets(), of(&[a, b].concat()).buckets());
        }

        #[test]
        fn what_is_read_is_what_was_written(values in prop::collection::vec(any::<u64>(), 0..50)) {
            let written = of(&values).buckets();
            prop_assert_eq!(Histogram::from(written.clone()).buckets(), written);
        }

        #[test]
        fn quantiles_are_within_a_hundredth(mut values in prop::collection::vec(1u64..1_000_000_000, 1..100)) {
            let histogram = of(&values);
            values.sort_unstable();
            let median = values[(values.len() - 1) / 2];
            let said = histogram.quantile(0.5);
            prop_assert!(said >= median - median / 64 && said <= median + median / 64, "{said} {median}");
        }
    }
}
