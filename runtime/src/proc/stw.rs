//! Stopping the world: no P runs anything but the goroutine that asked.
//!
//! 1. One at a time: `worldsema`.
//! 2. While it waits, the initiator's goroutine is `Waiting` for a suspend reason, so that a suspender does not wait for it
//!    while it waits for the suspender's P.
//! 3. Each P is stopped by whoever has it: its M at the next safe point, the initiator if it is idle, waits for a thread that is
//!    yet to be made, or its goroutine is in a system call, or whoever has it in hand. `stopwait` counts them down under `sched.lock`.
//! 4. What was asked is asked again, at last every 100 us, and Ps in system calls are looked at again too: Go does not, and waits
//!    for the end of the call if a scanner happened to hold the goroutine the first time.
//!
//! Go: `stopTheWorldWithSema`, `startTheWorldWithSema`, `gcstopm`.

use sigurg_traces::Kind;

use crate::facade::atomic::Ordering::{Relaxed, SeqCst};
use crate::facade::nanotime;
use crate::m::M;
use crate::p::PStatus;
use crate::proc::adopt::foreign_call;
use crate::proc::preempt::preemptall;
use crate::proc::procresize::procresize;
use crate::proc::queue::injectglist;
use crate::proc::syscall::{SyscallingThread, wake_sysmon_locked};
use crate::proc::wake::{releasep, set_pstatus, startm, stop_spinning, stopm, wakep};
use crate::proc::{must_getm, systemstack};
use crate::sched::{GQueue, Sched, State};
use crate::status::GStatus;
use crate::throw::throw;
use crate::trace::{Site, event, reason};
use crate::waitreason::WaitReason;

/// How long to wait for Ps to stop before asking again, at most, nanoseconds.
pub(crate) const ASK_AGAIN_NS: i64 = 100_000;
/// The same at first. Whoever was on the way to a P when all were asked has not heard of it: soon after a restart that is usual.
const ASK_SOON_NS: i64 = 10_000;

