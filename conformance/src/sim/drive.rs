//! Runs scenarios in the simulator, and judges every property that they have on real threads, too.
//!
//! 1. What is judged of a run depends on the scenario and the schedule only: the same strategy gives the same verdict.
//! 2. A schedule is fair enough if everybody has turns again and again. All strategies but [`Dfs`](sigurg_shuttle::sim::Dfs) are, so
//!    whoever has not ended after very many operations never does.

use std::sync::Arc;

use sigurg_model::check::{Known, Summary};
use sigurg_shuttle::sim::{self, Limits, Outcome, ParseScheduleError, Pct, Random, Schedule, Strategy, Urw};
use sigurg_traces::{Event, Symbols};

use super::{How, Refused, Sim};
use crate::case::{self, Case, Driver, versions};
use crate::check::census::Kinds;
use crate::check::measure::Measures;
use crate::scenario::expect::Results;
use crate::scenario::play::simulated::{self, most_ops};
use crate::scenario::property::{Failure, Judged, brought_back, measured};
use crate::scenario::situation::Seen;
use crate::scenario::{Property, Scenario};

/// Runs scenarios, one after the other.
pub struct Drive {
    sim: Sim,
}

/// A run, and what is said of it.
#[derive(Debug)]
pub struct Ran {
    /// The properties that it does not have, and what happened in it.
    pub judged: Judged,
    /// What the model knew of the objects of a refused event, beside what it says of them.
    pub state: Vec<Known>,
    /// What the model counted.
    pub summary: Summary,
    /// How the execution ended, with its schedule.
    pub outcome: Outcome,
}

impl Ran {
    /// What failures of this kind have in common, if it failed.
    #[must_use]
    pub fn signature(&self) -> Option<String> {
        self.judged.failures.first().map(Failure::signature)
    }

    /// Whether it failed so.
    #[must_use]
    pub fn failed_with(&self, signature: &str) -> bool {
        self.signature().as_deref() == Some(signature)
    }

    /// It, as a file from which it is repeated: by its schedule, so the seed does not matter.
    #[must_use]
    pub fn case(&self, scenario: &Scenario) -> Case {
        Case {
            driver: Driver::Sim,
            seed: 0,
            versions: versions(),
            scenario: scenario.clone(),
            schedule: self.outcome.schedule.slices.iter().map(ToString::to_string).collect(),
            outcome: Some(case::Outcome::of(&self.judged.failures)),
            trace: String::new(),
        }
    }
}

impl Default for Drive {
    fn default() -> Self {
        Self::new()
    }
}

impl Drive {
    /// Has run nothing.
    #[must_use]
    pub fn new() -> Self {
        Self { sim: Sim::new(Limits::default()) }
    }

    /// Runs `scenario`, which must come to `expected`, by the turns that `strategy` chooses.
    pub fn run(&mut self, scenario: &Arc<Scenario>, expected: &Results, strategy: &mut dyn Strategy) -> Ran {
        self.run_and_hear(scenario, expected, strategy, &mut |_, _| ())
    }

    /// The same; `hear` is told every event, before it is judged.
    pub fn run_and_hear(
        &mut self,
        scenario: &Arc<Scenario>,
        expected: &Results,
        strategy: &mut dyn Strategy,
        hear: &mut dyn FnMut(&Event, &Symbols),
    ) -> Ran {
        let how = How { limits: limits(scenario), foreign_signals: scenario.storm.is_some() };
        let (mut kinds, mut measures, mut played) = (Kinds::default(), Measures::default(), None);
        let mut count = |event: &Event, symbols: &Symbols| {
            kinds.count(event);
            measures.count(event);
            hear(event, symbols);
        };
        let super::Judged { outcome, refused, state, summary } =
            self.sim.run_so(&how, strategy, &mut count, || played = Some(simulated::run(scenario)));
        let mut failures = Vec::new();
        if let Some(failure) = &outcome.failure {
            failures.push(failed(failure, refused, &outcome.report));
        } else if let Some(played) = &played {
            failures.extend(measured(scenario, &measures));
            failures.extend(brought_back(scenario, expected, played));
        }
        let given_up = scenario.gives_up();
        failures.retain(|failure| !given_up.contains(&failure.property));
        let seen = Seen::new(&kinds, &summary, &measures);
        Ran { judged: Judged { failures, seen, measures }, state, summary, outcome }
    }
}

/// The schedule of a case.
///
/// # Errors
/// The first step that is no turn.
pub fn schedule(case: &Case) -> Result<Schedule, ParseScheduleError> {
    let slices = case.schedule.iter().map(|step| step.parse()).collect::<Result<_, _>>()?;
    Ok(Schedule { slices })
}

/// Virtual time that a schedule may let pass at each operation, nanoseconds.
const NS_OF_OP: u64 = 20_000;

fn limits(scenario: &Scenario) -> Limits {
    let ops = most_ops(scenario);
    Limits { ops, virtual_ns: Limits::default().virtual_ns.saturating_add(ops.saturating_mul(NS_OF_OP)) }
}

/// An execution that did not end well, as a property that it does not have.
fn failed(failure: &sim::Failure, refused: Option<Refused>, report: &str) -> Failure {
    let (property, rule) = match failure {
        sim::Failure::Rejected(_) => (Property::Trace, refused.map_or("rejected", |refused| refused.rule)),
        sim::Failure::Inconsistent(_) => (Property::Trace, "state"),
        sim::Failure::Deadlock => (Property::Termination, "deadlock"),
        sim::Failure::Throw => (Property::Termination, "throw"),
        sim::Failure::Fatal => (Property::Termination, "fatal"),
        sim::Failure::Panic(_) => (Property::Termination, "panic"),
        sim::Failure::TooLong { .. } => (Property::Termination, "too_long"),
        sim::Failure::TooLate { .. } => (Property::Termination, "too_late"),
        sim::Failure::Diverged(_) => (Property::Termination, "diverged"),
        _ => (Property::Termination, "other"),
    };
    let message = match failure {
        // The story is whole.
        sim::Failure::Rejected(story) => story.clone(),
        other => format!("{other}\n{report}"),
    };
    Failure { property, rule: Some(rule), seq: refused.map(|refused| refused.seq), message }
}

/// Changes of priority in an execution by [`Chance::Pct`].
pub const CHANGES: usize = 3;

/// Ways to choose schedules by chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Chance {
    /// [`Random`].
    Random,
    /// [`Pct`] with [`CHANGES`].
    Pct,
    /// [`Urw`].
    Urw,
}

impl Chance {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Random, Self::Pct, Self::Urw];

    /// One word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Pct => "pct",
            Self::Urw => "urw",
        }
    }

    /// It, from `seed`. Those that learn from one execution to the next are best used for several.
    #[must_use]
    pub fn strategy(self, seed: u64) -> Box<dyn Strategy> {
        match self {
            Self::Random => Box::new(Random::new(seed)),
            Self::Pct => Box::new(Pct::new(seed, CHANGES)),
            Self::Urw => Box::new(Urw::new(seed)),
        }
    }
}
