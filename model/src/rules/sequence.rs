//! Program order: what one M does next in the middle of a runtime function.
//!
//! The scheduler's functions are straight lines with few forks: after `execute` comes the change to
//! Grunning, then two stores; after a claim come three stores and the return. Each line of [`LINES`] is a
//! place in such a function and the steps that may come next there. Signals are left out: a handler runs
//! on its own stack between any two steps. So are failed attempts of primitives that try again.
//!
//! 1. A place is *closed* unless its line says open: only the steps listed may come next.
//! 2. An open place allows, besides its own, every step that [`Place::Open`] lists or does not forbid.
//! 3. A step in [`PROMISED`] comes only where a line lists it; anywhere else it is out of order.
//! 4. The steps of a line concern one G; [`NEXT_G`] lists the steps that turn to another.

use crate::profile::{Profile, Releases};
use crate::rules::lines::{LINES, NEXT_G, PROMISED};
use crate::rules::rule::Rule;
use crate::rules::transition::Change;

/// Defines an enum and the list of its variants.
macro_rules! listed {
    ($(#[$meta:meta])* $name:ident: $($(#[$vmeta:meta])* $variant:ident),+ $(,)?) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// Every one, in order of definition; the discriminant is the index.
            pub const ALL: &[Self] = &[$(Self::$variant),+];
            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();
        }
    };
}

listed! {
/// A step of an M that is no status change, named after its event.
#[allow(missing_docs, reason = "named after the events")]
Step:
    /// An attempt by PR3 or PR8 that found another status.
    Missed,
    StepDead,
    StepClaim,
    StepRun,
    StepWait,
    StepPreempted,
    SuspendBegin,
    SuspendEndDead,
    SuspendEnd,
    ResumeBeginDead,
    ResumeBegin,
    ResumeBeginStopped,
    ResumeEnd,
    StopTrue,
    StopFalse,
    PreemptTrue,
    PreemptFalse,
    ShrinkTrue,
    ShrinkFalse,
    GuardPreempt,
    GuardNormal,
    GuardOther,
    /// `stackguard0` of a dead G, in gfget.
    DeadGuardNormal,
    /// `stackguard0` of a dead G, in gfget and gfput.
    DeadGuardZero,
    PPreemptTrue,
    PPreemptFalse,
    PreemptOne,
    PreemptM,
    /// `PreemptM` to an M whose G may run without a P (X-ADOPT).
    SignalAdopted,
    NewstackGrow,
    NewstackDecline,
    NewstackPreempt,
    NewstackShrink,
    PreemptPark,
    PreemptYield,
    /// `PreemptPark` on the signal stack.
    HandlerPark,
    /// `PreemptYield` on the signal stack.
    HandlerYield,
    GoschedImpl,
    Goyield,
    StackCopy,
    StackShrink,
    PutRunnext,
    PutLocal,
    PutGlobal,
    PutDisabled,
    Get,
    Spill,
    Kick,
    Steal,
    Execute,
    Newproc,
    Ready,
    Goready,
    Gopark,
    ParkAbort,
    Goexit,
    Gdestroy,
    Gfput,
    CoroFrom,
    CoroFromExit,
    CoroTo,
    Stoplockedm,
    Startlockedm,
    /// By the monitor, which does not stop afterwards.
    StartlockedmMonitor,
    Wirep,
    Releasep,
    EnterPsyscall,
    TakePsyscall,
    /// By an M that runs no G: the monitor.
    TakePsyscallMonitor,
    CutP,
    /// For a stop-the-world.
    CutPStop,
    /// Of an M that runs no G: the monitor.
    CutPMonitor,
    OtherP,
    Handoffp,
    RetakeSyscall,
    SyscallBlock,
    Startm,
    Stopm,
    MStart,
    MExit,
    Procresize,
    StwBegin,
    StwStopped,
    StwStart,
    StwStarted,
    GcPhase,
}

/// A step: a status change, by the word of its row, or another event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word(u8);

