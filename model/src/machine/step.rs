//! The names of the steps: who did what. A counterexample is a list of these.

/// Who moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Actor {
    /// A thread.
    M(u8),
    /// A caller of suspendG.
    Suspender(u8),
    /// The caller of stop-the-world.
    Stw,
    /// sysmon.
    Sysmon,
    /// Time passes.
    Clock(u8),
    /// The caller of preemptone that is neither of the two above (X-WAKE).
    Waker,
    /// Somebody outside: a channel peer, a timer, a creator.
    Outside,
}

impl core::fmt::Display for Actor {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::M(i) => write!(f, "M{i}"),
            Self::Suspender(i) => write!(f, "suspender {i}"),
            Self::Stw => f.write_str("stop-the-world"),
            Self::Sysmon => f.write_str("sysmon"),
            Self::Clock(i) => write!(f, "clock of suspender {i}"),
            Self::Waker => f.write_str("waker"),
            Self::Outside => f.write_str("outside"),
        }
    }
}

/// Defines [`Act`] with a sentence for each step.
macro_rules! acts {
    ($($(#[$meta:meta])* $act:ident = $text:literal),+ $(,)?) => {
        /// What is done: one compare-and-swap with its branch, one plain store, one queue operation, or one
        /// decision on values read together.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "each has its sentence in `text`")]
        pub enum Act { $($(#[$meta])* $act),+ }

        impl Act {
            /// Every step.
            pub const ALL: &[Self] = &[$(Self::$act),+];

            /// The step in words.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$act => $text),+ }
            }
        }
    };
}

acts! {
    ClearPPreempt = "schedule: p.preempt = false",
    Take = "findRunnable takes it from a queue",
    Steal = "findRunnable steals it from another P",
    StartLocked = "startlockedm hands its P to the M that the G is locked to",
    GcStop = "gcstopm gives the P to stop-the-world",
    Stop = "stopm: no work, the P goes idle",
    StartM = "startm: an idle M gets an idle P",
    ExecuteLink = "execute: m.curg = g, g.m = m",
    Execute = "execute: Grunnable -> Grunning (T10)",
    ExecutePreempt = "execute: preempt = false",
    ExecuteGuard = "execute: stackguard0 = normal; user code runs",

    Compute = "user code takes a step",
    Prologue = "calls a function; its prologue finds the poison and traps",
    NewstackDeclines = "newstack must decline: locks are held (NS-3)",
    NewstackParks = "newstack reads preemptStop: preemptPark (C1)",
    NewstackYields = "newstack reads preemptStop clear: gopreempt_m (C1)",
    DeclineGuard = "newstack: stackguard0 = normal, and on with the G",
    AsyncPark = "asyncPreempt2 reads preemptStop: preemptPark (C2)",
    AsyncYield = "asyncPreempt2 reads preemptStop clear: gopreempt_m (C2)",
    Lock = "m.locks++",
    Unlock = "m.locks--",
    UnlockPoison = "unlock: preempt stands, stackguard0 = poison (C11)",
    CallGosched = "calls Gosched",
    CallGoyield = "calls goyield",
    CallGopark = "calls gopark",
    CallExit = "returns from its function: goexit",
    CallGrow = "a prologue finds the stack too small",
    CallCoroswitch = "calls coroswitch",
    CallSyscall = "calls entersyscall",
    CallForeign = "blocks in a foreign call that the runtime does not know of",
    ForeignReturns = "the foreign call returns",

    Yield = "goschedImpl: Grunning -> Grunnable (T13, T14)",
    Goyield = "goyield_m: Grunning -> Grunnable (T15)",
    PreemptPark = "preemptPark: Grunning -> Gscanpreempted (T16)",
    Park = "park_m: Grunning -> Gwaiting (T11)",
    DropM = "dropg: g.m = nil",
    DropCurg = "dropg: m.curg = nil",
    PutGlobal = "puts it on the global queue",
    PutLocal = "puts it on the local queue",
    PutRunnext = "puts it in runnext",
    PreemptedReleased = "preemptPark: Gscanpreempted -> Gpreempted (T17)",
    Grow = "newstack: Grunning -> Gcopystack (T55)",
    GrowGuard = "copystack: stackguard0 = normal",
    GrowBack = "newstack: Gcopystack -> Grunning (T56)",
    Exit = "gdestroy: Grunning -> Gdead (T06)",
    ExitClearStop = "gdestroy: g.m = nil, preemptStop = false",
    CoroLeave = "coroswitch: Grunning -> Gwaiting (T31)",
    CoroEnter = "coroswitch: the other G Gwaiting -> Grunning (T32)",
    CoroEnterFails = "coroswitch: a scan bit is in the way (T33)",
    CoroReady = "coroswitch: the other G Gwaiting -> Grunnable (T33)",
    CoroRun = "coroswitch: the other G Grunnable -> Grunning (T33)",

    SyscallGuard = "entersyscall: stackguard0 = poison",
    SyscallSeesNoStw = "entersyscall: gcwaiting is not set",
    SyscallSeesStw = "entersyscall: gcwaiting is set",
    SyscallGivesP = "entersyscall: the P goes to stop-the-world",
    SyscallKeepsP = "entersyscall: stop-the-world is over, or has the P already",
    Syscall = "entersyscall: Grunning -> Gsyscall (T34)",
    SyscallReleaseP = "entersyscall: the P becomes Psyscall (PS13)",
    SyscallReturns = "the system call returns",
    Exitsyscall = "exitsyscall: Gsyscall -> Grunning (T36)",
    ExitsyscallHasP = "exitsyscall: the P is still there",
    ExitsyscallTakesP = "exitsyscall: takes an idle P",
    ExitsyscallWithoutP = "exitsyscall: there is no P",
    ExitsyscallGuard = "exitsyscall: stackguard0 as preempt says; user code runs",
    ExitsyscallNoP = "exitsyscall without a P: -> Grunnable (T37, T38)",
    ExitsyscallDrop = "exitsyscall without a P: dropg",

    CallsGo = "C calls into Go: needm takes the extra M's G",
    Needm = "needm: Gdeadextra -> Gsyscall (T07)",
    ReturnsToC = "the Go function returns to C: dropm",
    Dropm = "dropm: Gsyscall -> Gdeadextra (T08)",
    DropmClear = "dropm: preemptStop = false; the thread is in C again",

    Deliver = "the signal is delivered",
    Swallow = "the signal arrives in C and is swallowed: no acknowledgement (SR-1)",
    HandlerIgnores = "handler: nothing to preempt here",
    HandlerInjects = "handler: wanted, and a safe point: injects asyncPreempt",
    HandlerParks = "handler: wanted: the G will stop here, locked to its thread (X-PARK)",
    AdoptForeignCall = "its thread is seen asleep in a foreign call: Grunning -> Gscansyscall (X-ADOPT)",
    HandlerUnsafe = "handler: wanted, but an unsafe point: declines",
    AckGeneration = "handler: preemptGen += 1",
    AckPending = "handler: signalPending = 0",

    CallSuspendG = "calls suspendG",
    SeesDead = "suspendG reads a dead G and returns",
    Sees = "suspendG reads the status (SG-1)",
    WriteReason = "casGFromPreempted: waitreason = preempted, before it knows that it wins",
    TakePreempted = "suspendG: Gpreempted -> Gwaiting (T18): it owes a ready",
    TakePreemptedFails = "suspendG loses the race for T18",
    Claim = "suspendG sets the scan bit (T43 to T45)",
    ClaimFails = "suspendG finds another status: no claim",
    ClearStop = "claimed: preemptStop = false",
    ClearPreempt = "claimed: preempt = false",
    ClearGuard = "claimed: stackguard0 = normal; suspendG returns",
    ResumeG = "resumeG clears the scan bit (T49 to T51)",
    Ready = "ready: Gwaiting -> Grunnable (T19)",
    SkipTestPending = "suspendG: the earlier request is still pending (SG-3)",
    SkipTestAsk = "suspendG: has to ask (SG-3)",
    SkipTestSend = "suspendG: the signal of the request is still owed (X-REMEMBER)",
    OpenWindow = "suspendG: Grunning -> Gscanrunning (T47)",
    OpenWindowFails = "suspendG finds another status: no window",
    SetStop = "in the window: preemptStop = true",
    SetPreempt = "in the window: preempt = true",
    SetGuard = "in the window: stackguard0 = poison",
    ReadM = "in the window: reads g.m and its generation (SG-6)",
    CloseWindow = "suspendG: Gscanrunning -> Grunning (T48)",
    NoSignalNeeded = "suspendG: no signal is needed (SG-8)",
    MaySignal = "suspendG: the rate limit lets a signal pass (SG-8)",
    RateLimited = "suspendG: the rate limit holds the signal back (SG-8)",
    GateOpen = "preemptM: signalPending 0 -> 1",
    GateClosed = "preemptM: a signal is pending already, none is sent",
    Kill = "tgkill",
    TimePasses = "5 us have passed since the last signal",

    PreemptoneReads = "preemptone reads p.m and m.curg",
    PreemptonePreempt = "preemptone: preempt = true",
    PreemptoneGuard = "preemptone: stackguard0 = poison",
    PreemptoneP = "preemptone: p.preempt = true",
    PreemptallSkips = "preemptall has nothing to ask of this P",
    StwBegin = "wants the world stopped",
    StwAsk = "locks sched.lock, gcwaiting = true",
    TakeSyscallP = "setBlockOnExitSyscall takes the scan bit of the G in a system call (T39)",
    TakeSyscallPFails = "finds no P in a system call here that it can take",
    TakePsyscall = "takes the P: Psyscall -> Pgcstop or Pidle",
    CutP = "cuts the P from the M in a system call",
    ReleaseScan = "releases the scan bit of the G in a system call (T41)",
    TakeIdle = "takes the idle Ps, unlocks sched.lock",
    StwTimeout = "100 us are over, not all Ps have stopped: once more",
    StwStopped = "all Ps have stopped",
    StwStart = "starts the world",
    Handoff = "handoffp: the P waits for an idle M",

    Wake = "the wait of the G is over: Gwaiting -> Grunnable, and onto the global queue",
    Newproc = "a new goroutine is born in the G struct: Gdead -> Grunnable (T03)",
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Move {
    /// Who.
    pub actor: Actor,
    /// What.
    pub act: Act,
    /// The G, or P, or M that the step chose among several; 0 where it had no choice.
    pub which: u8,
    /// Whether the environment may refuse this step for ever.
    pub free: bool,
}

impl Move {
    /// A step that the actor takes sooner or later if it stays possible.
    pub(super) const fn obliged(actor: Actor, act: Act) -> Self {
        Self { actor, act, which: 0, free: false }
    }

    /// A step that need never be taken.
    pub(super) const fn free(actor: Actor, act: Act) -> Self {
        Self { actor, act, which: 0, free: true }
    }

    /// The same step with its choice.
    pub(super) const fn of(self, which: u8) -> Self {
        Self { which, ..self }
    }
}
