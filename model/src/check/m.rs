//! One M: where it stands in its program, and what it holds.
//!
//! 1. Its steps follow the lines of [`sequence`](crate::rules::sequence); a primitive that spins ends with
//!    the change it wanted.
//! 2. What it holds (runnable Gs, scan bits, resumes, a system call on its way out) is gone before it rests.
//! 3. A signal handler is no step of its program; it may come between any two.

use sigurg_traces::{Event, GStatus, Kind, Queue, Stack};

use super::Checker;
use super::violation::{Verdict, broken};
use crate::rules::lines::INTERRUPTIONS;
use crate::rules::rule::Rule;
use crate::rules::sequence::{self, Interruption, Place, Step, Word};

/// No M, no P.
pub(crate) const NO_M: i32 = -1;

/// A store that was claimed and may not be done: which flag, claimed when.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Store {
    Preempt(u32, u64),
    Poison(u32, u64),
    PPreempt(u32, u64),
}

/// What a thief took in one batch so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Batch {
    victim: i32,
    first: u32,
    taken: u32,
}

impl Batch {
    /// Adds one; the first position and the number so far, or `None` if it cannot belong to the batch.
    pub(crate) fn extend(&mut self, victim: i32, queue: Queue, position: u32) -> Option<(u32, u32)> {
        if self.taken == 0 {
            *self = Self { victim, first: position, taken: 1 };
        } else if queue == Queue::Local
            && self.victim == victim
            && position == self.first.wrapping_add(self.taken)
        {
            self.taken += 1;
        } else {
            return None;
        }
        Some((self.first, self.taken))
    }
}

/// What is known of one M.
#[derive(Clone, Debug)]
pub(crate) struct M {
    pub(crate) known: bool,
    /// The G it runs (`m.curg`), 0 if none.
    pub(crate) curg: u32,
    /// The P it holds, or -1.
    pub(crate) p: i32,
    pub(crate) place: Place,
    /// The G of its last step.
    pub(crate) about: u32,
    /// Where it stood, and with which G, when another line came in between.
    pub(crate) interrupted: Option<(Place, u32)>,
    /// Its G is detached for a while (`m.curg` is nil), to run the timers of a synctest bubble.
    pub(crate) detached: bool,
    /// Number of its last event that is none of a handler.
    pub(crate) previous: u64,
    pub(crate) storing: Option<Store>,
    /// A spinning primitive: the G, and the change that it waits for.
    spinning: Option<(u32, GStatus, GStatus)>,
    /// Runnable Gs in its hand.
    pub(crate) hands: u32,
    pub(crate) scans: u32,
    pub(crate) resuming: u32,
    pub(crate) found_dead: Option<u64>,
    /// The G of a system call that has no guard yet.
    pub(crate) exiting: u32,
    /// The G in a system call whose scan bit it holds.
    pub(crate) blocking: u32,
    /// The G that just ended, until dropg.
    pub(crate) dying: u32,
    /// The runnext that its last put displaced.
    pub(crate) displaced: u32,
    pub(crate) steal: Batch,
    /// Gs spilled in the present spill.
    pub(crate) spilled: u32,
    pub(crate) ready_next: bool,
    pub(crate) yield_preempted: bool,
    /// What its last newstack read of preemptStop.
    pub(crate) read_stop: bool,
    pub(crate) yields_to_stw: bool,
    pub(crate) born_parked: bool,
    pub(crate) pending: bool,
    pub(crate) handling: bool,
    /// Its handler looked and stops nothing, and has not acknowledged: of streams it is not known between which steps.
    pub(crate) looking: bool,
    pub(crate) generation: u64,
    /// The G into which the handler injected a call.
    pub(crate) injected: u32,
    /// Whom it asked to stop, and on which P.
    pub(crate) asked_m: i32,
    pub(crate) asked_p: i32,
    /// The G for which it waits in stoplockedm.
    pub(crate) locked: u32,
    /// The P that it gave away or took from another M last, and has not handed off.
    pub(crate) gave: i32,
    /// The P of the system call that it blocks.
    pub(crate) blocked_p: i32,

    /// It looks for a G to run.
    pub(crate) scheduling: bool,
    pub(crate) started: bool,
    /// It is the monitor, as its first event says.
    pub(crate) monitor: bool,
    pub(crate) exited: bool,
    /// Struct number of its g0 as handlers name it, 0 if not known.
    pub(crate) g0: u32,
}

