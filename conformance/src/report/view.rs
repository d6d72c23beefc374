//! Everything that a report says, added up over its runs.
//!
//! Invariant: a view depends on the set of runs only. Figures of time aside, shards joined give the view of one run.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::coverage::add;
use super::data::{Coverage, Ended, Finding, Grade, Night, Report, Round, Run, Unit};
use super::explored::{Explored, explored};
use super::histogram::Histogram;
use super::nextest::SUITES;
use super::{bench, libfuzzer, night, speed};
use crate::mutants;

/// What brings a layer into a report.
const RUN: &str = "conformance run";
const MUTANTS: &str = "ci/mutants/run --json FILE, then --mutants FILE";
const BENCH: &str = "ci/bench/run --json FILE, then --bench FILE";
const TESTS: &str = ", then --tests target/tests";

/// The layers that a report can have, with what they are and where they come from.
fn known() -> impl Iterator<Item = Absent> {
    let own = [
        ("go", "recordings of the real Go", RUN),
        ("model", "the search of the model", RUN),
        ("sim", "the runtime in simulation", RUN),
        ("fuzz", "the fuzz targets", RUN),
        ("native", "the runtime on real threads", RUN),
        (mutants::LAYER, "planted bugs that the tests must find", MUTANTS),
        (bench::LAYER, "speed, beside Go and tokio", BENCH),
    ];
    let own =
        own.map(|(layer, what, how)| Absent { layer: layer.into(), what: what.into(), how: how.into() });
    let tests = SUITES.iter().map(|suite| Absent {
        layer: suite.name.into(),
        what: suite.about.into(),
        how: format!("{}{TESTS}", suite.script.trim_end_matches(" --")),
    });
    let engine =
        Absent { layer: libfuzzer::LAYER.into(), what: libfuzzer::ABOUT.into(), how: libfuzzer::HOW.into() };
    own.into_iter().chain(tests).chain([engine])
}

/// The verdict on a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything was done, and nothing is wrong.
    Conforms,
    /// Nothing wrong was found, but not everything was done.
    Incomplete,
    /// A rule is broken.
    Broken,
}

impl Verdict {
    /// In words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Conforms => "conforms",
            Self::Incomplete => "incomplete",
            Self::Broken => "does not conform",
        }
    }
}

/// Everything that a report says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct View {
    /// The verdict.
    pub verdict: Verdict,
    /// What is missing for a complete one.
    pub missing: Vec<Missing>,
    /// Executions by grade.
    pub graded: BTreeMap<Grade, u64>,
    /// Units that passed at one time and failed at another.
    pub flaky: Vec<String>,
    /// The runs, by when they began.
    #[serde(skip)]
    pub runs: Vec<(String, Run)>,
    /// When the last run began, in ms since 1970: planted bugs and speed may be of another day, and are of this report all the same.
    pub began_ms: u64,
    /// Time of all runs, in ms.
    pub took_ms: u64,
    /// The layers, by name.
    pub layers: BTreeMap<String, Layer>,
    /// Layers that the program has and that no run was asked for.
    pub not_asked: BTreeSet<String>,
    /// Layers that are not in this report.
    pub absent: Vec<Absent>,
    /// What was found, by signature.
    pub findings: BTreeMap<String, Failure>,
    /// What changed since the last report, if there is one.
    pub changes: Option<Changes>,
    /// How far each way of looking for faults went.
    pub explored: Vec<Explored>,
    /// Earlier reports, the oldest first.
    pub history: Vec<Night>,
}

/// Something that is missing for a complete verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// In words.
    pub what: String,
    /// Whether only the shards of other machines are missing.
    pub elsewhere: bool,
}

/// A layer that no run of the report has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Absent {
    /// Its name.
    pub layer: String,
    /// What it is.
    pub what: String,
    /// What would bring it here.
    pub how: String,
}

