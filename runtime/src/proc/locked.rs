//! Goroutines that have a thread of their own.
//!
//! A goroutine locked to its M runs nowhere else, and that M runs nothing else: while the goroutine waits the M
//! sleeps without a P, and whoever is to run the goroutine hands its own P over.
//!
//! Go: `LockOSThread`, `lockOSThread`, `stoplockedm`, `startlockedm`.

use sigurg_traces::{Kind, PutHow};

use crate::facade::atomic::Ordering::Relaxed;
use crate::g::G;
use crate::m::M;
use crate::p::P;
use crate::proc::must_current;
use crate::proc::queue::{globrunqget, globrunqput, runqget, runqget_ring, runqsteal_at_once};
use crate::proc::wake::{give_p, handoffp, mpark, releasep, stopm, take_nextp};
use crate::runq::RING;
use crate::sched::{Sched, State};
use crate::status::GStatus;
use crate::throw::throw;
use crate::trace::{Site, event};

pub(crate) fn bind(mp: &'static M, gp: &'static G) {
    // Relaxed: both are read by this M, or handed over with the status of the goroutine.
    mp.lockedg.store(std::ptr::from_ref(gp).cast_mut(), Relaxed);
    gp.lockedm.store(std::ptr::from_ref(mp).cast_mut(), Relaxed);
}

pub(crate) fn unbind_if_free(mp: &'static M, gp: &'static G) {
    // Relaxed: own.
    if gp.locked_ext.load(Relaxed) == 0 && gp.locked_int.load(Relaxed) == 0 {
        mp.lockedg.store(std::ptr::null_mut(), Relaxed);
        gp.lockedm.store(std::ptr::null_mut(), Relaxed);
    }
}

/// Locks the goroutine that calls to its thread. Counted.
#[inline(never)]
pub(crate) fn lock_os_thread() {
    let (mp, gp) = must_current("lock_os_thread");
    gp.locked_ext.store(gp.locked_ext.load(Relaxed) + 1, Relaxed);
    bind(mp, gp);
}

/// Undoes one [`lock_os_thread`]; without one it does nothing.
#[inline(never)]
pub(crate) fn unlock_os_thread() {
    let (mp, gp) = must_current("lock_os_thread");
    let count = gp.locked_ext.load(Relaxed);
    if count > 0 {
        gp.locked_ext.store(count - 1, Relaxed);
        unbind_if_free(mp, gp);
    }
}

/// As [`lock_os_thread`], for the runtime's own reasons.
#[inline(never)]
fn lock_internal() {
    let (mp, gp) = must_current("lock_os_thread");
    gp.locked_int.store(gp.locked_int.load(Relaxed) + 1, Relaxed);
    bind(mp, gp);
}

/// Undoes one [`lock_internal`].
#[inline(never)]
fn unlock_internal() {
    let (mp, gp) = must_current("lock_os_thread");
    let Some(count) = gp.locked_int.load(Relaxed).checked_sub(1) else {
        throw!("unlock_internal: goroutine {} is not locked", gp.goid());
    };
    gp.locked_int.store(count, Relaxed);
    unbind_if_free(mp, gp);
}

/// Calls `switch`, after which the goroutine that calls may be on another thread; but not one that is unwinding, because
/// std counts panics by thread.
#[inline]
pub(crate) fn unwinding_stays<T>(switch: impl FnOnce() -> T) -> T {
    let unwinding = std::thread::panicking();
    if unwinding {
        lock_internal();
    }
    let result = switch();
    if unwinding {
        unlock_internal();
    }
    result
}

/// Waits until the goroutine locked to this M is to be run here.
pub(crate) fn stoplockedm(mp: &'static M) {
    let Some(gp) = mp.lockedg().filter(|gp| gp.lockedm().is_some_and(|m| std::ptr::eq(m, mp))) else {
        throw!("stoplockedm: M{} and its goroutine do not agree", mp.id());
    };
    event(mp, Some(gp), Site::Stoplockedm, 0, || Kind::Stoplockedm);
    if mp.p().is_some() {
        let pp = releasep(mp);
        handoffp(mp, pp, Site::Stoplockedm);
    }
    count_idle(mp, 1);
    mpark(mp);
    if gp.status.load().base() != GStatus::Runnable {
        throw!("stoplockedm: goroutine {} is {:?}", gp.goid(), gp.status.load().base());
    }
    take_nextp(mp);
}

