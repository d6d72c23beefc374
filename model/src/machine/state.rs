//! The state of the protocol machine: two Gs, two Ms, two Ps, two suspenders, stop-the-world and sysmon,
//! exact in 126 bits.
//!
//! Two flags that Go keeps apart are one bit here, because nothing in the modelled rules can tell them
//! apart: `stackguard0` is "poisoned or not" (stack addresses are not modelled), and a generation is
//! "unchanged since this suspender read it" (exact but for wrap-around).

use super::word::{Link, bits_enum, word};
use crate::space::Packed;
use sigurg_traces::GStatus;

pub(super) const GS: usize = 2;
pub(super) const MS: usize = 2;
pub(super) const PS: usize = 2;
pub(super) const SUSPENDERS: usize = 2;

bits_enum! {
    /// Status of a G without the scan bit; the statuses that a bounded machine can reach.
    pub(super) enum Status { Runnable, Running, Syscall, Waiting, Preempted, Dead, Copystack, Deadextra }
}

bits_enum! {
    /// Where a runnable G is: in nobody's queue (then it is in one actor's hand), or in exactly one queue.
    pub(super) enum Place { Hand, Global, Local0, Local1, Next0, Next1 }
}

word! {
    /// A G.
    G {
        status / set_status: Status = 0..3,
        scan / set_scan: bool = 3..4,
        preempt / set_preempt: bool = 4..5,
        stop / set_stop: bool = 5..6,
        /// `stackguard0` is stackPreempt.
        poison / set_poison: bool = 6..7,
        /// `g.m`.
        m / set_m: Link = 7..9,
        place / set_place: Place = 9..12,
        /// `waitreason` says "preempted".
        reason_preempted / set_reason_preempted: bool = 12..13,
        /// X-PARK: locked to the M in whose signal handler it stopped.
        locked / set_locked: bool = 13..14,
    }
}

bits_enum! {
    /// Where an M is. Names are those of the Go function it is in and of the step it takes next.
    pub(super) enum MPc {
        // On g0, in the scheduler.
        Schedule, FindRunnable, StartLocked,
        ExecuteLink, ExecuteCas, ExecutePreempt, ExecuteGuard,
        // On the G's stack.
        User, AsyncPreempt, ForeignCall,
        // goschedImpl: T13, T14, dropg, placement.
        YieldCas, YieldDropM, YieldDropCurg, YieldPut,
        // goyield: T15.
        GoyieldCas, GoyieldDropM, GoyieldDropCurg, GoyieldPut,
        // preemptPark: T16, dropg, T17.
        StopCas, StopDropM, StopDropCurg, StopRelease,
        // gopark: T11.
        ParkCas, ParkDropM, ParkDropCurg,
        // newstack: NS-2 to NS-5; T55, copystack, T56.
        Newstack, GrowCas, GrowGuard, GrowBack,
        // newstack declines: NS-3.
        DeclineGuard,
        // unlock with a request standing: C11.
        UnlockPoison,
        // goexit: T06, gdestroy.
        ExitCas, ExitClearStop, ExitDrop,
        // coroswitch_m: T31, T32, T33.
        CoroLeave, CoroEnter, CoroReady, CoroRun,
        // reentersyscall: T34.
        SyscallGuard, SyscallCheckStw, SyscallGiveP, SyscallCas, SyscallReleaseP,
        // In the kernel, and back: T36, T37, T38.
        InSyscall, ExitsyscallCas, ExitsyscallP, ExitsyscallGuard, ExitsyscallNoP, ExitsyscallDrop, ExitsyscallPut,
        // A thread of C: needm T07, dropm T08.
        InC, NeedmEnter, DropmCas, DropmClear,
        // X-PARK: waiting in the handler for a P.
        ParkedInHandler,
        // stopm: without a P.
        Idle,
    }
}

bits_enum! {
    /// The signal handler of an M, nested in whatever the M was doing.
    pub(super) enum Handler { None, Decide, AckFirst, AckSecond }
}