/// A layer, over all runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Layer {
    /// What it is.
    pub about: String,
    /// Why it did not run at all, where it did not.
    pub skipped: Option<String>,
    /// Units that were planned.
    pub planned: u64,
    /// Units that no run began, and why.
    pub left: BTreeMap<String, String>,
    /// Time, in ms.
    pub took_ms: u64,
    /// Units that were begun.
    pub units: BTreeMap<String, Unit>,
    /// Executions by grade.
    pub graded: BTreeMap<Grade, u64>,
    /// Figures of the units, added.
    pub figures: BTreeMap<String, u64>,
    /// What was exercised.
    pub coverage: Coverage,
    /// Times and counts.
    pub histograms: BTreeMap<String, Histogram>,
    /// Edges of the protocol that the model has, with a shortest way to each.
    pub reach: BTreeMap<String, String>,
    /// New things seen over time, by run.
    #[serde(skip)]
    pub curves: Vec<Vec<(u64, u64)>>,
    /// What it is a unit's business to show and none of its kin ever showed: kin, what.
    pub never: Vec<(String, String)>,
}

/// A finding, over all layers and runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Failure {
    /// The simplest of those with this signature.
    #[serde(flatten)]
    pub finding: Finding,
    /// How often it showed.
    pub times: u64,
    /// In which units.
    pub units: BTreeSet<String>,
    /// In how many reports in a row, this one included.
    pub nights: usize,
}

/// What changed since the last report.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Changes {
    /// When that began, in ms since 1970.
    pub since_ms: u64,
    /// Its verdict.
    pub verdict: String,
    /// Signatures that are new.
    pub newly_failing: Vec<String>,
    /// Signatures that are gone although everything was done.
    pub newly_fixed: Vec<String>,
    /// Signatures that were not seen again, but not everything was done.
    pub not_seen: Vec<String>,
    /// Signatures that are still there, and for how many reports.
    pub still_failing: Vec<(String, usize)>,
    /// Units that show something interesting and did not.
    pub newly_interesting: Vec<String>,
    /// Figures of workloads that are worse than in the last reports, by more than these vary.
    pub slower: Vec<String>,
    /// Figures of workloads that were compared.
    pub compared: u64,
}

impl View {
    /// What `report` says.
    #[must_use]
    pub fn new(report: &Report) -> Self {
        let mut runs: Vec<_> = report.runs.clone().into_iter().collect();
        runs.sort_by_key(|(id, run)| (run.began_ms, id.clone()));
        let layers = layers(&runs);
        let mut graded = BTreeMap::new();
        let mut flaky = Vec::new();
        for (name, layer) in &layers {
            add(&mut graded, &layer.graded);
            let wavers = |unit: &&Unit| {
                let has = |grade| unit.graded.contains_key(&grade);
                has(Grade::Fail) && (has(Grade::Pass) || has(Grade::Interesting))
            };
            let units = layer.units.iter().filter(|(_, unit)| wavers(unit));
            flaky.extend(units.map(|(unit, _)| format!("{name} {unit}")));
        }
        let history: Vec<_> = report.history.values().cloned().collect();
        let findings = findings(&runs, &history);
        let missing = missing(&runs, &layers);
        // That the tests do not find a planted bug says nothing against the runtime: it is missing in the verdict.
        let is_planted = |finding: &Finding| finding.unit.split(' ').next() == Some(mutants::LAYER);
        let broken = findings
            .values()
            .any(|failure| failure.finding.grade == Grade::Fail && !is_planted(&failure.finding));
        let verdict = match (broken, missing.is_empty()) {
            (true, _) => Verdict::Broken,
            (false, true) => Verdict::Conforms,
            (false, false) => Verdict::Incomplete,
        };
        let asked: BTreeSet<_> = layers.keys().cloned().collect();
        let not_asked = runs.iter().flat_map(|(_, run)| run.not_asked.clone());
        let mut view = Self {
            verdict,
            missing,
            graded,
            flaky,
            began_ms: runs.last().map_or(0, |(_, run)| run.began_ms),
            took_ms: runs.iter().map(|(_, run)| run.took_ms).sum(),
            not_asked: not_asked.filter(|name| !asked.contains(name)).collect(),
            absent: absent(&layers),
            runs,
            layers,
            findings,
            changes: None,
            explored: Vec::new(),
            history,
        };
        view.explored = explored(&view);
        let compared = speed::gate(&mut view);
        view.changes = night::changes(&view, compared);
        view
    }