/// Gives the P of this M to the M that `gp`, in hand, is locked to; then waits for another.
pub(crate) fn startlockedm(mp: &'static M, gp: &'static G) {
    let Some(lockedm) = gp.lockedm() else { throw!("startlockedm: goroutine {} is not locked", gp.goid()) };
    if std::ptr::eq(lockedm, mp) {
        throw!("startlockedm: locked to me");
    }
    event(mp, Some(gp), Site::Startlockedm, 0, || Kind::Startlockedm { target_m: lockedm.id() });
    count_idle(mp, -1);
    let pp = releasep(mp);
    give_p(lockedm, pp);
    stopm(mp);
}

/// Tells of the [`hand_to_locked`] that follows, while the P still has a change to come that orders it.
pub(crate) fn tell_startlockedm(mp: &'static M, gp: &'static G, site: Site) {
    let target_m = gp.lockedm().map_or(-1, M::id);
    event(mp, Some(gp), site, 0, || Kind::Startlockedm { target_m });
}

/// Gives `pp`, which is in hand, to the M of `gp`, which [`take_locked`] returned.
pub(crate) fn hand_to_locked(pp: &'static P, gp: &'static G) {
    let Some(lockedm) = gp.lockedm() else { throw!("hand_to_locked: goroutine {} is not locked", gp.goid()) };
    give_p(lockedm, pp);
}

/// sched.lock held, and `pp` in hand: takes a goroutine that waits for nothing but a P, for its thread is there already. Those
/// before it go to the end of the global queue.
///
/// For when no M is idle. Such a goroutine may hold the very lock that making a thread needs (X-PARK): waiting for the
/// new thread would be waiting for ever. Wherever it is: the P in whose queue it lies may wait for that thread, or be
/// held by somebody who waits for the goroutine on `pp` to stop.
pub(crate) fn take_locked(mp: &'static M, state: &mut State, pp: &'static P) -> Option<&'static G> {
    /// At most so many are looked at; all of a ring.
    const LOOKS: usize = 1024;
    const { assert!(LOOKS > RING) };
    if state.nmidlelocked <= 0 {
        return None;
    }
    let sched = mp.sched();
    // What goes next is not put back elsewhere: it is taken only if it is the one.
    let mut next = next_is_locked(sched, pp).then(|| runqget(mp, pp)).flatten().map(|(gp, _)| gp);
    let waiting = pp.runq.len_hint() + sched.runqsize();
    for _ in 0..=waiting.min(LOOKS) {
        let Some(gp) = next.take().or_else(|| runqget_ring(mp, pp)).or_else(|| globrunqget(mp, state)) else {
            break;
        };
        if keeps(mp, state, gp) {
            return Some(gp);
        }
    }
    // The ring of `pp` has become empty, so it can take in what is stolen.
    let others = sched.ps().filter(|victim| !std::ptr::eq(*victim, pp));
    others.filter(|victim| victim.runq.has(|gs| is_locked(sched.g(gs)))).find_map(|victim| {
        let stolen = || runqsteal_at_once(mp, pp, victim, next_is_locked(sched, victim));
        std::iter::from_fn(|| runqget_ring(mp, pp).or_else(stolen)).find(|gp| keeps(mp, state, gp))
    })
}

fn is_locked(gp: &G) -> bool {
    gp.lockedm().is_some()
}

fn next_is_locked(sched: &'static Sched, pp: &P) -> bool {
    let next = pp.runq.peek_next();
    !next.is_none() && is_locked(sched.g(next))
}

/// sched.lock held: keeps `gp`, in hand, for its M, if it has one; else puts it on the global queue.
fn keeps(mp: &'static M, state: &mut State, gp: &'static G) -> bool {
    if is_locked(gp) {
        // Before the lock is given back: there is one more that runs.
        state.nmidlelocked -= 1;
        return true;
    }
    globrunqput(mp, state, gp, PutHow::One);
    false
}

/// Counts Ms that wait for their goroutine. Go: `incidlelocked`.
pub(crate) fn count_idle(mp: &'static M, by: i32) {
    let sched = mp.sched();
    let mut state = sched.lock.lock();
    state.nmidlelocked += by;
    if by > 0 {
        super::checkdead(sched, &state);
    }
}
