//! execute: an M runs a G that it holds (T10).

use sigurg_traces::{Event, GStatus, Stack};

use super::Checker;
use super::history::Record;
use super::m::NO_M;
use super::violation::{Verdict, broken};
use crate::rules::queue::{Grip, inherits_time};
use crate::rules::rule::Rule;

impl Checker {
    /// The M is about to run the G (T10).
    pub(crate) fn execute(&mut self, e: &Event, gs: u32, inherit_time: bool) -> Verdict {
        let m = e.m;
        let g = &self.gs[gs as usize];
        let grip = g.grip;
        self.may_dispatch(e, gs)?;
        if g.status.base() != GStatus::Runnable {
            return broken(
                Rule::ExecuteTaken,
                format!("M{m} executes {}, which is {}", self.g_name(gs), g.status),
                "a Grunnable G",
            );
        }
        let curg = self.m(m).curg;
        if curg != 0 {
            return self.runs_two(m, curg, gs);
        }
        self.let_go(gs, m, "executes", Rule::ExecuteTaken)?;
        if self.m(m).hands != 0 {
            return self.still_holds(m, "executes another");
        }
        if self.m(m).p < 0 {
            return broken(
                Rule::OneP,
                format!("M{m} executes {} without a P", self.g_name(gs)),
                "an M needs a P to run a G",
            );
        }
        match inherits_time(grip) {
            None => {
                return broken(
                    Rule::Custody,
                    format!("M{m} executes {}, which it holds as {grip:?}", self.g_name(gs)),
                    "that G goes to a queue first",
                );
            }
            Some(inherits) if inherits != inherit_time => {
                return broken(
                    Rule::InheritTime,
                    format!(
                        "{} was held as {grip:?} and runs with inherit_time {inherit_time}",
                        self.g_name(gs)
                    ),
                    format!("inherit_time {inherits}"),
                );
            }
            Some(_) => {}
        }
        self.leaves_handler(gs, m, "runs")?;
        self.gs[gs as usize].handler = NO_M;
        self.locked_right(gs, m)?;
        let found = matches!(grip, Grip::Popped | Grip::PoppedNext | Grip::Stolen | Grip::Found);
        if found {
            self.must_schedule(e, gs)?;
        }
        self.m(m).scheduling = false;
        self.m(m).curg = gs;
        self.gs[gs as usize].history.push(Record::execute(e.seq, m));
        Ok(())
    }

    /// Only schedule looks for a G to run, and a handler for one to go on with its P; with X-PARK also an M that has
    /// none, sysmon, for one to take a P for which no thread can be made.
    #[inline]
    pub(super) fn must_schedule(&self, e: &Event, gs: u32) -> Verdict {
        if self.ms[(e.m + 1) as usize].scheduling || e.on == Stack::Gsignal || self.rescues(e.m) {
            return Ok(());
        }
        broken(
            Rule::ProgramOrder,
            format!("M{} takes {} to run it, but is not in schedule", e.m, self.g_name(gs)),
            "schedule first: it clears preempt of its P",
        )
    }

    /// Whether the M may hand a P on that it does not have itself: sysmon does for a P whose new M does not come (X-PARK).
    pub(super) fn rescues(&self, m: i32) -> bool {
        self.profile.parks_in_handler && self.ms[(m + 1) as usize].p < 0
    }

    #[cold]
    pub(crate) fn runs_two<T>(&self, m: i32, curg: u32, gs: u32) -> Verdict<T> {
        broken(
            Rule::OneM,
            format!("M{m} begins to run {} while it runs {}", self.g_name(gs), self.g_name(curg)),
            "an M that runs none",
        )
    }
}
