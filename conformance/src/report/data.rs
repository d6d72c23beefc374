//! `report.json`, schema 1: what was run and what came of it, raw enough to be judged again.
//!
//! 1. A report is a set of runs by id, and nothing in it is counted over several runs. So joining reports is joining sets, and
//!    all sums are made when a page is drawn ([`View`](super::view::View)).
//! 2. Figures that are added are whole numbers: sums do not depend on their order.
//! 3. What was not done is there, too, with the reason.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::histogram::Histogram;
use crate::timeline::Window;

/// The schema that is written, and the only one that is read.
pub const SCHEMA: u32 = 1;

/// In the texts of a finding, where the report lies: they name files of its folder, which may be carried elsewhere.
pub const HERE: &str = "{report}";

/// A report of one run, or of several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Always [`SCHEMA`].
    pub schema: u32,
    /// Every run, by its id.
    pub runs: BTreeMap<String, Run>,
    /// Earlier reports, one line each, by when they began (ms since 1970) and their first run.
    #[serde(default)]
    pub history: BTreeMap<String, Night>,
}

impl Default for Report {
    fn default() -> Self {
        Self { schema: SCHEMA, runs: BTreeMap::new(), history: BTreeMap::new() }
    }
}

/// One call of `conformance run`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// What the runs that belong together have in common.
    pub campaign: String,
    /// Which part of the campaign it is.
    pub shard: Shard,
    /// The seed.
    pub seed: u64,
    /// The time it was given, in ms; without, one pass of everything.
    pub budget_ms: Option<u64>,
    /// When it began, in ms since 1970, UTC.
    pub began_ms: u64,
    /// How long it took, in ms.
    pub took_ms: u64,
    /// Why it ended.
    pub ended: Ended,
    /// Where it ran.
    pub place: BTreeMap<String, String>,
    /// The layers that this program has and that were not asked for.
    pub not_asked: Vec<String>,
    /// What each layer did, by its name.
    pub layers: BTreeMap<String, Layer>,
}

/// Part `index` (from 1) of `total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// Which, from 1.
    pub index: u32,
    /// Of how many.
    pub total: u32,
}

/// Why a run ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// It was told to stop.
    Interrupted,
    /// It was done.
    Done,
}

/// What one layer did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// What it is, in one line.
    pub about: String,
    /// Why it could not run at all, if so.
    pub skipped: Option<String>,
    /// Units of work of a pass that fell to this shard.
    pub planned: u64,
    /// Those of them that were not begun, and why.
    pub left: BTreeMap<String, String>,
    /// How long it took, in ms.
    pub took_ms: u64,
    /// Units that were begun, by name.
    pub units: BTreeMap<String, Unit>,
    /// What was exercised.
    pub coverage: Coverage,
    /// Times in ns, and counts, each under what it is of.
    pub histograms: BTreeMap<String, Histogram>,
    /// When the layer saw something new: ms since its begin, and different things seen by then.
    pub curve: Vec<(u64, u64)>,
    /// What was found, by signature.
    pub findings: BTreeMap<String, Finding>,
    /// Edges of the protocol that the model has, by name, with a shortest way to each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reach: BTreeMap<String, String>,
}

/// What became of one unit of work, over all its executions in a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// What it is, in one line.
    pub about: String,
    /// Executions by how they were graded.
    pub graded: BTreeMap<Grade, u64>,
    /// Why, of the first execution of the gravest grade.
    pub why: String,
    /// Time of all executions, in ms.
    pub took_ms: u64,
    /// Figures over all executions, added.
    pub figures: BTreeMap<String, u64>,
    /// Where it is the business of this unit to show something: how often it did.
    pub shown: BTreeMap<String, u64>,
    /// Signatures of what was found in it, and how often.
    #[serde(default)]
    pub found: BTreeMap<String, u64>,
    /// Where it is a workload that was measured: each of its runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rounds: Vec<Round>,
}

/// One run of a workload by one program.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Round {
    /// Which round: what stands in the same one ran one after the other, and may be compared.
    pub round: u32,
    /// The program: this runtime, or one of its peers.
    pub peer: String,
    /// `ok`, or what became of it.
    pub status: String,
    /// What was measured, in thousandths of the unit that the name ends in.
    pub figures: BTreeMap<String, u64>,
}

/// How an execution is graded, the gravest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Not done, with the reason.
    Skipped,
    /// As it must be.
    Pass,
    /// As it must be, and worth a look: a hazard of Go was found where it is known to be.
    Interesting,
    /// The harness failed: neither pass nor fail.
    Error,
    /// A rule is broken.
    Fail,
}

impl Grade {
    /// All, the gravest last.
    pub const ALL: [Self; 5] = [Self::Skipped, Self::Pass, Self::Interesting, Self::Error, Self::Fail];

    /// One word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Pass => "pass",
            Self::Interesting => "interesting",
            Self::Error => "error",
            Self::Fail => "fail",
        }
    }
}

