//! Preemption at any instruction: the goroutine stays where it is, in its thread's signal handler (X-PARK).
//!
//! The handler makes the goroutine runnable *while it is locked to its M*, hands the P to another M and waits, as `stoplockedm`
//! does; whoever takes the goroutine from its queue hands a P back, as `startlockedm` does; then the handler returns and
//! the goroutine goes on. So this is the rule for locked goroutines, entered by signal. No other goroutine runs
//! on that thread meanwhile: whatever was interrupted, in malloc, in a thread-local, with a lock held, finds
//! everything as it was.
//!
//! Two rules keep it free of deadlock:
//!
//! 1. *Spare M.* The interrupted code may hold malloc's lock, and making a thread needs it. So the P goes to an M that is
//!    idle already. If there is none, the template thread, which never holds a P, is to make one; but it may have to wait for a
//!    goroutine that was stopped here with that lock held, and so may the goroutine that runs. So meanwhile the P goes to a
//!    goroutine that has its thread, in whichever queue it lies: all that were stopped take turns. If there is none either, the handler declines.
//! 2. *No foreign lock.* What runs on g0 or holds a `Lock` takes no lock that goroutines can hold (`lock.rs`), so nobody who is
//!    needed to run the goroutine again waits for it.
//!
//! A goroutine whose maker allows it is stopped as Go does it instead, by an injected call, where that is proved to be safe (`inject.rs`).
//!
//! Go: `doSigPreempt`, `wantAsyncPreempt`.

use std::ffi::c_void;

use sigurg_traces::{Kind, PutHow, Reject};

use crate::facade::atomic::Ordering::{Relaxed, SeqCst};
use crate::g::G;
use crate::m::M;
use crate::p::{P, PStatus};
use crate::proc::adopt;
use crate::proc::for_each_p::run_safe_point_fn;
use crate::proc::inject::{Safe, in_traces, inject, is_async_safe_point, is_worth_waiting, note_declined};
use crate::proc::locked::{bind, count_idle, hand_to_locked, take_locked, tell_startlockedm, unbind_if_free};
use crate::proc::park::dropg;
use crate::proc::preempt::{can_preempt_m, nobody_was_asked, publish_preempted};
use crate::proc::queue::{globrunqput, runqput};
use crate::proc::schedule::run_here;
use crate::proc::stw::p_stopped;
use crate::proc::syscall::wake_sysmon_locked;
use crate::proc::wake::{acquirep, give_p, releasep, set_pstatus, take_nextp, wakep};
use crate::sched::{Sched, State};
use crate::signal;
use crate::status::GStatus;
use crate::trace::{Site, event};

/// The thread of `mp` was interrupted at stack pointer `sp`: stops the goroutine there if somebody asked and nothing
/// speaks against it.
pub(crate) fn do_sig_preempt(mp: &'static M, sp: usize, context: *mut c_void) {
    // Relaxed: own. SIGURG is masked here, so handlers do not nest.
    mp.in_handler.store(true, Relaxed);
    mp.adoption.wait_for_look();
    if mp.adoption.is_adopted() {
        adopt::signalled(mp, sp, context);
    } else {
        stop_if_asked(mp, sp, context);
    }
    mp.in_handler.store(false, Relaxed);
}

fn stop_if_asked(mp: &'static M, sp: usize, context: *mut c_void) {
    let seen = mp.signal.version();
    let interrupted = interrupted(mp, sp);
    let asked = interrupted.filter(|gp| asked(mp, gp));
    let stoppable = asked.ok_or(None).and_then(|gp| stoppable(mp, gp, context).map_err(Some));
    event(mp, interrupted, Site::DoSigPreempt, seen, || Kind::SigPreempt {
        want: asked.is_some(),
        safe: stoppable.is_ok(),
        reject: stoppable.as_ref().err().copied().flatten(),
    });
    // Before the wait: whoever asked may look for this.
    acknowledge(mp, interrupted);
    match stoppable {
        Ok(Stop::Inject(safe)) => inject(mp, safe, context),
        Ok(Stop::Park(park)) => park_in_handler(mp, park, context),
        Err(reject) => {
            mp.stats.declined.bump();
            if reject.is_some() {
                note_declined(mp);
            }
        }
    }
}

/// A signal that somebody else sent has no mark to take away.
fn acknowledge(mp: &M, interrupted: Option<&G>) {
    let (version, generation, ours) = mp.signal.acknowledge();
    let site = if ours { Site::DoSigPreempt } else { Site::Sigfwdgo };
    event(mp, interrupted, site, version, || Kind::SigAck { generation });
}

/// The handler has nothing to say of what it interrupted.
pub(super) fn tell_looked(mp: &M, interrupted: Option<&G>) {
    event(mp, interrupted, Site::DoSigPreempt, mp.signal.version(), || Kind::SigPreempt {
        want: false,
        safe: false,
        reject: None,
    });
    acknowledge(mp, interrupted);
}

