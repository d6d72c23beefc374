//! The lines: what may come next, place by place (sections 3, 4, 5, 6 and 8 of the facts).
//!
//! To be read beside Go's source: each block is one function or a few that call each other.

use crate::profile::Releases;
use crate::rules::rule::Rule;
use crate::rules::sequence::{Interruption, Line, Place, Step, Word};
use crate::rules::transition::{Change, known};

const fn s(change: Change) -> Word {
    Word::status(change)
}
const fn e(step: Step) -> Word {
    Word::step(step)
}
const ALL: Releases = Releases::ALL;
const fn closed(at: Place, next: &'static [(Word, Place)], rule: Rule) -> Line {
    Line { at, open: false, next, rule, releases: ALL, extension: None }
}
const fn open(at: Place, next: &'static [(Word, Place)]) -> Line {
    Line { at, open: true, next, rule: Rule::ProgramOrder, releases: ALL, extension: None }
}
const fn only(releases: Releases, line: Line) -> Line {
    Line { releases, ..line }
}
const fn park(line: Line) -> Line {
    Line { extension: Some(|profile| profile.parks_in_handler), ..line }
}
const fn adopt(line: Line) -> Line {
    Line { extension: Some(|profile| profile.adopts_foreign_calls), ..line }
}
const fn remember(line: Line) -> Line {
    Line { extension: Some(|profile| profile.remembers_unsent_request), ..line }
}
const fn dump(line: Line) -> Line {
    Line { extension: Some(|profile| profile.dumps_running_goroutines), ..line }
}
const fn since(minor: u8) -> Releases {
    Releases::since(minor)
}
const fn until(minor: u8) -> Releases {
    Releases::until(minor)
}

use Change as C;
use Place as P;
use Step as S;

