//! The table of kinds: spelling, target and fields of each, stated once for both forms of a trace.
//!
//! One row is `Variant "spelling" target { field: Key, … }`; `opt` marks a field that is left out when it says
//! nothing, and `[Key = Word]` a field that is always the same. The order of the rows is the numbering of the
//! binary form: rows are only ever added at the end.

/// Calls the macro `$use` with the table.
macro_rules! for_each_kind {
    ($use:ident) => {
        $use! {
            GStatus "g_status" Always { from: From, to: To, via: Via, ver: Ver, reason: Reason opt }
            GStatusFail "g_status_fail" Always {
                want_from: WantFrom, want_to: WantTo, saw: Saw, via: Via, ver: Ver
            }
            SuspendBegin "suspend_begin" Always { sid: Sid }
            SuspendStep "suspend_step" Always { sid: Sid, iter: Iter, saw: Saw, ver: Ver }
            SuspendEnd "suspend_end" Always { sid: Sid, dead: Dead, stopped: Stopped }
            ResumeBegin "resume_begin" UnlessDead { sid: Sid, dead: Dead, stopped: Stopped }
            ResumeEnd "resume_end" Always { sid: Sid, stopped: Stopped }
            GRequest "g_request" Always { request: Field }
            PRequest "p_request" Never { target_p: TargetP, [Field = Preempt] preempt: Value }
            PreemptOne "preempt_one" Always { target_p: TargetP, target_m: TargetM }
            PreemptM "preempt_m" Never { target_m: TargetM, sent: Sent }
            SigPreempt "sig_preempt" Optional { want: Want, safe: Safe, reject: Reject opt }
            SigAck "sig_ack" Optional { generation: Gen }
            Newstack "newstack" Always {
                preempt: Preempt, preempt_stop: PreemptStop, preempt_shrink: PreemptShrink, can_preempt: CanPreempt
            }
            PreemptPark "preempt_park" Always { by_signal: Async }
            PreemptYield "preempt_yield" Always { by_signal: Async }
            GoschedImpl "gosched_impl" Always { preempted: Preempted }
            Goyield "goyield" Always {}
            StackCopy "stack_copy" Always { old_size: OldSize, new_size: NewSize }
            StackShrink "stack_shrink" Always {}
            RunqPut "runq_put" Always { target_p: TargetP, q: Q, how: How }
            RunqGet "runq_get" Always { target_p: TargetP, q: Q, how: How }
            RunqKick "runq_kick" Always { target_p: TargetP, q: Q }
            RunqSteal "runq_steal" Always { target_p: TargetP, q: Q }
            Execute "execute" Always { inherit_time: InheritTime }
            Newproc "newproc" Always { entry: Entry, parent: Parent, parked: Parked }
            Ready "ready" Always { next: Next }
            Goready "goready" Always { next: Next opt }
            Gopark "gopark" Always { reason: Reason, unlockf: Unlockf }
            ParkAbort "park_abort" Always {}
            Goexit "goexit" Always {}
            Gdestroy "gdestroy" Always {}
            Gfput "gfput" Always { target_p: TargetP }
            CoroFrom "coro_from" Always { exit: Exit }
            CoroTo "coro_to" Always {}
            Stoplockedm "stoplockedm" Always {}
            Startlockedm "startlockedm" Always { target_m: TargetM }
            PStatus "p_status" Never { target_p: TargetP, from: From, to: To, cas: Cas }
            Handoffp "handoffp" Never { target_p: TargetP }
            RetakeSyscall "retake_syscall" Never { target_p: TargetP }
            SyscallBlock "syscall_block" Always { target_p: TargetP, target_m: TargetM }
            Startm "startm" Never { target_p: TargetP, spinning: Spinning }
            Stopm "stopm" Never {}
            MStart "m_start" Never {}
            MExit "m_exit" Never {}
            Procresize "procresize" Never { old: Old, new: New }
            StwBegin "stw_begin" Never { reason: Reason }
            StwStopped "stw_stopped" Never { reason: Reason }
            StwStart "stw_start" Never {}
            StwStarted "stw_started" Never { procs: Procs }
            GcPhase "gc_phase" Never { phase: Phase }
            Lost "lost" Never {}
            ForEachPBegin "each_p_begin" Never { procs: Procs }
            SafePointFn "safe_point_fn" Never { target_p: TargetP }
            ForEachPEnd "each_p_end" Never {}
        }
    };
}
pub(crate) use for_each_kind;

use crate::event::{Event, Kind, Sym};
use crate::vocab::Stack;

/// Whether a kind has a target G.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Always.
    Always,
    /// Never.
    Never,
    /// Unless it says `dead`: then nothing was claimed, and there may be nothing to name.
    UnlessDead,
    /// It may: what a signal interrupted may be no G that has a number.
    Optional,
}

macro_rules! tags {
    ($($variant:ident $name:literal $need:ident { $($fields:tt)* })+) => {
        words! {
            /// The name of a kind, without its fields.
            #[allow(missing_docs, reason = "the kinds are described with `Kind` and on the format page")]
            Tag: $($variant = $name),+
        }

        impl Tag {
            /// Whether events of this kind have a target.
            pub const fn need(self) -> Need {
                match self { $(Self::$variant => Need::$need),+ }
            }
        }

        impl Kind {
            /// The kind's name.
            #[inline]
            pub const fn tag(&self) -> Tag {
                match self { $(Self::$variant { .. } => Tag::$variant),+ }
            }
        }
    };
}

use crate::vocab::words;
for_each_kind!(tags);

impl Event {
    /// The event of a slot that was claimed and not written.
    pub const fn lost(seq: u64) -> Self {
        Self {
            seq,
            lo: seq,
            t_ns: 0,
            m: -1,
            p: -1,
            on: Stack::G0,
            by: 0,
            target: None,
            site: Sym::NONE,
            over: 0,
            kind: Kind::Lost,
        }
    }

    /// What keeps this event from being written, as a reason: a target missing or out of place, or a `lost`
    /// event that claims to know something.
    pub(crate) fn malformed(&self) -> Option<&'static str> {
        match (self.kind.tag().need(), self.target.is_some()) {
            (Need::Always, false) => return Some("an event of this kind needs a target"),
            (Need::Never, true) => return Some("an event of this kind has no target"),
            (Need::UnlessDead, false) if !matches!(self.kind, Kind::ResumeBegin { dead: true, .. }) => {
                return Some("resume_begin needs a target unless it is dead");
            }
            _ => {}
        }
        (matches!(self.kind, Kind::Lost) && *self != Self::lost(self.seq))
            .then_some("a lost event has nothing but its seq")
    }
}
