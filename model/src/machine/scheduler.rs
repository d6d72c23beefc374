//! schedule, findRunnable and execute: how an M gets a G (sections 8.4 and 6.6 of the facts; T10).

use super::state::{MPc, PStat, Place, State, Status};
use super::step::{Act, Actor, Move};
use super::{Machine, OnM};

impl Machine {
    pub(super) fn scheduler_steps(&self, on: &mut OnM<'_, impl FnMut(Move, State)>) {
        let (s, i) = (on.s, on.i);
        match on.m().pc() {
            MPc::Schedule => on.must(Act::ClearPPreempt, MPc::FindRunnable, |n| {
                if let Some(p) = self.p_of(s, i) {
                    n.p[p].set_preempt(false);
                }
            }),
            MPc::FindRunnable => self.find_runnable(on),
            // stoplockedm, startlockedm: the G runs only on the M it is locked to.
            MPc::StartLocked => {
                let g = on.g();
                let owner = self
                    .each_m()
                    .find(|&m| s.m[m].pc() == MPc::ParkedInHandler && s.m[m].gp() == Some(g as u8));
                if let (Some(owner), Some(p)) = (owner, self.p_of(s, i)) {
                    on.must(Act::StartLocked, MPc::Idle, |n| {
                        n.m[i].set_gp(None);
                        n.m[i].set_p(None);
                        n.m[owner].set_p(Some(p as u8));
                        n.p[p].set_m(Some(owner as u8));
                        n.m[owner].set_pc(MPc::ExecuteLink);
                    });
                }
            }
            // startm: somebody with work found an idle P and an idle M.
            MPc::Idle => {
                if let Some(p) = self.each_p().find(|&p| s.p[p].status() == PStat::Idle)
                    && !s.world.gcwaiting()
                    && self.each_g().any(|g| s.g[g].is_queued())
                {
                    on.must(Act::StartM, self.after_leaving(), |n| wire(n, i, p));
                }
            }
            _ => unreachable!("not a step of the scheduler"),
        }
    }

    fn find_runnable(&self, on: &mut OnM<'_, impl FnMut(Move, State)>) {
        let (s, i) = (on.s, on.i);
        if self.config.procs.is_some() && s.world.gcwaiting() {
            // PS06, under sched.lock.
            if !self.sched_is_locked(s) {
                let p = self.p_of(s, i).expect("findRunnable runs with a P");
                on.must(Act::GcStop, MPc::Idle, |n| unwire(n, i, p, PStat::Gcstop));
            }
            return;
        }
        if self.config.queues {
            self.take_in_order(on);
        } else {
            for g in self.each_g() {
                if s.g[g].place() == Place::Global {
                    self.take(on, Act::Take, g);
                }
            }
        }
        if let (Some(p), true) = (self.p_of(s, i), self.config.procs.is_some())
            && self.each_g().all(|g| !s.g[g].is_queued())
        {
            on.must(Act::Stop, MPc::Idle, |n| unwire(n, i, p, PStat::Idle));
        }
    }

    /// The order of findRunnable: at times one from the global queue first (the 61st tick), else runnext, the
    /// ring, the global queue, and then what other Ps have, their runnext last.
    fn take_in_order(&self, on: &mut OnM<'_, impl FnMut(Move, State)>) {
        let s = on.s;
        let Some(own) = self.p_of(s, on.i) else { return };
        let at = |place| self.each_g().find(|&g| s.g[g].place() == place);
        let global = self.oldest_global(s);
        if let Some(g) = global {
            self.take(on, Act::Take, g);
        }
        if let Some(g) = at(next_of(own)).or_else(|| at(local_of(own))) {
            self.take(on, Act::Take, g);
        } else if global.is_none() {
            let other = 1 - own;
            if let Some(g) = at(local_of(other)).or_else(|| at(next_of(other))) {
                self.take(on, Act::Steal, g);
            }
        }
    }

    fn take(&self, on: &mut OnM<'_, impl FnMut(Move, State)>, act: Act, g: usize) {
        let i = on.i;
        let to = if on.s.g[g].locked() { MPc::StartLocked } else { MPc::ExecuteLink };
        let step = Move::obliged(Actor::M(i as u8), act).of(g as u8);
        on.emit(step, to, |n| {
            n.g[g].set_place(Place::Hand);
            n.m[i].set_gp(Some(g as u8));
        });
    }

    /// T10 and its stores. Between them a request may land and be lost again.
    pub(super) fn execute_steps(&self, on: &mut OnM<'_, impl FnMut(Move, State)>) {
        let (s, i, g) = (on.s, on.i, on.g());
        match on.m().pc() {
            MPc::ExecuteLink => on.must(Act::ExecuteLink, MPc::ExecuteCas, |n| link(n, i, g)),
            MPc::ExecuteCas if s.g[g].status() == Status::Runnable && !s.g[g].scan() => {
                on.must(Act::Execute, MPc::ExecutePreempt, |n| n.g[g].set_status(Status::Running));
            }
            MPc::ExecuteCas => {}
            MPc::ExecutePreempt => {
                on.must(Act::ExecutePreempt, MPc::ExecuteGuard, |n| n.g[g].set_preempt(false));
            }
            MPc::ExecuteGuard => on.must(Act::ExecuteGuard, MPc::User, |n| {
                n.g[g].set_poison(false);
                n.g[g].set_locked(false);
                n.m[i].set_preempted(false);
            }),
            _ => unreachable!("not a step of execute"),
        }
    }

    /// The G at the head of the global queue.
    fn oldest_global(&self, s: &State) -> Option<usize> {
        let mut queued = self.each_g().filter(|&g| s.g[g].place() == Place::Global);
        let first = queued.next()?;
        Some(match queued.next() {
            Some(second) if usize::from(s.world.newest()) == first => second,
            _ => first,
        })
    }

    /// The tail of the global queue, which is the one queue where queues are not told apart.
    pub(super) fn put_global(&self, n: &mut State, g: usize) {
        n.g[g].set_place(Place::Global);
        if self.config.queues {
            n.world.set_newest(g as u8);
        }
    }

    /// Whether stop-the-world holds `sched.lock`.
    pub(super) fn sched_is_locked(&self, s: &State) -> bool {
        s.world.stw_first()
    }
}

/// `m.curg = g; g.m = m`.
pub(super) fn link(n: &mut State, m: usize, g: usize) {
    n.m[m].set_gp(Some(g as u8));
    n.m[m].set_curg(Some(g as u8));
    n.g[g].set_m(Some(m as u8));
}

/// acquirep: PS04.
pub(super) fn wire(n: &mut State, m: usize, p: usize) {
    n.p[p].set_status(PStat::Running);
    n.p[p].set_m(Some(m as u8));
    n.m[m].set_p(Some(p as u8));
}

/// releasep, and what becomes of the P.
pub(super) fn unwire(n: &mut State, m: usize, p: usize, status: PStat) {
    n.p[p].set_status(status);
    n.p[p].set_m(None);
    n.m[m].set_p(None);
}

/// The ring of a P.
pub(super) fn local_of(p: usize) -> Place {
    if p == 0 { Place::Local0 } else { Place::Local1 }
}

/// The runnext of a P.
pub(super) fn next_of(p: usize) -> Place {
    if p == 0 { Place::Next0 } else { Place::Next1 }
}
