//! Stopping one goroutine, wherever it is, to look at it.
//!
//! 1. Whoever calls `suspend_g` is itself suspendable meanwhile ([`with_suspendable`]): two suspenders that wait for each
//!    other's goroutine would wait for ever (SG-0).
//! 2. The scan bit has one holder, from the claim (SG-2) to `resume_g` (RG-2).
//! 3. Only the winner of `Preempted` to `Waiting` (T18) owes a ready, exactly one, after it gave the scan bit back.
//! 4. A running goroutine is asked inside the short window of `Scanrunning`; the signal goes out after it.
//! 5. Who gives up (X-DUMP) takes the request back, in such a window too: nobody would claim a goroutine that parks for it. If
//!    that was another's request as well, that one finds it gone and asks again (SG-3).
//!
//! Repairs of Go's: a signal that was held back, by the rate limit or because one was on its way, is remembered and sent
//! later, without a new window (R-06, L1); acknowledgement and pending mark are one word; the wait reason of a
//! preempted goroutine is written by the winner only.
//!
//! Go: `suspendG`, `resumeG` (preempt.go), section 3 of the state rules.

use sigurg_traces::{Guard, Kind, Request};

use crate::facade::atomic::AtomicU64;
use crate::facade::atomic::Ordering::Relaxed;
use crate::facade::{global, nanotime, osyield, procyield};
use crate::g::{G, STACK_PREEMPT};
use crate::m::M;
use crate::proc::adopt::stand_still;
use crate::proc::park::{ready, ready_globally};
use crate::proc::preempt::{poison, remind, safe_point};
use crate::signal::preempt_m;
use crate::status::{GStatus, Snapshot};
use crate::throw::throw;
use crate::trace::{Site, event, named};
use crate::waitreason::WaitReason;

/// How often one target is signalled at most, nanoseconds.
const SIGNAL_EVERY_NS: i64 = 5_000;
/// How long to spin before the thread is yielded, and between two yields.
const SPIN_NS: i64 = 10_000;
const YIELD_NS: i64 = 5_000;

global! {
    /// Numbers of the calls, for traces.
    static CALLS: AtomicU64 = AtomicU64::new(0);
}

/// A goroutine that stands still until `resume_g`.
#[must_use]
pub(crate) struct Suspended {
    gp: &'static G,
    /// It was stopped while it ran: `resume_g` readies it.
    stopped: bool,
    sid: u64,
}

/// How a bounded attempt ended.
#[must_use]
pub(crate) enum Attempt {
    Suspended(Suspended),
    Dead,
    /// It ran all the time and could not be stopped.
    GaveUp,
}

impl Suspended {
    /// Whether it ran, and was stopped for this.
    pub(crate) fn ran(&self) -> bool {
        self.stopped
    }
}

/// What was asked of the goroutine so far, and of which M.
struct Asked {
    mp: Option<&'static M>,
    generation: u64,
    /// A signal is still to be sent.
    owed: bool,
    next_signal: i64,
}