impl Word {
    /// Number of words.
    pub const COUNT: usize = Change::COUNT + Step::COUNT;

    /// Its place in tables of words.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The word of a status change.
    #[inline]
    pub const fn status(change: Change) -> Self {
        Self(change as u8)
    }

    /// The word of another event.
    #[inline]
    pub const fn step(step: Step) -> Self {
        Self(Change::COUNT as u8 + step as u8)
    }
}

listed! {
/// A place in a function of the runtime.
#[allow(missing_docs, reason = "each has its line")]
Place:
    Open,
    Executing,
    Executed,
    ExecutedReset,
    Goreadying,
    Readying,
    Readied,
    PutNext,
    Kicked,
    Parking,
    Parked,
    Aborting,
    Aborted,
    Yielding,
    Yielded,
    Goyielding,
    Goyielded,
    PreemptYielding,
    PreemptParking,
    Preempting,
    Exiting,
    LeavingForGood,
    Destroying,
    Died,
    DiedCleared,
    Freed,
    FreedStack,
    Dropped,
    Leaving,
    Left,
    Entering,
    EnteringSlowly,
    Allocated,
    Getting,
    Gotten,
    Announced,
    Born,
    BornUnannounced,
    BornParked,
    Placing,
    DebugParked,
    DebugYielded,
    DebugQueued,
    NoP,
    HandingP,
    HandedP,
    Stopped,
    StopLocked,
    StopLockedFree,
    TookPsyscall,
    TookPsyscallMonitor,
    Rescued,
    Retook,
    Blocking,
    Blocked,
    Retaking,
    Cut,
    CutFree,
    CutStop,
    Trapped,
    TrappedFree,
    RetakingCut,
    Exited,
    ExitedFree,
    Starting,
    EnteredOld,
    EnteredBlockOld,
    ReturnedOld,
    StwAsking,
    StwAskingOld,
    StwReturn,
    Looking,
    SawDead,
    SawClaimable,
    SawRunning,
    SawPreempted,
    Taken,
    Claimed,
    ClaimedStop,
    ClaimedPreempt,
    ClaimedGuard,
    Owning,
    Shrunk,
    Window,
    WindowStop,
    WindowPreempt,
    WindowGuard,
    Withdrawing,
    Withdrawn,
    Asked,
    FoundDead,
    Resuming,
    ResumingStopped,
    Resumed,
    ResumedStopped,
    AskingOne,
    AskingOneGuard,
    AskingOneP,
    AskingOneSignal,
    Growing,
    Copying,
    CopyingGuard,
    Copied,
    Declining,
    NewstackPreempting,
    NewstackShrinking,
    NewstackShrinkAsked,
    NewstackShrunk,
    NewstackMoving,
    StackMoving,
    HandlerParking,
    HandlerPreempting,
    HandlerYielding,
    HandlerYielded,
    HandlerPutNext,
    HandlerKicked,
    HandlerSpilling,
    HandlerQueued,
    HandlerStopped,
    HandlerLent,
    HandlerFree,
    HandlerHanding,
    HandlerWaiting,
    HandlerWoken,
    HandlerExecuting,
    HandlerExecuted,
    HandlerReset,
    HandlerRecalled,
    HandlerReturned,
    HandlerReturnQueued,
}

impl Place {
    /// Whether the M is in its signal handler, where a goroutine stays (X-PARK).
    #[inline]
    pub const fn is_in_handler(self) -> bool {
        self as u8 >= Self::HandlerParking as u8
    }
}

/// One place and what may come next there.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Where the M stands.
    pub at: Place,
    /// Whether steps that begin a line may come too.
    pub open: bool,
    /// The steps that may come, and where each leads.
    pub next: &'static [(Word, Place)],
    /// What is broken if none of them comes.
    pub rule: Rule,
    /// The releases for which the line holds.
    pub releases: Releases,
    /// The extension that it belongs to, if it is none of Go's.
    pub extension: Option<fn(&Profile) -> bool>,
}