/// Every place. Several lines with one place are alternatives.
#[rustfmt::skip]
pub const LINES: &[Line] = &[
    // Anywhere in user code or between two functions of the scheduler.
    open(P::Open, &[
        (e(S::Execute), P::Executing), (e(S::Goready), P::Goreadying), (e(S::Ready), P::Readying),
        (e(S::Gopark), P::Parking), (e(S::GoschedImpl), P::Yielding),
        (e(S::Goyield), P::Goyielding), (e(S::PreemptYield), P::PreemptYielding),
        (e(S::PreemptPark), P::PreemptParking), (e(S::Goexit), P::Exiting), (e(S::CoroFrom), P::Leaving),
        (e(S::CoroFromExit), P::LeavingForGood), (s(C::DebugPark), P::DebugParked),
        (s(C::DebugYield), P::DebugYielded), (s(C::ExitsyscallNoP), P::NoP), (e(S::PutRunnext), P::PutNext),
        (e(S::Startlockedm), P::HandingP), (e(S::Stopm), P::Stopped), (e(S::Stoplockedm), P::StopLocked),
        (e(S::TakePsyscall), P::TookPsyscall), (e(S::TakePsyscallMonitor), P::TookPsyscallMonitor), (s(C::Block), P::Blocking), (e(S::MExit), P::Exited), (e(S::Startm), P::Starting), 
        (e(S::SuspendBegin), P::Looking), (e(S::ResumeBegin), P::Resuming),
        (e(S::ResumeBeginStopped), P::ResumingStopped), (e(S::PreemptOne), P::AskingOne),
        (e(S::NewstackGrow), P::Growing), (e(S::NewstackDecline), P::Declining),
        (e(S::NewstackPreempt), P::NewstackPreempting), (e(S::NewstackShrink), P::NewstackShrinking),
        (s(C::Allocate), P::Allocated), (e(S::GuardPreempt), P::Trapped), (s(C::Dropm), P::Dropped),
        (e(S::DeadGuardZero), P::Getting), (e(S::DeadGuardNormal), P::Gotten),
    ]),
    only(since(24), open(P::Open, &[
        (e(S::Newproc), P::Announced), (e(S::StwBegin), P::StwAsking), (e(S::StwStopped), P::StwReturn),
    ])),
    only(until(23), open(P::Open, &[(e(S::StwBegin), P::StwAskingOld)])),
    only(until(23), open(P::Open, &[(s(C::Born), P::BornUnannounced), (s(C::BornParked), P::BornParked)])),
    only(until(25), open(P::Open, &[(s(C::Exitsyscall), P::ReturnedOld), (s(C::Entersyscall), P::EnteredOld)])),

    // execute (T10).
    closed(P::Executing, &[(s(C::Execute), P::Executed)], Rule::StatusChain),
    closed(P::Executed, &[(e(S::PreemptFalse), P::ExecutedReset)], Rule::RequestWrite),
    closed(P::ExecutedReset, &[(e(S::GuardNormal), P::Open)], Rule::RequestWrite),

    // goready, ready, runqput (T19).
    closed(P::Goreadying, &[(e(S::Ready), P::Readying)], Rule::ProgramOrder),
    closed(P::Readying, &[(s(C::Ready), P::Readied)], Rule::StatusChain),
    closed(P::Readied, &[(e(S::PutRunnext), P::PutNext), (e(S::PutLocal), P::Open), (e(S::Spill), P::Open)], Rule::QueueTake),
    open(P::PutNext, &[(e(S::Kick), P::Kicked)]),
    closed(P::Kicked, &[(e(S::PutLocal), P::Open), (e(S::Spill), P::Open)], Rule::QueueTake),

    // gopark, park_m (T11, T12). The unlock before the switch may poison.
    closed(P::Parking, &[(s(C::Park), P::Parked), (e(S::GuardPreempt), P::Parking)], Rule::OneM),
    open(P::Parked, &[(e(S::ParkAbort), P::Aborting)]),
    closed(P::Aborting, &[(s(C::AbortPark), P::Aborted)], Rule::StatusChain),
    closed(P::Aborted, &[(e(S::Execute), P::Executing)], Rule::Custody),

    // goschedImpl, goyield_m, preemptPark (T13 to T17).
    closed(P::PreemptYielding, &[(e(S::GoschedImpl), P::Yielding)], Rule::ProgramOrder),
    closed(P::Yielding, &[(s(C::Yield), P::Yielded)], Rule::OneM),
    closed(P::Yielded, &[(e(S::PutGlobal), P::Open), (e(S::PutRunnext), P::PutNext), (e(S::PutLocal), P::Open)], Rule::QueueTake),
    closed(P::Goyielding, &[(s(C::Goyield), P::Goyielded)], Rule::OneM),
    closed(P::Goyielded, &[(e(S::PutLocal), P::Open), (e(S::Spill), P::Open)], Rule::QueueTake),
    closed(P::PreemptParking, &[(s(C::PreemptScan), P::Preempting)], Rule::OneM),
    closed(P::Preempting, &[(s(C::Preempted), P::Open)], Rule::ScanOwner),

    // goexit0, gdestroy, gfput (T06).
    only(since(22), closed(P::Exiting, &[(e(S::Gdestroy), P::Destroying)], Rule::ProgramOrder)),
    only(until(21), closed(P::Exiting, &[(s(C::Die), P::Died)], Rule::OneM)),
    closed(P::LeavingForGood, &[(e(S::Gdestroy), P::Destroying)], Rule::Coroutine),
    closed(P::Destroying, &[(s(C::Die), P::Died)], Rule::OneM),
    closed(P::Died, &[(e(S::StopFalse), P::DiedCleared)], Rule::RequestWrite),
    closed(P::DiedCleared, &[(e(S::Gfput), P::Freed)], Rule::ProgramOrder),
    open(P::Freed, &[(e(S::DeadGuardZero), P::FreedStack), (e(S::CoroTo), P::Entering)]),
    open(P::FreedStack, &[(e(S::CoroTo), P::Entering)]),

    open(P::Dropped, &[(e(S::StopFalse), P::Open)]),

    // coroswitch_m (T31 to T33).
    closed(P::Leaving, &[(s(C::CoroLeave), P::Left)], Rule::OneM),
    closed(P::Left, &[(e(S::CoroTo), P::Entering)], Rule::Coroutine),
    closed(P::Entering, &[(s(C::CoroEnter), P::Open), (s(C::CoroReady), P::EnteringSlowly)], Rule::Coroutine),
    closed(P::EnteringSlowly, &[(s(C::CoroRun), P::Open)], Rule::Coroutine),

    // newproc1, newproc, newcoro (T01 to T05). Since 1.24 the goroutine has its id before its status changes.
    only(since(24), open(P::Allocated, &[(e(S::Newproc), P::Announced)])),
    only(until(23), open(P::Allocated, &[(s(C::Born), P::BornUnannounced), (s(C::BornParked), P::BornParked)])),
    closed(P::Getting, &[(e(S::DeadGuardNormal), P::Gotten)], Rule::ProgramOrder),
    only(since(24), closed(P::Gotten, &[(e(S::Newproc), P::Announced)], Rule::Birth)),
    only(until(23), closed(P::Gotten, &[(s(C::Born), P::BornUnannounced), (s(C::BornParked), P::BornParked)], Rule::Birth)),
    closed(P::Announced, &[(s(C::Born), P::Born), (s(C::BornParked), P::Open)], Rule::Birth),
    closed(P::Born, &[(e(S::PutRunnext), P::PutNext), (e(S::PutLocal), P::Open), (e(S::Spill), P::Open), (s(C::DebugPark), P::DebugParked)], Rule::QueueTake),
    closed(P::BornUnannounced, &[(e(S::Newproc), P::Placing)], Rule::Birth),
    closed(P::BornParked, &[(e(S::Newproc), P::Open)], Rule::Birth),
    closed(P::Placing, &[(e(S::PutRunnext), P::PutNext), (e(S::PutLocal), P::Open), (e(S::Spill), P::Open), (s(C::BornThenParked), P::Open), (s(C::DebugPark), P::DebugParked)], Rule::QueueTake),

    // debugCallWrap, debugCallWrap1 (T28 to T30).
    closed(P::DebugParked, &[(e(S::Execute), P::Executing)], Rule::Custody),
    closed(P::DebugYielded, &[(e(S::PutGlobal), P::DebugQueued)], Rule::QueueTake),
    closed(P::DebugQueued, &[(s(C::DebugReady), P::Aborted)], Rule::Custody),

    // stopm, startlockedm, stoplockedm, mexit.
    closed(P::NoP, &[(e(S::PutGlobal), P::Open), (e(S::Wirep), P::Aborted)], Rule::QueueTake),
    closed(P::HandingP, &[(e(S::Releasep), P::HandedP)], Rule::PChain),
    closed(P::HandedP, &[(e(S::Stopm), P::Stopped)], Rule::LockedM),
    closed(P::Stopped, &[(e(S::Wirep), P::Open)], Rule::OneP),
    closed(P::StopLocked, &[(e(S::Releasep), P::StopLockedFree), (e(S::Wirep), P::Open)], Rule::PChain),
    closed(P::StopLockedFree, &[(e(S::Handoffp), P::Open)], Rule::LockedM),
    closed(P::Exited, &[(e(S::Releasep), P::ExitedFree)], Rule::PChain),
    closed(P::ExitedFree, &[(e(S::Handoffp), P::Open)], Rule::OneP),

    // newm borrows the P that it starts an M with, to allocate that M.
    open(P::Starting, &[(e(S::Wirep), P::Open)]),

    // System calls: the P is taken from Psyscall until 1.25, under the scan bit since 1.26.
    closed(P::TookPsyscall, &[(e(S::Handoffp), P::Open)], Rule::Syscall),
    closed(P::TookPsyscallMonitor, &[(e(S::RetakeSyscall), P::Retook)], Rule::Syscall),
    closed(P::Retook, &[(e(S::Handoffp), P::Open)], Rule::Syscall),
    closed(P::Blocking, &[(e(S::SyscallBlock), P::Blocked), (s(C::Misblock), P::Open)], Rule::Syscall),
    closed(P::Blocked, &[(s(C::Unblock), P::Open), (e(S::CutP), P::Cut), (e(S::CutPStop), P::CutStop), (e(S::RetakeSyscall), P::Retaking)], Rule::Syscall),
    closed(P::Retaking, &[(e(S::CutPMonitor), P::RetakingCut)], Rule::Syscall),
    closed(P::Cut, &[(s(C::Unblock), P::CutFree)], Rule::Syscall),
    closed(P::CutFree, &[(e(S::Handoffp), P::Open), (e(S::Wirep), P::Open)], Rule::Syscall),
    closed(P::CutStop, &[(s(C::Unblock), P::Open)], Rule::Syscall),
    open(P::Trapped, &[(e(S::Releasep), P::TrappedFree)]),
    closed(P::TrappedFree, &[(e(S::Handoffp), P::Open)], Rule::Syscall),
    closed(P::RetakingCut, &[(s(C::Unblock), P::Retook)], Rule::Syscall),
    closed(P::EnteredOld, &[(e(S::EnterPsyscall), P::Open), (e(S::Releasep), P::EnteredBlockOld)], Rule::Syscall),
    closed(P::EnteredBlockOld, &[(e(S::Handoffp), P::Open)], Rule::Syscall),
    closed(P::ReturnedOld, &[(e(S::GuardNormal), P::Open), (e(S::GuardPreempt), P::Open)], Rule::RequestWrite),

    // stopTheWorldWithSema.
    closed(P::StwAsking, &[(s(C::Suspendable), P::Open)], Rule::StwOrder),
    closed(P::StwAskingOld, &[(e(S::PreemptOne), P::AskingOne), (e(S::OtherP), P::Open)], Rule::StwOrder),
    closed(P::StwReturn, &[(s(C::Return), P::Open)], Rule::StwOrder),

    // suspendG (SG), resumeG (RG).
    closed(P::Looking, &[
        (e(S::StepDead), P::SawDead), (e(S::StepClaim), P::SawClaimable), (e(S::StepRun), P::SawRunning),
        (e(S::StepWait), P::Looking), (e(S::StepPreempted), P::SawPreempted),
    ], Rule::Suspender),
    closed(P::SawDead, &[(e(S::SuspendEndDead), P::FoundDead)], Rule::Suspender),
    closed(P::SawClaimable, &[(s(C::Claim), P::Claimed), (e(S::Missed), P::Looking)], Rule::StoppedClaim),
    closed(P::SawRunning, &[
        (s(C::OpenWindow), P::Window), (e(S::Missed), P::Looking),
        (e(S::StepDead), P::SawDead), (e(S::StepClaim), P::SawClaimable), (e(S::StepRun), P::SawRunning),
        (e(S::StepWait), P::Looking), (e(S::StepPreempted), P::SawPreempted),
    ], Rule::Suspender),
    closed(P::SawPreempted, &[(s(C::TakePreempted), P::Taken), (e(S::Missed), P::Looking)], Rule::StoppedClaim),
    closed(P::Taken, &[(s(C::Claim), P::Claimed), (e(S::Missed), P::Looking)], Rule::StoppedClaim),
    closed(P::Claimed, &[(e(S::StopFalse), P::ClaimedStop)], Rule::RequestWrite),
    closed(P::ClaimedStop, &[(e(S::PreemptFalse), P::ClaimedPreempt)], Rule::RequestWrite),
    closed(P::ClaimedPreempt, &[(e(S::GuardNormal), P::ClaimedGuard)], Rule::RequestWrite),
    closed(P::ClaimedGuard, &[(e(S::SuspendEnd), P::Owning)], Rule::SuspendOwner),
    // The collector shrinks the stack that it owns, or leaves that to the G.
    open(P::Owning, &[(e(S::StackShrink), P::Shrunk), (e(S::ShrinkTrue), P::Open)]),
    open(P::Shrunk, &[(e(S::StackCopy), P::StackMoving)]),
    closed(P::Window, &[(e(S::StopTrue), P::WindowStop)], Rule::ParkRequested),
    closed(P::WindowStop, &[(e(S::PreemptTrue), P::WindowPreempt)], Rule::Suspender),
    closed(P::WindowPreempt, &[(e(S::GuardPreempt), P::WindowGuard)], Rule::Suspender),
    closed(P::WindowGuard, &[(s(C::CloseWindow), P::Asked)], Rule::ScanOwner),
    closed(P::Asked, &[
        (e(S::PreemptM), P::Looking),
        (e(S::StepDead), P::SawDead), (e(S::StepClaim), P::SawClaimable), (e(S::StepRun), P::SawRunning),
        (e(S::StepWait), P::Looking), (e(S::StepPreempted), P::SawPreempted),
    ], Rule::Suspender),
    open(P::FoundDead, &[(e(S::ResumeBeginDead), P::Open)]),
    closed(P::Resuming, &[(s(C::Release), P::Resumed)], Rule::ScanOwner),
    closed(P::Resumed, &[(e(S::ResumeEnd), P::Open)], Rule::SuspendOwner),
    closed(P::ResumingStopped, &[(s(C::Release), P::ResumedStopped)], Rule::ScanOwner),
    closed(P::ResumedStopped, &[(e(S::Ready), P::Readying)], Rule::ResumeStopped),

    // X-REMEMBER: a signal that was held back is sent later, without a new window.
    remember(closed(P::SawRunning, &[(e(S::PreemptM), P::SawRunning)], Rule::Suspender)),

    // X-DUMP: a suspender gives up, and a thread without a P readies what it stopped.
    dump(closed(P::Window, &[(e(S::StopFalse), P::Withdrawing)], Rule::ParkRequested)),
    dump(closed(P::Withdrawing, &[(s(C::CloseWindow), P::Withdrawn)], Rule::ScanOwner)),
    dump(closed(P::Withdrawn, &[(e(S::SuspendEndDead), P::Open)], Rule::Suspender)),
    dump(closed(P::Readied, &[(e(S::PutGlobal), P::Open)], Rule::QueueTake)),

    // preemptone. Without asynchronous preemption it ends after the guard.
    closed(P::AskingOne, &[(e(S::PreemptTrue), P::AskingOneGuard)], Rule::ProgramOrder),
    closed(P::AskingOneGuard, &[(e(S::GuardPreempt), P::AskingOneP)], Rule::ProgramOrder),
    open(P::AskingOneP, &[(e(S::PPreemptTrue), P::AskingOneSignal)]),
    closed(P::AskingOneSignal, &[(e(S::PreemptM), P::Open)], Rule::ProgramOrder),

    // newstack, copystack, shrinkstack. A stack too large to grow ends the program instead.
    closed(P::Growing, &[(s(C::Grow), P::Copying), (e(S::PreemptOne), P::AskingOne)], Rule::PreemptChoice),
    closed(P::Copying, &[(e(S::StackCopy), P::CopyingGuard)], Rule::ProgramOrder),
    closed(P::CopyingGuard, &[(e(S::GuardNormal), P::Copied)], Rule::RequestWrite),
    closed(P::Copied, &[(s(C::Grown), P::Open)], Rule::StatusChain),
    closed(P::Declining, &[(e(S::GuardNormal), P::Open)], Rule::PreemptChoice),
    closed(P::NewstackPreempting, &[(e(S::PreemptPark), P::PreemptParking), (e(S::PreemptYield), P::PreemptYielding)], Rule::PreemptChoice),
    closed(P::NewstackShrinking, &[(e(S::ShrinkFalse), P::NewstackShrinkAsked)], Rule::PreemptChoice),
    closed(P::NewstackShrinkAsked, &[(e(S::StackShrink), P::NewstackShrunk)], Rule::ProgramOrder),
    closed(P::NewstackShrunk, &[
        (e(S::StackCopy), P::NewstackMoving),
        (e(S::PreemptPark), P::PreemptParking), (e(S::PreemptYield), P::PreemptYielding),
    ], Rule::PreemptChoice),
    closed(P::NewstackMoving, &[(e(S::GuardNormal), P::NewstackShrunk)], Rule::RequestWrite),
    closed(P::StackMoving, &[(e(S::GuardNormal), P::Open)], Rule::RequestWrite),

    // X-PARK: the monitor takes an idle P, looks for a goroutine that stays in a handler, and hands the P to it.
    park(open(P::Open, &[(e(S::StartlockedmMonitor), P::Rescued)])),
    park(closed(P::Rescued, &[(e(S::Releasep), P::Open)], Rule::PChain)),

    // X-PARK: preemptPark or goschedImpl, then stoplockedm and execute, all in the signal handler.
    park(open(P::Open, &[(e(S::HandlerPark), P::HandlerParking), (e(S::HandlerYield), P::HandlerYielding)])),
    park(closed(P::HandlerParking, &[(s(C::PreemptScan), P::HandlerPreempting)], Rule::OneM)),
    park(closed(P::HandlerPreempting, &[(s(C::Preempted), P::HandlerQueued)], Rule::ScanOwner)),
    park(closed(P::HandlerYielding, &[(e(S::GoschedImpl), P::HandlerYielding), (s(C::Yield), P::HandlerYielded)], Rule::OneM)),
    park(closed(P::HandlerYielded, &[(e(S::PutGlobal), P::HandlerQueued), (e(S::PutRunnext), P::HandlerPutNext)], Rule::QueueTake)),
    park(closed(P::HandlerPutNext, &[(e(S::Kick), P::HandlerKicked), (e(S::Stoplockedm), P::HandlerStopped)], Rule::LockedM)),
    park(closed(P::HandlerKicked, &[(e(S::PutLocal), P::HandlerQueued), (e(S::Spill), P::HandlerSpilling)], Rule::QueueTake)),
    park(closed(P::HandlerSpilling, &[
        (e(S::Spill), P::HandlerSpilling), (e(S::PutGlobal), P::HandlerSpilling), (e(S::Stoplockedm), P::HandlerStopped),
    ], Rule::QueueTake)),
    // As goschedImpl it wakes another M: who gets the P may go on with something else.
    park(closed(P::HandlerQueued, &[(e(S::Startm), P::HandlerQueued), (e(S::Stoplockedm), P::HandlerStopped)], Rule::LockedM)),
    park(closed(P::HandlerStopped, &[(e(S::Releasep), P::HandlerFree), (e(S::Startlockedm), P::HandlerLent)], Rule::LockedM)),
    park(closed(P::HandlerLent, &[(e(S::Releasep), P::HandlerWaiting)], Rule::LockedM)),
    // The P goes to an idle M, to a G that has an M of its own, or to whoever stops the world.
    park(closed(P::HandlerFree, &[
        (e(S::Handoffp), P::HandlerHanding), (e(S::OtherP), P::HandlerWaiting),
    ], Rule::LockedM)),
    park(closed(P::HandlerHanding, &[(e(S::Startm), P::HandlerWaiting)], Rule::LockedM)),
    park(closed(P::HandlerWaiting, &[(e(S::Wirep), P::HandlerWoken)], Rule::LockedM)),
    park(closed(P::HandlerWoken, &[(e(S::Execute), P::HandlerExecuting)], Rule::LockedM)),
    park(closed(P::HandlerExecuting, &[(s(C::Execute), P::HandlerExecuted)], Rule::StatusChain)),
    park(closed(P::HandlerExecuted, &[(e(S::PreemptFalse), P::HandlerReset)], Rule::RequestWrite)),
    park(closed(P::HandlerReset, &[(e(S::GuardNormal), P::Open)], Rule::RequestWrite)),

    // X-ADOPT: into a system call in the G's stead, then as any retake; and exitsyscallNoP and execute in the signal handler.
    adopt(open(P::Open, &[
        (s(C::Adopt), P::Blocking), (s(C::Recall), P::HandlerRecalled), (e(S::SignalAdopted), P::Open),
    ])),
    adopt(open(P::Owning, &[(e(S::SignalAdopted), P::Owning)])),
    adopt(closed(P::HandlerRecalled, &[(s(C::RecallNoP), P::HandlerReturned)], Rule::Syscall)),
    adopt(closed(P::HandlerReturned, &[
        (e(S::PutGlobal), P::HandlerReturnQueued), (e(S::Wirep), P::HandlerWoken),
    ], Rule::QueueTake)),
    adopt(closed(P::HandlerReturnQueued, &[(e(S::Stoplockedm), P::HandlerWaiting)], Rule::LockedM)),
];

