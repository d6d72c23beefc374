//! Waiting and being made to go on.
//!
//! 1. A goroutine is `Waiting` before its `unlock` is called, so whoever finds it through what that unlocks may ready
//!    it at once; the M that parked it does not touch it afterwards.
//! 2. A goroutine that is unwinding stays on its thread until it is done: std counts panics by thread.
//!
//! Go: `gopark`, `park_m`, `goready`, `ready`.

use std::mem::ManuallyDrop;

use sigurg_traces::Kind;

use crate::config::ThreadLocals;
use crate::dump::held;
use crate::facade::atomic::Ordering::Relaxed;
use crate::facade::getm;
use crate::g::G;
use crate::m::{M, Unlockf};
use crate::proc::locked::unwinding_stays;
use crate::proc::queue::{injectglist, put_globally, runqput};
use crate::proc::schedule::schedule;
use crate::proc::wake::wakep;
use crate::proc::{current_g, mcall, mcall_g, must_current, must_getm, must_p, settle};
use crate::sched::GQueue;
use crate::status::GStatus;
use crate::throw::throw;
use crate::trace::{Site, event, reason};
use crate::waitreason::WaitReason;

/// Parks the goroutine that calls until somebody readies it. `unlock` runs on g0 when that may happen.
pub(crate) fn gopark_with(why: WaitReason, unlock: impl FnOnce()) {
    unsafe fn call<F: FnOnce()>(arg: *mut ()) {
        // SAFETY: `arg` is `unlock` below, which is taken once, here: the goroutine cannot go on before.
        let unlock = unsafe { ManuallyDrop::take(&mut *arg.cast::<ManuallyDrop<F>>()) };
        unlock();
    }
    fn park<F: FnOnce()>(why: WaitReason, unlock: F) {
        let mut unlock = ManuallyDrop::new(unlock);
        gopark(call::<F>, (&raw mut unlock).cast(), why);
    }
    unwinding_stays(|| park(why, unlock));
    if let Some(gp) = current_g()
        && gp.sched().config.debug.threadlocals != ThreadLocals::Unchecked
    {
        held::check(gp, why, gp.sched().config.debug.threadlocals);
    }
}

/// Parks the goroutine that calls: `unlockf(arg)` runs on g0 when it can be readied. (Go's may call the park off; nobody here has a use for that.)
#[inline(never)]
fn gopark(unlockf: Unlockf, arg: *mut (), why: WaitReason) {
    let (mp, gp) = must_current("gopark");
    if gp.status.load().base() != GStatus::Running {
        must_p(mp, "gopark");
        throw!("gopark: goroutine {} is not running", gp.goid());
    }
    prepare_park(mp, unlockf, arg, why);
    event(mp, Some(gp), Site::Gopark, 0, || Kind::Gopark { reason: reason(why), unlockf: true });
    mcall(mp, gp, park_m);
}

/// What [`let_go`] is to do.
#[inline]
pub(crate) fn prepare_park(mp: &M, unlockf: Unlockf, arg: *mut (), why: WaitReason) {
    // Relaxed: this M reads them back, on g0. The reason is not the goroutine's yet: a signal may stop it for a suspender before
    // it parks, and that writes a reason of its own.
    mp.waitunlockf.store(unlockf as *mut (), Relaxed);
    mp.waitlock.store(arg, Relaxed);
    mp.waitreason.store(why as u8, Relaxed);
}

extern "C" fn park_m(arg: *mut ()) -> ! {
    // SAFETY: called by `mcall`.
    let gp = unsafe { mcall_g(arg) };
    let mp = must_getm();
    let_go(mp, gp);
    schedule(mp)
}

/// T11, on g0: the goroutine waits, and may be readied as soon as it can be found.
#[inline]
pub(crate) fn let_go(mp: &'static M, gp: &'static G) {
    // Read before the goroutine may go on. Relaxed: own; the goroutine's reason is handed over with the status.
    let why = WaitReason::from_index(mp.waitreason.load(Relaxed));
    gp.waitreason.store(why as u8, Relaxed);
    let unlockf = mp.waitunlockf.load(Relaxed);
    let lock = mp.waitlock.load(Relaxed);
    mp.stats.parks.bump();
    gp.casgstatus_park(mp, why);
    dropg(mp, gp);
    // SAFETY: `gopark` stored an `Unlockf` there.
    let unlockf: Unlockf = unsafe { std::mem::transmute::<*mut (), Unlockf>(unlockf) };
    // SAFETY: `lock` is what the same call of `gopark` gave for it.
    unsafe { unlockf(lock) };
}

/// Parts an M from the goroutine that it ran. Go: `dropg`.
#[inline]
pub(crate) fn dropg(mp: &M, gp: &G) {
    // Relaxed: whoever runs `gp` next sets it again after taking it through its status.
    gp.m.store(std::ptr::null_mut(), Relaxed);
    mp.set_curg(None);
}

/// Makes a waiting goroutine runnable: it goes next on the P of `mp`. Go: `goready`.
pub(crate) fn goready(mp: &'static M, gp: &'static G) {
    event(mp, Some(gp), Site::Goready, gp.status.load().version(), || Kind::Goready { next: Some(true) });
    ready(mp, gp, true, Site::Goready);
}

/// T19.
pub(crate) fn ready(mp: &'static M, gp: &'static G, next: bool, site: Site) {
    mp.acquire();
    let pp = must_p(mp, "ready");
    event(mp, Some(gp), site, gp.status.load().version(), || Kind::Ready { next });
    gp.casgstatus(mp, GStatus::Waiting, GStatus::Runnable, Site::Ready);
    runqput(mp, pp, gp, next);
    wakep(mp);
    mp.release();
}

/// As [`ready`], for an M without a P: the goroutine goes to the global queue (X-DUMP).
pub(crate) fn ready_globally(mp: &'static M, gp: &'static G, site: Site) {
    event(mp, Some(gp), site, gp.status.load().version(), || Kind::Ready { next: false });
    gp.casgstatus(mp, GStatus::Waiting, GStatus::Runnable, Site::Ready);
    put_globally(mp, gp);
}

/// Makes a waiting goroutine runnable, from wherever the caller runs: a goroutine, a timer on g0, a system call, or a
/// thread that is none of ours.
pub(crate) fn ready_from_anywhere(gp: &'static G) {
    let inject = |mp: &'static M| {
        let mut list = GQueue::new();
        list.push_back(gp);
        injectglist(mp, list);
    };
    match getm().map(settle) {
        // In a system call the P may be taken at any moment: it is not to be used.
        Some(mp) if std::ptr::eq(mp.sched(), gp.sched()) && mp.p().is_some() && !in_syscall(mp) => {
            goready(mp, gp)
        }
        Some(mp) if std::ptr::eq(mp.sched(), gp.sched()) && !in_syscall(mp) => inject(mp),
        _ => gp.sched().template.with_guest(gp.sched(), inject),
    }
}

fn in_syscall(mp: &M) -> bool {
    mp.curg().is_some_and(|gp| gp.status.load().base() == GStatus::Syscall)
}
