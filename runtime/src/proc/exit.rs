//! The end of goroutines, and of threads that end with one.
//!
//! Go: `goexit0`, `gdestroy`, `gfput`, `mexit` (T06).

use sigurg_traces::{Kind, Request};

use crate::arch;
use crate::facade::atomic::Ordering::Relaxed;
use crate::facade::setm;
use crate::g::G;
use crate::m::M;
use crate::proc::handler::acknowledge_last;
use crate::proc::park::dropg;
use crate::proc::schedule::schedule;
use crate::proc::wake::{handoffp, releasep};
use crate::proc::{checkdead, mcall, mcall_g, must_current, must_getm};
use crate::stack::StackClass;
use crate::status::GStatus;
use crate::throw::throw;
use crate::trace::{Site, event};

/// Ends the goroutine that calls: it has returned.
#[inline(never)]
pub(crate) fn goexit() -> ! {
    let (mp, gp) = must_current("goexit");
    mcall(mp, gp, goexit0);
    throw!("goexit: a dead goroutine runs")
}

extern "C" fn goexit0(arg: *mut ()) -> ! {
    // SAFETY: called by `mcall`.
    let gp = unsafe { mcall_g(arg) };
    let mp = must_getm();
    event(mp, Some(gp), Site::Goexit0, 0, || Kind::Goexit);
    gdestroy(mp, gp);
    schedule(mp)
}

fn gdestroy(mp: &'static M, gp: &'static G) {
    event(mp, Some(gp), Site::Goexit0, 0, || Kind::Gdestroy);
    gp.casgstatus(mp, GStatus::Running, GStatus::Dead, Site::Gdestroy);
    // Relaxed, all: own; the next life is published by its own change of status.
    gp.m.store(std::ptr::null_mut(), Relaxed);
    let locked = !gp.lockedm.swap(std::ptr::null_mut(), Relaxed).is_null();
    mp.lockedg.store(std::ptr::null_mut(), Relaxed);
    gp.locked_ext.store(0, Relaxed);
    gp.locked_int.store(0, Relaxed);
    gp.preempt_stop.store(false, Relaxed);
    event(mp, Some(gp), Site::Gdestroy, 0, || Kind::GRequest { request: Request::PreemptStop(false) });
    gp.waitreason.store(0, Relaxed);
    gp.name_len.store(0, Relaxed);
    gp.name.store(std::ptr::null_mut(), Relaxed);
    dropg(mp, gp);
    mp.stats.ended.bump();
    gfput(mp, gp);
    if locked {
        // Its thread may be in any state that the goroutine left: it ends with it.
        // SAFETY: `mstart` saved it; nothing of the scheduler's stack is needed any more.
        unsafe { arch::gogo(mp.g0_sp.load(Relaxed)) }
    }
}

fn gfput(mp: &'static M, gp: &'static G) {
    let sched = mp.sched();
    let Some(pp) = mp.p() else { throw!("gfput: M{} has no P", mp.id()) };
    event(mp, Some(gp), Site::Gfput, 0, || Kind::Gfput { target_p: pp.id() });
    if StackClass::of(gp) != sched.slab.default_class() {
        return sched.slab.free(gp);
    }
    pp.gfree.push(gp);
    if let Some(cold) = pp.gfree.take_overflow(&sched.slab) {
        let state = sched.lock.lock();
        state.gfree.give(cold, &sched.slab);
        sched.note_dead(&state);
    }
}

/// The thread of `mp` ends: on its own stack, after `g0_enter` came back.
pub(crate) fn mexit(mp: &'static M) {
    let sched = mp.sched();
    if mp.p().is_some() {
        event(mp, None, Site::Mexit, 0, || Kind::MExit);
        let pp = releasep(mp);
        handoffp(mp, pp, Site::Mexit);
    }
    acknowledge_last(mp);
    // From here on the lock below must not count on `mp`, which another thread may become at once.
    setm(None);
    let mut state = sched.lock.lock();
    state.nmfreed += 1;
    mp.schedlink.store(state.freem, Relaxed);
    state.freem = std::ptr::from_ref(mp).cast_mut();
    checkdead(sched, &state);
}