impl Line {
    /// Whether the line holds under the profile.
    pub fn holds(&self, profile: &Profile) -> bool {
        profile.within(self.releases) && self.extension.is_none_or(|has| has(profile))
    }
}

/// A step that may begin its own line in the middle of another.
#[derive(Clone, Copy, Debug)]
pub struct Interruption {
    /// The step.
    pub step: Step,
    /// The function that it must come from, by its place in [`known`](crate::rules::transition::known).
    pub site: Option<usize>,
    /// The only place where it may come; any without.
    pub at: Option<Place>,
    /// The releases for which it holds.
    pub releases: Releases,
}

/// What the lines say of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may come; the M then stands there.
    Then(Place),
    /// It may not.
    Broken(Rule),
}

/// The lines of one profile, made for lookup.
#[derive(Clone, Debug)]
pub struct Sequences {
    /// By `place * Word::COUNT + word`.
    next: Vec<Verdict>,
    same_g: [bool; Word::COUNT],
}

impl Sequences {
    /// The lines that the profile's release has.
    pub fn new(profile: &Profile) -> Self {
        let mut begins = [Verdict::Then(Place::Open); Word::COUNT];
        for (word, rule) in PROMISED {
            begins[usize::from(word.0)] = Verdict::Broken(*rule);
        }
        let lines = || LINES.iter().filter(|line| line.holds(profile));
        for line in lines().filter(|line| line.at == Place::Open) {
            for (word, place) in line.next {
                begins[usize::from(word.0)] = Verdict::Then(*place);
            }
        }
        let mut next = Vec::with_capacity(Place::COUNT * Word::COUNT);
        for _ in 0..Place::COUNT {
            next.extend(begins);
        }
        for line in lines().filter(|line| !line.open) {
            let start = line.at as usize * Word::COUNT;
            next[start..start + Word::COUNT].fill(Verdict::Broken(line.rule));
        }
        for line in lines() {
            for (word, place) in line.next {
                next[line.at as usize * Word::COUNT + usize::from(word.0)] = Verdict::Then(*place);
            }
        }
        let mut same_g = [true; Word::COUNT];
        for word in NEXT_G {
            same_g[usize::from(word.0)] = false;
        }
        Self { next, same_g }
    }

    /// Whether the step may come next where the M stands.
    #[inline]
    pub fn step(&self, at: Place, word: Word) -> Verdict {
        self.next[at as usize * Word::COUNT + usize::from(word.0)]
    }

    /// Whether the step concerns the same G as the one before, where it continues a line.
    #[inline]
    pub fn same_g(&self, word: Word) -> bool {
        self.same_g[usize::from(word.0)]
    }

    /// Whether the place lists the step itself: it goes on with the line rather than begin another.
    #[inline]
    pub fn goes_on(&self, at: Place, word: Word) -> bool {
        self.step(at, word) != self.step(Place::Open, word)
    }

    /// Whether the place is in the middle of a line.
    #[inline]
    pub fn is_closed(&self, at: Place) -> bool {
        matches!(self.step(at, Word::step(Step::GcPhase)), Verdict::Broken(_))
    }

    /// The steps that the line of this place lists, for messages.
    pub fn listed(&self, at: Place) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for line in LINES.iter().filter(|line| line.at == at && at != Place::Open) {
            for (word, _) in line.next {
                let name = word.to_string();
                if matches!(self.step(at, *word), Verdict::Then(_)) && !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }
}

impl core::fmt::Display for Word {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let index = usize::from(self.0);
        match index.checked_sub(Change::COUNT) {
            Some(step) => write!(f, "{:?}", Step::ALL[step]),
            None => {
                let row = crate::rules::transition::ROWS.iter().find(|row| row.change as usize == index);
                match row {
                    Some(row) => write!(f, "{} -> {} ({})", row.from, row.to, row.id),
                    None => write!(f, "change {index}"),
                }
            }
        }
    }
}