/// What a layer exercised: how often, by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Coverage {
    /// Rows of the transition table of Gs, by [`row_name`](super::coverage::row_name).
    pub rows: BTreeMap<String, u64>,
    /// Rows of the table of Ps.
    pub p_rows: BTreeMap<String, u64>,
    /// Steps of Ms that are no status change.
    pub steps: BTreeMap<String, u64>,
    /// Successive status changes of one G, `T10 T11`.
    pub pairs: BTreeMap<String, u64>,
    /// Edges of the protocol: what a trace shows of one G, before and after a change of its status or of what is asked of it.
    pub edges: BTreeMap<String, u64>,
    /// Where signals landed.
    pub landings: BTreeMap<String, u64>,
    /// Broken traces that were refused by the rule that their label names, by rule: the rule can bite.
    pub bites: BTreeMap<String, u64>,
    /// Hazards of Go: configurations that showed them where they must.
    pub hazards: BTreeMap<String, u64>,
    /// What inputs of a fuzz target met, by target and counter.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub met: BTreeMap<String, u64>,
}

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// [`Grade::Fail`] or [`Grade::Error`].
    pub grade: Grade,
    /// The rule that is broken, or what kind of failure it is.
    pub rule: String,
    /// What is wrong, in one line.
    pub title: String,
    /// The unit in which it showed first.
    pub unit: String,
    /// How often it showed.
    pub seen: u64,
    /// The command that shows it again; [`HERE`] stands in it for the report's folder.
    pub repro: String,
    /// The whole story, in many lines; here, too.
    pub story: String,
    /// The trace or the case that was kept, relative to the report's folder.
    pub trace: Option<String>,
    /// Other files that were kept with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<String>,
    /// The last events before it, who did what on which M.
    pub window: Option<Window>,
    /// A counterexample of the model: what was done, and the state after it.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// What the model knew at the event at fault, beside what the event says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub state: Vec<Known>,
    /// What was found first, where it was made smaller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Original>,
}

/// One thing that the model knew of a goroutine, a thread or a processor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Of what: `G7`.
    pub object: String,
    /// Which: `status`.
    pub what: String,
    /// What the model expected there.
    pub expected: String,
    /// What the event says, if it says something of that.
    pub said: Option<String>,
    /// Whether the two cannot both be.
    pub differs: bool,
}

impl Known {
    /// What the model told.
    #[must_use]
    pub fn all(state: &[sigurg_model::check::Known]) -> Vec<Self> {
        let known = |known: &sigurg_model::check::Known| Self {
            object: known.object.clone(),
            what: known.what.into(),
            expected: known.expected.clone(),
            said: known.said.clone(),
            differs: known.differs,
        };
        state.iter().map(known).collect()
    }
}

/// What was found, before it was made smaller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Original {
    /// The file that was kept of it, relative to the report's folder.
    pub file: String,
    /// The command that shows it again; [`HERE`] stands in it for the report's folder.
    pub repro: String,
    /// What it is made of: how many of that, and how many are left.
    pub sizes: Vec<(String, u64, u64)>,
}

impl Original {
    /// Its sizes beside those of what is left, in words.
    #[must_use]
    pub fn smaller(&self) -> String {
        let sizes: Vec<_> =
            self.sizes.iter().map(|(what, from, to)| format!("{from} {what} became {to}")).collect();
        sizes.join(", ")
    }
}

impl Finding {
    /// One that showed once, and of which nothing more is known yet.
    #[must_use]
    pub fn new(grade: Grade, rule: impl Into<String>, title: impl Into<String>) -> Self {
        Self {
            grade,
            rule: rule.into(),
            title: title.into(),
            unit: String::new(),
            seen: 1,
            repro: String::new(),
            story: String::new(),
            trace: None,
            beside: Vec::new(),
            window: None,
            steps: Vec::new(),
            state: Vec::new(),
            original: None,
        }
    }

    /// What differs from what the model knew, a line for each.
    #[must_use]
    pub fn differences(&self) -> Vec<String> {
        let differs = self.state.iter().filter(|known| known.differs);
        differs
            .filter_map(|Known { object, what, expected, said, .. }| {
                Some(format!(
                    "{object}, {what}: the model expects {expected}, the event says {}",
                    said.as_ref()?
                ))
            })
            .collect()
    }

    /// The same, where it showed first and with the command that shows it again.
    #[must_use]
    pub fn of(self, unit: String, repro: String) -> Self {
        Self { unit, repro, ..self }
    }

    /// Of two findings with one signature the one with the smaller size is told: with a trace, then with the shorter story. Of two
    /// executions none has the same size, so it does not matter in which order they came.
    #[must_use]
    pub fn size(&self) -> (bool, usize, usize, &str, &str) {
        (self.trace.is_none(), self.steps.len(), self.story.len(), &self.unit, &self.repro)
    }
}

/// One step of a counterexample.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Who did what.
    pub deed: String,
    /// The state after it.
    pub state: String,
}

/// What an earlier report came to, for comparisons and trends.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Night {
    /// When its last run began, in ms since 1970.
    pub began_ms: u64,
    /// The commit.
    pub commit: String,
    /// `conforms`, `does not conform` or `incomplete`.
    pub verdict: String,
    /// Executions by grade.
    pub graded: BTreeMap<Grade, u64>,
    /// Signatures found.
    pub findings: Vec<String>,
    /// Units that showed something interesting.
    pub interesting: Vec<String>,
    /// Figures for the trend.
    pub figures: BTreeMap<String, u64>,
}
