//! Asking a goroutine to stop, and stopping at a safe point.
//!
//! A request is three plain stores that may be lost or hit the wrong goroutine; whoever asks asks
//! again. Safe points are the entries of the runtime: they look at `stackguard0` only.
//!
//! Before that they look at [`ASKED`], one load from one place: the way to the guard is longer than a free lock takes. It is a
//! filter and may be lost like any request: it is set after each guard that is poisoned, by whoever asks, and again as
//! long as that is not met; it is cleared when a goroutine stops, and by sysmon every 10 ms before it asks again.
//!
//! Go: `preemptone`, `preemptall`, `canPreemptM`, `newstack` (section 5 of the state rules).

use sigurg_traces::{Guard, Kind, Request};

use crate::arch;
use crate::facade::atomic::AtomicBool;
use crate::facade::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::facade::{getm_here, global};
use crate::g::{G, STACK_PREEMPT};
use crate::m::M;
use crate::p::{P, PStatus};
use crate::proc::gosched::gopreempt_m;
use crate::proc::locked::unwinding_stays;
use crate::proc::park::dropg;
use crate::proc::schedule::schedule;
use crate::proc::{mcall, mcall_g, must_getm, on_stack_of, settle};
use crate::signal::preempt_m;
use crate::stack::shrink_stack;
use crate::status::GStatus;
use crate::throw::throw;
use crate::trace::{Site, event};

global! {
    /// Some goroutine of this process may have been asked to stop, and not have stopped. See the module.
    static ASKED: AtomicBool = AtomicBool::new(false);
}

/// Asks at the next safe point.
#[inline]
pub(crate) fn poison(gp: &G) {
    // Relaxed: see the module.
    gp.stackguard0.store(STACK_PREEMPT, Relaxed);
    remind();
}

/// Whoever was asked may look at its guard: somebody still waits.
#[inline]
pub(crate) fn remind() {
    // Release pairs with the Acquire of `safe_point`: who sees the mark sees the guard.
    ASKED.store(true, Release);
}

/// Somebody has stopped; or sysmon is about to ask anew.
pub(crate) fn nobody_was_asked() {
    // Relaxed: whoever is missed is reminded.
    ASKED.store(false, Relaxed);
}

/// Asks the goroutine that runs on `pp`, if one does, to yield. Go: `preemptone`.
pub(crate) fn preemptone(me: &'static M, pp: &'static P, site: Site) -> bool {
    let Some(mp) = pp.m().filter(|mp| !std::ptr::eq(*mp, me)) else { return false };
    let Some(gp) = mp.curg() else { return false };
    let seen = gp.status.load();
    if seen.base() == GStatus::Syscall {
        return false;
    }
    event(me, Some(gp), site, seen.version(), || Kind::PreemptOne { target_p: pp.id(), target_m: mp.id() });
    // Relaxed: see the module.
    gp.preempt.store(true, Relaxed);
    event(me, Some(gp), Site::Preemptone, 0, || Kind::GRequest { request: Request::Preempt(true) });
    poison(gp);
    event(me, Some(gp), Site::Preemptone, 0, || Kind::GRequest {
        request: Request::Stackguard0(Guard::Preempt),
    });
    if !me.sched().config.debug.asyncpreemptoff {
        pp.preempt.store(true, Relaxed);
        event(me, None, Site::Preemptone, 0, || Kind::PRequest { target_p: pp.id(), preempt: true });
        let (target_m, over, sent) = preempt_m(mp);
        event(me, None, Site::Preemptone, over, || Kind::PreemptM { target_m, sent });
    }
    true
}

/// Asks every running goroutine. Go: `preemptall`.
pub(crate) fn preemptall(me: &'static M) {
    for pp in me.sched().ps() {
        if pp.status.load() == PStatus::Running {
            preemptone(me, pp, Site::Preemptall);
        }
    }
}

/// Whether the goroutine of this M may be stopped now. Go: `canPreemptM`.
pub(crate) fn can_preempt_m(mp: &M) -> bool {
    // Relaxed: own.
    mp.locks.load(Relaxed) == 0
        && mp.p().is_some_and(|pp| pp.status.load() == PStatus::Running)
        && mp.curg().is_some_and(|gp| {
            gp.status.load().base() != GStatus::Syscall && gp.preempt_off.load(Relaxed) == 0
        })
}

