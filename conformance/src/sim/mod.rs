//! Executions of the simulator, each judged by the model while it runs.
//!
//! 1. Every event is put in a legal order and judged before the next turn of the simulated machine: an execution ends at the
//!    first event that no rule allows, with its schedule.
//! 2. An execution that ends well is a whole trace: nothing may be missing from it.

use sigurg_model::Profile;
use sigurg_model::check::{CheckOptions, Checker, Failure, Summary};
use sigurg_shuttle::sim::{self, Limits, Outcome, Simulator, Strategy};
use sigurg_traces::order::by_version::ByVersion;
use sigurg_traces::{Event, Symbols};

use crate::show::words::words;

/// Runs programs in the simulator, as often as wanted, and judges each execution.
pub struct Sim {
    simulator: Simulator,
    /// Begins again with each execution: its tables take longer to make than an execution takes.
    judge: Judge,
}

/// An execution and what the model says.
#[derive(Debug)]
pub struct Judged {
    /// How it ended; a broken rule is a [`sim::Failure::Rejected`] with the whole story.
    pub outcome: Outcome,
    /// What was judged.
    pub summary: Summary,
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
        let options = CheckOptions { claims: false, ring: sim::RING, ..CheckOptions::default() };
        Self {
            simulator: Simulator::new(limits),
            judge: Judge { checker: Checker::new(profile, &options), order: ByVersion::new() },
        }
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
        let judge = &mut self.judge;
        judge.checker.begin_again();
        judge.order.clear();
        let mut listen = |event: &Event, symbols: &Symbols| {
            hear(event, symbols);
            judge.event(event, symbols)
        };
        let mut outcome = self.simulator.run(strategy, &mut listen, main);
        if outcome.failure.is_none()
            && let Err(story) = judge.end(outcome.complete)
        {
            outcome.failure = Some(sim::Failure::Rejected(story));
        }
        Judged { outcome, summary: judge.checker.summary().clone() }
    }
}

/// The judge of one execution at a time.
struct Judge {
    checker: Checker,
    order: ByVersion,
}

impl Judge {
    fn event(&mut self, event: &Event, symbols: &Symbols) -> Result<(), String> {
        self.order.push(*event);
        while let Some(event) = self.order.pop().map_err(|error| error.to_string())? {
            self.checker.event(&event, symbols).map_err(|failure| story(failure, symbols))?;
        }
        Ok(())
    }

    /// The execution ended well; `complete`: every thread was at rest, so no event is missing.
    fn end(&mut self, complete: bool) -> Result<(), String> {
        self.order.finish(!complete).map_err(|error| error.to_string())?;
        if !self.checker.is_in_doubt() {
            return Ok(());
        }
        match self.checker.clone().finish() {
            Ok(_) => Ok(()),
            Err(failure) => Err(story(failure, &Symbols::new())),
        }
    }
}

fn story(failure: Failure, symbols: &Symbols) -> String {
    match failure {
        Failure::Violation(mut violation) => {
            violation.shown = words(&violation.event, symbols);
            violation.to_string()
        }
        Failure::Malformed(malformed) => format!("event {}: {}", malformed.seq, malformed.reason),
    }
}
