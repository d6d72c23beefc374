//! Executions of the simulator, each judged by the model while it runs.
//!
//! [`drive`] runs scenarios so, and judges the rest of their properties; [`bytes`] does both from the bytes of a fuzzer.
//! [`narrate`] repeats a run as a table, [`smaller`] makes one that fails smaller, and [`follow`] looks for a run that takes a walk
//! of the model.
//!
//! 1. Every event is put in a legal order and judged before the next turn of the simulated machine: an execution ends at the
//!    first event that no rule allows, with its schedule.
//! 2. An execution that ends well is a whole trace: nothing may be missing from it.

pub mod bytes;
pub mod drive;
pub mod event_by_event;
pub mod follow;
pub mod narrate;
pub mod smaller;

use sigurg_model::Profile;
use sigurg_model::check::{CheckOptions, Checker, Failure, Known, Summary};
use sigurg_shuttle::sim::{self, Limits, Outcome, Simulator, Strategy};
use sigurg_traces::order::by_version::ByVersion;
use sigurg_traces::{Event, Inconsistent, Symbols};

use crate::show::words::words;

/// Runs programs in the simulator, as often as wanted, and judges each execution.
pub struct Sim {
    simulator: Simulator,
    how: How,
    /// Begin again with each execution: their tables take longer to make than an execution takes. The second expects signals of others.
    judges: [Judge; 2],
}

/// How to run and judge.
#[derive(Clone, Copy, Debug, Default)]
pub struct How {
    /// How long an execution may be.
    pub limits: Limits,
    /// Somebody sends SIGURG whom the runtime did not ask.
    pub foreign_signals: bool,
}

/// An execution and what the model says.
#[derive(Debug)]
pub struct Judged {
    /// How it ended; a broken rule is a [`sim::Failure::Rejected`] with the whole story.
    pub outcome: Outcome,
    /// The rule that was broken, and the event at which that shows.
    pub refused: Option<Refused>,
    /// What the model knew of the objects of that event, beside what it says of them.
    pub state: Vec<Known>,
    /// What was judged.
    pub summary: Summary,
}

/// A broken rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its name.
    pub rule: &'static str,
    /// The event at which it shows, by its number in the execution.
    pub seq: u64,
}

impl Sim {
    /// A simulator whose executions are judged by the rules of the runtime's own profile.
    ///
    /// # Panics
    ///
    /// If the model has no such profile.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let profile = Profile::of_producer("sigurg", "").expect("the model has a profile for sigurg");
        let judges = [false, true].map(|foreign_signals| {
            let options =
                CheckOptions { claims: false, ring: sim::RING, foreign_signals, ..CheckOptions::default() };
            Judge {
                checker: Checker::new(profile, &options),
                order: ByVersion::of_events_as_they_happen(),
                refused: None,
                state: Vec::new(),
            }
        });
        Self { simulator: Simulator::new(limits), how: How { limits, foreign_signals: false }, judges }
    }

    /// One execution of `main`, by the turns that `strategy` chooses.
    pub fn run<'a>(&mut self, strategy: &mut dyn Strategy, main: impl FnOnce() + 'a) -> Judged {
        self.run_and_hear(strategy, &mut |_, _| (), main)
    }

    /// As [`Sim::run`]; `hear` is told every event, before it is judged.
    pub fn run_and_hear<'a>(
        &mut self,
        strategy: &mut dyn Strategy,
        hear: &mut dyn FnMut(&Event, &Symbols),
        main: impl FnOnce() + 'a,
    ) -> Judged {
        self.run_so(&self.how.clone(), strategy, hear, main)
    }

    /// As [`Sim::run_and_hear`], with other limits or signals of others.
    pub fn run_so<'a>(
        &mut self,
        how: &How,
        strategy: &mut dyn Strategy,
        hear: &mut dyn FnMut(&Event, &Symbols),
        main: impl FnOnce() + 'a,
    ) -> Judged {
        let judge = &mut self.judges[usize::from(how.foreign_signals)];
        judge.begin_again();
        let mut listen = |event: &Event, symbols: &Symbols| {
            hear(event, symbols);
            judge.event(event, symbols)
        };
        self.simulator.set_limits(how.limits);
        let mut outcome = self.simulator.run(strategy, &mut listen, main);
        if outcome.failure.is_none()
            && let Err(story) = judge.end(outcome.complete)
        {
            outcome.failure = Some(sim::Failure::Rejected(story));
        }
        let state = std::mem::take(&mut judge.state);
        Judged { outcome, refused: judge.refused, state, summary: judge.checker.summary().clone() }
    }
}

/// The judge of one execution at a time.
struct Judge {
    checker: Checker,
    order: ByVersion,
    refused: Option<Refused>,
    state: Vec<Known>,
}

impl Judge {
    fn begin_again(&mut self) {
        self.checker.begin_again();
        self.order.clear();
        self.refused = None;
        self.state.clear();
    }

    fn event(&mut self, event: &Event, symbols: &Symbols) -> Result<(), String> {
        if self.order.admit(event).map_err(|error| self.out_of_order(&error))? {
            self.checker.event(event, symbols).map_err(|failure| self.broken(failure, symbols))?;
        }
        while self.order.has_ready() {
            let Some(event) = self.order.pop().map_err(|error| self.out_of_order(&error))? else { break };
            self.checker.event(&event, symbols).map_err(|failure| self.broken(failure, symbols))?;
        }
        Ok(())
    }

    /// The execution ended well; `complete`: every thread was at rest, so no event is missing.
    fn end(&mut self, complete: bool) -> Result<(), String> {
        self.order.finish(!complete).map_err(|error| self.out_of_order(&error))?;
        if !self.checker.is_in_doubt() {
            return Ok(());
        }
        match self.checker.clone().finish() {
            Ok(_) => Ok(()),
            Err(failure) => Err(self.broken(failure, &Symbols::new())),
        }
    }

    fn out_of_order(&mut self, error: &Inconsistent) -> String {
        self.refused = Some(Refused { rule: error.rule.as_str(), seq: error.seq });
        error.to_string()
    }

    fn broken(&mut self, failure: Failure, symbols: &Symbols) -> String {
        match failure {
            Failure::Violation(mut violation) => {
                violation.shown = words(&violation.event, symbols);
                self.refused = Some(Refused { rule: violation.rule.name(), seq: violation.event.seq });
                self.state.clone_from(&violation.state);
                violation.to_string()
            }
            Failure::Malformed(malformed) => {
                self.refused = Some(Refused { rule: "malformed", seq: malformed.seq });
                format!("event {}: {}", malformed.seq, malformed.reason)
            }
        }
    }
}