    /// Grades the executions of a unit that passed otherwise, and says why.
    pub(super) fn regrade(&mut self, layer: &str, unit: &str, grade: Grade, why: &str) {
        let Some(layer) = self.layers.get_mut(layer) else { return };
        let Some(unit) = layer.units.get_mut(unit) else { return };
        let Some(count) = unit.graded.remove(&Grade::Pass) else { return };
        *unit.graded.entry(grade).or_default() += count;
        if unit.grade() == grade {
            unit.why = why.to_owned();
        }
        for graded in [&mut layer.graded, &mut self.graded] {
            let passed = graded.entry(Grade::Pass).or_default();
            *passed -= count;
            if *passed == 0 {
                graded.remove(&Grade::Pass);
            }
            *graded.entry(grade).or_default() += count;
        }
    }

    /// Whether this program's own part is whole: shards of other machines may be missing.
    #[must_use]
    pub fn own_verdict(&self) -> Verdict {
        match self.verdict {
            Verdict::Incomplete if self.missing.iter().all(|missing| missing.elsewhere) => Verdict::Conforms,
            verdict => verdict,
        }
    }

    /// Executions of that grade.
    #[must_use]
    pub fn graded(&self, grade: Grade) -> u64 {
        self.graded.get(&grade).copied().unwrap_or(0)
    }

    /// Units of all layers that were begun, with their layer.
    pub fn units(&self) -> impl Iterator<Item = (&str, &str, &Unit)> {
        self.layers
            .iter()
            .flat_map(|(layer, l)| l.units.iter().map(move |(name, unit)| (&**layer, &**name, unit)))
    }

    /// The coverage of all layers together.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        let mut all = Coverage::default();
        self.layers.values().for_each(|layer| all.add(&layer.coverage));
        all
    }
}

impl Unit {
    /// The gravest grade of its executions.
    #[must_use]
    pub fn grade(&self) -> Grade {
        self.graded.last_key_value().map_or(Grade::Skipped, |(grade, _)| *grade)
    }

    fn join(&mut self, other: &Self) {
        // Of equally grave reasons the first by text: whoever comes first must not matter.
        let reason = |unit: &Self| (std::cmp::Reverse(unit.grade()), unit.why.is_empty(), unit.why.clone());
        if self.graded.is_empty() || reason(other) < reason(self) {
            self.why.clone_from(&other.why);
        }
        self.about.clone_from(&other.about);
        self.took_ms += other.took_ms;
        add(&mut self.graded, &other.graded);
        add(&mut self.figures, &other.figures);
        add(&mut self.shown, &other.shown);
        add(&mut self.found, &other.found);
        // Rounds of another run are other rounds.
        let last = self.rounds.iter().map(|round| round.round).max().unwrap_or(0);
        let later = |round: &Round| Round { round: last + round.round, ..round.clone() };
        self.rounds.extend(other.rounds.iter().map(later));
    }
}

fn absent(layers: &BTreeMap<String, Layer>) -> Vec<Absent> {
    known().filter(|known| !layers.contains_key(&known.layer)).collect()
}

fn layers(runs: &[(String, Run)]) -> BTreeMap<String, Layer> {
    let mut layers = BTreeMap::<String, Layer>::new();
    for (name, record) in runs.iter().flat_map(|(_, run)| &run.layers) {
        let layer = layers.entry(name.clone()).or_default();
        layer.about.clone_from(&record.about);
        layer.skipped = layer.skipped.take().or_else(|| record.skipped.clone());
        layer.planned += record.planned;
        layer.took_ms += record.took_ms;
        layer.left.extend(record.left.clone());
        for (unit, done) in &record.units {
            layer.units.entry(unit.clone()).or_default().join(done);
            add(&mut layer.graded, &done.graded);
            add(&mut layer.figures, &done.figures);
        }
        layer.coverage.add(&record.coverage);
        for (edge, way) in &record.reach {
            let known = layer.reach.entry(edge.clone()).or_insert_with(|| way.clone());
            // Of two ways the shorter: whoever comes first must not matter.
            if (way.len(), way) < (known.len(), known) {
                known.clone_from(way);
            }
        }
        for (of, histogram) in &record.histograms {
            layer.histograms.entry(of.clone()).or_default().add(histogram);
        }
        if !record.curve.is_empty() {
            layer.curves.push(record.curve.clone());
        }
    }
    for layer in layers.values_mut() {
        layer.left.retain(|unit, _| !layer.units.contains_key(unit));
        let mut shown = BTreeMap::<(String, String), u64>::new();
        let kin_of = |unit: &str| unit.split_once("/p").map_or(unit, |(kin, _)| kin).to_owned();
        // What fails has not come so far, and its findings say more.
        let fails = layer.units.iter().filter(|(_, unit)| unit.grade() == Grade::Fail);
        let failed: BTreeSet<_> = fails.map(|(unit, _)| kin_of(unit)).collect();
        for (unit, done) in &layer.units {
            let kin = kin_of(unit);
            if failed.contains(&kin) {
                continue;
            }
            for (what, count) in &done.shown {
                *shown.entry((kin.clone(), what.clone())).or_default() += count;
            }
        }
        layer.never = shown.into_iter().filter(|(_, count)| *count == 0).map(|(what, _)| what).collect();
    }
    layers
}

