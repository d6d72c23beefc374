//! One report beside earlier ones: what changed, and the figures for the trend.

use std::collections::BTreeMap;

use super::coverage::{LANDED, STOPPED, row_name, rows_of};
use super::data::{Grade, Night, Report};
use super::libfuzzer;
use super::speed;
use super::view::{Changes, Verdict, View};
use crate::mutants;
use sigurg_model::Profile;

/// Reports that are remembered.
const NIGHTS: usize = 90;

/// Figures of the trend, and what they are.
pub(super) const FIGURES: [(&str, &str); 16] = [
    ("failures", "different findings"),
    ("executions", "executions"),
    ("events", "events judged"),
    ("states", "states explored"),
    ("states_per_s", "states per second"),
    ("rows", "rows of the transition table taken"),
    ("edges", "edges of the protocol seen"),
    ("stop_p99_ns", "99 % of signals stop their goroutine within"),
    ("inputs", "inputs of fuzz targets"),
    ("corpus", "entries of the corpora of libFuzzer"),
    ("features", "features of the code that they cover"),
    ("planted_found", "planted bugs that are found"),
    ("bench B2/p1/k2 ns_per_op", "a switch, ns"),
    ("bench B11/p1/k1 late_us_p99", "beside a hog, 99 % wake no later than, µs"),
    ("bench B6a/p2 ns_per_op", "a small task that may be stolen, ns"),
    ("bench B1b/p1 ns_per_op", "a goroutine, from birth to death, ns"),
];

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
    if view.layers.contains_key(libfuzzer::LAYER) {
        for (name, of) in [("corpus", "entries"), ("features", "features")] {
            // Of several runs of a target the best: corpora are not added up.
            let mut best = BTreeMap::<&String, u64>::new();
            let layers = view.runs.iter().filter_map(|(_, run)| run.layers.get(libfuzzer::LAYER));
            for (target, unit) in layers.flat_map(|layer| &layer.units) {
                let known = best.entry(target).or_default();
                *known = (*known).max(unit.figures.get(of).copied().unwrap_or(0));
            }
            figures.insert(name, best.values().sum());
        }
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
    figures.extend(speed::figures(view));
    figures
}

/// The reports before this one, the oldest first.
pub(super) fn earlier(view: &View) -> Vec<&Night> {
    view.history.iter().filter(|night| night.began_ms < view.began_ms).collect()
}

/// What is different from the last report; of speed that is `compared`.
pub(super) fn changes(view: &View, compared: speed::Compared) -> Option<Changes> {
    let earlier = earlier(view);
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
    changes.slower = compared.slower.into_values().flatten().collect();
    changes.compared = compared.figures;
    Some(changes)
}
