//! The scheduler: which goroutine runs where, and who looks for the next.
//!
//! ## Who wakes whom
//!
//! Threads should be as many as there is work for, no more: parking and unparking one costs thousands of times what
//! a switch of goroutines does. So work is announced to at most one thread, which looks for work on behalf of the
//! next as soon as it has found some:
//!
//! 1. An M is *spinning* while it has a P, no work, and looks for it. `nmspinning` counts them, those being started
//!    as spinning included.
//! 2. Who submits work wakes a P only if one is idle and nobody is spinning (`wakep`); the M started is spinning.
//! 3. A spinning M that finds work stops spinning, and if it was the last, does what a submitter does (`resetspinning`).
//! 4. A spinning M that finds none takes itself out of `nmspinning` *first* and then looks at all queues once more.
//!    A submitter puts *first* and then looks at `nmspinning`. All four are SeqCst, so one of the two sees the other:
//!    otherwise the work would lie there with nobody awake.
//! 5. Where no P is idle there is nobody to wake: the submitter leaves `needspinning`, and who is about to let its P
//!    become idle sees that and spins instead. Go does this under `sched.lock`. Here a submitter takes no lock: it sets
//!    the mark and then looks at `npidle`; who becomes idle raises `npidle` and then looks at the mark.
//!
//! Rejected, with Go: one central queue (does not scale); handing a P to a new thread directly with each goroutine
//! readied (thrashes: the readier is about to block itself more often than not); waking a thread for each.
//!
//! ## What may run where
//!
//! Functions that end in `-> !` run on g0 and never come back: they end in `gogo`. Code on g0, and code that holds a
//! `Lock`, allocates nothing and takes no lock that goroutines can hold (`lock.rs`).
//!
//! Names and order of the steps are Go's (proc.go 1.27); where behaviour differs, the comment says so.

mod adopt;
mod blocking;
mod body;
mod deadlock;
mod exit;
pub(crate) mod find_runnable;
mod for_each_p;
mod gosched;
mod gstatus;
mod handler;
mod inject;
mod locked;
mod newproc;
pub(crate) mod park;
pub(crate) mod preempt;
mod procresize;
pub(crate) mod queue;
mod run;
pub(crate) mod schedule;
mod stw;
pub(crate) mod suspend;
pub(crate) mod syscall;
pub(crate) mod sysmon;
pub(crate) mod template;
pub(crate) mod wake;

pub(crate) use adopt::{Adoption, settle};
pub(crate) use blocking::blocking;
pub(crate) use body::body;
pub(crate) use deadlock::checkdead;
pub(crate) use for_each_p::{SafePointFn, for_each_p};
pub(crate) use gosched::{gosched, goyield};
pub(crate) use handler::do_sig_preempt;
pub(crate) use locked::{lock_os_thread, unlock_os_thread};
pub(crate) use newproc::{SpawnOptions, newproc, newproc_unchecked};
pub(crate) use park::{gopark_with, ready_from_anywhere};
pub(crate) use preempt::{poison, safe_point};
pub(crate) use procresize::set_gomaxprocs;
pub(crate) use run::run;
pub(crate) use stw::with_world_stopped;
pub(crate) use suspend::{Attempt, resume_g, suspend_g, suspend_g_until, with_suspendable};
pub(crate) use template::Template;
pub(crate) use wake::wake_poller;

use crate::facade::atomic::Ordering::Relaxed;
use crate::facade::{getm, getm_here};
use crate::g::G;
use crate::m::M;
use crate::p::P;
use crate::proc::wake::leave;
use crate::status::GStatus;
use crate::throw::throw;

/// The M of this thread, which must have one.
#[inline]
pub(crate) fn must_getm() -> &'static M {
    match getm() {
        Some(mp) => mp,
        None => throw!("not on a thread of the runtime"),
    }
}

/// The goroutine that calls, and its M.
#[inline]
fn must_current(what: &str) -> (&'static M, &'static G) {
    let mp = settle(must_getm());
    match mp.curg() {
        Some(gp) => (mp, gp),
        None => throw!("{what}: not on a goroutine"),
    }
}

/// The P of `mp`. A goroutine that was stopped by a signal when its runtime ended has none, and comes no further than here.
#[inline]
fn must_p(mp: &'static M, what: &str) -> &'static P {
    mp.p().unwrap_or_else(|| no_p(mp, what))
}

#[cold]
fn no_p(mp: &'static M, what: &str) -> ! {
    // Relaxed: its handler saw it before (`handler.rs`).
    if mp.sched().ended.load(Relaxed) {
        leave(mp);
    }
    throw!("{what}: M{} has no P", mp.id())
}

/// The goroutine that calls, but not from inside `blocking`: there it is like a plain thread, as its P may be gone. Not
/// inlined, as [`current_g`].
#[inline(never)]
pub(crate) fn current_g_with_p() -> Option<&'static G> {
    let gp = getm_here().and_then(|mp| settle(mp).curg());
    gp.filter(|gp| gp.status.load().base() != GStatus::Syscall)
}

