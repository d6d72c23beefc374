//! How many Ps there are.
//!
//! Go: `procresize`, `(*p).init`, `(*p).destroy`, `GOMAXPROCS`.

use sigurg_traces::Kind;

use crate::facade::atomic::Ordering::Relaxed;
use crate::facade::immortal;
use crate::m::M;
use crate::p::{P, PStatus};
use crate::proc::queue::give_up_queue;
use crate::proc::stw::restart_with;
use crate::proc::wake::{acquirep, set_pstatus};
use crate::sched::{MAX_PROCS, Sched, State};
use crate::throw::throw;
use crate::trace::{Site, event};

/// Sets the number of Ps, from 1 to [`MAX_PROCS`]; the number before. On a goroutine.
pub(crate) fn set_gomaxprocs(procs: u32) -> u32 {
    // New Ps are made before the world stops: then nobody may allocate.
    restart_with(procs, |sched| make_ps(sched, procs))
}

/// Makes the Ps below `procs` that have never been.
pub(crate) fn make_ps(sched: &'static Sched, procs: u32) {
    for id in 0..procs.min(MAX_PROCS as u32) {
        if sched.p(id as usize).is_none() {
            sched.add_p(immortal(Box::new(P::new(id as i32))));
        }
    }
}

/// World stopped, sched.lock held: makes `procs` Ps live. Those with work come back in a list linked by `link`, to be
/// started; the others are idle. The Ps have been made. `mp` has one of them afterwards.
pub(crate) fn procresize(mp: &'static M, state: &mut State, procs: u32) -> *mut P {
    let sched = mp.sched();
    let old = sched.gomaxprocs.load(Relaxed);
    let all = |range: std::ops::Range<u32>| range.filter_map(|id| sched.p(id as usize));
    // A version of its own: who takes from the queue of a P that goes away, and has no P, does so under this lock.
    event(mp, None, Site::Procresize, state.next_version(), || Kind::Procresize {
        old: i64::from(old),
        new: i64::from(procs),
    });
    for pp in all(old..procs) {
        set_pstatus(mp, pp, PStatus::Gcstop, Site::PInit);
    }
    let Some(first) = sched.p(0) else { throw!("procresize: there is no P0") };
    match mp.p() {
        Some(pp) if (pp.id() as u32) < procs => set_pstatus(mp, pp, PStatus::Running, Site::Procresize),
        own => {
            if let Some(pp) = own {
                // Relaxed: the world is stopped.
                pp.m.store(std::ptr::null_mut(), Relaxed);
                mp.set_p(None);
            }
            set_pstatus(mp, first, PStatus::Idle, Site::Procresize);
            acquirep(mp, first);
        }
    }
    let Some(own) = mp.p() else { throw!("procresize: M{} has no P", mp.id()) };
    for pp in all(procs..old) {
        give_up_queue(mp, state, pp);
        own.timers.take_from(&pp.timers);
        if let Some(dead) = pp.gfree.take_batch(u32::MAX, &sched.slab) {
            state.gfree.give(dead, &sched.slab);
        }
        set_pstatus(mp, pp, PStatus::Dead, Site::PDestroy);
    }
    // Relaxed: the world is stopped.
    sched.gomaxprocs.store(procs, Relaxed);
    let mut runnable: *mut P = std::ptr::null_mut();
    // In reverse, so that the first of the lists is the lowest.
    for pp in (0..procs).rev().filter_map(|id| sched.p(id as usize)) {
        if std::ptr::eq(pp, own) {
            continue;
        }
        set_pstatus(mp, pp, PStatus::Idle, Site::Procresize);
        if pp.runq.is_empty() {
            sched.pidleput(state, pp);
        } else {
            pp.link.store(runnable, Relaxed);
            runnable = std::ptr::from_ref(pp).cast_mut();
        }
    }
    runnable
}
