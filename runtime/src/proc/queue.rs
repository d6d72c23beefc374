//! Putting Gs on queues and taking them off, with the events that say so.
//!
//! Custody: between a take and the next put or `execute` the G is in the hand of the M that took it.
//!
//! Go: `runqput`, `runqget`, `runqputslow`, `runqputbatch`, `runqsteal`, `globrunqgetbatch`, `injectglist`.

use sigurg_traces::{Kind, PutHow, Queue, TakeHow};

use crate::facade::atomic::Ordering::{Relaxed, SeqCst};
use crate::facade::atomic::fence;
use crate::g::{AHEAD, G, Gs};
use crate::m::M;
use crate::p::{P, PStatus};
use crate::proc::wake::{startm_locked, wakep, work_is_urgent};
use crate::runq::{Moved, Put, RING};
use crate::sched::{GQueue, Sched, State};
use crate::status::GStatus;
use crate::throw::throw;
use crate::trace::{Site, about, event, event_about};

/// A goroutine to run, and whether it goes on in the time slice of the one before.
pub(crate) type Next = (&'static G, bool);

fn put(pp: i32, q: Queue, how: PutHow) -> impl FnOnce() -> Kind {
    move || Kind::RunqPut { target_p: pp, q, how }
}

fn got(pp: i32, q: Queue, how: TakeHow) -> impl FnOnce() -> Kind {
    move || Kind::RunqGet { target_p: pp, q, how }
}

/// Owner of `pp`: puts `gp` where it goes next, or at the tail of the ring; what does not fit goes to the global queue.
pub(crate) fn runqput(mp: &'static M, pp: &'static P, gp: &'static G, next: bool) {
    if !next {
        return runqput_tail(mp, pp, gp);
    }
    // Before others can take it: by the time of the event it may have run, ended and begun another life.
    let it = about(mp, gp);
    let (over, kicked) = pp.runq.put_next(gp.gs());
    event_about(mp, it, Site::Runqput, over, put(pp.id(), Queue::Runnext, PutHow::One));
    if let Some(kicked) = kicked {
        let kicked = mp.sched().g(kicked);
        event(mp, Some(kicked), Site::Runqput, over + 1, || Kind::RunqKick {
            target_p: pp.id(),
            q: Queue::Runnext,
        });
        runqput_tail(mp, pp, kicked);
    }
}

fn runqput_tail(mp: &'static M, pp: &'static P, gp: &'static G) {
    // As in `runqput`.
    let it = about(mp, gp);
    loop {
        match pp.runq.put_tail(gp.gs()) {
            Put::Done(moved) => {
                let how = put(pp.id(), Queue::Local, PutHow::One);
                return event_about(mp, it, Site::Runqput, moved.over, how);
            }
            Put::Full => {
                if runqputslow(mp, pp, gp) {
                    return;
                }
            }
        }
    }
}

/// Moves half of the full ring of `pp`, and `gp` after it, to the global queue (INV-32: 129 Gs).
#[cold]
fn runqputslow(mp: &'static M, pp: &'static P, gp: &'static G) -> bool {
    let Some(spilled) = pp.runq.spill() else { return false };
    let sched = mp.sched();
    for (i, gs) in spilled.gs.iter().enumerate() {
        let over = spilled.head + i as u64 + 1;
        event(mp, Some(sched.g(*gs)), Site::Runqput, over, got(pp.id(), Queue::Local, TakeHow::Spill));
    }
    if AHEAD != 0 {
        for (gs, ahead) in spilled.gs.iter().zip(spilled.gs.iter().skip(AHEAD)) {
            // Relaxed: in the hand of this M.
            sched.g(*gs).ahead.store(ahead.0, Relaxed);
        }
    }
    let mut state = sched.lock.lock();
    for gs in spilled.gs {
        globrunqput(mp, &mut state, sched.g(gs), PutHow::Batch);
    }
    globrunqput(mp, &mut state, gp, PutHow::Batch);
    true
}

/// Owner of `pp`: takes the next G.
#[inline]
pub(crate) fn runqget(mp: &'static M, pp: &'static P) -> Option<Next> {
    match pp.runq.get_next() {
        Some(moved) => {
            let gp = mp.sched().g(moved.gs);
            event(mp, Some(gp), Site::Schedule, moved.over, got(pp.id(), Queue::Runnext, TakeHow::Pop));
            Some((gp, true))
        }
        None => runqget_ring(mp, pp).map(|gp| (gp, false)),
    }
}

/// Owner of `pp`: takes the first G of the ring.
#[inline]
pub(crate) fn runqget_ring(mp: &'static M, pp: &'static P) -> Option<&'static G> {
    let moved = pp.runq.get()?;
    let sched = mp.sched();
    let gp = sched.g(moved.gs);
    // Not the next one: that comes too soon.
    sched.slab.fetch(|| pp.runq.peek(moved.over + 1));
    event(mp, Some(gp), Site::Schedule, moved.over, got(pp.id(), Queue::Local, TakeHow::Pop));
    Some(gp)
}