/// The thread of `mp` is about to end and takes no more signals: one that was sent is acknowledged, so that the next
/// thread of this M can be sent one.
pub(crate) fn acknowledge_last(mp: &'static M) {
    signal::block();
    // Relaxed: after the end nobody sends any more, and what a goroutine that went on without a P does is in no trace.
    if mp.signal.is_pending() && !mp.sched().ended.load(Relaxed) {
        tell_looked(mp, None);
    }
}

/// The goroutine that the signal interrupted; none if that was the scheduler, another handler, or one of the few
/// instructions between two stacks (AS-01).
fn interrupted(mp: &M, sp: usize) -> Option<&'static G> {
    mp.curg().filter(|gp| (gp.stack_lo()..=gp.stack_hi()).contains(&sp))
}

/// Whether the goroutine of this M, or its P, was asked to stop. Go: `wantAsyncPreempt`.
fn asked(mp: &M, gp: &G) -> bool {
    // Relaxed: requests are plain stores (`preempt.rs`).
    let wanted = gp.preempt.load(Relaxed) || mp.p().is_some_and(|pp| pp.preempt.load(Relaxed));
    wanted && gp.status.load().base() == GStatus::Running
}

/// How to stop a goroutine.
enum Stop {
    /// It calls `async_preempt2`, and goes on anywhere.
    Inject(Safe),
    /// It stays where it is.
    Park(Park),
}

/// What is needed to stop a goroutine where it is.
struct Park {
    gp: &'static G,
    pp: &'static P,
    heir: Heir,
}

/// Whether `gp` can be stopped here, and how; Go's reasons where not, and `Other` where there is nobody to go on with the P.
fn stoppable(mp: &'static M, gp: &'static G, context: *mut c_void) -> Result<Stop, Reject> {
    if !can_preempt_m(mp) {
        return Err(Reject::MNotPreemptible);
    }
    let pp = mp.p().ok_or(Reject::MNotPreemptible)?;
    // The P may go to a goroutine that has its thread, and so not come to the scheduler for long.
    run_safe_point_fn(mp, pp);
    let mut reject = Reject::Other;
    // Relaxed: its own, since before it ran.
    if gp.injectable.load(Relaxed) {
        match is_async_safe_point(mp, gp, context) {
            Ok(safe) => return Ok(Stop::Inject(safe)),
            Err(why) => {
                reject = in_traces(why);
                if is_worth_waiting(mp, pp, gp, why) {
                    return Err(reject);
                }
            }
        }
    }
    let heir = heir(mp, &mut mp.sched().lock.lock(), pp);
    // What was looked through for it lies in the global queue now, where who looks for work may have been already.
    let heir = heir.ok_or_else(|| {
        wakep(mp);
        reject
    })?;
    Ok(Stop::Park(Park { gp, pp, heir }))
}

