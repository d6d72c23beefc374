//! System calls: the goroutine's P may be taken while it is away.
//!
//! 1. In a system call the M keeps its P, `Prunning`, but does not touch it: who holds the scan bit of the goroutine may
//!    cut the link (since Go 1.26 there is no status of a P for this).
//! 2. Coming back, the goroutine is `Running` first and gets a P afterwards: the old one if nobody took it, any other,
//!    or it waits in the global queue.
//! 3. Between the change of status and having a P, `m.locks` is not zero (INV-21).
//!
//! Go: `entersyscall`, `exitsyscall`, `setBlockOnExitSyscall`, `syscallingThread` (1.26 and later).

use sigurg_traces::{Guard, Kind, PutHow, Request};

use crate::facade::atomic::Ordering::{Relaxed, SeqCst};
use crate::g::{G, STACK_PREEMPT};
use crate::m::M;
use crate::p::{P, PStatus};
use crate::proc::for_each_p::{owes_safe_point_fn, run_safe_point_fn};
use crate::proc::locked::{stoplockedm, unwinding_stays};
use crate::proc::park::dropg;
use crate::proc::preempt::poison;
use crate::proc::queue::globrunqput;
use crate::proc::schedule::{execute, schedule};
use crate::proc::stw::p_stopped;
use crate::proc::wake::{acquirep, set_pstatus, stopm, work_is_urgent};
use crate::proc::{mcall, mcall_g, must_getm, must_p, systemstack};
use crate::sched::{SYSMON_AWAKE, Sched, State};
use crate::status::GStatus;
use crate::throw::throw;
use crate::trace::{Site, event};

/// T34. The goroutine that calls uses nothing of the runtime until [`exitsyscall`].
#[inline(never)]
pub(crate) fn entersyscall() {
    let mp = must_getm();
    // First: a signal between a look at the P and this could take the P.
    mp.acquire();
    let pp = must_p(mp, "entersyscall");
    let Some(gp) = mp.curg() else { throw!("entersyscall: not on a goroutine") };
    mp.stats.syscalls.bump();
    let here = 0u8;
    gp.syscallsp.store((&raw const here).addr(), Relaxed);
    // Relaxed, all: own, or looked at under the scan bit.
    gp.stackguard0.store(STACK_PREEMPT, Relaxed);
    event(mp, Some(gp), Site::Reentersyscall, 0, || Kind::GRequest {
        request: Request::Stackguard0(Guard::Preempt),
    });
    mp.syscalltick.store(pp.syscalltick.load(Relaxed), Relaxed);
    mp.oldp.store(std::ptr::from_ref(pp).cast_mut(), Relaxed);
    let sched = mp.sched();
    // SeqCst: as Go's; what is missed here is found by the initiator under the scan bit.
    if sched.gcwaiting.load(SeqCst) {
        systemstack(|mp| stop_p_for_stw(mp, pp));
    }
    if owes_safe_point_fn(pp) {
        systemstack(|mp| run_safe_point_fn(mp, pp));
    }
    gp.casgstatus_direct(mp, GStatus::Running, GStatus::Syscall, Site::Reentersyscall);
    wake_sysmon(sched);
    mp.unlock_quietly();
}

/// PS12: the world is to stop, and this M is about to be away.
fn stop_p_for_stw(mp: &'static M, pp: &'static P) {
    let sched = mp.sched();
    let mut state = sched.lock.lock();
    if state.stopwait > 0 {
        // Relaxed, all: under the lock; the world is about to be stopped.
        pp.m.store(std::ptr::null_mut(), Relaxed);
        mp.set_p(None);
        set_pstatus(mp, pp, PStatus::Gcstop, Site::EntersyscallHandleGCWait);
        pp.syscalltick.store(pp.syscalltick.load(Relaxed).wrapping_add(1), Relaxed);
        p_stopped(sched, &mut state);
    }
}

