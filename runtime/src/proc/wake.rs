//! Ps and Ms change hands: who is woken, who goes to sleep.
//!
//! Go: `wakep`, `startm`, `stopm`, `handoffp`, `acquirep`, `releasep`, `resetspinning`, `wakeNetPoller`.

use sigurg_traces::Kind;

use crate::facade::atomic::Ordering::{Relaxed, SeqCst};
use crate::lock::Guard;
use crate::m::M;
use crate::p::{P, PStatus};
use crate::proc::for_each_p::run_safe_point_fn_locked;
use crate::proc::must_getm;
use crate::proc::stw::p_stopped;
use crate::proc::template::begin_on;
use crate::sched::{Sched, State};
use crate::throw::throw;
use crate::trace::{Site, event, named_p};

/// Tells that the status of a P changed.
pub(crate) fn set_pstatus(mp: &M, pp: &P, to: PStatus, site: Site) {
    let (from, over) = pp.status.set(to);
    event(mp, None, site, over, || Kind::PStatus {
        target_p: pp.id(),
        from: named_p(from),
        to: named_p(to),
        cas: false,
    });
}

/// PS04: `mp` takes an idle P.
pub(crate) fn acquirep(mp: &'static M, pp: &'static P) {
    if mp.p().is_some() || pp.m().is_some() || pp.status.load() != PStatus::Idle {
        throw!("acquirep: M{} cannot take P{}, which is {:?}", mp.id(), pp.id(), pp.status.load());
    }
    // Relaxed: racy readers check again under a lock or a scan bit; the next owner gets it through the status.
    mp.set_p(Some(pp));
    pp.m.store(std::ptr::from_ref(mp).cast_mut(), Relaxed);
    set_pstatus(mp, pp, PStatus::Running, Site::Wirep);
}

