//! One round of the scheduler: find a goroutine and run it.
//!
//! Go: `schedule`, `execute`.

use sigurg_traces::{Guard, Kind, Request};

use crate::arch;
use crate::facade::atomic::Ordering::Relaxed;
use crate::g::G;
use crate::m::M;
use crate::proc::find_runnable::find_runnable;
use crate::proc::locked::{startlockedm, stoplockedm};
use crate::proc::wake::resetspinning;
use crate::status::GStatus;
use crate::throw::throw;
use crate::trace::{Site, event};

/// Runs the next goroutine on this M, which has a P.
pub(crate) fn schedule(mp: &'static M) -> ! {
    loop {
        // Relaxed here and below: own.
        if mp.locks.load(Relaxed) != 0 {
            throw!("schedule: M{} holds locks", mp.id());
        }
        if let Some(gp) = mp.lockedg() {
            stoplockedm(mp);
            execute(mp, gp, false);
        }
        let Some(pp) = mp.p() else { throw!("schedule: M{} has no P", mp.id()) };
        pp.preempt.store(false, Relaxed);
        event(mp, None, Site::Schedule, 0, || Kind::PRequest { target_p: pp.id(), preempt: false });
        let (gp, inherit_time) = find_runnable(mp);
        if mp.spinning.load(Relaxed) {
            resetspinning(mp);
        }
        if gp.lockedm().is_some() {
            // It has an M of its own: that one gets this P, and this M another.
            startlockedm(mp, gp);
            continue;
        }
        execute(mp, gp, inherit_time);
    }
}

/// T10: runs `gp`, which is in hand.
#[inline]
pub(crate) fn execute(mp: &'static M, gp: &'static G, inherit_time: bool) -> ! {
    make_running(mp, gp, inherit_time);
    // SAFETY: `gp` is `Running` on this M alone, so nobody else goes to its saved stack; g0 keeps nothing.
    unsafe { arch::gogo(gp.sp.load(Relaxed)) }
}

/// T10 for a goroutine that was stopped in this thread's signal handler: it goes on when that returns.
pub(crate) fn run_here(mp: &'static M, gp: &'static G) {
    make_running(mp, gp, false);
}

#[inline]
fn make_running(mp: &'static M, gp: &'static G, inherit_time: bool) {
    event(mp, Some(gp), Site::Schedule, 0, || Kind::Execute { inherit_time });
    // Before the change of status: `Running` means that the M is known (INV-22). Relaxed: published by that change.
    mp.set_curg(Some(gp));
    gp.m.store(std::ptr::from_ref(mp).cast_mut(), Relaxed);
    gp.casgstatus(mp, GStatus::Runnable, GStatus::Running, Site::Execute);
    // Relaxed: plain stores in Go too. A request that comes between the change and these is lost, and repeated
    // by whoever made it.
    gp.waitsince.store(0, Relaxed);
    gp.preempt.store(false, Relaxed);
    event(mp, Some(gp), Site::Execute, 0, || Kind::GRequest { request: Request::Preempt(false) });
    gp.stackguard0.store(gp.stack_lo(), Relaxed);
    event(mp, Some(gp), Site::Execute, 0, || Kind::GRequest { request: Request::Stackguard0(Guard::Normal) });
    if !inherit_time {
        let Some(pp) = mp.p() else { throw!("execute: M{} has no P", mp.id()) };
        pp.schedtick.store(pp.schedtick.load(Relaxed).wrapping_add(1), Relaxed);
    }
}
