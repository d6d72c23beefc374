//! Letting others go first.
//!
//! Go: `Gosched`, `gopreempt_m`, `goyield`, `goschedImpl` (sections 4.3 and 4.4 of the state rules).

use sigurg_traces::{Kind, PutHow};

use crate::facade::atomic::Ordering::{Relaxed, SeqCst};
use crate::g::G;
use crate::m::M;
use crate::proc::locked::unwinding_stays;
use crate::proc::park::dropg;
use crate::proc::queue::{globrunqput, runqput};
use crate::proc::schedule::schedule;
use crate::proc::wake::wakep;
use crate::proc::{mcall, mcall_g, must_current, must_getm};
use crate::status::GStatus;
use crate::throw::throw;
use crate::trace::{Site, event};

/// T13: to the end of the global queue.
#[inline(never)]
pub(crate) fn gosched() {
    unwinding_stays(|| {
        let (mp, gp) = must_current("gosched");
        mcall(mp, gp, gosched_m);
    });
}

/// T15: to the end of the own P's queue, without waking anybody.
#[inline(never)]
pub(crate) fn goyield() {
    unwinding_stays(|| {
        let (mp, gp) = must_current("goyield");
        mcall(mp, gp, goyield_m);
    });
}

extern "C" fn gosched_m(arg: *mut ()) -> ! {
    // SAFETY: called by `mcall`.
    let gp = unsafe { mcall_g(arg) };
    gosched_impl(must_getm(), gp, false)
}

/// T14: preempted for another goroutine's sake.
pub(crate) extern "C" fn gopreempt_m(arg: *mut ()) -> ! {
    // SAFETY: called by `mcall`.
    let gp = unsafe { mcall_g(arg) };
    gosched_impl(must_getm(), gp, true)
}

fn gosched_impl(mp: &'static M, gp: &'static G, preempted: bool) -> ! {
    let Some(pp) = mp.p() else { throw!("gosched: M{} has no P", mp.id()) };
    if gp.status.load().base() != GStatus::Running {
        throw!("gosched: goroutine {} is not running", gp.goid());
    }
    let sched = mp.sched();
    event(mp, Some(gp), Site::GoschedImpl, 0, || Kind::GoschedImpl { preempted: Some(preempted) });
    gp.casgstatus(mp, GStatus::Running, GStatus::Runnable, Site::GoschedImpl);
    dropg(mp, gp);
    // SeqCst: as Go's; a stop of the world that is missed here is seen in `find_runnable`.
    if preempted && sched.gcwaiting.load(SeqCst) {
        // It goes on first on the same P when the world does.
        runqput(mp, pp, gp, true);
    } else {
        let mut state = sched.lock.lock();
        globrunqput(mp, &mut state, gp, PutHow::One);
    }
    // Relaxed: goes from false to true once; late is harmless.
    if sched.main_started.load(Relaxed) {
        wakep(mp);
    }
    schedule(mp)
}

extern "C" fn goyield_m(arg: *mut ()) -> ! {
    // SAFETY: called by `mcall`.
    let gp = unsafe { mcall_g(arg) };
    let mp = must_getm();
    let Some(pp) = mp.p() else { throw!("goyield: M{} has no P", mp.id()) };
    event(mp, Some(gp), Site::GoyieldM, 0, || Kind::Goyield);
    gp.casgstatus(mp, GStatus::Running, GStatus::Runnable, Site::GoyieldM);
    dropg(mp, gp);
    runqput(mp, pp, gp, false);
    schedule(mp)
}