/// Whether there is a [`current_g_with_p`].
#[inline]
pub(crate) fn on_goroutine() -> bool {
    current_g_with_p().is_some()
}

/// The goroutine that calls, if one does. Not inlined: the answer is the same on every thread, but not the way to it; so user code
/// that this crate's generic functions were inlined into can still be moved at any instruction (`safepoint/`).
#[inline(never)]
pub(crate) fn current_g() -> Option<&'static G> {
    getm_here().and_then(M::curg)
}

/// Calls `f` on g0, for the goroutine that calls; it does not come back here by itself. Go: `mcall`.
#[inline]
fn mcall(mp: &'static M, gp: &'static G, f: crate::arch::OnG0) {
    // SAFETY: `gp` runs on `mp`, this thread; nobody switches to what is saved in `gp.sp` before its status says that it
    // does not run, and then once.
    unsafe {
        crate::arch::mcall(
            gp.sp.as_ptr(),
            mp.g0_sp.load(Relaxed),
            f,
            std::ptr::from_ref(gp).cast_mut().cast(),
        );
    }
}

/// The G that an [`mcall`] was made for.
///
/// # Safety
///
/// `arg` is what a function called by `mcall` was given.
#[inline]
unsafe fn mcall_g(arg: *mut ()) -> &'static G {
    let mp = must_getm();
    // Relaxed: its handler saw it before (`handler.rs`), and on g0 there is none.
    if mp.p().is_none() && mp.sched().ended.load(Relaxed) {
        leave(mp);
    }
    // SAFETY: by the contract; a G is never freed.
    unsafe { &*arg.cast::<G>() }
}

/// Calls `f` on g0 and comes back with what it returned. On g0 already: just calls it. `f` must not unwind. Go: `systemstack`.
///
/// Where the goroutine left its stack is saved, as in every [`mcall`]: others may look at that stack while `f` runs, once `f`
/// has made it suspendable.
fn systemstack<T, F: FnOnce(&'static M) -> T>(f: F) -> T {
    struct Call<F, T> {
        f: Option<F>,
        result: Option<T>,
    }
    extern "C" fn call<T, F: FnOnce(&'static M) -> T>(arg: *mut ()) -> ! {
        // SAFETY: called by `mcall`.
        let gp = unsafe { mcall_g(arg) };
        let mp = must_getm();
        // SAFETY: it points to the `Call` below, which waits for this. Relaxed: own.
        let at = unsafe { &mut *mp.waitlock.load(Relaxed).cast::<Call<F, T>>() };
        at.result = at.f.take().map(|f| f(mp));
        // SAFETY: `mcall` saved it, and nothing ran on it since.
        unsafe { crate::arch::gogo(gp.sp.load(Relaxed)) }
    }
    let mp = settle(must_getm());
    let Some(gp) = mp.curg().filter(|gp| on_stack_of(gp)) else { return f(mp) };
    let mut at = Call { f: Some(f), result: None };
    // Relaxed: this M reads it back, on g0.
    mp.waitlock.store((&raw mut at).cast(), Relaxed);
    mcall(mp, gp, call::<T, F>);
    match at.result {
        Some(result) => result,
        None => throw!("systemstack: the call did not happen"),
    }
}

/// Whether the caller runs on the stack of `gp`.
#[inline]
fn on_stack_of(gp: &G) -> bool {
    let here = 0u8;
    (gp.stack_lo()..gp.stack_hi()).contains(&(&raw const here).addr())
}

/// Whether a waiter for a lock does well to spin an `i`th time instead of parking: the holder runs on another processor,
/// and this P has nothing else to do. Go: `sync_runtime_canSpin`.
pub(crate) fn can_spin(i: u32) -> bool {
    /// How often.
    const ACTIVE_SPIN: u32 = 4;
    let Some(mp) = getm() else { return i < ACTIVE_SPIN };
    let sched = mp.sched();
    // Relaxed, all: a hint.
    let running = sched.gomaxprocs.load(Relaxed) as i32
        - sched.npidle.load(Relaxed) as i32
        - sched.nmspinning.load(Relaxed);
    i < ACTIVE_SPIN && running > 1 && mp.p().is_some_and(|pp| pp.runq.is_empty())
}

/// Lets the goroutine that was readied last run at once. Nothing on a plain thread or where it must not stop.
pub(crate) fn goyield_from_anywhere() {
    let Some(mp) = getm() else { return };
    // Relaxed: own.
    if mp.locks.load(Relaxed) == 0 && mp.curg().is_some_and(|gp| gp.status.load().is(GStatus::Running)) {
        goyield();
    }
}

/// Goid of the goroutine that calls, if one does.
pub(crate) fn current_goid() -> Option<u64> {
    current_g().map(G::goid)
}