word! {
    /// An M.
    M {
        pc / set_pc: MPc = 0..6,
        /// `m.curg`.
        curg / set_curg: Link = 6..8,
        /// The G that the step at hand is about: in hand on g0, running on its stack.
        gp / set_gp: Link = 8..10,
        /// `signalPending`.
        pending / set_pending: bool = 10..11,
        /// A signal was sent and not delivered yet.
        in_flight / set_in_flight: bool = 11..12,
        handler / set_handler: Handler = 12..14,
        /// The handler has rewritten the context: on its return the G is in `asyncPreempt`.
        injected / set_injected: bool = 14..15,
        /// The M has taken a step since the last signal. Without this rule a storm of signals starves it.
        moved / set_moved: bool = 15..16,
        /// `m.locks > 0`.
        locks / set_locks: bool = 16..17,
        /// `m.p`.
        p / set_p: Link = 17..19,
        /// It yields because it was preempted, not because it asked to.
        preempted / set_preempted: bool = 19..20,
    }
}

bits_enum! {
    /// Where a suspender is (SG-1 to SG-9, RG-1 to RG-3).
    pub(super) enum SPc {
        Idle, Read,
        ReasonPreempted, TakePreempted,
        ClaimRunnable, ClaimSyscall, ClaimWaiting,
        ClearStop, ClearPreempt, ClearGuard,
        Owns, Ready, ReadyPut,
        SkipTest, OpenWindow, SetStop, SetPreempt, SetGuard, ReadM, CloseWindow,
        RateLimit, Gate, Kill,
    }
}

bits_enum! {
    /// What became of the last signal that a suspender wanted to send. History, kept only where a
    /// liveness promise asks for it.
    pub(super) enum LastSignal { Sent, RateLimited, Gated }
}

word! {
    /// A call of suspendG and the resumeG after it.
    S {
        pc / set_pc: SPc = 0..5,
        target / set_target: u8 = 5..6,
        stopped / set_stopped: bool = 6..7,
        async_m / set_async_m: Link = 7..9,
        /// `asyncM.preemptGen == asyncGen`.
        same_generation / set_same_generation: bool = 9..10,
        /// Less than 5 us since the last signal of this call.
        limited / set_limited: bool = 10..11,
        /// A signal is wanted (SG-6) and not sent.
        needs_signal / set_needs_signal: bool = 11..12,
        last / set_last: LastSignal = 12..14,
    }
}

bits_enum! {
    /// Status of a P.
    pub(super) enum PStat { Idle, Running, Syscall, Gcstop }
}

word! {
    /// A P.
    P {
        status / set_status: PStat = 0..2,
        m / set_m: Link = 2..4,
        preempt / set_preempt: bool = 4..5,
    }
}

bits_enum! {
    /// preemptone, wherever it is called from: its stores in order.
    pub(super) enum Preemptone { Off, Preempt, Guard, PPreempt, Gate, Kill }
}

bits_enum! {
    /// stopTheWorldWithSema.
    pub(super) enum StwPc { Off, Ask, PreemptAll, TakeSyscalls, CutP, ReleaseScan, TakeIdle, Wait, Stopped }
}

bits_enum! {
    /// sysmon.
    pub(super) enum SysmonPc { Awake, Preempting, CutP, ReleaseScan, Handoff, Done }
}

word! {
    /// What belongs to no single actor.
    World {
        /// `sched.gcwaiting`.
        gcwaiting / set_gcwaiting: bool = 0..1,
        stw / set_stw: StwPc = 1..5,
        /// The P at which stop-the-world is.
        stw_p / set_stw_p: u8 = 5..6,
        sysmon / set_sysmon: SysmonPc = 6..9,
        sysmon_p / set_sysmon_p: u8 = 9..10,
        /// The preemptone in progress: of stop-the-world, or else of sysmon.
        preemptone / set_preemptone: Preemptone = 10..13,
        /// The G that it read as `m.curg`.
        preemptone_g / set_preemptone_g: u8 = 13..14,
        /// The M that it read as `p.m`.
        preemptone_m / set_preemptone_m: u8 = 14..15,
        /// Stop-the-world is in its first round, under `sched.lock`.
        stw_first / set_stw_first: bool = 15..16,
        /// The G put last on the global queue: with two Gs that is all its order.
        newest / set_newest: u8 = 16..17,
        /// How many unsafe points may still be met.
        unsafe_points / set_unsafe_points: u8 = 17..19,
    }
}

