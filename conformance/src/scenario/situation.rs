//! Interesting situations: what must happen in some run, or the campaign has shown nothing.
//!
//! Each is a question to what a judged trace holds. A scenario names those that it is there for; a campaign must see all.

use std::collections::BTreeMap;
use std::fmt;

use sigurg_model::check::Summary;
use sigurg_model::rules::sequence::{Step, Word};
use sigurg_model::rules::transition::ROWS;
use sigurg_traces::Tag;

use crate::check::census::Kinds;
use crate::check::measure::Measures;

/// Defines [`Situation`], its words and its questions.
macro_rules! situations {
    ($($(#[$meta:meta])* $name:ident = $word:literal, $seen:expr;)+) => {
        /// Something that does not happen in every run.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Situation { $($(#[$meta])* $name),+ }

        impl Situation {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Its word in scenarios.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }

            /// How often it happened.
            fn count(self, held: &Held<'_>) -> u64 {
                match self { $(Self::$name => { let seen: fn(&Held<'_>) -> u64 = $seen; seen(held) })+ }
            }
        }
    };
}

situations! {
    /// A goroutine was stopped in its signal handler, to yield.
    StoppedBySignal = "stopped_by_signal", |held| held.step(Step::HandlerYield);
    /// A goroutine was stopped in its signal handler, for a suspender.
    SuspendedBySignal = "suspended_by_signal", |held| held.step(Step::HandlerPark);
    /// A goroutine yielded at a safe point because it was asked to.
    StoppedAtSafePoint = "stopped_at_safe_point", |held| held.step(Step::PreemptYield);
    /// A goroutine stopped for a suspender, at a safe point or by signal.
    Suspended = "suspended", |held| held.row("T18");
    /// A suspender claimed a goroutine that did not run.
    ClaimedAsItWas = "claimed_as_it_was", |held| held.step(Step::StepClaim);
    /// A suspender asked a running goroutine to stop.
    AskedToStop = "asked_to_stop", |held| held.step(Step::StepRun);
    /// A suspender found that another held the goroutine.
    SuspendersMet = "suspenders_met", |held| held.step(Step::StepWait);
    /// A signal came at a moment when nothing could be done.
    SignalDeclined = "signal_declined", |held| held.kind(Tag::SigPreempt)
        .saturating_sub(held.step(Step::HandlerYield) + held.step(Step::HandlerPark));
    /// Somebody asked while a signal was on its way: none was sent.
    SignalSpared = "signal_spared", |held| held.kind(Tag::PreemptM).saturating_sub(held.kind(Tag::SigAck));
    /// A goroutine went to the global queue.
    GlobalQueue = "global_queue", |held| held.step(Step::PutGlobal);
    /// A full ring spilled half.
    RingSpilled = "ring_spilled", |held| held.step(Step::Spill);
    /// A goroutine was kicked out of `runnext`.
    Kicked = "kicked", |held| held.step(Step::Kick);
    /// Goroutines were stolen from another P.
    Stolen = "stolen", |held| held.step(Step::Steal);
    /// A P was taken from a system call.
    Retaken = "retaken", |held| held.kind(Tag::RetakeSyscall) + held.kind(Tag::SyscallBlock);
    /// A goroutine that came back from a system call found no P.
    ReturnedWithoutP = "returned_without_p", |held| held.row("T37");
    /// A P was handed from one M to another.
    HandedOff = "handed_off", |held| held.kind(Tag::Handoffp);
    /// A locked goroutine was handed a P.
    LockedHandoff = "locked_handoff", |held| held.kind(Tag::Startlockedm);
    /// The world was stopped.
    WorldStopped = "world_stopped", |held| held.kind(Tag::StwStopped).saturating_sub(1);
    /// The number of Ps changed.
    PsChanged = "ps_changed", |held| held.kind(Tag::Procresize).saturating_sub(1);
    /// A park was called off by its callback.
    ParkCalledOff = "park_called_off", |held| held.step(Step::ParkAbort);
    /// A time slice was inherited.
    Inherited = "inherited", |held| held.measures.inherited;
    /// A goroutine struct was used again.
    Reused = "reused", |held| held.kind(Tag::Newproc).saturating_sub(held.kinds.g_structs());
    /// A goroutine ended.
    Ended = "ended", |held| held.step(Step::Goexit);
}

impl Situation {
    /// The one that is spelled so.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|situation| situation.as_str() == name)
    }
}

impl fmt::Display for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a judged trace holds.
struct Held<'a> {
    kinds: &'a Kinds,
    summary: &'a Summary,
    measures: &'a Measures,
}

impl Held<'_> {
    fn kind(&self, tag: Tag) -> u64 {
        self.kinds.of(tag)
    }

    fn step(&self, step: Step) -> u64 {
        self.summary.steps[Word::step(step).index()]
    }

    fn row(&self, id: &str) -> u64 {
        ROWS.iter().zip(&self.summary.rows).filter(|(row, _)| row.id == id).map(|(_, count)| count).sum()
    }
}

/// How often each situation happened, and each row of the transition table was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Those that happened.
    pub situations: BTreeMap<Situation, u64>,
    /// By the id of the row.
    pub rows: BTreeMap<&'static str, u64>,
}

impl Seen {
    /// What a judged trace holds: what was counted, what the checker counted, and its figures.
    #[must_use]
    pub fn new(kinds: &Kinds, summary: &Summary, measures: &Measures) -> Self {
        let held = Held { kinds, summary, measures };
        let counted = |situation: &Situation| (*situation, situation.count(&held));
        let mut rows = BTreeMap::new();
        for (row, &count) in ROWS.iter().zip(&summary.rows).filter(|&(_, &count)| count > 0) {
            *rows.entry(row.id).or_default() += count;
        }
        Self {
            situations: Situation::ALL.iter().map(counted).filter(|&(_, count)| count > 0).collect(),
            rows,
        }
    }

    /// Adds what another run held.
    pub fn add(&mut self, other: &Self) {
        for (situation, count) in &other.situations {
            *self.situations.entry(*situation).or_default() += count;
        }
        for (row, count) in &other.rows {
            *self.rows.entry(row).or_default() += count;
        }
    }

    /// Those of `wanted` that never happened.
    #[must_use]
    pub fn missing(&self, wanted: &[Situation]) -> Vec<Situation> {
        wanted.iter().copied().filter(|situation| !self.situations.contains_key(situation)).collect()
    }
}