/// A place where the goroutine that calls may be stopped: it is, if it was asked to. Elsewhere nothing happens. Go: the
/// prologue of a function.
#[inline(always)]
pub(crate) fn safe_point() {
    // Acquire pairs with `remind`.
    if ASKED.load(Acquire) && guard_is_poisoned() {
        newstack();
    }
}

#[cold]
#[inline(never)]
fn guard_is_poisoned() -> bool {
    // Relaxed: a request that is missed here is met at the next safe point.
    getm_here().and_then(M::curg).is_some_and(|gp| gp.stackguard0.load(Relaxed) == STACK_PREEMPT)
}

#[cold]
#[inline(never)]
fn newstack() {
    let mp = settle(must_getm());
    // Not from g0, and not in a system call: there the guard is poisoned throughout (T34).
    if let Some(gp) = mp.curg()
        && gp.status.load().base() == GStatus::Running
        && on_stack_of(gp)
    {
        unwinding_stays(|| mcall(mp, gp, newstack_m));
    }
}

extern "C" fn newstack_m(arg: *mut ()) -> ! {
    // SAFETY: called by `mcall`.
    let gp: &'static G = unsafe { mcall_g(arg) };
    let mp = must_getm();
    // NS-1 has nothing to refuse: nobody forks, and `newstack` turned back whoever is in a system call.
    // NS-2: the guard decides, read once. Relaxed: no handler comes here, on g0. It is in order if one came after the safe
    // point looked: the goroutine has been away already. Stacks do not grow (NS-6): it goes on.
    if gp.stackguard0.load(Relaxed) != STACK_PREEMPT {
        go_on(gp);
    }
    // Relaxed: under the scan bit, or own.
    let preempt_shrink = gp.preempt_shrink.load(Relaxed);
    let can_preempt = can_preempt_m(mp);
    // Relaxed: set in a window that the changes of status below wait for.
    let preempt_stop = gp.preempt_stop.load(Relaxed);
    event(mp, Some(gp), Site::Newstack, 0, || Kind::Newstack {
        preempt: true,
        preempt_stop,
        preempt_shrink,
        can_preempt,
    });
    if !can_preempt {
        // NS-3: `preempt` stays, and whoever gives the last lock back asks again (C11). No status has changed (INV-43).
        gp.stackguard0.store(gp.stack_lo(), Relaxed);
        event(mp, Some(gp), Site::Newstack, 0, || Kind::GRequest {
            request: Request::Stackguard0(Guard::Normal),
        });
        go_on(gp);
    }
    // NS-4.
    let sp = gp.sp.load(Relaxed);
    if !(gp.stack_lo()..gp.stack_hi()).contains(&sp) {
        throw!("newstack: goroutine {} is at {sp:#x}, not on its stack", gp.goid());
    }
    // NS-5: first what it gives back, then the choice (C1).
    mp.stats.preempted_sync.bump();
    nobody_was_asked();
    if preempt_shrink {
        gp.preempt_shrink.store(false, Relaxed);
        event(mp, Some(gp), Site::Newstack, 0, || Kind::GRequest { request: Request::PreemptShrink(false) });
        // Every switch is a call: nothing below the saved stack pointer is live.
        shrink_stack(mp, gp, sp);
    }
    if preempt_stop {
        event(mp, Some(gp), Site::PreemptPark, 0, || Kind::PreemptPark { by_signal: false });
        publish_preempted(mp, gp);
        schedule(mp);
    }
    event(mp, Some(gp), Site::GopreemptM, 0, || Kind::PreemptYield { by_signal: false });
    gopreempt_m(arg)
}

/// Back to where `newstack` was called.
fn go_on(gp: &G) -> ! {
    // SAFETY: `mcall` saved it just now, and nothing ran on it since.
    unsafe { arch::gogo(gp.sp.load(Relaxed)) }
}

/// T16, T17: the goroutine of this M becomes `Preempted`; from then on a suspender may claim it, and nobody else will run
/// it. Go: `preemptPark`.
pub(crate) fn publish_preempted(mp: &'static M, gp: &'static G) {
    gp.cas_g_to_preempt_scan(mp, Site::PreemptPark);
    // In between, so that nobody claims a goroutine that an M still names.
    dropg(mp, gp);
    gp.casfrom_gscanstatus(mp, GStatus::Preempted, Site::PreemptPark);
}