/// A state.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) g: [G; GS],
    pub(super) m: [M; MS],
    pub(super) s: [S; SUSPENDERS],
    pub(super) p: [P; PS],
    pub(super) world: World,
}

/// How many bits of the world go into the low word, behind the Gs and the suspenders.
const WORLD_LOW: u32 = 63 - 2 * G::WIDTH - 2 * S::WIDTH;
const _: () = assert!(2 * M::WIDTH + 2 * P::WIDTH + World::WIDTH - WORLD_LOW <= 63);

impl State {
    #[inline]
    pub(super) fn pack(self) -> Packed {
        let word = |value: u32| u64::from(value);
        let low = word(self.g[0].0)
            | word(self.g[1].0) << G::WIDTH
            | word(self.s[0].0) << (2 * G::WIDTH)
            | word(self.s[1].0) << (2 * G::WIDTH + S::WIDTH)
            | word(self.world.0 & ((1 << WORLD_LOW) - 1)) << (63 - WORLD_LOW);
        let high = word(self.m[0].0)
            | word(self.m[1].0) << M::WIDTH
            | word(self.p[0].0) << (2 * M::WIDTH)
            | word(self.p[1].0) << (2 * M::WIDTH + P::WIDTH)
            | word(self.world.0 >> WORLD_LOW) << (2 * M::WIDTH + 2 * P::WIDTH);
        Packed(u128::from(high) << 64 | u128::from(low))
    }

    #[inline]
    pub(super) fn unpack(packed: Packed) -> Self {
        let (low, high) = (packed.0 as u64, (packed.0 >> 64) as u64);
        let field = |word: u64, at: u32, width: u32| (word >> at) as u32 & ((1 << width) - 1);
        Self {
            g: [G(field(low, 0, G::WIDTH)), G(field(low, G::WIDTH, G::WIDTH))],
            s: [S(field(low, 2 * G::WIDTH, S::WIDTH)), S(field(low, 2 * G::WIDTH + S::WIDTH, S::WIDTH))],
            m: [M(field(high, 0, M::WIDTH)), M(field(high, M::WIDTH, M::WIDTH))],
            p: [P(field(high, 2 * M::WIDTH, P::WIDTH)), P(field(high, 2 * M::WIDTH + P::WIDTH, P::WIDTH))],
            world: World(
                field(low, 63 - WORLD_LOW, WORLD_LOW)
                    | field(high, 2 * M::WIDTH + 2 * P::WIDTH, World::WIDTH - WORLD_LOW) << WORLD_LOW,
            ),
        }
    }
}

impl G {
    /// Whether it waits in a queue, rather than in somebody's hand or not at all.
    #[inline]
    pub(super) fn is_queued(self) -> bool {
        self.place() != Place::Hand
    }

    /// The whole status word, as traces spell it.
    #[inline]
    pub(super) fn gstatus(self) -> GStatus {
        match (self.status(), self.scan()) {
            (Status::Runnable, false) => GStatus::Runnable,
            (Status::Running, false) => GStatus::Running,
            (Status::Syscall, false) => GStatus::Syscall,
            (Status::Waiting, false) => GStatus::Waiting,
            (Status::Preempted, false) => GStatus::Preempted,
            (Status::Dead, false) => GStatus::Dead,
            (Status::Copystack, false) => GStatus::Copystack,
            (Status::Deadextra, false) => GStatus::Deadextra,
            (Status::Runnable, true) => GStatus::Scanrunnable,
            (Status::Running, true) => GStatus::Scanrunning,
            (Status::Syscall, true) => GStatus::Scansyscall,
            (Status::Waiting, true) => GStatus::Scanwaiting,
            (Status::Preempted, true) => GStatus::Scanpreempted,
            (Status::Deadextra, true) => GStatus::Scandeadextra,
            (Status::Dead | Status::Copystack, true) => {
                unreachable!("the scan bit on a status that has none")
            }
        }
    }
}