/// sched.lock held: puts `gp` on the global queue.
pub(crate) fn globrunqput(mp: &'static M, state: &mut State, gp: &'static G, how: PutHow) {
    let over = mp.sched().globrunqput(state, gp, how == PutHow::Head);
    event(mp, Some(gp), Site::None, over, put(-1, Queue::Global, how));
}

/// sched.lock held: takes one from the global queue.
pub(crate) fn globrunqget(mp: &'static M, state: &mut State) -> Option<&'static G> {
    let (gp, over) = mp.sched().globrunqget(state)?;
    event(mp, Some(gp), Site::Schedule, over, got(-1, Queue::Global, TakeHow::Pop));
    Some(gp)
}

/// sched.lock held: takes a share of the global queue: the first to be run, the others in a list.
pub(crate) fn globrunqgetbatch(mp: &'static M, state: &mut State) -> Option<(&'static G, GQueue)> {
    let size = mp.sched().runqsize();
    // Relaxed: changes only while the world is stopped.
    let procs = mp.sched().gomaxprocs.load(Relaxed) as usize;
    let n = (RING / 2).min(size).min(size / procs + 1);
    let first = globrunqget(mp, state)?;
    let mut rest = GQueue::new();
    for _ in 1..n {
        match globrunqget(mp, state) {
            Some(gp) => rest.push_back(gp),
            None => break,
        }
    }
    Some((first, rest))
}

/// Owner of `pp`, whose ring is empty: puts a share of the global queue there. Under the `sched.lock` under which it was taken, or
/// while the M spins: in between nobody sees it, and who looks for work in vain meanwhile goes to sleep beside it.
#[inline(never)]
pub(crate) fn keep_batch(mp: &'static M, pp: &'static P, mut rest: GQueue) {
    while let Some(gp) = rest.pop_front() {
        // As in `runqput`.
        let it = about(mp, gp);
        match pp.runq.put_tail(gp.gs()) {
            Put::Done(moved) => {
                event_about(mp, it, Site::Schedule, moved.over, put(pp.id(), Queue::Local, PutHow::Batch));
            }
            Put::Full => throw!("P{}: a share of the global queue does not fit in an empty ring", pp.id()),
        }
    }
}

/// Owner of `pp`, whose ring is empty: takes half of what `victim` has. Go: `runqsteal`.
#[inline(never)]
pub(crate) fn runqsteal(
    mp: &'static M,
    pp: &'static P,
    victim: &'static P,
    next: bool,
) -> Option<&'static G> {
    let running = || {
        victim.status.load() == PStatus::Running
            && victim.m().and_then(M::curg).is_some_and(|gp| gp.status.load().base() != GStatus::Syscall)
    };
    steal(mp, pp, victim, next, running)
}

/// As [`runqsteal`], and leaves a goroutine that runs no time for the one that it has just readied: under a lock.
pub(crate) fn runqsteal_at_once(
    mp: &'static M,
    pp: &'static P,
    victim: &'static P,
    next: bool,
) -> Option<&'static G> {
    steal(mp, pp, victim, next, || false)
}