/// sysmon may have been looking around but seldom, or not at all; now a P may have to be retaken soon.
fn wake_sysmon(sched: &Sched) {
    // SeqCst: after the change of status; sysmon looks at the Ps after it has set the mark.
    if sched.sysmonwait.load(SeqCst) != SYSMON_AWAKE {
        let _state = sched.lock.lock();
        wake_sysmon_locked(sched);
    }
}

/// sched.lock held.
pub(crate) fn wake_sysmon_locked(sched: &Sched) {
    if sched.sysmonwait.load(SeqCst) != SYSMON_AWAKE {
        sched.sysmonwait.store(SYSMON_AWAKE, SeqCst);
        sched.sysmonnote.wakeup();
    }
}

/// T36: back from [`entersyscall`].
#[inline(never)]
pub(crate) fn exitsyscall() {
    let mp = must_getm();
    let Some(gp) = mp.curg() else { throw!("exitsyscall: not on a goroutine") };
    mp.acquire();
    leave_syscall(mp, gp);
}

/// The rest of [`exitsyscall`], with `m.locks` raised, which it lowers.
pub(super) fn leave_syscall(mp: &'static M, gp: &'static G) {
    // Relaxed, all: own; the P was cut off under the scan bit if at all, which the change of status waits for.
    gp.waitsince.store(0, Relaxed);
    gp.casgstatus_direct(mp, GStatus::Syscall, GStatus::Running, Site::Exitsyscall);
    mp.adoption.end();
    let oldp = mp.oldp.swap(std::ptr::null_mut(), Relaxed);
    if mp.p().is_none() {
        // SAFETY: null, or a P, which is never freed.
        let oldp = unsafe { oldp.as_ref() };
        systemstack(|mp| {
            if let Some(pp) = exitsyscall_try_get_p(mp, oldp) {
                acquirep(mp, pp);
            }
        });
    }
    let Some(pp) = mp.p() else {
        mp.unlock_quietly();
        unwinding_stays(|| mcall(mp, gp, exitsyscall_no_p));
        bump_syscalltick();
        return;
    };
    mp.adoption.take_returned();
    pp.syscalltick.store(pp.syscalltick.load(Relaxed).wrapping_add(1), Relaxed);
    let preempt = gp.preempt.load(Relaxed);
    let named = if preempt {
        poison(gp);
        Guard::Preempt
    } else {
        gp.stackguard0.store(gp.stack_lo(), Relaxed);
        Guard::Normal
    };
    event(mp, Some(gp), Site::Exitsyscall, 0, || Kind::GRequest { request: Request::Stackguard0(named) });
    // Last: stopped by signal before, it would undo a request that was made since it goes on. One that comes before this is
    // repeated.
    mp.unlock_quietly();
}

/// The goroutine came back through the scheduler, perhaps on another M.
#[inline(never)]
fn bump_syscalltick() {
    if let Some(pp) = must_getm().p() {
        pp.syscalltick.store(pp.syscalltick.load(Relaxed).wrapping_add(1), Relaxed);
    }
}

/// The old P if another system call has it, else an idle one.
fn exitsyscall_try_get_p(mp: &'static M, oldp: Option<&'static P>) -> Option<&'static P> {
    let sched = mp.sched();
    if let Some(oldp) = oldp
        && let Some(thread) = SyscallingThread::block(mp, oldp, Site::ExitsyscallTryGetP)
    {
        thread.take_p(mp);
        thread.resume(mp);
        return Some(oldp);
    }
    // SeqCst: a hint, checked under the lock.
    if sched.npidle.load(SeqCst) == 0 {
        return None;
    }
    let mut state = sched.lock.lock();
    let pp = sched.pidleget(&mut state)?;
    wake_sysmon_locked(sched);
    Some(pp)
}

