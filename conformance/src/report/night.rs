//! One report beside earlier ones: what changed, and the figures for the trend.

use std::collections::BTreeMap;

use super::bench;
use super::coverage::{LANDED, STOPPED, row_name, rows_of};
use super::data::{Grade, Night, Report};
use super::view::{Changes, Verdict, View};
use crate::mutants;
use sigurg_model::Profile;

/// Reports that are remembered.
const NIGHTS: usize = 90;

/// Figures of the trend, and what they are.
pub(super) const FIGURES: [(&str, &str); 14] = [
    ("failures", "different findings"),
    ("executions", "executions"),
    ("events", "events judged"),
    ("states", "states explored"),
    ("states_per_s", "states per second"),
    ("rows", "rows of the transition table taken"),
    ("edges", "edges of the protocol seen"),
    ("stop_p99_ns", "99 % of signals stop their goroutine within"),
    ("inputs", "inputs of fuzz targets"),
    ("planted_found", "planted bugs that are found"),
    ("bench B2/p1/k2 ns_per_op", "a switch, ns"),
    ("bench B11/p1/k1 late_us_p99", "beside a hog, 99 % wake no later than, µs"),
    ("bench B6a/p2 ns_per_op", "a small task that may be stolen, ns"),
    ("bench B1b/p1 ns_per_op", "a goroutine, from birth to death, ns"),
];

/// What a workload is compared with: the median of so many reports, of which there must be so many.
const COMPARED: (usize, usize) = (14, 3);
/// How much worse is worth a word.
const WORSE: f64 = 1.33;

/// The name of a figure of a workload among those of a night.
pub(super) fn bench_name(case: &str, figure: &str) -> String {
    format!("{} {case} {figure}", bench::LAYER)
}

impl Report {
    /// Remembers an earlier report, and all that it remembers.
    pub fn remember(&mut self, earlier: &Self) {
        let view = View::new(earlier);
        if let Some((first, _)) = view.runs.first() {
            let key = format!("{:013}-{first}", view.began_ms);
            self.history.insert(key, night(&view));
        }
        self.join(Self { history: earlier.history.clone(), ..Self::default() });
        while self.history.len() > NIGHTS {
            self.history.pop_first();
        }
    }
}

/// What remains of a report.
pub(super) fn night(view: &View) -> Night {
    let interesting = view.units().filter(|(.., unit)| unit.grade() == Grade::Interesting);
    let commit = view.runs.first().and_then(|(_, run)| run.place.get("commit").cloned());
    Night {
        began_ms: view.began_ms,
        commit: commit.unwrap_or_default(),
        verdict: view.verdict.as_str().into(),
        graded: view.graded.clone(),
        findings: view.findings.keys().cloned().collect(),
        interesting: interesting.map(|(layer, unit, _)| format!("{layer} {unit}")).collect(),
        figures: figures(view),
    }
}

fn figures(view: &View) -> BTreeMap<String, u64> {
    let sum = |name: &str| view.layers.values().filter_map(|layer| layer.figures.get(name)).sum::<u64>();
    let coverage = view.coverage();
    let names = rows_of(&Profile::SIGURG).map(row_name);
    let stopped = view
        .layers
        .get("native")
        .and_then(|native| native.histograms.get(STOPPED).or_else(|| native.histograms.get(LANDED)));
    let mut figures = BTreeMap::from([
        ("failures", view.findings.len() as u64),
        ("executions", view.graded.values().sum()),
        ("events", sum("events")),
        ("states", sum("states")),
        ("rows", names.filter(|name| coverage.rows.contains_key(name)).count() as u64),
        ("edges", coverage.edges.len() as u64),
    ]);
    if let Some(fuzz) = view.layers.get("fuzz") {
        figures.insert("inputs", fuzz.figures.get("executions").copied().unwrap_or(0));
    }
    if let Some(planted) = view.layers.get(mutants::LAYER) {
        figures.insert("planted_found", planted.graded.get(&Grade::Pass).copied().unwrap_or(0));
    }
    if let ms @ 1.. = sum("search ms") {
        figures.insert("states_per_s", sum("states") * 1000 / ms);
    }
    if let Some(stopped) = stopped.filter(|stopped| !stopped.is_empty()) {
        figures.insert("stop_p99_ns", stopped.quantile(0.99));
    }
    let mut figures: BTreeMap<_, _> =
        figures.into_iter().map(|(name, figure)| (name.to_owned(), figure)).collect();
    for row in bench::rows(view) {
        if let Some(median) = row.own() {
            figures.insert(bench_name(row.case, row.figure), median);
        }
    }
    figures
}

/// Workloads that take much longer than they did.
fn slower(view: &View, earlier: &[&Night]) -> Vec<String> {
    let mut slower = Vec::new();
    for row in bench::rows(view) {
        let (Some(now), Some(more)) = (row.own(), bench::more_is_better(row.figure)) else { continue };
        let name = bench_name(row.case, row.figure);
        let mut before: Vec<_> = earlier
            .iter()
            .rev()
            .filter_map(|night| night.figures.get(&name).copied())
            .take(COMPARED.0)
            .collect();
        before.sort_unstable();
        let Some(median) = bench::median(&before).filter(|_| before.len() >= COMPARED.1) else { continue };
        let times = if more { median as f64 / now as f64 } else { now as f64 / median as f64 };
        if times > WORSE {
            let (now, median) = (bench::show(now), bench::show(median));
            slower.push(format!(
                "{} {}: {now}, {times:.2} times worse than {median}, the median of {} reports",
                row.case,
                row.figure,
                before.len()
            ));
        }
    }
    slower
}

/// What is different from the last report.
pub(super) fn changes(view: &View) -> Option<Changes> {
    let earlier: Vec<_> = view.history.iter().filter(|night| night.began_ms < view.began_ms).collect();
    let last = earlier.last()?;
    let mut changes =
        Changes { since_ms: last.began_ms, verdict: last.verdict.clone(), ..Changes::default() };
    for (signature, failure) in &view.findings {
        if last.findings.contains(signature) {
            changes.still_failing.push((signature.clone(), failure.nights));
        } else {
            changes.newly_failing.push(signature.clone());
        }
    }
    let whole = view.missing.is_empty() || view.verdict == Verdict::Conforms;
    for signature in last.findings.iter().filter(|signature| !view.findings.contains_key(*signature)) {
        let gone = if whole { &mut changes.newly_fixed } else { &mut changes.not_seen };
        gone.push(signature.clone());
    }
    let now = night(view);
    changes.newly_interesting =
        now.interesting.into_iter().filter(|unit| !last.interesting.contains(unit)).collect();
    changes.slower = slower(view, &earlier);
    Some(changes)
}