/// Stops the world, starts it with `procs` Ps, and returns how many there were. On a goroutine. `prepare` comes first, while
/// nobody else can stop the world, and may allocate.
pub(crate) fn restart_with(procs: u32, prepare: impl FnOnce(&'static Sched)) -> u32 {
    let sched = must_getm().sched();
    let _one = sched.worldsema.lock();
    // Relaxed: only whoever has `worldsema` changes it.
    let before = sched.gomaxprocs.load(Relaxed);
    if procs != before {
        prepare(sched);
        systemstack(|mp| {
            stop_the_world(mp, None);
            start_the_world(mp, procs);
        });
    }
    before
}

/// Calls `f` while nothing else runs. On a goroutine.
pub(crate) fn with_world_stopped<T>(f: impl FnOnce() -> T) -> T {
    /// Starts it again, also when `f` unwinds.
    struct Stopped(&'static Sched);
    impl Drop for Stopped {
        fn drop(&mut self) {
            // Relaxed: changes only with the world stopped.
            let procs = self.0.gomaxprocs.load(Relaxed);
            systemstack(|mp| {
                mp.release();
                start_the_world(mp, procs);
            });
        }
    }
    let sched = must_getm().sched();
    let _one = sched.worldsema.lock();
    systemstack(|mp| {
        stop_the_world(mp, None);
        // Its P runs nothing that could be switched to.
        mp.acquire();
    });
    let _stopped = Stopped(sched);
    f()
}

/// Stops the world for good: the program's main goroutine has ended. `false` if goroutines still run after `patience_ns`
/// nanoseconds.
pub(crate) fn stop_for_ever(patience_ns: i64) -> bool {
    let sched = must_getm().sched();
    let one = sched.worldsema.lock();
    // Nobody stops the world after this.
    std::mem::forget(one);
    systemstack(|mp| stop_the_world(mp, Some(nanotime() + patience_ns)))
}

/// On g0. Whether everything has stopped: without `until`, yes.
fn stop_the_world(mp: &'static M, until: Option<i64>) -> bool {
    let sched = mp.sched();
    let (Some(gp), Some(pp)) = (mp.curg(), mp.p()) else { throw!("stop_the_world: not for a goroutine") };
    // Relaxed: own.
    if mp.locks.load(Relaxed) != 0 {
        throw!("stop_the_world: M{} holds locks", mp.id());
    }
    let why = reason(WaitReason::StoppingTheWorld);
    event(mp, None, Site::StopTheWorldWithSema, 0, || Kind::StwBegin { reason: why });
    gp.cas_g_to_waiting_for_suspend_g(mp, WaitReason::StoppingTheWorld, Site::StopTheWorldWithSema);

    let mut state = sched.lock.lock();
    // Relaxed: changes only with the world stopped.
    state.stopwait = sched.gomaxprocs.load(Relaxed) as i32;
    // SeqCst: whoever takes a P after this sees it; whoever took one before is in the loops below.
    sched.gcwaiting.store(true, SeqCst);
    preemptall(mp);
    set_pstatus(mp, pp, PStatus::Gcstop, Site::StopTheWorldWithSema);
    state.stopwait -= 1;
    while let Some(idle) = sched.pidleget(&mut state) {
        set_pstatus(mp, idle, PStatus::Gcstop, Site::StopTheWorldWithSema);
        state.stopwait -= 1;
    }
    stop_without_their_ms(mp, &mut state);
    let mut stopped = state.stopwait == 0;
    drop(state);
    let mut rounds = 0u32;
    let mut patience = ASK_SOON_NS;
    while !stopped {
        if sched.stopnote.sleep_for(patience) {
            stopped = true;
        } else {
            rounds += 1;
            patience = (patience * 2).min(ASK_AGAIN_NS);
            if rounds.is_multiple_of(10) {
                stop_foreign_calls(mp);
            }
            preemptall(mp);
            let mut state = sched.lock.lock();
            stop_without_their_ms(mp, &mut state);
            stopped = state.stopwait == 0;
        }
        if !stopped && until.is_some_and(|until| nanotime() >= until) {
            return false;
        }
    }
    // Whoever brought the count to 0 under the lock wakes the note before it gives the lock back.
    drop(sched.lock.lock());
    sched.stopnote.clear();
    if let Some(pp) = sched.ps().find(|pp| pp.status.load() != PStatus::Gcstop) {
        throw!("stop_the_world: P{} is {:?}", pp.id(), pp.status.load());
    }
    event(mp, None, Site::StopTheWorldWithSema, 0, || Kind::StwStopped { reason: why });
    gp.casgstatus(mp, GStatus::Waiting, GStatus::Running, Site::StopTheWorldWithSema);
    true
}

/// sched.lock held: stops the Ps whose goroutines are in system calls, and those that wait for a thread.
fn stop_without_their_ms(mp: &'static M, state: &mut State) {
    let sched = mp.sched();
    while let Some(pp) = sched.template.take_back(sched, state) {
        set_pstatus(mp, pp, PStatus::Gcstop, Site::StopTheWorldWithSema);
        state.stopwait -= 1;
    }
    for pp in sched.ps() {
        if let Some(thread) = SyscallingThread::block(mp, pp, Site::StopTheWorldWithSema) {
            thread.gcstop_p(mp, state);
            thread.resume(mp);
        }
    }
}

/// Stops the Ps whose goroutines sleep in foreign calls: where SIGURG is masked no signal comes through.
fn stop_foreign_calls(mp: &'static M) {
    for pp in mp.sched().ps() {
        if let Some(thread) = foreign_call(mp, pp, Site::StopTheWorldWithSema) {
            thread.gcstop_p(mp, &mut mp.sched().lock.lock());
            thread.resume(mp);
        }
    }
}

/// On g0, world stopped by this M.
fn start_the_world(mp: &'static M, procs: u32) {
    let sched = mp.sched();
    mp.acquire();
    event(mp, None, Site::StartTheWorldWithSema, 0, || Kind::StwStart);
    let mut ready = GQueue::new();
    sched.netpoll.poll(0, |gp| ready.push_back(gp));
    let mut state = sched.lock.lock();
    let mut runnable = procresize(mp, &mut state, procs);
    // SeqCst as in `stop_the_world`.
    sched.gcwaiting.store(false, SeqCst);
    wake_sysmon_locked(sched);
    drop(state);
    // SAFETY: null, or a P, which is never freed; Relaxed: the list is this M's.
    while let Some(pp) = unsafe { runnable.as_ref() } {
        runnable = pp.link.load(Relaxed);
        startm(mp, pp, false, Site::StartTheWorldWithSema);
    }
    event(mp, None, Site::StartTheWorldWithSema, 0, || Kind::StwStarted { procs: i64::from(procs) });
    injectglist(mp, ready);
    wakep(mp);
    mp.release();
}

/// PS06: this M, which has a P and no goroutine, stops for the world.
pub(crate) fn gcstopm(mp: &'static M) {
    let sched = mp.sched();
    // Relaxed: own.
    if mp.spinning.load(Relaxed) {
        stop_spinning(mp);
    }
    let pp = releasep(mp);
    let mut state = sched.lock.lock();
    set_pstatus(mp, pp, PStatus::Gcstop, Site::Gcstopm);
    p_stopped(sched, &mut state);
    drop(state);
    stopm(mp);
}

/// sched.lock held: one P less to wait for.
pub(crate) fn p_stopped(sched: &Sched, state: &mut State) {
    state.stopwait -= 1;
    if state.stopwait == 0 {
        sched.stopnote.wakeup();
    }
}
