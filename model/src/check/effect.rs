//! What a legal status change does beside the status: links, hands, scan bits (section 2.2, side effects).

use sigurg_traces::Event;

use super::g::StatusChange;
use super::m::NO_M;
use super::violation::{Verdict, broken};
use super::{Checker, goid_of};
use crate::rules::queue::Grip;
use crate::rules::rule::Rule;
use crate::rules::transition::Change;

impl Checker {
    pub(super) fn apply(&mut self, e: &Event, gs: u32, c: StatusChange, change: Change) -> Verdict {
        let m = e.m;
        match change {
            Change::Allocate | Change::Grow | Change::Grown => {}
            Change::Born => {
                self.born_right(gs, m, false)?;
                self.hand_in(gs, m, Grip::Born);
            }
            Change::BornParked => {
                self.born_right(gs, m, true)?;
                self.gs[gs as usize].reason = c.reason;
            }
            Change::BornThenParked => self.let_go(gs, m, "parks its new coroutine", Rule::Birth)?,
            Change::Die => self.m(m).dying = gs,
            Change::Needm => {
                let curg = self.m(m).curg;
                if curg != 0 && curg != gs {
                    return self.runs_two(m, curg, gs);
                }
                self.m(m).curg = gs;
                let g = &mut self.gs[gs as usize];
                g.m = m;
                g.stop = false;
                g.goid = goid_of(e);
                self.newest_goid = self.newest_goid.max(goid_of(e));
            }
            Change::Dropm => self.m(m).dying = gs,
            Change::Execute => {
                if self.m(m).curg != gs {
                    return self.foreign_stop(gs, c, m);
                }
                self.gs[gs as usize].m = m;
            }
            Change::Park => {
                let g = &mut self.gs[gs as usize];
                g.m = NO_M;
                let given = g.reason;
                self.m(m).curg = 0;
                if c.reason.is_some() && given.is_some() && c.reason != given {
                    self.foreign_reason(gs, c)?;
                }
            }
            Change::DebugPark => {
                self.gs[gs as usize].m = NO_M;
                self.m(m).curg = 0;
            }
            Change::AbortPark | Change::DebugReady => {
                self.wakeable(gs, c)?;
                self.hand_in(gs, m, Grip::Continued);
            }
            Change::Ready => {
                self.wakeable(gs, c)?;
                let grip = match self.m(m) {
                    // X-DUMP.
                    m if m.p < 0 => Grip::Injected,
                    m if m.ready_next => Grip::ReadyNext,
                    _ => Grip::ReadyLast,
                };
                self.hand_in(gs, m, grip);
            }
            Change::Inject => {
                self.wakeable(gs, c)?;
                self.hand_in(gs, m, Grip::Injected);
            }
            Change::Find => {
                self.wakeable(gs, c)?;
                self.hand_in(gs, m, Grip::Found);
            }
            Change::Yield => {
                let preempted = core::mem::take(&mut self.m(m).yield_preempted);
                let grip = if preempted { Grip::Preempted } else { Grip::Yielded };
                self.drop_g(gs, m);
                self.hand_in(gs, m, grip);
                let stopping = self.claims && self.stw.is_stopping_surely();
                self.m(m).yields_to_stw = stopping && grip == Grip::Preempted;
            }
            Change::Goyield => {
                self.drop_g(gs, m);
                self.hand_in(gs, m, Grip::Goyielded);
            }
            Change::DebugYield => {
                self.drop_g(gs, m);
                self.hand_in(gs, m, Grip::DebugYielded);
            }
            Change::PreemptScan => {
                if !self.gs[gs as usize].stop {
                    return self.unrequested_park(gs);
                }
                self.drop_g(gs, m);
                self.take_scan(gs, m);
            }
            Change::Preempted => self.drop_scan(gs, m),
            Change::TakePreempted => self.take_preempted(gs, m)?,
            Change::CoroLeave => {
                let g = &mut self.gs[gs as usize];
                g.m = NO_M;
                g.reason = c.reason;
            }
            Change::CoroEnter => {
                self.wakeable(gs, c)?;
                self.gs[gs as usize].m = m;
            }
            Change::CoroReady => {
                self.wakeable(gs, c)?;
                self.hand_in(gs, m, Grip::Coroutine);
            }
            Change::CoroRun => {
                self.let_go(gs, m, "runs a coroutine", Rule::Coroutine)?;
                self.gs[gs as usize].m = m;
            }
            Change::Entersyscall => self.entersyscall(gs)?,
            Change::Exitsyscall | Change::Recall => self.exitsyscall(gs, m)?,
            Change::ExitsyscallNoP | Change::RecallNoP => {
                self.exitsyscall_no_p(gs, m)?;
                self.drop_g(gs, m);
                self.hand_in(gs, m, Grip::NoP);
                if change == Change::RecallNoP {
                    self.stays(e, gs);
                }
            }
            Change::Block | Change::Adopt => {
                self.take_scan(gs, m);
                self.m(m).blocking = gs;
            }
            Change::Unblock | Change::Misblock => {
                self.drop_scan(gs, m);
                self.m(m).blocking = 0;
            }
            Change::Claim => {
                self.claim_needs_call(gs, m)?;
                self.take_scan(gs, m);
            }
            Change::OpenWindow => {
                self.claim_needs_call(gs, m)?;
                self.take_scan(gs, m);
                self.m(m).asked_m = self.gs[gs as usize].m;
            }
            Change::CloseWindow => {
                self.drop_scan(gs, m);
                self.gs[gs as usize].stop_sure = e.seq;
            }
            Change::Release => {
                self.drop_scan(gs, m);
                // From here on another call may own it, though this one has not said that it is done.
                self.gs[gs as usize].owner = None;
            }
            Change::Suspendable => {
                if self.m(m).curg != gs {
                    return self.foreign_stop(gs, c, m);
                }
                self.suspendable_reason(gs, c)?;
                self.asks_first(e, gs)?;
                self.gs[gs as usize].suspendable = true;
            }
            Change::Return => {
                if !self.gs[gs as usize].suspendable {
                    return broken(
                        Rule::LegalTransition,
                        format!("{} goes back to Grunning from an ordinary wait", self.g_name(gs)),
                        "only a G that parked itself to be suspendable (T53) goes back by itself (T54)",
                    );
                }
                self.gs[gs as usize].suspendable = false;
            }
            Change::Leak | Change::Unleak => self.world_is_stopped(gs, c)?,
        }
        Ok(())
    }

    /// dropg: the G and the M part.
    #[inline]
    pub(crate) fn drop_g(&mut self, gs: u32, m: i32) {
        self.gs[gs as usize].m = NO_M;
        self.m(m).curg = 0;
    }

    #[inline]
    pub(crate) fn take_scan(&mut self, gs: u32, m: i32) {
        self.gs[gs as usize].scan_m = m;
        self.m(m).scans += 1;
    }

    #[inline]
    pub(crate) fn drop_scan(&mut self, gs: u32, m: i32) {
        self.gs[gs as usize].scan_m = NO_M;
        let m = self.m(m);
        m.scans = m.scans.saturating_sub(1);
    }

    /// INV-46: a G that is waiting for suspendG is nobody's to ready.
    #[inline]
    fn wakeable(&self, gs: u32, c: StatusChange) -> Verdict {
        let g = &self.gs[gs as usize];
        if g.suspendable {
            return broken(
                Rule::ReadyWaiting,
                format!("{} {} -> {}: it waits only to be suspendable", self.g_name(gs), c.from, c.to),
                format!("M{}, on which it stays, takes it back to Grunning (T54)", g.m),
            );
        }
        Ok(())
    }
}