impl M {
    pub(crate) fn new() -> Self {
        Self {
            known: false,
            curg: 0,
            p: -1,
            place: Place::Open,
            about: 0,
            interrupted: None,
            detached: false,
            previous: 0,
            storing: None,
            spinning: None,
            hands: 0,
            scans: 0,
            resuming: 0,
            found_dead: None,
            exiting: 0,
            blocking: 0,
            dying: 0,
            displaced: 0,
            steal: Batch::default(),
            spilled: 0,
            ready_next: false,
            yield_preempted: false,
            read_stop: false,
            yields_to_stw: false,
            born_parked: false,
            pending: false,
            handling: false,
            looking: false,
            generation: 0,
            injected: 0,
            asked_m: NO_M,
            asked_p: NO_M,
            locked: 0,
            gave: NO_M,
            blocked_p: NO_M,
            scheduling: false,
            started: false,
            monitor: false,
            exited: false,
            g0: 0,
        }
    }
}

impl Checker {
    /// The stores of the M's last step are done once it takes another.
    #[inline]
    pub(crate) fn settle_store(&mut self, e: &Event) {
        if let Some(store) = self.m(e.m).storing.take() {
            match store {
                Store::Preempt(gs, claimed) => self.gs[gs as usize].preempt.was_set(claimed, e.seq),
                Store::Poison(gs, claimed) => self.gs[gs as usize].poison.was_set(claimed, e.seq),
                Store::PPreempt(p, claimed) => self.ps[p as usize].preempt.was_set(claimed, e.seq),
            }
        }
    }

    /// The place to which the step leads, or what it breaks.
    #[inline]
    pub(crate) fn step(&mut self, e: &Event, word: Word, gs: u32) -> sequence::Verdict {
        if self.m(e.m).interrupted.is_some() {
            self.resume_line(e.m, word);
        }
        if e.on == Stack::Gsignal {
            self.enters_handler(e.m);
        }
        let verdict = self.next_in_line(e, word, gs);
        if matches!(verdict, sequence::Verdict::Broken(_)) && self.interrupts(e, word) {
            return self.sequences.step(Place::Open, word);
        }
        verdict
    }

    #[inline]
    fn next_in_line(&self, e: &Event, word: Word, gs: u32) -> sequence::Verdict {
        let m = &self.ms[(e.m + 1) as usize];
        if (m.spinning.is_some() || m.injected != 0)
            && let Some(rule) = self.owed(e, word, gs)
        {
            return sequence::Verdict::Broken(rule);
        }
        let verdict = self.sequences.step(m.place, word);
        // Who spills takes several, and then puts each.
        let one_g = !matches!(m.place, Place::Open | Place::HandlerSpilling);
        if gs != m.about && one_g && self.sequences.same_g(word) {
            if !self.sequences.is_closed(m.place) {
                return self.sequences.step(Place::Open, word);
            }
            if let sequence::Verdict::Broken(rule) = self.sequences.step(m.place, Word::step(Step::GcPhase)) {
                return sequence::Verdict::Broken(rule);
            }
        }
        verdict
    }

    /// Goes back to the line that was interrupted, once the other one is over.
    #[cold]
    fn resume_line(&mut self, m: i32, word: Word) {
        let place = self.m(m).place;
        if !self.sequences.is_closed(place) && !self.sequences.goes_on(place, word) {
            let m = self.m(m);
            if let Some((place, about)) = m.interrupted.take() {
                (m.place, m.about) = (place, about);
            }
        }
    }

    /// Whether the step may come in the middle of the line; the line then waits.
    #[cold]
    fn interrupts(&mut self, e: &Event, word: Word) -> bool {
        let m = &self.ms[(e.m + 1) as usize];
        let (place, about) = (m.place, m.about);
        let free = m.spinning.is_none() && m.injected == 0 && m.interrupted.is_none();
        let may = |other: &&Interruption| {
            word == Word::step(other.step)
                && other.at.is_none_or(|at| at == place)
                && other.site.is_none_or(|site| self.site_is(e.site, site))
                && self.profile.within(other.releases)
        };
        if !free || !self.sequences.is_closed(place) || INTERRUPTIONS.iter().find(may).is_none() {
            return false;
        }
        let m = self.m(e.m);
        m.interrupted = Some((place, about));
        m.place = Place::Open;
        true
    }

