//! Running a function once for every P, at a moment when the P does nothing else.
//!
//! For what lies with the Ps so that its owner reaches it without a lock: nobody else may touch it, but every owner can be asked
//! to.
//!
//! 1. One at a time, and not while the world is stopped: `worldsema`.
//! 2. The function is run by whoever has the P: its M in the scheduler, in a signal handler or before a system call, or who gives
//!    the P away; the caller, for idle Ps and for those whose goroutine it holds in a system call.
//! 3. Always under `sched.lock`, with which the mark of the P goes: so once for each (INV-49). A P becomes idle, or is in a
//!    system call, only without the mark or seen by the caller.
//! 4. While it waits, the caller's goroutine is `Waiting` for a suspend reason, as in `stw.rs`.
//! 5. What was asked is asked again every 100 us.
//!
//! Go: `forEachP`, `runSafePointFn`. Go takes the P of a system call away for it; here the scan bit is enough.

use sigurg_traces::Kind;

use crate::facade::atomic::Ordering::SeqCst;
use crate::m::M;
use crate::p::P;
use crate::proc::preempt::preemptall;
use crate::proc::stw::ASK_AGAIN_NS;
use crate::proc::syscall::SyscallingThread;
use crate::proc::{must_getm, systemstack};
use crate::sched::{Sched, State};
use crate::status::GStatus;
use crate::throw::throw;
use crate::trace::{Site, event};
use crate::waitreason::WaitReason;

/// What is run for a P. It allocates nothing.
pub(crate) type SafePointFn = fn(sched: &'static Sched, state: &mut State, pp: &'static P);

/// Has `f` run for every P; comes back when that is done. On a goroutine.
pub(crate) fn for_each_p(f: SafePointFn) {
    let sched = must_getm().sched();
    let _one = sched.worldsema.lock();
    systemstack(|mp| {
        let (Some(gp), Some(pp)) = (mp.curg(), mp.p()) else { throw!("for_each_p: not for a goroutine") };
        mp.acquire();
        gp.cas_g_to_waiting_for_suspend_g(mp, WaitReason::FlushProcCaches, Site::ForEachP);
        ask_all(mp, pp, f);
        gp.casgstatus(mp, GStatus::Waiting, GStatus::Running, Site::ForEachP);
        mp.release();
    });
}

fn ask_all(mp: &'static M, own: &'static P, f: SafePointFn) {
    let sched = mp.sched();
    let mut state = sched.lock.lock();
    state.safe_point_fn = Some(f);
    state.safe_point_wait = sched.ps().count() as i32;
    let procs = i64::from(state.safe_point_wait);
    event(mp, None, Site::ForEachP, state.next_version(), || Kind::ForEachPBegin { procs });
    for pp in sched.ps() {
        // SeqCst: who has a P sees it after this, or is asked; who gave one up did so under the lock.
        pp.run_safe_point_fn.store(true, SeqCst);
    }
    run_safe_point_fn_locked(mp, own, &mut state);
    for pp in sched.idle_ps(&state) {
        run_safe_point_fn_locked(mp, pp, &mut state);
    }
    run_for_syscalls(mp, &mut state);
    let mut done = state.safe_point_wait == 0;
    drop(state);
    preemptall(mp);
    while !done {
        if sched.safe_point_note.sleep_for(ASK_AGAIN_NS) {
            done = true;
        } else {
            preemptall(mp);
            let mut state = sched.lock.lock();
            run_for_syscalls(mp, &mut state);
            done = state.safe_point_wait == 0;
        }
    }
    // Whoever brought the count to 0 under the lock wakes the note before it gives the lock back.
    let mut state = sched.lock.lock();
    sched.safe_point_note.clear();
    state.safe_point_fn = None;
    if let Some(pp) = sched.ps().find(|pp| owes_safe_point_fn(pp)) {
        throw!("for_each_p: P{} was left out", pp.id());
    }
    event(mp, None, Site::ForEachP, state.next_version(), || Kind::ForEachPEnd);
}

/// sched.lock held: sees to the Ps whose goroutines are in system calls.
fn run_for_syscalls(mp: &'static M, state: &mut State) {
    for pp in mp.sched().ps().filter(|pp| owes_safe_point_fn(pp)) {
        if let Some(thread) = SyscallingThread::block(mp, pp, Site::ForEachP) {
            run_safe_point_fn_locked(mp, pp, state);
            thread.resume(mp);
        }
    }
}

/// Whether a function is to be run for `pp`: certain for who holds `sched.lock`, else a hint.
#[inline]
pub(crate) fn owes_safe_point_fn(pp: &P) -> bool {
    // SeqCst: as Go's; who misses it here is asked to stop.
    pp.run_safe_point_fn.load(SeqCst)
}

/// By who has `pp`: runs what is to be run for it, if anything.
#[inline]
pub(crate) fn run_safe_point_fn(mp: &'static M, pp: &'static P) {
    if owes_safe_point_fn(pp) {
        run_safe_point_fn_locked(mp, pp, &mut mp.sched().lock.lock());
    }
}

/// As [`run_safe_point_fn`], with sched.lock held.
pub(crate) fn run_safe_point_fn_locked(mp: &'static M, pp: &'static P, state: &mut State) {
    if !owes_safe_point_fn(pp) {
        return;
    }
    let Some(f) = state.safe_point_fn else { throw!("P{} is marked, but nobody asked", pp.id()) };
    let sched = mp.sched();
    pp.run_safe_point_fn.store(false, SeqCst);
    event(mp, None, Site::RunSafePointFn, state.next_version(), || Kind::SafePointFn { target_p: pp.id() });
    f(sched, state, pp);
    state.safe_point_wait -= 1;
    if state.safe_point_wait == 0 {
        sched.safe_point_note.wakeup();
    }
}
