//! Who acts: that an M lives, and that the event says the same of it as what came before.

use sigurg_traces::{Event, GStatus, Kind, Stack};

use super::m::M;
use super::violation::{Verdict, bad, broken};
use super::{Checker, MAX_ID};
use crate::rules::rule::Rule;
use crate::rules::sequence::{Step, Word};
use crate::rules::transition::{Change, known};

impl Checker {
    /// The M exists. Without claims an event may speak of an M before that M's first one is told.
    pub(crate) fn known_m(&mut self, m: i32) -> Verdict {
        let index = usize::try_from(m).map_or(0, |m| m + 1);
        let known = self.ms.get(index).is_some_and(|m| m.known);
        if index == 0 || self.claims && !known || m >= MAX_ID {
            return bad(format!("M{m} never did anything"));
        }
        if index >= self.ms.len() {
            self.ms.resize_with(index + 1, M::new);
        }
        Ok(())
    }

    /// The event says the same of its actor as what came before: the G attached to it, and its P.
    #[inline]
    pub(crate) fn actor(&mut self, e: &Event, curg: u32, word: Option<Word>) -> Verdict {
        let m = &self.ms[(e.m + 1) as usize];
        let attached = &self.gs[curg as usize];
        let other = e.by != attached.goid && (curg == 0 || attached.goid != 0);
        if other != m.detached {
            // needm attaches its G before the change that tells of it.
            let needm =
                curg == 0 && e.by == self.gs[m.curg as usize].goid && m.curg != 0 && e.on == Stack::G0;
            if !needm || !matches!(e.kind, Kind::GStatus { to: GStatus::Syscall, .. }) {
                self.detaches(e, curg, word)?;
            }
        } else if other && e.by != 0 {
            return self.wrong_by(e, curg);
        }
        let (m, attached) = (&self.ms[(e.m + 1) as usize], &self.gs[curg as usize]);
        // A G in a system call, or one of a foreign thread, may lose its P at any moment.
        let apart = matches!(attached.status.base(), GStatus::Syscall | GStatus::Deadextra);
        let stale = apart && !matches!(e.kind, Kind::PStatus { .. });
        if e.p != m.p && !stale {
            return broken(
                Rule::OneP,
                format!("M{} acts with P{}, but holds P{}", e.m, e.p, m.p),
                "the P that it took last and did not give away",
            );
        }
        Ok(())
    }

    /// synctestRun sets `m.curg` to nil while the timers of its bubble run, on g0 (1.25). What these do begins
    /// and ends between two lines of the M: they wake and create goroutines.
    #[cold]
    fn detaches(&mut self, e: &Event, curg: u32, word: Option<Word>) -> Verdict {
        const BEGINS: &[Step] = &[
            Step::Goready,
            Step::Newproc,
            Step::DeadGuardNormal,
            Step::DeadGuardZero,
            Step::PreemptOne,
            Step::Startm,
        ];
        let (detached, place) = (self.m(e.m).detached, self.m(e.m).place);
        let between = !self.sequences.is_closed(place);
        let begins = word.is_some_and(|word| {
            word == Word::status(Change::Allocate) || BEGINS.iter().any(|step| word == Word::step(*step))
        });
        let runs_timers = self.profile.minor >= 25 && e.by == 0 && e.on == Stack::G0 && begins;
        if !between || !detached && !runs_timers {
            return self.wrong_by(e, curg);
        }
        self.m(e.m).detached = !detached;
        Ok(())
    }

    #[cold]
    fn wrong_by(&self, e: &Event, curg: u32) -> Verdict {
        if e.by != 0 && !self.gs.iter().any(|g| g.known && g.goid == e.by) {
            return bad(format!("goroutine {} was never created", e.by));
        }
        let runs = if curg == 0 { "no G".into() } else { self.g_name(curg) };
        broken(
            Rule::OneM,
            format!("M{} acts with G{} attached, but runs {runs}", e.m, e.by),
            "the G that it took with execute or a coroutine switch, until it drops it",
        )
    }

