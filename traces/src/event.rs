//! One event: who did what to whom, and what may be said about when.
//!
//! Invariants:
//! 1. An [`Event`] is plain data. Whether it is *legal* is for the model to say.
//! 2. Objects that change hands carry a version taken from the very word that changed, so the order of
//!    the changes of one object needs no clock and no shared counter: [`Event::changes`].
//! 3. Everything is keyed by [`Target::gs`], the G struct; the goid is for people.

use crate::vocab::{GStatus, Guard, PStatus, Phase, PutHow, Queue, Reject, Stack, TakeHow, Via};

/// An interned string of a trace (function names, wait reasons); [`Sym::NONE`] where there is none.
///
/// Meaningful only together with the [`Symbols`](crate::symbols::Symbols) of the trace it came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sym(pub u32);

impl Sym {
    /// No string.
    pub const NONE: Self = Self(0);

    /// Whether there is a string.
    pub const fn is_some(self) -> bool {
        self.0 != 0
    }
}

/// The G that an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// Goroutine id; 0 if it has none yet, or is not a user goroutine.
    pub g: u64,
    /// Number of the G struct, from 1. Structs are used again by later goroutines.
    pub gs: u32,
}

/// One event of a trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// Position in the trace, from 0 without gaps.
    pub seq: u64,
    /// The sequence counter, read before the action; equal to `seq` unless the event is an interval.
    pub lo: u64,
    /// Nanoseconds since the first event. For people and latency figures, never for order.
    pub t_ns: u64,
    /// The acting thread, or -1.
    pub m: i32,
    /// The P that the acting M holds, or -1.
    pub p: i32,
    /// The stack the code ran on.
    pub on: Stack,
    /// Goid of the G attached to the acting M, or 0. **Not** the target.
    pub by: u64,
    /// The G it is about.
    pub target: Option<Target>,
    /// The function that caused it (`fn`), for people and for the rows of the transition table.
    pub site: Sym,
    /// Version of the queue, P or signal word that the action changed (`over`), where the producer orders
    /// such objects by version instead of by `seq`; 0 where it does not. G status words have `ver`.
    pub over: u64,
    /// What happened.
    pub kind: Kind,
}

/// A write of one request field of a G.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    /// `g.preempt`.
    Preempt(bool),
    /// `g.preemptStop`.
    PreemptStop(bool),
    /// `g.preemptShrink`.
    PreemptShrink(bool),
    /// `g.stackguard0`.
    Stackguard0(Guard),
}

/// What happened. Names are those of the interchange format in Rust case.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "the fields are those of the format page, traces/README.md")]
pub enum Kind {
    GStatus {
        from: GStatus,
        to: GStatus,
        via: Via,
        ver: u64,
        reason: Sym,
    },
    GStatusFail {
        want_from: GStatus,
        want_to: GStatus,
        saw: GStatus,
        via: Via,
        ver: u64,
    },

    SuspendBegin {
        sid: u64,
    },
    SuspendStep {
        sid: u64,
        iter: u32,
        saw: GStatus,
        ver: u64,
    },
    SuspendEnd {
        sid: u64,
        dead: bool,
        stopped: bool,
    },
    ResumeBegin {
        sid: u64,
        dead: bool,
        stopped: bool,
    },
    ResumeEnd {
        sid: u64,
        stopped: bool,
    },

    GRequest {
        request: Request,
    },
    /// Write of `p.preempt`.
    PRequest {
        target_p: i32,
        preempt: bool,
    },
    PreemptOne {
        target_p: i32,
        target_m: i32,
    },
    PreemptM {
        target_m: i32,
        sent: bool,
    },
    SigPreempt {
        want: bool,
        safe: bool,
        reject: Option<Reject>,
    },
    SigAck {
        generation: u64,
    },
    Newstack {
        preempt: bool,
        preempt_stop: bool,
        preempt_shrink: bool,
        can_preempt: bool,
    },
    PreemptPark {
        by_signal: bool,
    },
    PreemptYield {
        by_signal: bool,
    },
    /// `preempted` is unknown in Go 1.21.
    GoschedImpl {
        preempted: Option<bool>,
    },
    Goyield,
    StackCopy {
        old_size: u64,
        new_size: u64,
    },
    StackShrink,

    RunqPut {
        target_p: i32,
        q: Queue,
        how: PutHow,
    },
    RunqGet {
        target_p: i32,
        q: Queue,
        how: TakeHow,
    },
    RunqKick {
        target_p: i32,
        q: Queue,
    },
    RunqSteal {
        target_p: i32,
        q: Queue,
    },
    Execute {
        inherit_time: bool,
    },
    Newproc {
        entry: Sym,
        parent: u64,
        parked: bool,
    },
    Ready {
        next: bool,
    },
    /// `next` is absent in recordings of Go.
    Goready {
        next: Option<bool>,
    },
    Gopark {
        reason: Sym,
        unlockf: bool,
    },
    ParkAbort,
    Goexit,
    Gdestroy,
    Gfput {
        target_p: i32,
    },
    CoroFrom {
        exit: bool,
    },
    CoroTo,
    Stoplockedm,
    Startlockedm {
        target_m: i32,
    },

    PStatus {
        target_p: i32,
        from: PStatus,
        to: PStatus,
        cas: bool,
    },
    Handoffp {
        target_p: i32,
    },
    RetakeSyscall {
        target_p: i32,
    },
    SyscallBlock {
        target_p: i32,
        target_m: i32,
    },
    Startm {
        target_p: i32,
        spinning: bool,
    },
    Stopm,
    MStart,
    MExit,
    Procresize {
        old: i64,
        new: i64,
    },
    StwBegin {
        reason: Sym,
    },
    StwStopped {
        reason: Sym,
    },
    StwStart,
    StwStarted {
        procs: i64,
    },
    GcPhase {
        phase: Phase,
    },
    /// Every P is to have a function run for it.
    ForEachPBegin {
        procs: i64,
    },
    /// It is run for that P.
    SafePointFn {
        target_p: i32,
    },
    ForEachPEnd,
    /// A claimed slot that was not written; only `seq` is known.
    Lost,
}
