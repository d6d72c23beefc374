//! X-PARK: a preempted G stays in its M's signal handler, locked to that M, until it is scheduled again.
//!
//! 1. What the M does there are steps of its own line, all on the signal stack; the line that the signal interrupted goes
//!    on afterwards.
//! 2. The G goes on there and nowhere else: its M is handed a P for it, as for any locked G.

use sigurg_traces::{Event, GStatus, Kind, PutHow, Queue, Stack};

use super::Checker;
use super::violation::{Verdict, broken};
use crate::rules::rule::Rule;
use crate::rules::sequence::{Place, Step, Word};
use crate::rules::transition::Change;

impl Checker {
    /// Whether the event is no step of its M: a handler that only looks may come between any two.
    #[inline]
    pub(super) fn is_aside(&self, e: &Event) -> bool {
        let looks =
            matches!(e.kind, Kind::SigPreempt { .. } | Kind::SigAck { .. } | Kind::SafePointFn { .. });
        e.on == Stack::Gsignal && (looks || !self.profile.parks_in_handler)
    }

    /// The line that the signal interrupted waits.
    #[cold]
    pub(super) fn enters_handler(&mut self, m: i32) {
        let m = self.m(m);
        if m.interrupted.is_none() && !m.place.is_in_handler() {
            m.interrupted = Some((m.place, m.about));
            m.place = Place::Open;
        }
    }

    /// The M steps on its signal stack exactly while a G stays in its handler; but before that the handler may look on the
    /// queues for a G with an M of its own, to go on with the P.
    #[inline]
    pub(super) fn stack(&self, e: &Event, word: Option<Word>) -> Verdict {
        let is = |steps: &[Step]| steps.iter().any(|step| word == Some(Word::step(*step)));
        // Also on those of other Ps: then the rest of what it stole is put on the own. For what it leaves in the global queue it wakes an M.
        let looks = is(&[Step::Get, Step::Steal, Step::PutGlobal, Step::Startm])
            || matches!(e.kind, Kind::RunqPut { q: Queue::Local, how: PutHow::Steal, .. });
        if e.on == Stack::Gsignal && looks {
            return Ok(());
        }
        // X-ADOPT: a goroutine that is called back waits there for a suspender's scan bit.
        let waits = matches!(
            e.kind,
            Kind::GStatusFail { want_from: GStatus::Syscall, want_to: GStatus::Running, .. }
        );
        if e.on == Stack::Gsignal && waits {
            return Ok(());
        }
        let inside = self.ms[(e.m + 1) as usize].place.is_in_handler()
            || is(&[Step::HandlerPark, Step::HandlerYield])
            || word == Some(Word::status(Change::Recall));
        if inside == (e.on == Stack::Gsignal) {
            return Ok(());
        }
        broken(
            Rule::LockedM,
            format!("M{} goes on on its {} stack", e.m, e.on),
            if inside {
                "in its signal handler, with the G that stays there"
            } else {
                "no G stays in its handler"
            },
        )
    }

    /// The G stops in the handler of its M.
    pub(super) fn stays(&mut self, e: &Event, gs: u32) {
        if e.on == Stack::Gsignal {
            self.gs[gs as usize].handler = e.m;
        }
    }

    /// A G that stays in a handler goes on there.
    #[inline]
    pub(super) fn leaves_handler(&self, gs: u32, m: i32, how: &str) -> Verdict {
        let handler = self.gs[gs as usize].handler;
        if handler < 0 || handler == m {
            return Ok(());
        }
        broken(
            Rule::LockedM,
            format!("{} {how} on M{m}, but it stays in the signal handler of M{handler}", self.g_name(gs)),
            format!("M{handler} is handed a P for it (startlockedm)"),
        )
    }
}
