//! What each kind of event says of its object, handed to the file that knows it.

use sigurg_traces::{Event, Kind};

use super::Checker;
use super::g::StatusChange;
use super::p::PChange;
use super::preempt::Trap;
use super::violation::Verdict;
use crate::rules::primitive::{OnFailure, on_failure};

impl Checker {
    /// What one event says of its object.
    #[inline]
    pub(super) fn object(&mut self, e: &Event, row: Option<u8>) -> Verdict {
        match e.kind {
            Kind::GStatus { from, to, via, ver, reason } => {
                let first = ver == 1;
                let gs = self.target(e, first)?;
                self.g_status(e, gs, StatusChange { from, to, via, ver, reason }, row)
            }
            Kind::GRequest { request } => {
                let gs = self.target(e, false)?;
                self.g_request(e, gs, request)
            }
            Kind::RunqPut { target_p, q, how } => {
                let gs = self.target(e, false)?;
                self.queue_p(target_p)?;
                self.runq_put(e, gs, target_p, q, how)
            }
            Kind::RunqGet { target_p, q, how } => {
                let gs = self.target(e, false)?;
                self.queue_p(target_p)?;
                self.runq_get(e, gs, target_p, q, how)
            }
            Kind::RunqKick { target_p, q } => {
                let gs = self.target(e, false)?;
                self.known_p(target_p)?;
                self.runq_kick(e, gs, target_p, q)
            }
            Kind::RunqSteal { target_p, q } => {
                let gs = self.target(e, false)?;
                self.known_p(target_p)?;
                self.runq_steal(e, gs, target_p, q)
            }
            Kind::Execute { inherit_time } => {
                let gs = self.target(e, false)?;
                self.booted()?;
                self.execute(e, gs, inherit_time)
            }
            Kind::PRequest { target_p, preempt } => self.p_request(e, target_p, preempt),
            _ => self.rare(e),
        }
    }

    fn queue_p(&mut self, p: i32) -> Verdict {
        if p == -1 { Ok(()) } else { self.known_p(p) }
    }

    /// The kinds that are seldom.
    fn rare(&mut self, e: &Event) -> Verdict {
        match e.kind {
            Kind::GStatusFail { want_from, want_to, via, .. } => {
                let gs = self.target(e, false)?;
                self.status_fail(e, gs)?;
                if on_failure(via) == OnFailure::Spins {
                    return self.spins(e.m, gs, want_from, want_to);
                }
                Ok(())
            }
            Kind::SuspendBegin { sid } => {
                let gs = self.target(e, false)?;
                self.suspend_begin(e, gs, sid)
            }
            Kind::SuspendStep { sid, saw, ver, .. } => {
                let gs = self.target(e, false)?;
                self.suspend_step(e, gs, sid, saw, ver)
            }
            Kind::SuspendEnd { sid, dead, stopped } => {
                let gs = self.target(e, false)?;
                self.suspend_end(e, gs, sid, dead, stopped)
            }
            Kind::ResumeBegin { sid, dead, stopped } => {
                let gs = match e.target {
                    None if dead => 0,
                    _ => self.target(e, false)?,
                };
                self.resume_begin(e, gs, sid, dead, stopped)
            }
            Kind::ResumeEnd { sid, stopped } => {
                let gs = self.target(e, false)?;
                self.resume_end(e, gs, sid, stopped)
            }
            Kind::PreemptOne { target_p, target_m } => self.preempt_one(e, target_p, target_m),
            Kind::PreemptM { target_m, sent } => self.preempt_m(e, target_m, sent),
            Kind::SigPreempt { want, safe, reject } => {
                let gs = match e.target {
                    None => 0,
                    Some(_) => self.target(e, true)?,
                };
                self.sig_preempt(e, gs, want, safe, reject)
            }
            Kind::SigAck { generation } => self.sig_ack(e, generation),
            Kind::Newstack { preempt, preempt_stop, preempt_shrink, .. } => {
                let gs = self.target(e, false)?;
                self.newstack(e, gs, Trap { preempt, stop: preempt_stop, shrink: preempt_shrink })
            }
            Kind::PreemptPark { by_signal } => {
                let gs = self.target(e, false)?;
                self.preempt_park(e, gs, by_signal)
            }
            Kind::PreemptYield { by_signal } => {
                let gs = self.target(e, false)?;
                self.preempt_yield(e, gs, by_signal)
            }
            Kind::GoschedImpl { preempted } => {
                let gs = self.target(e, false)?;
                self.gosched_impl(e, gs, preempted)
            }
            Kind::Goyield | Kind::Goexit | Kind::Gdestroy | Kind::CoroFrom { .. } => {
                let gs = self.target(e, false)?;
                self.is_own(e, gs, "leaves")
            }
            Kind::Gopark { reason, .. } => {
                let gs = self.target(e, false)?;
                self.is_own(e, gs, "parks")?;
                self.gs[gs as usize].reason = reason;
                Ok(())
            }
            Kind::Ready { next } => {
                let gs = self.target(e, false)?;
                self.m(e.m).ready_next = next;
                self.ready(e, gs)?;
                self.readied(gs, e.m);
                Ok(())
            }
            Kind::Goready { .. } => {
                let gs = self.target(e, false)?;
                self.ready(e, gs)
            }
            Kind::CoroTo => {
                let gs = self.target(e, false)?;
                self.coro_to(e, gs)
            }
            Kind::Newproc { parent, parked, .. } => {
                let gs = self.target(e, false)?;
                self.newproc(e, gs, parent, parked)
            }
            Kind::Gfput { target_p } => {
                self.target(e, false)?;
                self.gfput(e, target_p)
            }
            Kind::StackCopy { old_size, new_size } => {
                let gs = self.target(e, false)?;
                self.stack_copy(e, gs, old_size, new_size)
            }
            Kind::StackShrink => {
                let gs = self.target(e, false)?;
                self.stack_shrink(e, gs)
            }
            Kind::ParkAbort => self.target(e, false).map(|_| ()),
            Kind::Stoplockedm => {
                let gs = self.target(e, false)?;
                self.stoplockedm(e, gs)
            }
            Kind::Startlockedm { target_m } => {
                let gs = self.target(e, false)?;
                self.startlockedm(e, gs, target_m)
            }
            Kind::PStatus { target_p, from, to, cas } => {
                self.p_status(e, PChange { p: target_p, from, to, cas })
            }
            Kind::Handoffp { target_p } => self.handoff(e, target_p),
            Kind::RetakeSyscall { target_p } => self.retake(e, target_p),
            Kind::SyscallBlock { target_p, target_m } => {
                let gs = self.target(e, false)?;
                self.syscall_block(e, gs, target_p, target_m)
            }
            Kind::Startm { target_p, .. } => self.startm(e, target_p),
            Kind::MStart => self.m_start(e),
            Kind::GcPhase { phase } => self.gc_phase(e, phase),
            Kind::Procresize { old, new } => self.procresize(e, old, new),
            Kind::StwBegin { .. } => self.stw_begin(e),
            Kind::StwStopped { .. } => self.stw_stopped(e),
            Kind::StwStart => self.stw_start(e),
            Kind::StwStarted { procs } => self.stw_started(e, procs),
            Kind::ForEachPBegin { procs } => self.for_each_p_begin(e, procs),
            Kind::SafePointFn { target_p } => self.safe_point_fn(e, target_p),
            Kind::ForEachPEnd => self.for_each_p_end(e),
            Kind::Stopm => self.stopm(e),
            _ => Ok(()),
        }
    }
}
