//! Which step of its M an event is, and the event in words.

use sigurg_traces::symbols::Symbols;
use sigurg_traces::{Event, GStatus, Guard, Kind, PStatus, Queue, Request, Stack, TakeHow, Via};

use super::Checker;
use super::violation::Verdict;
use crate::rules::preempt::Newstack;
use crate::rules::sequence::{Place, Step, Verdict as Order, Word};
use crate::rules::suspend::Branch;
use crate::rules::transition::{Found, ROWS, Site, known};

impl Checker {
    /// The step, the G that it concerns (0 if none) and the row of a status change.
    #[inline]
    pub(crate) fn word(&mut self, e: &Event) -> Verdict<(Option<Word>, u32, Option<u8>)> {
        let gs = e.target.map_or(0, |target| target.gs);
        let step = match e.kind {
            Kind::GStatus { from, to, via, .. } => {
                let site = self.sites.get(e.site.0 as usize).copied().unwrap_or(Site::UNKNOWN);
                let place = self.m(e.m).place;
                let sequences = &self.sequences;
                let found = self.table.find(from, to, via, site, |change| {
                    place != Place::Open
                        && matches!(sequences.step(place, Word::status(change)), Order::Then(_))
                });
                return Ok(match found {
                    Found::Row(row) => (Some(Word::status(ROWS[usize::from(row)].change)), gs, Some(row)),
                    Found::OtherWay | Found::Never => (None, gs, None),
                });
            }
            // Under the lock, between any two steps.
            Kind::ForEachPBegin { .. } | Kind::SafePointFn { .. } | Kind::ForEachPEnd => {
                return Ok((None, gs, None));
            }
            Kind::GStatusFail { via, .. } => match via {
                Via::Castogscanstatus | Via::CasGFromPreempted => Step::Missed,
                _ => return Ok((None, gs, None)),
            },
            Kind::GRequest { request } => match request {
                Request::PreemptStop(true) => Step::StopTrue,
                Request::PreemptStop(false) => Step::StopFalse,
                Request::Preempt(true) => Step::PreemptTrue,
                Request::Preempt(false) => Step::PreemptFalse,
                Request::PreemptShrink(true) => Step::ShrinkTrue,
                Request::PreemptShrink(false) => Step::ShrinkFalse,
                Request::Stackguard0(guard) => {
                    let dead = self.gs.get(gs as usize).is_some_and(|g| g.status == GStatus::Dead);
                    match guard {
                        Guard::Preempt => Step::GuardPreempt,
                        Guard::Normal if dead => Step::DeadGuardNormal,
                        Guard::Normal => Step::GuardNormal,
                        Guard::Zero if dead => Step::DeadGuardZero,
                        Guard::Zero | Guard::Fork | Guard::ForceMove => Step::GuardOther,
                    }
                }
            },
            Kind::RunqPut { q, .. } => match q {
                Queue::Runnext => Step::PutRunnext,
                Queue::Local => Step::PutLocal,
                Queue::Global | Queue::None => Step::PutGlobal,
                Queue::Disabled => Step::PutDisabled,
            },
            Kind::RunqGet { how, .. } => {
                if how == TakeHow::Spill {
                    Step::Spill
                } else {
                    Step::Get
                }
            }
            Kind::RunqKick { .. } => Step::Kick,
            Kind::RunqSteal { .. } => Step::Steal,
            Kind::Execute { .. } => Step::Execute,
            Kind::PRequest { preempt: true, .. } => Step::PPreemptTrue,
            Kind::PRequest { preempt: false, .. } => Step::PPreemptFalse,
            Kind::GoschedImpl { .. } => Step::GoschedImpl,
            Kind::Goready { .. } => Step::Goready,
            Kind::Ready { .. } => Step::Ready,
            Kind::Gopark { .. } => Step::Gopark,
            Kind::SuspendBegin { .. } => Step::SuspendBegin,
            Kind::SuspendStep { saw, .. } => match Branch::of(saw) {
                Branch::Dead => Step::StepDead,
                Branch::HeldByOther | Branch::Copying => Step::StepWait,
                Branch::TakePreempted => Step::StepPreempted,
                Branch::Claim => Step::StepClaim,
                Branch::Request => Step::StepRun,
                Branch::Invalid => {
                    return super::violation::broken(
                        crate::rules::rule::Rule::Suspender,
                        format!("suspendG looks at {saw}"),
                        "a G that is listed is past Gidle (B-bad throws)",
                    );
                }
            },
            Kind::SuspendEnd { dead: true, .. } => Step::SuspendEndDead,
            Kind::SuspendEnd { .. } => Step::SuspendEnd,
            Kind::ResumeBegin { dead: true, .. } => Step::ResumeBeginDead,
            Kind::ResumeBegin { stopped: true, .. } => Step::ResumeBeginStopped,
            Kind::ResumeBegin { .. } => Step::ResumeBegin,
            Kind::ResumeEnd { .. } => Step::ResumeEnd,
            Kind::PreemptOne { .. } => Step::PreemptOne,
            Kind::PreemptM { .. } if self.may_signal_adopted(e) => Step::SignalAdopted,
            Kind::PreemptM { .. } => Step::PreemptM,
            Kind::Newstack { preempt, preempt_stop, preempt_shrink, can_preempt } => {
                match Newstack::decide(preempt, can_preempt, preempt_stop) {
                    Newstack::Grow => Step::NewstackGrow,
                    Newstack::Decline => Step::NewstackDecline,
                    Newstack::Preempt(_) if preempt_shrink => Step::NewstackShrink,
                    Newstack::Preempt(_) => Step::NewstackPreempt,
                }
            }
            Kind::PreemptPark { .. } if e.on == Stack::Gsignal => Step::HandlerPark,
            Kind::PreemptYield { .. } if e.on == Stack::Gsignal => Step::HandlerYield,
            Kind::PreemptPark { .. } => Step::PreemptPark,
            Kind::PreemptYield { .. } => Step::PreemptYield,
            Kind::Goyield => Step::Goyield,
            Kind::StackCopy { .. } => Step::StackCopy,
            Kind::StackShrink => Step::StackShrink,
            Kind::Newproc { .. } => Step::Newproc,
            Kind::ParkAbort => Step::ParkAbort,
            Kind::Goexit => Step::Goexit,
            Kind::Gdestroy => Step::Gdestroy,
            Kind::Gfput { .. } => Step::Gfput,
            Kind::CoroFrom { exit: true } => Step::CoroFromExit,
            Kind::CoroFrom { exit: false } => Step::CoroFrom,
            Kind::CoroTo => Step::CoroTo,
            Kind::Stoplockedm => Step::Stoplockedm,
            Kind::Startlockedm { .. } if self.site_is(e.site, known::RESCUE) => Step::StartlockedmMonitor,
            Kind::Startlockedm { .. } => Step::Startlockedm,
            Kind::PStatus { target_p, from, to, .. } => {
                let own = self.m(e.m).p == target_p;
                match (from, to) {
                    (PStatus::Idle, PStatus::Running) => Step::Wirep,
                    (PStatus::Running, PStatus::Idle) if own => Step::Releasep,
                    (PStatus::Running, PStatus::Idle) if self.m(e.m).curg == 0 => Step::CutPMonitor,
                    (PStatus::Running, PStatus::Idle) => Step::CutP,
                    (PStatus::Running, PStatus::Gcstop) if !own => Step::CutPStop,
                    (PStatus::Running, PStatus::Syscall) => Step::EnterPsyscall,
                    (PStatus::Syscall, PStatus::Idle) => self.takes_psyscall(e),
                    _ => Step::OtherP,
                }
            }
            Kind::Handoffp { .. } => Step::Handoffp,
            Kind::RetakeSyscall { .. } => Step::RetakeSyscall,
            Kind::SyscallBlock { .. } => Step::SyscallBlock,
            Kind::Startm { .. } => Step::Startm,
            Kind::Stopm => Step::Stopm,
            Kind::MStart => Step::MStart,
            Kind::MExit => Step::MExit,
            Kind::Procresize { .. } => Step::Procresize,
            Kind::StwBegin { .. } => Step::StwBegin,
            Kind::StwStopped { .. } => Step::StwStopped,
            Kind::StwStart => Step::StwStart,
            Kind::StwStarted { .. } => Step::StwStarted,
            Kind::GcPhase { .. } => Step::GcPhase,
            Kind::SigPreempt { .. } | Kind::SigAck { .. } | Kind::Lost => return Ok((None, gs, None)),
        };
        Ok((Some(Word::step(step)), gs, None))
    }

    /// PS15 (another M's P) as against PS14 (the own one, on the way out of the system call).
    fn takes_psyscall(&mut self, e: &Event) -> Step {
        let curg = self.m(e.m).curg;
        match curg {
            0 => Step::TakePsyscallMonitor,
            _ if self.gs[curg as usize].status.base() == GStatus::Syscall => Step::OtherP,
            _ => Step::TakePsyscall,
        }
    }
}

/// The event in words.
pub(crate) fn show(e: &Event, symbols: &Symbols) -> String {
    let target = match e.target {
        Some(target) if target.g != 0 => format!(" G{} (struct {})", target.g, target.gs),
        Some(target) => format!(" G struct {}", target.gs),
        None => String::new(),
    };
    let site = symbols.resolve(e.site);
    let site = if site.is_empty() { String::new() } else { format!(" in {site}") };
    format!("{:?}{target}{site}", e.kind)
}