fn steal(
    mp: &'static M,
    pp: &'static P,
    victim: &'static P,
    next: bool,
    running: impl Fn() -> bool,
) -> Option<&'static G> {
    let sched = mp.sched();
    let taken = |moved: Moved, runnext: bool| {
        let q = if runnext { Queue::Runnext } else { Queue::Local };
        event(mp, Some(sched.g(moved.gs)), Site::FindRunnable, moved.over, || Kind::RunqSteal {
            target_p: victim.id(),
            q,
        });
    };
    let kept = |moved: Moved| {
        let how = put(pp.id(), Queue::Local, PutHow::Steal);
        event(mp, Some(sched.g(moved.gs)), Site::FindRunnable, moved.over, how);
    };
    let gs = victim.runq.steal_into(&pp.runq, next, running, taken, kept)?;
    Some(sched.g(gs))
}

/// Moves everything on the queue of `pp`, which goes away, to the head of the global queue (PS17). World stopped,
/// sched.lock held.
pub(crate) fn give_up_queue(mp: &'static M, state: &mut State, pp: &'static P) {
    // To the head in reverse, so that the order stays.
    let mut all = [Gs::NONE; RING];
    let (mut len, mut next) = (0, None);
    pp.runq.drain(|moved, runnext| {
        let q = if runnext { Queue::Runnext } else { Queue::Local };
        let gp = mp.sched().g(moved.gs);
        event(mp, Some(gp), Site::PDestroy, moved.over, got(pp.id(), q, TakeHow::Destroy));
        if runnext {
            next = Some(gp);
        } else {
            all[len] = moved.gs;
            len += 1;
        }
    });
    for gs in all[..len].iter().rev() {
        globrunqput(mp, state, mp.sched().g(*gs), PutHow::Head);
    }
    if let Some(gp) = next {
        globrunqput(mp, state, gp, PutHow::Head);
    }
}

/// Makes every G of the list, which all wait, runnable (T20). With a P: as many to the global queue as there are idle
/// Ps to wake, the rest to the own ring. Without: all to the global queue.
pub(crate) fn injectglist(mp: &'static M, mut list: GQueue) {
    if list.is_empty() {
        return;
    }
    let sched = mp.sched();
    let mut ready = GQueue::new();
    while let Some(gp) = list.pop_front() {
        gp.casgstatus(mp, GStatus::Waiting, GStatus::Runnable, Site::Injectglist);
        ready.push_back(gp);
    }
    let pp = mp.p();
    // SeqCst: as in `wakep`, the puts below come before the look at who could be woken.
    let share =
        if pp.is_none() { ready.len() } else { (sched.npidle.load(SeqCst) as usize).min(ready.len()) };
    if share > 0 {
        let mut state = sched.lock.lock();
        for _ in 0..share {
            if let Some(gp) = ready.pop_front() {
                globrunqput(mp, &mut state, gp, PutHow::Batch);
            }
        }
        drop(state);
        start_idle(mp, sched, share);
    }
    let Some(pp) = pp else { return work_is_urgent(sched) };
    while let Some(gp) = ready.pop_front() {
        // As in `runqput`.
        let it = about(mp, gp);
        match pp.runq.put_tail(gp.gs()) {
            Put::Done(moved) => {
                let how = put(pp.id(), Queue::Local, PutHow::Batch);
                event_about(mp, it, Site::Injectglist, moved.over, how);
            }
            Put::Full => {
                let mut state = sched.lock.lock();
                globrunqput(mp, &mut state, gp, PutHow::Batch);
            }
        }
    }
    // SeqCst, rule 4: a put at the tail is a Release store only, which the look at nmspinning in `wakep` may overtake; then an M
    // that just stopped spinning sees neither. Pairs with the fence in `find_runnable`.
    fence(SeqCst);
    wakep(mp);
}

/// For an M without a P: puts a G that has just become runnable on the global queue, and sees to it that somebody looks there.
pub(crate) fn put_globally(mp: &'static M, gp: &'static G) {
    let sched = mp.sched();
    globrunqput(mp, &mut sched.lock.lock(), gp, PutHow::Batch);
    start_idle(mp, sched, 1);
    work_is_urgent(sched);
}

/// Starts up to `count` Ms on idle Ps.
fn start_idle(mp: &'static M, sched: &'static Sched, count: usize) {
    for _ in 0..count {
        mp.acquire();
        let mut state = sched.lock.lock();
        let pp = sched.pidleget_spinning(&mut state);
        if let Some(pp) = pp {
            startm_locked(mp, state, pp, false, Site::Injectglist);
        }
        mp.release();
        if pp.is_none() {
            break;
        }
    }
}
