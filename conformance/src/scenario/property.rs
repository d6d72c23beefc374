//! What is judged of a run, from what it brought back and from its trace. The same for every driver.

use std::fmt;
use std::path::Path;

use super::expect::Results;
use super::play::interpret::Played;
use super::situation::Seen;
use super::{Property, Scenario};
use crate::check::judge::{How, Tally, Verdict, judge};
use crate::check::measure::{Measures, Overtaken};

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
    pub(crate) fn new(property: Property, message: impl Into<String>) -> Self {
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
    // It need not be complete: on a slow machine the runtime does not wait for the last step of every thread when it ends, nor for
    // daemons. What is there is judged.
    if accepted.header.lost > 0 {
        failures.push(Failure::new(Property::Trace, format!("{} events were lost", accepted.header.lost)));
    }
    failures.extend(measured(scenario, &measures));
    let seen = Seen::new(&census.by_kind, &accepted.summary, &measures);
    Judged { failures, seen, measures }
}

/// What the figures of a trace say: the retry budget; fairness.
#[must_use]
pub fn measured(scenario: &Scenario, measures: &Measures) -> Vec<Failure> {
    let mut failures = Vec::new();
    if let Some(call) = measures.beyond_rate {
        failures.push(Failure {
            property: Property::RetryBudget,
            rule: None,
            seq: Some(call.seq),
            message: format!("suspendG call {} sent {} signals in {} ns", call.sid, call.signals, call.ns),
        });
    }
    let procs = most_procs(scenario);
    let live = measures.most_live;
    for (waited, bound, of) in [
        (measures.overtaken, global_bound(procs, live), "all Ps"),
        (measures.overtaken_on_p, ring_bound(live), "its P"),
    ] {
        if waited.slices > bound {
            let Overtaken { slices, g, seq } = waited;
            failures.push(Failure {
                property: Property::Fairness,
                rule: None,
                seq: Some(seq),
                message: format!(
                    "G{g} was queued for {slices} slices of {of}; with {procs} Ps and {live} goroutines at most {bound}"
                ),
            });
        }
    }
    failures
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

/// How many slices all Ps may begin while a goroutine is in the global queue: it waits until those before it are taken, and each
/// P takes one at least once in 61 slices of its own. Twice that, because a wake-up by a timer goes before that turn.
fn global_bound(procs: u64, live: u64) -> u64 {
    2 * 61 * (live + procs + 1)
}

/// How many slices a P may begin while a goroutine is in its queue: those before it, and now and then one from the global
/// queue or by a timer. Twice that, because goroutines that end are followed by others in their place.
fn ring_bound(live: u64) -> u64 {
    2 * (live + 64)
}
