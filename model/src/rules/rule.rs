//! Every rule by which a trace can be refused: its name, the facts it stands on, and one sentence.
//!
//! Invariant: a violation names exactly one of these. Where damage breaks several, the checker names the one
//! that says what is wrong, not the one that happens to notice it.

/// Defines [`Rule`] with the facts of each.
macro_rules! rules {
    ($($(#[$meta:meta])* $variant:ident = $name:literal, $facts:literal, $says:literal;)+) => {
        /// A rule of the facts page that events can break.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Rule { $(#[doc = $says] $variant),+ }

        impl Rule {
            /// Every rule; the discriminant is the index.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name in reports and labels.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Ids of the facts it stands on.
            pub const fn facts(self) -> &'static str {
                match self { $(Self::$variant => $facts),+ }
            }

            /// What it demands, in one sentence.
            pub const fn says(self) -> &'static str {
                match self { $(Self::$variant => $says),+ }
            }
        }
    };
}

rules! {
    StatusChain = "status_chain", "INV-01, INV-04", "each status change starts from the status that the change before it left";
    VerChain = "ver_chain", "INV-01", "the versions of a status word are 1, 2, 3, … without gap or repetition";
    Interval = "interval", "format: order", "an event does not claim its number before it begins, nor before an earlier change of the same word began";
    LegalTransition = "legal_transition", "INV-01, INV-02, INV-45, T01-T59, PR2-PR9", "a status changes only along a row of the transition table, through that row's primitive and function";
    WaitReason = "wait_reason", "INV-54, PR5, PR6", "a G waits for the reason its parker gave, and only the reasons of that set make it suspendable";
    Birth = "birth", "T03, T04, T07", "a G leaves Gdead only by being created, or for a foreign thread";
    Goid = "goid", "T03", "a goroutine id names one goroutine, and an event the goroutine that its G struct then is";
    ScanOwner = "scan_owner", "INV-03, INV-04, INV-53", "a scan bit is cleared by the M that set it, and that M does nothing meanwhile that would wait for the G";
    DoubleReady = "double_ready", "INV-44, R-24", "a G is made runnable once per wait";
    ReadyWaiting = "ready_waiting", "INV-44, INV-46, T19", "only a G that waits for somebody is readied";
    QueueState = "queue_state", "INV-06, INV-07", "a G on a run queue is Grunnable";
    QueueDup = "queue_dup", "INV-05, INV-31", "a G is on at most one queue";
    QueueTake = "queue_take", "INV-05, INV-31", "a G is taken from the queue it is on, and whoever made it runnable puts it on one";
    QueueOwner = "queue_owner", "INV-29", "only the owner of a P puts on and pops from its queue; others steal";
    QueueOrder = "queue_order", "INV-30, INV-32, INV-33", "a ring is first in, first out, holds 256, spills half and yields half to a thief";
    Placement = "placement", "INV-52, T13-T15, T19, T20", "a G that becomes runnable goes to the queue that the table of placements names";
    Custody = "custody", "INV-05, INV-57", "an M lets go of a runnable G only by running it, queueing it or handing it to its own M";
    ExecuteTaken = "execute_taken", "T10, INV-05, INV-15", "execute runs a Grunnable G that the M holds and that is on no queue";
    InheritTime = "inherit_time", "INV-50, T10", "a time slice is inherited from runnext, a called-off park or a debug call, never otherwise";
    OneM = "one_m", "INV-09, INV-22 to INV-24", "a G runs on one M, an M runs one G, and the G stops on the M on which it began";
    OneP = "one_p", "INV-21, INV-25, INV-26", "an M holds one P and a P one M, and both know it";
    ProgramOrder = "program_order", "sections 3, 4, 6, 8", "the steps of one runtime function come in its order, with nothing of the same M between them";
    Suspender = "suspender", "SG-1 to SG-9, INV-16", "suspendG does what the status that it read allows, on behalf of a G that is not running";
    SuspendOwner = "suspend_owner", "INV-12, INV-14", "each suspend call begins, ends and is resumed once, and a G has one owner at a time";
    StoppedClaim = "stopped_claim", "INV-13, SG-2, T18", "suspendG returns holding the scan bit, and says stopped exactly if it took the G out of Gpreempted";
    ResumeStopped = "resume_stopped", "INV-11, INV-12, RG-3", "resumeG readies exactly the G that its suspendG stopped";
    RequestStop = "request_stop", "INV-17, INV-19", "preemptStop is set only by an open suspend call, inside its window";
    RequestWrite = "request_write", "INV-17, INV-18, INV-42, section 2.3", "request fields are written only where the facts say they are";
    ParkRequested = "park_requested", "INV-20, C1, C2", "a suspender that asks a running G sets preemptStop, and only then the G parks";
    PreemptChoice = "preempt_choice", "INV-20, INV-43, NS-2 to NS-5, C1, C2", "newstack and asyncPreempt2 park if preemptStop is set, else yield, else decline or grow";
    SafePoint = "safe_point", "INV-36 to INV-39, SR-3, AS-01 to AS-14", "the handler injects only into a G that is asked to stop, at a safe point, and the G then stops";
    SignalPair = "signal_pair", "INV-34, INV-35", "an M has one preemption signal pending at a time, and counts each once when handled";
    PChain = "p_chain", "INV-26, PS01-PS18", "each change of a P's status starts from the one before, along a row of its table, and a P is given away before another M takes it";
    StwExec = "stw_exec", "INV-47", "nothing is dispatched while the world is stopped";
    StwOrder = "stw_order", "INV-47, INV-48", "the world is stopped and started by one M, in turn, and counts as stopped when every P is";
    ForEachP = "for_each_p", "INV-49, section 9", "every P has the function of a forEachP run for it once, by who has the P, before the forEachP ends";
    Syscall = "syscall", "T34-T42, PS10-PS16", "a G enters and leaves a system call in the order of its release, and a P is taken from it only as that release does";
    LockedM = "locked_m", "section 8.4", "a G that is locked to an M is run by that M, which is handed a P for it";
    Coroutine = "coroutine", "T31-T33", "a coroutine switch stops one G and runs the other on the same M";
}

impl Rule {
    /// The rule of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.name() == name)
    }
}

impl core::fmt::Display for Rule {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.name())
    }
}