/// Calls `f` on g0 for the goroutine that calls, which others may suspend meanwhile (T53, T54).
pub(crate) fn with_suspendable<T>(f: impl FnOnce(&'static M) -> T) -> T {
    safe_point();
    super::systemstack(|mp| {
        let Some(gp) = mp.curg() else { throw!("with_suspendable: not for a goroutine") };
        // Nobody may take this M's P from it: `resume_g` needs one.
        mp.acquire();
        gp.cas_g_to_waiting_for_suspend_g(mp, WaitReason::StackScan, Site::Markroot);
        let result = f(mp);
        gp.casgstatus(mp, GStatus::Waiting, GStatus::Running, Site::Markroot);
        mp.release();
        result
    })
}

/// Stops `gp` where it can be looked at; `None` if it is dead. On g0, for a suspendable goroutine.
pub(crate) fn suspend_g(me: &'static M, gp: &'static G) -> Option<Suspended> {
    match suspend_g_until(me, gp, i64::MAX) {
        Attempt::Suspended(suspended) => Some(suspended),
        Attempt::Dead => None,
        Attempt::GaveUp => throw!("suspend_g: gave up on goroutine {} after 292 years", gp.goid()),
    }
}

/// As [`suspend_g`], but gives up on a goroutine that still runs at `deadline`, nanoseconds of the monotonic clock. On g0 for a
/// suspendable goroutine, or on a thread without one.
pub(crate) fn suspend_g_until(me: &'static M, gp: &'static G, deadline: i64) -> Attempt {
    if me.curg().is_some_and(|own| own.status.load().is(GStatus::Running)) {
        throw!("suspend_g: the caller cannot be suspended itself");
    }
    if gp.status.load().is(GStatus::Idle) {
        // Its maker has it in the list already, and in no life yet. Go lists it later.
        return Attempt::Dead;
    }
    // Relaxed: each call gets another number.
    let sid = CALLS.fetch_add(1, Relaxed) + 1;
    event(me, Some(gp), Site::SuspendG, gp.status.load().version(), || Kind::SuspendBegin { sid });
    let mut request = Asked { mp: None, generation: 0, owed: false, next_signal: 0 };
    let (mut stopped, mut last_seen, mut next_yield) = (false, None, 0);
    for iter in (0..=u32::MAX).cycle() {
        let seen = gp.status.load();
        if last_seen != Some(seen) {
            last_seen = Some(seen);
            step(me, gp, sid, iter, seen);
        }
        match seen.base() {
            _ if seen.has_scan() => {}
            GStatus::Dead => {
                event(me, Some(gp), Site::SuspendG, 0, || Kind::SuspendEnd {
                    sid,
                    dead: true,
                    stopped: false,
                });
                return Attempt::Dead;
            }
            GStatus::Copystack => {}
            GStatus::Preempted => {
                // T18: the right, and the duty, to ready it.
                if gp.cas_g_from_preempted(me, Site::SuspendG) {
                    stopped = true;
                    if claim(me, gp, sid, GStatus::Waiting, stopped) {
                        return Attempt::Suspended(Suspended { gp, stopped, sid });
                    }
                }
            }
            status @ (GStatus::Runnable | GStatus::Syscall | GStatus::Waiting) => {
                if claim(me, gp, sid, status, stopped) {
                    return Attempt::Suspended(Suspended { gp, stopped, sid });
                }
            }
            GStatus::Running if nanotime() < deadline => ask(me, gp, &mut request),
            GStatus::Running => {
                if withdraw(me, gp, sid) {
                    return Attempt::GaveUp;
                }
            }
            GStatus::Idle => throw!("suspend_g: goroutine {} was never made", gp.goid()),
        }
        // SG-9.
        let now = nanotime();
        if iter == 0 {
            next_yield = now + SPIN_NS;
        }
        if now < next_yield {
            procyield(10);
        } else {
            osyield();
            next_yield = nanotime() + YIELD_NS;
        }
    }
    unreachable!("the loop has no end of its own")
}

fn step(me: &M, gp: &G, sid: u64, iter: u32, seen: Snapshot) {
    event(me, Some(gp), Site::SuspendG, 0, || Kind::SuspendStep {
        sid,
        iter,
        saw: named(seen.base(), seen.has_scan()),
        ver: seen.version(),
    });
}

/// SG-2: T43 to T46.
fn claim(me: &'static M, gp: &'static G, sid: u64, status: GStatus, stopped: bool) -> bool {
    if !gp.castogscanstatus(me, status, Site::SuspendG) {
        return false;
    }
    // Relaxed, all: the holder owns these; a later change of status hands them over.
    gp.preempt_stop.store(false, Relaxed);
    told(me, gp, Request::PreemptStop(false));
    gp.preempt.store(false, Relaxed);
    told(me, gp, Request::Preempt(false));
    gp.stackguard0.store(gp.stack_lo(), Relaxed);
    told(me, gp, Request::Stackguard0(Guard::Normal));
    event(me, Some(gp), Site::SuspendG, 0, || Kind::SuspendEnd { sid, dead: false, stopped });
    if status == GStatus::Syscall {
        stand_still(me, gp);
    }
    true
}

fn told(me: &M, gp: &G, request: Request) {
    event(me, Some(gp), Site::SuspendG, 0, || Kind::GRequest { request });
}

/// SG-3 to SG-8: asks a running goroutine to stop, unless that stands already.
fn ask(me: &'static M, gp: &'static G, request: &mut Asked) {
    // SG-3. Relaxed: all of it may change at any time; what is wrong now is asked again.
    let stands = gp.preempt_stop.load(Relaxed)
        && gp.preempt.load(Relaxed)
        && gp.stackguard0.load(Relaxed) == STACK_PREEMPT
        && request.mp.is_some_and(|mp| {
            gp.m().is_some_and(|m| std::ptr::eq(m, mp)) && mp.signal.generation() == request.generation
        });
    if stands {
        remind();
    } else {
        // SG-4 to SG-7.
        if !gp.castogscanstatus(me, GStatus::Running, Site::SuspendG) {
            return;
        }
        gp.preempt_stop.store(true, Relaxed);
        told(me, gp, Request::PreemptStop(true));
        gp.preempt.store(true, Relaxed);
        told(me, gp, Request::Preempt(true));
        poison(gp);
        told(me, gp, Request::Stackguard0(Guard::Preempt));
        let Some(mp) = gp.m() else { throw!("suspend_g: goroutine {} runs nowhere", gp.goid()) };
        let generation = mp.signal.generation();
        let same = request.mp.is_some_and(|before| std::ptr::eq(before, mp));
        request.owed |= !same || request.generation != generation;
        (request.mp, request.generation) = (Some(mp), generation);
        gp.casfrom_gscanstatus(me, GStatus::Running, Site::SuspendG);
    }
    // SG-8, repaired: owed until one was really sent.
    let Some(mp) = request.mp.filter(|_| request.owed && !me.sched().config.debug.asyncpreemptoff) else {
        return;
    };
    let now = nanotime();
    if now >= request.next_signal {
        request.next_signal = now + SIGNAL_EVERY_NS;
        let (target_m, over, sent) = preempt_m(mp);
        event(me, None, Site::SuspendG, over, || Kind::PreemptM { target_m, sent });
        request.owed = !sent;
    }
}

/// X-DUMP: takes back what was asked, unless the goroutine stopped just now; it may still yield.
fn withdraw(me: &'static M, gp: &'static G, sid: u64) -> bool {
    if !gp.castogscanstatus(me, GStatus::Running, Site::SuspendG) {
        return false;
    }
    // Relaxed: the holder owns it; the change of status hands it over.
    gp.preempt_stop.store(false, Relaxed);
    told(me, gp, Request::PreemptStop(false));
    gp.casfrom_gscanstatus(me, GStatus::Running, Site::SuspendG);
    event(me, Some(gp), Site::SuspendG, 0, || Kind::SuspendEnd { sid, dead: true, stopped: false });
    true
}

/// Lets a goroutine go on. On g0, or on a thread without a goroutine.
pub(crate) fn resume_g(me: &'static M, suspended: Suspended) {
    let Suspended { gp, stopped, sid } = suspended;
    event(me, Some(gp), Site::ResumeG, 0, || Kind::ResumeBegin { sid, dead: false, stopped });
    gp.casfrom_gscanstatus(me, gp.status.load().base(), Site::ResumeG);
    match me.p() {
        Some(_) if stopped => ready(me, gp, true, Site::ResumeG),
        None if stopped => ready_globally(me, gp, Site::ResumeG),
        _ => {}
    }
    event(me, Some(gp), Site::ResumeG, 0, || Kind::ResumeEnd { sid, stopped });
}
