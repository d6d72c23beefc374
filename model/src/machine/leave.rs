//! How a G leaves its M: goschedImpl, goyield_m, preemptPark, park_m, gdestroy (T06, T11, T13 to T17).
//!
//! 1. The status changes first, while `g.m` is still set; then dropg; then the G is published (put on a
//!    queue, or its scan bit released). Otherwise another M could run it while this one still points at it
//!    or a suspender could read `g.m` as nil.
//! 2. After the publishing step the old M never touches the G again.

use super::scheduler::{local_of, next_of, unwire, wire};
use super::state::{MPc, PStat, Place, State, Status};
use super::step::{Act, Move};
use super::{Machine, OnM};

impl Machine {
    pub(super) fn leave_steps(&self, on: &mut OnM<'_, impl FnMut(Move, State)>) {
        let (s, i, g) = (on.s, on.i, on.g());
        let drop_m = |n: &mut State| n.g[g].set_m(None);
        let drop_curg = |n: &mut State| n.m[i].set_curg(None);
        match on.m().pc() {
            // goschedImpl.
            MPc::YieldCas => on.cas_from_running(Act::Yield, Status::Runnable, MPc::YieldDropM),
            MPc::YieldDropM => on.must(Act::DropM, MPc::YieldDropCurg, drop_m),
            MPc::YieldDropCurg => on.must(Act::DropCurg, MPc::YieldPut, drop_curg),
            MPc::YieldPut => {
                let to_runnext = self.config.queues
                    && self.config.profile.stw_preempted_goes_to_runnext
                    && on.m().preempted()
                    && s.world.gcwaiting();
                if to_runnext {
                    on.must(Act::PutRunnext, MPc::Schedule, |n| {
                        self.put_runnext(n, i, g);
                        self.let_go(n, i, g);
                    });
                } else {
                    on.must(Act::PutGlobal, MPc::Schedule, |n| {
                        self.put_global(n, g);
                        self.let_go(n, i, g);
                    });
                }
            }
            // goyield_m.
            MPc::GoyieldCas => on.cas_from_running(Act::Goyield, Status::Runnable, MPc::GoyieldDropM),
            MPc::GoyieldDropM => on.must(Act::DropM, MPc::GoyieldDropCurg, drop_m),
            MPc::GoyieldDropCurg => on.must(Act::DropCurg, MPc::GoyieldPut, drop_curg),
            MPc::GoyieldPut => {
                on.must(Act::PutLocal, MPc::Schedule, |n| {
                    match self.p_of(s, i) {
                        Some(p) if self.config.queues => n.g[g].set_place(local_of(p)),
                        _ => self.put_global(n, g),
                    }
                    self.let_go(n, i, g);
                });
            }
            // preemptPark: the one primitive that changes the status and takes the scan bit at once (PR7).
            MPc::StopCas if s.g[g].status() == Status::Running && !s.g[g].scan() => {
                on.must(Act::PreemptPark, MPc::StopDropM, |n| {
                    n.g[g].set_status(Status::Preempted);
                    n.g[g].set_scan(true);
                });
            }
            MPc::StopCas => {}
            MPc::StopDropM => on.must(Act::DropM, MPc::StopDropCurg, drop_m),
            MPc::StopDropCurg => on.must(Act::DropCurg, MPc::StopRelease, drop_curg),
            MPc::StopRelease => on.must(Act::PreemptedReleased, MPc::Schedule, |n| {
                n.g[g].set_scan(false);
                self.let_go(n, i, g);
            }),
            // park_m.
            MPc::ParkCas => {
                if s.g[g].status() == Status::Running && !s.g[g].scan() {
                    on.must(Act::Park, MPc::ParkDropM, |n| {
                        n.g[g].set_status(Status::Waiting);
                        n.g[g].set_reason_preempted(false);
                    });
                }
            }
            MPc::ParkDropM => on.must(Act::DropM, MPc::ParkDropCurg, drop_m),
            MPc::ParkDropCurg => on.must(Act::DropCurg, MPc::Schedule, |n| {
                drop_curg(n);
                self.let_go(n, i, g);
            }),
            // gdestroy.
            MPc::ExitCas => on.cas_from_running(Act::Exit, Status::Dead, MPc::ExitClearStop),
            MPc::ExitClearStop => on.must(Act::ExitClearStop, MPc::ExitDrop, |n| {
                n.g[g].set_m(None);
                n.g[g].set_stop(false);
            }),
            MPc::ExitDrop => on.must(Act::DropCurg, MPc::Schedule, |n| {
                drop_curg(n);
                self.let_go(n, i, g);
            }),
            _ => unreachable!("not a step of leaving"),
        }
    }

    /// The M forgets the G and schedules; a thread that was interrupted (X-PARK) stays with it and hands its
    /// P to a spare M instead.
    fn let_go(&self, n: &mut State, i: usize, g: usize) {
        if !n.g[g].locked() {
            n.m[i].set_gp(None);
            n.m[i].set_preempted(false);
            n.m[i].set_pc(self.after_leaving());
            return;
        }
        n.m[i].set_pc(MPc::ParkedInHandler);
        // handoffp: to stop-the-world (PS07), to a spare M, or idle.
        let Some(p) = self.p_of(n, i) else { return };
        let stopping = n.world.gcwaiting() && !self.sched_is_locked(n);
        unwire(n, i, p, if stopping { PStat::Gcstop } else { PStat::Idle });
        if let Some(spare) = self.each_m().find(|&m| n.m[m].pc() == MPc::Idle)
            && !n.world.gcwaiting()
        {
            wire(n, spare, p);
            n.m[spare].set_pc(self.after_leaving());
        }
    }

    /// runqput with next: what was there goes to the ring.
    fn put_runnext(&self, n: &mut State, i: usize, g: usize) {
        let Some(p) = self.p_of(n, i) else { return self.put_global(n, g) };
        for other in self.each_g() {
            if n.g[other].place() == next_of(p) {
                n.g[other].set_place(local_of(p));
            }
        }
        debug_assert_eq!(n.g[g].place(), Place::Hand);
        n.g[g].set_place(next_of(p));
    }
}