    /// An M begins with `m_start`, or as a foreign thread with needm, and does nothing after its end.
    #[inline]
    pub(crate) fn alive(&mut self, e: &Event, word: Option<Word>) -> Verdict {
        let between = e.on == Stack::G && self.stw.is_between(e.m);
        let m = &mut self.ms[(e.m + 1) as usize];
        if m.started && !m.exited && !between && !m.handling {
            return Ok(());
        }
        self.comes_or_goes(e, word, between)
    }

    #[cold]
    fn comes_or_goes(&mut self, e: &Event, word: Option<Word>, between: bool) -> Verdict {
        let broken = |rule, what, legal: &str| broken(rule, what, legal);
        let m = &mut self.ms[(e.m + 1) as usize];
        if m.handling {
            return broken(
                Rule::SignalPair,
                format!("M{} goes on and did not acknowledge its signal", e.m),
                "a handler runs to its end: sig_ack",
            );
        }
        if between {
            return broken(
                Rule::StwOrder,
                format!("M{} runs its G while it stops or starts the world", e.m),
                "stw_stopped or stw_started first",
            );
        }
        if m.exited {
            // handoffp may start an M for its P, for which newm borrows it, or give it up to a stop-the-world.
            let last =
                [Step::Releasep, Step::Handoffp, Step::Startm, Step::Wirep, Step::OtherP].map(Word::step);
            if m.interrupted.is_none() && !word.is_none_or(|word| last.contains(&word)) {
                return broken(
                    Rule::ProgramOrder,
                    format!("M{} acts after its end", e.m),
                    "m_exit is its last step",
                );
            }
            return Ok(());
        }
        let first = word == Some(Word::step(Step::MStart)) || word == Some(Word::status(Change::Needm));
        // The first M boots the program before it starts. A call of suspendG is judged as such, when it ends.
        let boots = e.m == 0 && word != Some(Word::step(Step::PPreemptFalse));
        if !first && !boots && word != Some(Word::step(Step::SuspendBegin)) {
            return broken(
                Rule::ProgramOrder,
                format!("M{} acts before it began", e.m),
                "m_start, or needm on a foreign thread",
            );
        }
        m.started = first;
        Ok(())
    }

    pub(crate) fn m_start(&mut self, e: &Event) -> Verdict {
        if self.m(e.m).started {
            return broken(Rule::ProgramOrder, format!("M{} begins again", e.m), "an M begins once");
        }
        self.m(e.m).monitor = self.site_is(e.site, known::SYSMON);
        Ok(())
    }

    /// A handler sees the G and the P of the M that it interrupts, where nothing is changing them.
    pub(crate) fn interrupted(&mut self, e: &Event) -> Verdict {
        let m = &self.ms[(e.m + 1) as usize];
        let (curg, p, g0) = (m.curg, m.p, m.g0);
        // Of streams it is not known between which steps a handler came that stops nothing.
        let (claims, handling) = (self.claims, m.handling);
        match e.kind {
            Kind::SigPreempt { safe, .. } if claims || safe => {}
            Kind::SigAck { .. } if claims || handling => {}
            _ => return Ok(()),
        }
        let settled = curg != 0 && !self.sequences.is_closed(m.place) && m.exiting == 0 && !m.detached;
        if let Some(target) = e.target
            && target.g == 0
            && g0 == 0
        {
            self.m(e.m).g0 = target.gs;
        }
        let g = &self.gs[curg as usize];
        let wrong_g = e.target.is_some_and(|target| {
            if target.g == 0 { g0 != 0 && g0 != target.gs } else { settled && target.gs != curg }
        });
        let wrong_by = settled && e.by != g.goid && g.goid != 0;
        // On its way into a system call the G gives its P up before that is told.
        let holds = settled && g.status.base() == GStatus::Running && !g.trapped;
        let wrong_p = holds && e.p != p && !self.stw.is_between(e.m);
        if !(wrong_g || wrong_by || wrong_p) {
            return Ok(());
        }
        broken(
            if wrong_p { Rule::OneP } else { Rule::OneM },
            format!(
                "a handler on M{} sees G{} attached and G struct {} interrupted, with P{}",
                e.m,
                e.by,
                e.target.map_or(0, |target| target.gs),
                e.p
            ),
            format!("{} or g0, with P{p}", self.g_name(curg)),
        )
    }
}