/// What may come in the middle of a line, which goes on afterwards where it was.
#[rustfmt::skip]
pub const INTERRUPTIONS: &[Interruption] = &[
    // A store of a pointer fills the write barrier's buffer; its flush finds work for another mark worker.
    Interruption { step: Step::PreemptOne, site: Some(known::ENLIST_WORKER), at: None, releases: ALL },
    // The same, where a P is idle (1.25), and the end of the ready below.
    Interruption { step: Step::Startm, site: Some(known::WAKEP), at: None, releases: since(24) },
    // The end of the last busy goroutine of a synctest bubble wakes the one that waits for that.
    Interruption { step: Step::Goready, site: None, at: Some(Place::Died), releases: since(24) },
    // A throw freezes the world.
    Interruption { step: Step::PreemptOne, site: Some(known::PREEMPTALL), at: None, releases: ALL },
];

/// Steps that come only where a line lists them, and what is broken if they come elsewhere.
#[rustfmt::skip]
pub const PROMISED: &[(Word, Rule)] = &[
    (s(C::Execute), Rule::ExecuteTaken), (s(C::Ready), Rule::ReadyWaiting), (s(C::Park), Rule::ProgramOrder),
    (s(C::AbortPark), Rule::ProgramOrder), (s(C::Yield), Rule::ProgramOrder), (s(C::Goyield), Rule::ProgramOrder),
    (s(C::PreemptScan), Rule::ParkRequested), (s(C::Preempted), Rule::ScanOwner), (s(C::Die), Rule::ProgramOrder),
    (s(C::CoroLeave), Rule::Coroutine), (s(C::CoroEnter), Rule::Coroutine), (s(C::CoroReady), Rule::Coroutine),
    (s(C::CoroRun), Rule::Coroutine), (s(C::Born), Rule::Birth), (s(C::BornParked), Rule::Birth),
    (s(C::BornThenParked), Rule::Birth), (s(C::DebugReady), Rule::ProgramOrder),
    (s(C::TakePreempted), Rule::Suspender), (s(C::Claim), Rule::Suspender), (s(C::OpenWindow), Rule::Suspender),
    (s(C::CloseWindow), Rule::ScanOwner), (s(C::Release), Rule::SuspendOwner), (s(C::Unblock), Rule::ScanOwner), (s(C::Misblock), Rule::ScanOwner),
    (s(C::Grow), Rule::PreemptChoice), (s(C::Grown), Rule::ProgramOrder),
    (e(S::StepDead), Rule::SuspendOwner), (e(S::StepClaim), Rule::SuspendOwner), (e(S::StepRun), Rule::SuspendOwner),
    (e(S::StepWait), Rule::SuspendOwner), (e(S::StepPreempted), Rule::SuspendOwner),
    (e(S::SuspendEndDead), Rule::SuspendOwner), (e(S::SuspendEnd), Rule::SuspendOwner),
    (e(S::ResumeBeginDead), Rule::SuspendOwner),
    (e(S::StopTrue), Rule::RequestStop), (e(S::StopFalse), Rule::RequestWrite),
    (e(S::PreemptTrue), Rule::RequestWrite), (e(S::PreemptFalse), Rule::RequestWrite),
    (e(S::ShrinkTrue), Rule::RequestWrite), (e(S::ShrinkFalse), Rule::RequestWrite),
    (e(S::StackShrink), Rule::ProgramOrder), (e(S::StackCopy), Rule::ProgramOrder), (e(S::Handoffp), Rule::Syscall), (e(S::PPreemptTrue), Rule::ProgramOrder),
    (e(S::Kick), Rule::QueueTake), (e(S::ParkAbort), Rule::ProgramOrder), (e(S::Gdestroy), Rule::ProgramOrder),
    (e(S::Gfput), Rule::ProgramOrder), (e(S::CoroTo), Rule::Coroutine), (e(S::Newproc), Rule::Birth),
    (e(S::EnterPsyscall), Rule::Syscall), (e(S::CutP), Rule::Syscall), (e(S::CutPStop), Rule::Syscall), (e(S::CutPMonitor), Rule::Syscall), (e(S::SyscallBlock), Rule::Syscall),
    (e(S::RetakeSyscall), Rule::Syscall), (e(S::PreemptM), Rule::SignalPair), (e(S::StartlockedmMonitor), Rule::LockedM),
    (e(S::SignalAdopted), Rule::SignalPair), (s(C::Adopt), Rule::Syscall), (s(C::Recall), Rule::Syscall), (s(C::RecallNoP), Rule::Syscall),
];

/// Steps of a line that turn to another G than the step before, or concern none.
#[rustfmt::skip]
pub const NEXT_G: &[Word] = &[
    e(S::CoroTo), s(C::DebugPark), s(C::DebugReady), e(S::Execute), e(S::PutRunnext), e(S::PutLocal), e(S::Kick), e(S::Spill),
    e(S::Releasep), e(S::Wirep), e(S::Handoffp), e(S::Stopm), e(S::RetakeSyscall), e(S::EnterPsyscall), e(S::CutP),
    e(S::CutPStop), e(S::CutPMonitor), e(S::OtherP), s(C::Suspendable),
    e(S::PPreemptTrue), e(S::PreemptM), e(S::SignalAdopted), e(S::PreemptOne), e(S::Startm), e(S::Startlockedm), e(S::StartlockedmMonitor), s(C::Return),
    e(S::ResumeBeginDead),
    // After the G that it kicked from where it is put itself.
    e(S::Stoplockedm),
];