/// PS05: `mp` gives its P up; whoever calls puts it somewhere.
pub(crate) fn releasep(mp: &'static M) -> &'static P {
    let Some(pp) = mp.p() else { throw!("releasep: M{} has no P", mp.id()) };
    if !pp.m().is_some_and(|m| std::ptr::eq(m, mp)) || pp.status.load() != PStatus::Running {
        throw!("releasep: M{} does not hold P{}, which is {:?}", mp.id(), pp.id(), pp.status.load());
    }
    // Relaxed as in `acquirep`.
    mp.set_p(None);
    pp.m.store(std::ptr::null_mut(), Relaxed);
    set_pstatus(mp, pp, PStatus::Idle, Site::Releasep);
    pp
}

/// `mp` looks for work from now on.
pub(crate) fn become_spinning(mp: &M) {
    // Relaxed: own.
    mp.spinning.store(true, Relaxed);
    // SeqCst both: rules 4 and 5 of the module page.
    mp.sched().nmspinning.fetch_add(1, SeqCst);
    mp.sched().needspinning.store(0, SeqCst);
}

/// `mp` looks no more.
pub(crate) fn stop_spinning(mp: &M) {
    mp.spinning.store(false, Relaxed);
    // SeqCst: rule 4.
    if mp.sched().nmspinning.fetch_sub(1, SeqCst) <= 0 {
        throw!("nmspinning is negative");
    }
}

/// `mp` has found work: somebody else may be needed for more.
pub(crate) fn resetspinning(mp: &'static M) {
    stop_spinning(mp);
    wakep(mp);
}

/// Wakes an M for work just submitted, if a P is idle and nobody looks already.
#[inline]
pub(crate) fn wakep(mp: &'static M) {
    let sched = mp.sched();
    // SeqCst: after the put, which is SeqCst too or under sched.lock (rule 4).
    if sched.nmspinning.load(SeqCst) != 0 {
        return;
    }
    // Rule 5: the mark, then npidle. SeqCst, with `find_runnable`. A mark that is there already is as good: whoever
    // takes it away looks at all queues after that.
    if sched.npidle.load(SeqCst) == 0 {
        if sched.needspinning.load(SeqCst) != 1 {
            sched.needspinning.store(1, SeqCst);
        }
        if sched.npidle.load(SeqCst) == 0 {
            return;
        }
    }
    wakep_slow(mp);
}

#[inline(never)]
fn wakep_slow(mp: &'static M) {
    let sched = mp.sched();
    // SeqCst: rule 2; one submitter at a time.
    if sched.nmspinning.compare_exchange(0, 1, SeqCst, SeqCst).is_err() {
        return;
    }
    // From here to the start of the M nobody may stop this one: the P in its hand would never stop.
    mp.acquire();
    let mut state = sched.lock.lock();
    match sched.pidleget_spinning(&mut state) {
        Some(pp) => startm_locked(mp, state, pp, true, Site::Wakep),
        None => {
            if sched.nmspinning.fetch_sub(1, SeqCst) <= 0 {
                throw!("nmspinning is negative");
            }
            drop(state);
        }
    }
    mp.release();
}

/// Has an M run `pp`, which is in hand. `spinning`: it is counted already.
pub(crate) fn startm(mp: &'static M, pp: &'static P, spinning: bool, site: Site) {
    startm_locked(mp, mp.sched().lock.lock(), pp, spinning, site);
}

pub(crate) fn startm_locked(
    mp: &'static M,
    mut state: Guard<'static, State>,
    pp: &'static P,
    spinning: bool,
    site: Site,
) {
    event(mp, None, site, 0, || Kind::Startm { target_p: pp.id(), spinning });
    let sched = mp.sched();
    if spinning && !pp.runq.is_empty() {
        throw!("startm: P{} has runnable goroutines", pp.id());
    }
    let Some(nmp) = sched.mget(&mut state) else {
        sched.template.want(&mut state, pp, spinning);
        drop(state);
        return sched.template.wakeup();
    };
    drop(state);
    // Relaxed, both: published by the note.
    if nmp.spinning.load(Relaxed) {
        throw!("startm: M{} is not idle", nmp.id());
    }
    nmp.spinning.store(spinning, Relaxed);
    give_p(nmp, pp);
}

/// Wakes `nmp`, which sleeps without a P, with `pp`, which is in hand.
pub(crate) fn give_p(nmp: &'static M, pp: &'static P) {
    // Relaxed, both: published by the note.
    if !nmp.nextp.load(Relaxed).is_null() {
        throw!("give_p: M{} has a P", nmp.id());
    }
    nmp.nextp.store(std::ptr::from_ref(pp).cast_mut(), Relaxed);
    nmp.park.wakeup();
}

/// Takes a P that waits for a thread, or sleeps until somebody gives this M one.
pub(crate) fn stopm(mp: &'static M) {
    // Relaxed: own.
    if mp.locks.load(Relaxed) != 0 || mp.p().is_some() || mp.spinning.load(Relaxed) {
        throw!("stopm: M{} holds something", mp.id());
    }
    event(mp, None, Site::Stopm, 0, || Kind::Stopm);
    let sched = mp.sched();
    let mut state = sched.lock.lock();
    // Its thread may wait for a goroutine that is next on it, or for this M.
    if let Some(pp) = sched.template.take_waiting(&mut state) {
        drop(state);
        begin_on(mp, pp);
        return take_nextp(mp);
    }
    sched.mput(&mut state, mp);
    drop(state);
    // Relaxed: the end was announced before it took the lock to wake idle Ms; who comes later sees it by that lock.
    if sched.ended.load(Relaxed) {
        leave(mp);
    }
    mpark(mp);
    take_nextp(mp);
}

/// Sleeps until woken, once.
pub(crate) fn mpark(mp: &'static M) {
    mp.park.sleep();
    mp.park.clear();
    // Relaxed: ordered by the note.
    if mp.sched().ended.load(Relaxed) {
        leave(mp);
    }
}

/// The runtime has ended: so does this thread.
pub(crate) fn leave(mp: &'static M) -> ! {
    // SAFETY: `mstart` saved it; nothing of the scheduler's stack is needed any more.
    unsafe { crate::arch::gogo(mp.g0_sp.load(Relaxed)) }
}

/// Takes the P that whoever woke this M left for it.
pub(crate) fn take_nextp(mp: &'static M) {
    // SAFETY: null, or a P, which is never freed. Relaxed: published by the note.
    let Some(pp) = (unsafe { mp.nextp.load(Relaxed).as_ref() }) else {
        throw!("M{} was woken without a P", mp.id());
    };
    mp.nextp.store(std::ptr::null_mut(), Relaxed);
    acquirep(mp, pp);
}

/// Gives `pp`, which is in hand, to an M if there is anything to do with it, else to the idle list.
pub(crate) fn handoffp(mp: &'static M, pp: &'static P, site: Site) {
    event(mp, None, site, 0, || Kind::Handoffp { target_p: pp.id() });
    let sched = mp.sched();
    mp.stats.handoffs.bump();
    if !pp.runq.is_empty() || sched.runqsize() > 0 {
        return startm(mp, pp, false, Site::Handoffp);
    }
    // SeqCst: as `wakep`. Nobody idle, nobody looking: then this P must look, for what is in other queues.
    if sched.nmspinning.load(SeqCst) == 0
        && sched.npidle.load(SeqCst) == 0
        && sched.nmspinning.compare_exchange(0, 1, SeqCst, SeqCst).is_ok()
    {
        sched.needspinning.store(0, SeqCst);
        return startm(mp, pp, true, Site::Handoffp);
    }
    let mut state = sched.lock.lock();
    if sched.gcwaiting.load(SeqCst) {
        set_pstatus(mp, pp, PStatus::Gcstop, Site::Handoffp);
        return p_stopped(sched, &mut state);
    }
    run_safe_point_fn_locked(mp, pp, &mut state);
    if sched.runqsize() > 0 {
        return startm_locked(mp, state, pp, false, Site::Handoffp);
    }
    // The last P that runs must see to it that somebody polls the network. Relaxed: under the lock.
    if sched.npidle.load(SeqCst) == sched.gomaxprocs.load(Relaxed) - 1 && sched.lastpoll.load(SeqCst) != 0 {
        return startm_locked(mp, state, pp, false, Site::Handoffp);
    }
    let when = pp.timers.wake_time();
    sched.pidleput(&mut state, pp);
    drop(state);
    if when != 0 {
        wake_poller(when);
    }
    // Rule 5, for a P that becomes idle here.
    if sched.needspinning.load(SeqCst) == 1 {
        wakep(mp);
    }
}

/// Somebody must be awake at `when`: breaks a poll that would last longer, or wakes a P if nobody polls.
pub(crate) fn wake_poller(when: i64) {
    let mp = must_getm();
    let sched = mp.sched();
    // SeqCst: after the timer was put in its heap; `poll_and_wait` stores `poll_until` and looks at the heaps again.
    if sched.lastpoll.load(SeqCst) == 0 {
        let until = sched.poll_until.load(SeqCst);
        if until == 0 || until > when {
            sched.netpoll.wake();
        }
    } else {
        wakep(mp);
        wake_sysmon_by(sched, when);
    }
}

/// X-WAKE: if every P is busy, sysmon must be awake at `when`.
fn wake_sysmon_by(sched: &Sched, when: i64) {
    // SeqCst: after the timer was put in its heap; `nap` stores and then looks at the heaps.
    if sched.npidle.load(SeqCst) == 0 && sched.sysmon_until.load(SeqCst) > when {
        sched.sysmonnote.wakeup();
    }
}

/// X-WAKE: there is work in the global queue, put by somebody without a P. If every P is busy, sysmon sees to it.
pub(crate) fn work_is_urgent(sched: &Sched) {
    // SeqCst: after the put.
    if sched.npidle.load(SeqCst) == 0 && !sched.urgent.swap(true, SeqCst) {
        sched.sysmonnote.wakeup();
    }
}