    /// What the M owes before anything else: the change it spins for, the stop it was injected for.
    #[cold]
    fn owed(&self, e: &Event, word: Word, gs: u32) -> Option<Rule> {
        let m = &self.ms[(e.m + 1) as usize];
        if let Some((of, from, to)) = m.spinning {
            let done =
                matches!(e.kind, Kind::GStatus { from: f, to: t, .. } if gs == of && f == from && t == to);
            if !done {
                return Some(Rule::StatusChain);
            }
        }
        const STOPS: &[Step] =
            &[Step::PreemptPark, Step::PreemptYield, Step::HandlerPark, Step::HandlerYield];
        let stops = STOPS.iter().any(|step| word == Word::step(*step));
        (m.injected != 0 && !stops).then_some(Rule::SafePoint)
    }

    /// A primitive that spins found another status.
    pub(crate) fn spins(&mut self, m: i32, gs: u32, from: GStatus, to: GStatus) -> Verdict {
        if self.m(m).spinning.replace((gs, from, to)).is_some() {
            return broken(
                Rule::ProgramOrder,
                format!("M{m} fails twice to change {} {from} -> {to}", self.g_name(gs)),
                "of a call that spins the first failure alone is told",
            );
        }
        Ok(())
    }

    /// The step was taken.
    #[inline]
    pub(crate) fn stepped(&mut self, e: &Event, word: Word, gs: u32, place: Place) -> Verdict {
        let steal = word == Word::step(Step::Steal);
        let spill = word == Word::step(Step::Spill) || word == Word::step(Step::PutGlobal);
        self.summary.steps[word.index()] += 1;
        let half = self.ring / 2;
        let m = self.m(e.m);
        m.exited |= word == Word::step(Step::MExit);
        m.place = place;
        if gs != 0 {
            m.about = gs;
        }
        m.previous = e.seq;
        m.spinning = None;
        if !steal {
            m.steal = Batch::default();
        }
        if m.spilled != 0 && !spill {
            let spilled = core::mem::take(&mut m.spilled);
            if spilled != half {
                return broken(
                    Rule::QueueOrder,
                    format!("M{} spills {spilled} Gs of a full ring", e.m),
                    format!("{half}, and the one that did not fit"),
                );
            }
        }
        if word != Word::step(Step::PutRunnext) {
            m.displaced = 0;
        }
        Ok(())
    }

    /// The M is about to leave what it was doing: nothing may be left in its hands.
    #[inline]
    pub(crate) fn rest(&self, e: &Event, word: Word) -> Verdict {
        let m = &self.ms[(e.m + 1) as usize];
        if m.hands | m.scans | m.resuming | m.exiting == 0 || !self.rests(word) {
            return Ok(());
        }
        self.rests_holding(e, word)
    }

    #[inline]
    fn rests(&self, word: Word) -> bool {
        const RESTS: &[Step] = &[
            Step::PPreemptFalse,
            Step::Stopm,
            Step::Gopark,
            Step::Goexit,
            Step::SuspendBegin,
            Step::StwBegin,
            Step::Stoplockedm,
            Step::MExit,
            Step::Execute,
            Step::PreemptPark,
            Step::HandlerPark,
        ];
        RESTS.iter().any(|step| word == Word::step(*step))
    }

    #[cold]
    fn rests_holding(&self, e: &Event, word: Word) -> Verdict {
        let m = &self.ms[(e.m + 1) as usize];
        let execute = word == Word::step(Step::Execute);
        if m.scans != 0 {
            return broken(
                Rule::ScanOwner,
                format!("M{} goes on to {word} and holds a scan bit", e.m),
                "it releases the scan bit first",
            );
        }
        if m.resuming != 0 {
            return broken(
                Rule::SuspendOwner,
                format!("M{} goes on to {word} in the middle of resumeG", e.m),
                "resume_end first",
            );
        }
        if m.exiting != 0 {
            return broken(
                Rule::Syscall,
                format!("M{} goes on to {word} before its system call is over", e.m),
                "exitsyscall restores the guard, or gives the G up for want of a P",
            );
        }
        if m.hands != 0 && !execute {
            return self.still_holds(e.m, &format!("goes on to {word}"));
        }
        Ok(())
    }
}
