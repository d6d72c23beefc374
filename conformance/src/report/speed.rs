//! The gate for speed: whether a workload takes longer than it did, by more than it varies anyway.
//!
//! 1. What is compared is the median over rounds, with the medians of the last [`NIGHTS`] reports. Of fewer than [`ENOUGH`] nothing is said.
//! 2. Noise is what those reports show: their median absolute deviation, as a standard deviation. Worse is what lies beyond several of
//!    them and beyond [`LEAST`], and of which not even the best round is as good as the median was.
//! 3. A machine that is slow tonight is no regression: where a peer ran in the same rounds, now and then, the ratio must have become worse by
//!    the same measure.
//! 4. It is worth a look and breaks no rule: such a workload is graded *interesting*.

use std::collections::BTreeMap;

use super::bench::{self, Row};
use super::data::{Grade, Night};
use super::night;
use super::view::View;

/// Reports that are compared with, and how many there must be.
const NIGHTS: usize = 14;
const ENOUGH: usize = 5;
/// So many reports tell their own deviation well enough for [`FIRM`]; it is underestimated by fewer.
const MANY: usize = 10;
const FIRM: f64 = 3.0;
const LOOSE: f64 = 5.0;
/// A standard deviation of normal noise, as a multiple of the median absolute deviation.
const NORMAL: f64 = 1.4826;
/// What is less than that much worse is not worth a look.
const LEAST: f64 = 0.10;
/// The peer beside which a machine's own speed shows.
const BESIDE: &str = "go";

/// When a figure is said to be worse, in words.
pub(super) fn threshold() -> String {
    format!(
        "Worse is a figure whose median lies more than {FIRM:.0} standard deviations ({LOOSE:.0} with fewer than {MANY} reports) and {:.0} % beyond the median of \
         the last {NIGHTS} reports, of which not one round is as good as that, and, where Go ran in the same rounds, of which the ratio to Go is worse by \
         that measure, too. Of normal noise that leaves less than one figure in {} a night.",
        LEAST * 100.0,
        740,
    )
}

/// What the gate came to.
#[derive(Debug, Default)]
pub(super) struct Compared {
    /// Figures of which there were enough reports.
    pub(super) figures: u64,
    /// What is worse, by workload.
    pub(super) slower: BTreeMap<String, Vec<String>>,
}

/// The name of a figure of a workload among those of a night.
pub(super) fn name(case: &str, figure: &str) -> String {
    format!("{} {case} {figure}", bench::LAYER)
}

fn beside(case: &str, figure: &str) -> String {
    format!("{} beside {BESIDE}", name(case, figure))
}

/// What a night remembers of speed.
pub(super) fn figures(view: &View) -> BTreeMap<String, u64> {
    let peer = bench::peers(view).iter().position(|peer| *peer == BESIDE);
    let mut figures = BTreeMap::new();
    for row in bench::rows(view) {
        if let Some([median, ..]) = row.own() {
            figures.insert(name(row.case, row.figure), median);
        }
        if let Some(ratio) = peer.and_then(|peer| row.against(peer)) {
            figures.insert(beside(row.case, row.figure), ratio);
        }
    }
    figures
}

/// What a figure was in the reports before.
struct Past {
    median: f64,
    /// From here on it is worse by more than noise, upwards or downwards.
    limit: f64,
    more_is_better: bool,
    nights: usize,
}

impl Past {
    /// What `name` was in `earlier`, the oldest first; `None` if that is too little to compare with.
    fn of(earlier: &[&Night], name: &str, more_is_better: bool) -> Option<Self> {
        let figures = earlier.iter().rev().filter_map(|night| night.figures.get(name));
        let mut figures: Vec<_> = figures.take(NIGHTS).map(|figure| *figure as f64).collect();
        if figures.len() < ENOUGH {
            return None;
        }
        let median = middle(&mut figures);
        let mut distances: Vec<_> = figures.iter().map(|figure| (figure - median).abs()).collect();
        let deviations = if figures.len() < MANY { LOOSE } else { FIRM };
        let noise = (deviations * NORMAL * middle(&mut distances)).max(LEAST * median);
        let limit = if more_is_better { median - noise } else { median + noise };
        Some(Self { median, limit, more_is_better, nights: figures.len() })
    }

    fn is_worse(&self, value: f64, than: f64) -> bool {
        if self.more_is_better { value < than } else { value > than }
    }

    fn is_beyond_noise(&self, value: u64) -> bool {
        self.is_worse(value as f64, self.limit)
    }

    fn times(&self, value: u64) -> f64 {
        let value = value as f64;
        if self.more_is_better { self.median / value } else { value / self.median }
    }
}

/// The one in the middle, or the mean of the two.
fn middle(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len().is_multiple_of(2) { f64::midpoint(values[half - 1], values[half]) } else { values[half] }
}

/// Compares speed with the reports before, and grades what is worse.
pub(super) fn gate(view: &mut View) -> Compared {
    let mut compared = Compared::default();
    {
        let earlier = night::earlier(view);
        let now = figures(view);
        for row in bench::rows(view) {
            let Some(more_is_better) = bench::more_is_better(row.figure) else { continue };
            let Some(past) = Past::of(&earlier, &name(row.case, row.figure), more_is_better) else {
                continue;
            };
            compared.figures += 1;
            let beside = beside(row.case, row.figure);
            // Of a ratio more is always better.
            let ratio = now.get(&beside).and_then(|now| Some((*now, Past::of(&earlier, &beside, true)?)));
            if let Some(says) = says(&row, &past, ratio) {
                compared.slower.entry(row.case.to_owned()).or_default().push(says);
            }
        }
    }
    for (case, says) in &compared.slower {
        view.regrade(bench::LAYER, case, Grade::Interesting, &says.join("; "));
    }
    compared
}

/// That a figure is worse, if it is.
fn says(row: &Row<'_>, past: &Past, ratio: Option<(u64, Past)>) -> Option<String> {
    let [median, least, greatest] = row.own()?;
    let best = if past.more_is_better { greatest } else { least };
    if !past.is_beyond_noise(median) || !past.is_worse(best as f64, past.median) {
        return None;
    }
    let mut says = format!(
        "{} {}: {} ({} to {} in {} rounds), {:.2} times worse than {}, the median of {} reports; noise reaches to {}",
        row.case,
        row.figure,
        bench::show(median),
        bench::show(least),
        bench::show(greatest),
        row.cells[0].rounds,
        past.times(median),
        bench::show(past.median as u64),
        past.nights,
        bench::show(past.limit.max(0.0) as u64),
    );
    if let Some((now, ratio)) = ratio {
        if !ratio.is_beyond_noise(now) {
            return None;
        }
        says += &format!("; beside {BESIDE} {:.2} times worse", ratio.times(now));
    }
    Some(says)
}
