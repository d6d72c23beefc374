//! Preemption by an injected call, where the safe-point map proves that the goroutine may go on in another thread.
//!
//! 1. From the handler until the goroutine is off its M the M counts as locked: no other signal stops it on the way, and the
//!    goroutine stops exactly once for the call that was injected (INV-39).
//! 2. The choice of what becomes of the goroutine is made when the call runs, not in the handler (C2).
//! 3. It never unwinds out of the call: the interrupted instruction is no call site.
//! 4. A goroutine that is found in a bad place is left alone some times, and asked again by sysmon soon: it is cheaper to wait for a
//!    better one than to keep a thread for it. One that a suspender waits for is not.
//!
//! Go: `asyncPreempt2`, and the injection in `doSigPreempt`.

use std::ffi::c_void;

use sigurg_traces::{Kind, Reject};

use crate::facade::Places;
use crate::facade::atomic::Ordering::Relaxed;
use crate::g::G;
use crate::m::M;
use crate::p::P;
use crate::proc::gosched::gopreempt_m;
use crate::proc::preempt::publish_preempted;
use crate::proc::schedule::schedule;
use crate::proc::{mcall, mcall_g, must_current, must_getm};
use crate::safepoint::Decline;
use crate::trace::{Site, event};

/// How often in one slice an injection is declined before the goroutine is stopped in its handler instead. (Where two of five
/// signals find a bad place, as in code that allocates, one goroutine in a hundred gets that far.)
const PATIENCE: u32 = 5;
/// How many declined signals in one slice have sysmon look again at once.
const SOON: u32 = 20;

/// A goroutine that may be stopped by an injected call here.
pub(crate) struct Safe(Places);

/// Whether a call may be injected into `gp`, which the signal with this `context` interrupted on its own stack. Go:
/// `isAsyncSafePoint`.
pub(crate) fn is_async_safe_point(
    mp: &'static M,
    gp: &'static G,
    context: *mut c_void,
) -> Result<Safe, Decline> {
    let found = check(mp, gp, context);
    if let Err(decline) = found {
        mp.stats.not_injected[decline as usize].bump();
        if decline == Decline::NotReady {
            mp.sched().template.want_map();
        }
    }
    found
}

fn check(mp: &'static M, gp: &'static G, context: *mut c_void) -> Result<Safe, Decline> {
    let places = Places::known()?;
    if gp.lockedm().is_some() || mp.lockedg().is_some() {
        return Err(Decline::Locked);
    }
    // The tables show only user code while a panic goes through it, but std counts it by thread.
    if std::thread::panicking() {
        return Err(Decline::Panicking);
    }
    // SAFETY: the handler's, which has not returned; it interrupted `gp`.
    unsafe { places.prove(gp, context)? };
    Ok(Safe(places))
}

/// Has the goroutine that the signal with this `context` interrupted call [`async_preempt2`].
pub(crate) fn inject(mp: &'static M, safe: Safe, context: *mut c_void) {
    // Until it is on g0.
    mp.acquire();
    mp.stats.preempted_inject.bump();
    // SAFETY: the handler's context, with which `check` was content; the call does not unwind; and that the goroutine does not
    // mind where it goes on whoever made it has promised, as far as that is not proved.
    unsafe { safe.0.inject(context, async_preempt2) };
}

/// What is injected.
extern "C" fn async_preempt2() {
    let (mp, gp) = must_current("async_preempt2");
    mcall(mp, gp, async_preempt_m);
}

extern "C" fn async_preempt_m(arg: *mut ()) -> ! {
    // SAFETY: called by `mcall`.
    let gp: &'static G = unsafe { mcall_g(arg) };
    let mp = must_getm();
    // The request is being granted.
    mp.unlock_quietly();
    // C2. Relaxed: set in a window that the changes of status below wait for.
    if gp.preempt_stop.load(Relaxed) {
        event(mp, Some(gp), Site::PreemptPark, 0, || Kind::PreemptPark { by_signal: true });
        publish_preempted(mp, gp);
        schedule(mp);
    }
    event(mp, Some(gp), Site::GopreemptM, 0, || Kind::PreemptYield { by_signal: true });
    gopreempt_m(arg)
}

/// Whether `gp` is left alone for now: see rule 4 of the module.
pub(crate) fn is_worth_waiting(mp: &M, pp: &P, gp: &G, why: Decline) -> bool {
    // Relaxed: a suspender that comes now finds it stopped, or asks again.
    why.may_pass() && !gp.preempt_stop.load(Relaxed) && declined(mp, pp) < PATIENCE
}

/// Notes that the handler of `mp` did not stop its goroutine.
pub(crate) fn note_declined(mp: &M) {
    let Some(pp) = mp.p() else { return };
    let declines = declined(mp, pp) + 1;
    // Relaxed: the handler's own, and a hint for sysmon.
    mp.declined_tick.store(pp.schedtick.load(Relaxed), Relaxed);
    mp.declines.store(declines, Relaxed);
}

/// How often the handler of `mp` declined in this slice.
fn declined(mp: &M, pp: &P) -> u32 {
    // Relaxed, all: as in `note_declined`.
    let this_slice = mp.declined_tick.load(Relaxed) == pp.schedtick.load(Relaxed);
    if this_slice { mp.declines.load(Relaxed) } else { 0 }
}

/// For sysmon: whether the goroutine on `pp` has just declined to stop and should be asked again soon.
pub(crate) fn asks_again_soon(pp: &P) -> bool {
    pp.m().is_some_and(|mp| (1..=SOON).contains(&declined(mp, pp)))
}

/// The reason in the words of traces, which are Go's.
pub(crate) fn in_traces(decline: Decline) -> Reject {
    match decline {
        Decline::Locked | Decline::Panicking => Reject::MNotPreemptible,
        Decline::LowStack => Reject::NoStackSpace,
        Decline::Outside | Decline::NoUnwindEntry | Decline::NoSymbol => Reject::NotGoCode,
        Decline::NotRust | Decline::Unwind | Decline::Undecodable => Reject::AsmOrNoLocalsMap,
        Decline::Std | Decline::Runtime => Reject::RuntimePackage,
        Decline::NotReady | Decline::NoMap => Reject::Other,
        _ => Reject::UnsafePoint,
    }
}