/// Who goes on with the P of a goroutine that is stopped.
enum Heir {
    /// An M off the idle list.
    Idle(&'static M),
    /// A goroutine, in hand, that has an M of its own.
    Locked(&'static G),
    /// Nobody: the world is to stop, and the P with it.
    World,
}

/// sched.lock held.
fn heir(mp: &'static M, state: &mut State, pp: &'static P) -> Option<Heir> {
    let sched = mp.sched();
    // SeqCst: as in `gosched_impl`.
    if sched.gcwaiting.load(SeqCst) {
        return Some(Heir::World);
    }
    if let Some(nmp) = sched.mget(state) {
        return Some(Heir::Idle(nmp));
    }
    sched.template.want_spare();
    take_locked(mp, state, pp).map(Heir::Locked)
}

/// Stops the goroutine of `mp` until it is scheduled again.
fn park_in_handler(mp: &'static M, park: Park, context: *mut c_void) {
    let Park { gp, pp, heir } = park;
    let sched = mp.sched();
    nobody_was_asked();
    lock_here(mp, gp);
    // Relaxed: handed over with the status; whoever looks at the stack of this goroutine finds its registers here.
    mp.interrupted.store(context.cast(), Relaxed);
    // C2. Relaxed: set in a window that the change of status below waits for.
    if gp.preempt_stop.load(Relaxed) {
        event(mp, Some(gp), Site::PreemptPark, 0, || Kind::PreemptPark { by_signal: true });
        publish_preempted(mp, gp);
    } else {
        event(mp, Some(gp), Site::GopreemptM, 0, || Kind::PreemptYield { by_signal: true });
        event(mp, Some(gp), Site::GoschedImpl, 0, || Kind::GoschedImpl { preempted: Some(true) });
        gp.casgstatus(mp, GStatus::Running, GStatus::Runnable, Site::GoschedImpl);
        dropg(mp, gp);
        // SeqCst: as in `gosched_impl`. Where the heir is the world this is still so: it waits for this P.
        if sched.gcwaiting.load(SeqCst) {
            // It goes on first on the same P when the world does.
            runqput(mp, pp, gp, true);
        } else {
            globrunqput(mp, &mut sched.lock.lock(), gp, PutHow::One);
        }
    }
    // As `gosched_impl`, and for what was looked through: the heir may go on with something else for long.
    if !matches!(heir, Heir::World) {
        wakep(mp);
    }
    event(mp, Some(gp), Site::Stoplockedm, 0, || Kind::Stoplockedm);
    if let Heir::Locked(next) = heir {
        tell_startlockedm(mp, next, Site::Startlockedm);
    }
    releasep(mp);
    match heir {
        Heir::Idle(nmp) => hand_to(mp, sched, pp, nmp),
        Heir::Locked(next) => {
            mp.stats.handoffs.bump();
            hand_to_locked(pp, next);
        }
        Heir::World => {
            let mut state = sched.lock.lock();
            set_pstatus(mp, pp, PStatus::Gcstop, Site::Gcstopm);
            p_stopped(sched, &mut state);
        }
    }
    if stay(mp, gp) {
        go_on(mp, gp);
    }
}

/// X-ADOPT, as T36 and T37: the goroutine of `mp` is back from a system call and has no P; it takes an idle one, or waits here to be scheduled.
pub(super) fn stay_until_idle_p(mp: &'static M, gp: &'static G) {
    let sched = mp.sched();
    gp.casgstatus_direct(mp, GStatus::Syscall, GStatus::Running, Site::Recall);
    mp.adoption.end();
    // It computes, and can wait.
    mp.adoption.take_returned();
    // Relaxed: own.
    mp.oldp.store(std::ptr::null_mut(), Relaxed);
    lock_here(mp, gp);
    gp.casgstatus(mp, GStatus::Running, GStatus::Runnable, Site::Recall);
    dropg(mp, gp);
    let mut state = sched.lock.lock();
    let pp = sched.pidleget(&mut state);
    match pp {
        Some(_) => wake_sysmon_locked(sched),
        None => globrunqput(mp, &mut state, gp, PutHow::One),
    }
    drop(state);
    if let Some(pp) = pp {
        acquirep(mp, pp);
        return go_on(mp, gp);
    }
    event(mp, Some(gp), Site::Stoplockedm, 0, || Kind::Stoplockedm);
    if stay(mp, gp) {
        go_on(mp, gp);
    }
}

/// Whatever happens, the goroutine goes on here.
fn lock_here(mp: &'static M, gp: &'static G) {
    mp.stats.preempted_park.bump();
    bind(mp, gp);
    // Relaxed: own.
    gp.locked_int.store(gp.locked_int.load(Relaxed) + 1, Relaxed);
}

/// Sleeps until `startlockedm` has left a P, which is taken; `false` if the runtime has ended.
fn stay(mp: &'static M, gp: &'static G) -> bool {
    count_idle(mp, 1);
    wait_in_handler(mp);
    if mp.sched().ended.load(Relaxed) {
        // Nobody schedules any more. What was interrupted may hold a lock that the rest of the process needs: it goes on,
        // without a P, to its next call of the runtime that needs one (`must_p`).
        mp.interrupted.store(std::ptr::null_mut(), Relaxed);
        mp.set_curg(Some(gp));
        return false;
    }
    take_nextp(mp);
    true
}

/// The goroutine, in hand, runs on from here, with the P that `mp` took.
fn go_on(mp: &'static M, gp: &'static G) {
    run_here(mp, gp);
    // Not before it runs: until then its stack may be looked at.
    mp.interrupted.store(std::ptr::null_mut(), Relaxed);
    gp.locked_int.store(gp.locked_int.load(Relaxed) - 1, Relaxed);
    unbind_if_free(mp, gp);
}

/// Gives `pp` to `nmp`, which was taken off the idle list.
fn hand_to(mp: &'static M, sched: &'static Sched, pp: &'static P, nmp: &'static M) {
    event(mp, None, Site::Stoplockedm, 0, || Kind::Handoffp { target_p: pp.id() });
    event(mp, None, Site::Handoffp, 0, || Kind::Startm { target_p: pp.id(), spinning: false });
    mp.stats.handoffs.bump();
    give_p(nmp, pp);
    // The next handler needs an idle M, too.
    if sched.lock.lock().nmidle == 0 {
        sched.template.want_spare();
    }
}

/// Sleeps until `startlockedm` has left a P, or the runtime has ended.
fn wait_in_handler(mp: &M) {
    // Relaxed: set before every M is woken.
    if !mp.sched().ended.load(Relaxed) {
        mp.park.sleep();
        mp.park.clear();
    }
}
