//! What is judged of a run, from what it brought back and from its trace. The same for every driver.

use std::fmt;
use std::path::Path;

use super::expect::Results;
use super::play::interpret::Played;
use super::situation::Seen;
use super::{Property, Scenario};
use crate::check::judge::{How, Tally, Verdict, judge};
use crate::check::measure::Measures;

/// A property that a run does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which.
    pub property: Property,
    /// The rule of the model, where that is what judged.
    pub rule: Option<&'static str>,
    /// The event at which it shows.
    pub seq: Option<u64>,
    /// What is wrong, in a line or more.
    pub message: String,
}

impl Failure {
    fn new(property: Property, message: impl Into<String>) -> Self {
        Self { property, rule: None, seq: None, message: message.into() }
    }

    /// What failures that are the same have in common: property and rule.
    #[must_use]
    pub fn signature(&self) -> String {
        match self.rule {
            Some(rule) => format!("{}:{rule}", self.property),
            None => self.property.to_string(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.signature(), self.message)
    }
}

/// A judged run.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// What it does not have.
    pub failures: Vec<Failure>,
    /// What happened in it, as far as its trace was accepted.
    pub seen: Seen,
    /// The figures of the trace.
    pub measures: Measures,
}

/// Judges a run of `scenario` that recorded `trace`.
#[must_use]
pub fn judged(scenario: &Scenario, expected: &Results, played: &Played, trace: &Path) -> Judged {
    let mut judged = traced(scenario, trace);
    judged.failures.extend(brought_back(scenario, expected, played));
    let given_up = scenario.gives_up();
    judged.failures.retain(|failure| !given_up.contains(&failure.property));
    judged
}

/// Results, canaries, resources.
#[must_use]
pub fn brought_back(scenario: &Scenario, expected: &Results, played: &Played) -> Vec<Failure> {
    let mut failures = Vec::new();
    if !played.broken.is_empty() {
        failures.push(Failure::new(Property::Canaries, played.broken.join("\n")));
    }
    let differences = played.results.differences(expected, scenario);
    if !differences.is_empty() {
        failures.push(Failure::new(Property::Results, differences.join("\n")));
    }
    let [goroutines, queued, timers] = played.left;
    if played.left != [0; 3] {
        let message = format!("left at the end: {goroutines} goroutines, {queued} queued, {timers} timers");
        failures.push(Failure::new(Property::Resources, message));
    }
    failures
}

/// What the trace says: the rules, custody among them; the retry budget; fairness.
fn traced(scenario: &Scenario, trace: &Path) -> Judged {
    let how = How { census: true, foreign_signals: scenario.storm.is_some(), ..How::default() };
    let accepted = match judge(trace, &how, &Tally::default()).verdict {
        Verdict::Accepted(accepted) => *accepted,
        Verdict::Rejected(rejected) => {
            let failure = Failure {
                property: Property::Trace,
                rule: Some(rejected.rule),
                seq: Some(rejected.seq),
                message: rejected.story.clone(),
            };
            return Judged { failures: vec![failure], ..Judged::default() };
        }
        Verdict::Unreadable(unreadable) => {
            let failure = Failure::new(Property::Trace, format!("the trace is damaged: {unreadable}"));
            return Judged { failures: vec![failure], ..Judged::default() };
        }
    };
    let (census, measures) = (accepted.census.expect("asked for"), accepted.measures.expect("asked for"));
    let mut failures = Vec::new();
    if !accepted.header.complete || accepted.cut_off > 0 {
        failures.push(Failure::new(Property::Trace, "the trace has no end"));
    }
    if let Some(call) = measures.beyond_rate {
        failures.push(Failure {
            property: Property::RetryBudget,
            rule: None,
            seq: Some(call.seq),
            message: format!("suspendG call {} sent {} signals in {} ns", call.sid, call.signals, call.ns),
        });
    }
    let procs = most_procs(scenario);
    let bound = overtaken_bound(procs, measures.most_live);
    let waited = measures.overtaken;
    if waited.slices > bound {
        failures.push(Failure {
            property: Property::Fairness,
            rule: None,
            seq: Some(waited.seq),
            message: format!(
                "G{} could run and waited for {} slices of others; with {procs} Ps and {} goroutines at most {bound}",
                waited.g, waited.slices, measures.most_live
            ),
        });
    }
    let seen = Seen::new(&census.kinds(), census.g_structs(), &accepted.summary, &measures);
    Judged { failures, seen, measures }
}

/// The most Ps that there ever are.
fn most_procs(scenario: &Scenario) -> u64 {
    let mut most = scenario.procs;
    for goroutine in &scenario.goroutines {
        super::walk::steps(goroutine, |op, _, _| {
            if let super::Op::Procs(procs) = op {
                most = most.max(*procs);
            }
        });
    }
    most.into()
}

/// How many slices others may have while a goroutine can run.
///
/// In a ring it waits for those before it; a ring holds 256 of the `live` goroutines there are. In the global queue it
/// waits until those before it are taken: each P takes one at least once in 61 slices. Twice that, for the way through both, and
/// because a wake-up by a timer goes before that turn.
fn overtaken_bound(procs: u64, live: u64) -> u64 {
    2 * 61 * (live + 1) * procs + 256
}