/// T37: no P to be had at once.
extern "C" fn exitsyscall_no_p(arg: *mut ()) -> ! {
    // SAFETY: called by `mcall`.
    let gp = unsafe { mcall_g(arg) };
    let mp = must_getm();
    let sched = mp.sched();
    gp.casgstatus(mp, GStatus::Running, GStatus::Runnable, Site::ExitsyscallNoP);
    dropg(mp, gp);
    // Read before the goroutine may run elsewhere. Relaxed: own until then.
    let locked = gp.lockedm().is_some();
    let mut state = sched.lock.lock();
    let pp = sched.pidleget(&mut state);
    match pp {
        Some(_) => wake_sysmon_locked(sched),
        None => globrunqput(mp, &mut state, gp, PutHow::One),
    }
    drop(state);
    let adopted = mp.adoption.take_returned();
    if let Some(pp) = pp {
        acquirep(mp, pp);
        execute(mp, gp, false);
    }
    if adopted {
        // X-WAKE: it has computed little since the P was taken from it.
        work_is_urgent(sched);
    }
    if locked {
        stoplockedm(mp);
        execute(mp, gp, false);
    }
    stopm(mp);
    schedule(mp)
}

/// A P whose M is in a system call, and which cannot come back while this is held: the scan bit of its goroutine.
pub(crate) struct SyscallingThread {
    gp: &'static G,
    mp: &'static M,
    pp: &'static P,
}

impl SyscallingThread {
    /// Holds the goroutine that runs on `pp` in its system call, if it is in one. Go: `setBlockOnExitSyscall`.
    pub(crate) fn block(me: &'static M, pp: &'static P, site: Site) -> Option<Self> {
        if pp.status.load() != PStatus::Running {
            return None;
        }
        let mp = pp.m()?;
        let gp = mp.curg()?;
        if gp.status.load().base() != GStatus::Syscall
            || !gp.castogscanstatus(me, GStatus::Syscall, Site::SetBlockOnExitSyscall)
        {
            return None;
        }
        // The links were read without protection: they may belong to an earlier moment.
        let same_m = gp.m().is_some_and(|m| std::ptr::eq(m, mp));
        let same_p = mp.p().is_some_and(|p| std::ptr::eq(p, pp));
        if !same_m || !same_p {
            gp.casfrom_gscanstatus(me, GStatus::Syscall, Site::SetBlockOnExitSyscall);
            return None;
        }
        Some(Self::held(me, gp, mp, pp, site))
    }

    /// `gp` is in a system call, on `mp` with `pp`, and the caller holds its scan bit.
    pub(super) fn held(me: &M, gp: &'static G, mp: &'static M, pp: &'static P, site: Site) -> Self {
        event(me, Some(gp), site, 0, || Kind::SyscallBlock { target_p: pp.id(), target_m: mp.id() });
        Self { gp, mp, pp }
    }

    /// PS11: the P is the caller's.
    pub(crate) fn take_p(&self, me: &'static M) {
        me.stats.retakes.bump();
        self.cut(me, PStatus::Idle, Site::TakeP);
    }

    /// PS10: the P is stopped. sched.lock held.
    pub(crate) fn gcstop_p(&self, me: &'static M, state: &mut State) {
        self.cut(me, PStatus::Gcstop, Site::GcstopP);
        state.stopwait -= 1;
    }

    fn cut(&self, me: &'static M, to: PStatus, site: Site) {
        // Relaxed: handed over with the scan bit, which the M must wait for.
        self.pp.m.store(std::ptr::null_mut(), Relaxed);
        self.mp.set_p(None);
        set_pstatus(me, self.pp, to, site);
        self.pp.syscalltick.store(self.pp.syscalltick.load(Relaxed).wrapping_add(1), Relaxed);
    }

    /// Lets the goroutine come back.
    pub(crate) fn resume(self, me: &'static M) {
        self.gp.casfrom_gscanstatus(me, GStatus::Syscall, Site::SyscallingThreadResume);
    }
}