fn findings(runs: &[(String, Run)], history: &[Night]) -> BTreeMap<String, Failure> {
    let mut failures = BTreeMap::<String, Failure>::new();
    let all = runs
        .iter()
        .flat_map(|(_, run)| run.layers.values())
        .flat_map(|layer| layer.findings.iter().map(move |(signature, finding)| (layer, signature, finding)));
    for (layer, signature, finding) in all {
        let found_in = layer.units.iter().filter(|(_, unit)| unit.found.contains_key(signature));
        let kind = finding.unit.split(' ').next().unwrap_or_default();
        let units: BTreeSet<_> = found_in.map(|(unit, _)| format!("{kind} {unit}")).collect();
        match failures.get_mut(signature) {
            None => {
                let nights =
                    1 + history.iter().rev().take_while(|night| night.findings.contains(signature)).count();
                let failure = Failure { finding: finding.clone(), times: finding.seen, units, nights };
                failures.insert(signature.clone(), failure);
            }
            Some(failure) => {
                failure.times += finding.seen;
                failure.units.extend(units);
                if finding.size() < failure.finding.size() {
                    failure.finding = finding.clone();
                }
            }
        }
    }
    for failure in failures.values_mut() {
        failure.finding.seen = failure.times;
    }
    failures
}

fn missing(runs: &[(String, Run)], layers: &BTreeMap<String, Layer>) -> Vec<Missing> {
    let mut missing = Vec::new();
    let mut here = |what: String| missing.push(Missing { what, elsewhere: false });
    if runs.is_empty() {
        here("there is no run in it".into());
    }
    let mut shards = BTreeMap::<(&str, u64, u32), BTreeSet<u32>>::new();
    for (id, run) in runs {
        if run.ended == Ended::Interrupted {
            here(format!("run {id} was interrupted"));
        }
        shards.entry((&run.campaign, run.seed, run.shard.total)).or_default().insert(run.shard.index);
    }
    for (name, layer) in layers {
        if let Some(reason) = &layer.skipped {
            here(format!("layer {name} was skipped: {reason}"));
        }
        let mut reasons = BTreeMap::<&str, Vec<&str>>::new();
        for (unit, reason) in &layer.left {
            reasons.entry(reason).or_default().push(unit);
        }
        for (reason, units) in reasons {
            here(format!("{} of {} units of {name} were not begun: {reason}", units.len(), layer.planned));
        }
        let errors = layer.graded.get(&Grade::Error).copied().unwrap_or(0);
        if errors > 0 {
            here(format!("{errors} executions of {name} ended in an error of the harness"));
        }
        let alive = layer.graded.get(&Grade::Fail).copied().unwrap_or(0);
        if name == mutants::LAYER && alive > 0 {
            here(format!("{alive} planted bugs are not found, so the tests may miss others"));
        }
        for (kin, what) in &layer.never {
            here(format!("{name} {kin} never showed {what}, which it is there to show"));
        }
    }
    for ((campaign, seed, total), indices) in shards {
        let absent: Vec<_> =
            (1..=total).filter(|i| !indices.contains(i)).map(|i| format!("{i}/{total}")).collect();
        if !absent.is_empty() {
            let what =
                format!("shards {} of campaign {campaign}, seed {seed}, are not here", absent.join(", "));
            missing.push(Missing { what, elsewhere: true });
        }
    }
    missing
}
