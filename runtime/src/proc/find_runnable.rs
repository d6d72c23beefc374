//! Finding a goroutine to run: here, then anywhere, then waiting until there is one.
//!
//! Go: `findRunnable`, `stealWork`, `checkRunqsNoP`, `checkTimersNoP` (section 8.4 of the state rules).

use crate::facade::atomic::Ordering::{Relaxed, SeqCst};
use crate::facade::atomic::fence;
use crate::facade::{nanotime, scaled};
use crate::g::G;
use crate::m::M;
use crate::p::P;
use crate::proc::for_each_p::{owes_safe_point_fn, run_safe_point_fn};
use crate::proc::queue::{Next, globrunqget, globrunqgetbatch, injectglist, keep_batch, runqget, runqsteal};
use crate::proc::stw::gcstopm;
use crate::proc::wake::{acquirep, become_spinning, releasep, stop_spinning, stopm};
use crate::sched::{GQueue, Sched};
use crate::status::GStatus;
use crate::throw::throw;
use crate::trace::Site;

/// Every so many time slices the global queue goes first: two goroutines that keep readying each other must not
/// starve the rest.
const GLOBAL_EVERY: u32 = 61;
/// How often a thief goes round all Ps; only the last time it takes timers and what a P would run next. That one has
/// everything that there is to explore.
const STEAL_ROUNDS: usize = scaled(4, 1);

/// The earlier of two times, of which 0 is none.
fn earlier(a: i64, b: i64) -> i64 {
    match (a, b) {
        (0, when) | (when, 0) => when,
        (a, b) => a.min(b),
    }
}

/// A goroutine to run on this M. It has a P before and after, perhaps another one.
pub(crate) fn find_runnable(mp: &'static M) -> Next {
    let sched = mp.sched();
    loop {
        let Some(pp) = mp.p() else { throw!("find_runnable: M{} has no P", mp.id()) };
        // SeqCst as in Go; the initiator asks again until everybody has seen it.
        if sched.gcwaiting.load(SeqCst) {
            gcstopm(mp);
            continue;
        }
        run_safe_point_fn(mp, pp);
        let (mut poll_until, woke) = check_timers(pp);

        // Not before who was woken just now, who would wait for a whole slice of a hog: it inherits the slice, so the tick
        // stays and the global queue is next. Relaxed: own.
        if !woke && pp.schedtick.load(Relaxed).is_multiple_of(GLOBAL_EVERY) && sched.runqsize() > 0 {
            let mut state = sched.lock.lock();
            if let Some(gp) = globrunqget(mp, &mut state) {
                return (gp, false);
            }
        }
        if let Some(next) = runqget(mp, pp) {
            return next;
        }
        if sched.runqsize() > 0
            && let Some(gp) = take_share(mp, pp)
        {
            return (gp, false);
        }
        // SeqCst as in Go: 0 while somebody waits in the poller.
        if sched.netpoll.waiters() > 0
            && sched.lastpoll.load(SeqCst) != 0
            && let Some(gp) = poll_now(mp)
        {
            return (gp, false);
        }

        // Relaxed: `spinning` is own; the bound may be exceeded for a moment.
        let busy = sched.gomaxprocs.load(Relaxed) as i32 - sched.npidle.load(Relaxed) as i32;
        if mp.spinning.load(Relaxed) || 2 * sched.nmspinning.load(Relaxed) < busy {
            if !mp.spinning.load(Relaxed) {
                become_spinning(mp);
            }
            match steal_work(mp, pp) {
                Stolen::Work(next) => return next,
                Stolen::Perhaps => continue,
                Stolen::Nothing { next_timer } => poll_until = earlier(poll_until, next_timer),
            }
        }

        // There is nothing: this P becomes idle, unless somebody noticed work meanwhile.
        let mut state = sched.lock.lock();
        if sched.gcwaiting.load(SeqCst) || owes_safe_point_fn(pp) {
            continue;
        }
        if sched.runqsize() > 0 {
            let Some((gp, rest)) = globrunqgetbatch(mp, &mut state) else {
                throw!("find_runnable: the global queue is empty and has a size")
            };
            keep_batch(mp, pp, rest);
            return (gp, false);
        }
        let was_spinning = mp.spinning.load(Relaxed);
        releasep(mp);
        sched.pidleput(&mut state, pp);
        // Rule 5 of the module page: `pidleput` has raised npidle, now the mark. SeqCst both, with `wakep`.
        if !was_spinning && sched.needspinning.load(SeqCst) == 1 {
            let Some(pp) = sched.pidleget(&mut state) else { throw!("find_runnable: an idle P is gone") };
            drop(state);
            acquirep(mp, pp);
            become_spinning(mp);
            continue;
        }
        drop(state);

        if was_spinning {
            stop_spinning(mp);
            // SeqCst: the looks below come after the decrement for who only stores and then looks (`injectglist`).
            fence(SeqCst);
            // Rule 4: everything again, now that a submitter would wake somebody.
            if sched.runqsize() > 0 {
                let mut state = sched.lock.lock();
                if sched.runqsize() > 0
                    && let Some(pp) = sched.pidleget_spinning(&mut state)
                {
                    let Some((gp, rest)) = globrunqgetbatch(mp, &mut state) else {
                        throw!("find_runnable: the global queue is empty and has a size")
                    };
                    drop(state);
                    acquirep(mp, pp);
                    // Who overlooks these is made up for: this M spins until it has called `resetspinning`.
                    keep_batch(mp, pp, rest);
                    become_spinning(mp);
                    return (gp, false);
                }
            }
            if let Some(pp) = check_runqs_no_p(sched) {
                acquirep(mp, pp);
                become_spinning(mp);
                continue;
            }
            for pp in sched.ps() {
                poll_until = earlier(poll_until, pp.timers.wake_time());
            }
        }

        // Wait: one M in the poller, the others on their notes. SeqCst: the M that makes it 0 is the one.
        if (sched.netpoll.waiters() > 0 || poll_until != 0) && sched.lastpoll.swap(0, SeqCst) != 0 {
            if let Some(next) = poll_and_wait(mp, poll_until, was_spinning) {
                match next {
                    Some(gp) => return (gp, false),
                    None => continue,
                }
            }
        } else if poll_until != 0 {
            // SeqCst: `wake_poller`.
            let until = sched.poll_until.load(SeqCst);
            if until == 0 || until > poll_until {
                sched.netpoll.wake();
            }
        }
        stopm(mp);
    }
}

/// Runs the due timers of `pp`; when the next is due, and whether any ran.
fn check_timers(pp: &'static P) -> (i64, bool) {
    if pp.timers.wake_time() == 0 {
        return (0, false);
    }
    pp.timers.check(nanotime())
}

/// Takes a share of the global queue.
fn take_share(mp: &'static M, pp: &'static P) -> Option<&'static G> {
    let mut state = mp.sched().lock.lock();
    let (gp, rest) = globrunqgetbatch(mp, &mut state)?;
    keep_batch(mp, pp, rest);
    Some(gp)
}

/// What the network has ready now: the first to be run, the others are put on queues.
fn poll_now(mp: &'static M) -> Option<&'static G> {
    let mut list = GQueue::new();
    mp.sched().netpoll.poll(0, |gp| list.push_back(gp));
    first_of(mp, list)
}

/// T22, T26: the first of what was polled is run at once.
fn first_of(mp: &'static M, mut list: GQueue) -> Option<&'static G> {
    let gp = list.pop_front()?;
    injectglist(mp, list);
    gp.casgstatus(mp, GStatus::Waiting, GStatus::Runnable, Site::FindRunnable);
    Some(gp)
}

/// Waits in the poller without a P. `Some` if it got a P afterwards, with a goroutine or without.
fn poll_and_wait(mp: &'static M, poll_until: i64, was_spinning: bool) -> Option<Option<&'static G>> {
    let sched = mp.sched();
    // SeqCst: whoever arms an earlier timer after this sees it and breaks the poll (`wake_poller`).
    sched.poll_until.store(poll_until, SeqCst);
    // A timer armed before that is in its heap by now.
    let poll_until = sched.ps().fold(poll_until, |until, pp| earlier(until, pp.timers.wake_time()));
    let delay = if poll_until == 0 { -1 } else { (poll_until - nanotime()).max(0) };
    let mut list = GQueue::new();
    sched.netpoll.poll(delay, |gp| list.push_back(gp));
    sched.poll_until.store(0, SeqCst);
    // SeqCst: the next one may wait there.
    sched.lastpoll.store(nanotime(), SeqCst);
    let pp = sched.pidleget(&mut sched.lock.lock());
    let Some(pp) = pp else {
        injectglist(mp, list);
        return None;
    };
    acquirep(mp, pp);
    let first = first_of(mp, list);
    if first.is_none() && was_spinning {
        become_spinning(mp);
    }
    Some(first)
}

enum Stolen {
    Work(Next),
    /// Something happened that makes it worth to start again.
    Perhaps,
    Nothing {
        next_timer: i64,
    },
}

/// Goes round all Ps, from a random one in a random direction.
fn steal_work(mp: &'static M, pp: &'static P) -> Stolen {
    let sched = mp.sched();
    // Relaxed: it changes while the world is stopped; a stale look is repeated.
    let procs = sched.gomaxprocs.load(Relaxed);
    let (mut next_timer, mut ran) = (0, false);
    for round in 1..=STEAL_ROUNDS {
        let last = round == STEAL_ROUNDS;
        for id in random_order(mp, procs) {
            if sched.gcwaiting.load(SeqCst) {
                return Stolen::Perhaps;
            }
            let Some(victim) = sched.p(id as usize).filter(|victim| !std::ptr::eq(*victim, pp)) else {
                continue;
            };
            if last && victim.timers.wake_time() != 0 {
                let (when, ran_some) = victim.timers.check(nanotime());
                next_timer = earlier(next_timer, when);
                // What they readied is on the own queue.
                if ran_some {
                    ran = true;
                    if let Some(next) = runqget(mp, pp) {
                        return Stolen::Work(next);
                    }
                }
            }
            if !sched.is_idle(id as usize)
                && let Some(gp) = runqsteal(mp, pp, victim, last)
            {
                mp.stats.steals.bump();
                return Stolen::Work((gp, false));
            }
        }
    }
    if ran { Stolen::Perhaps } else { Stolen::Nothing { next_timer } }
}

/// All numbers below `n` once, in an order that two thieves rarely share: steps of a size without common divisor.
fn random_order(mp: &M, n: u32) -> impl Iterator<Item = u32> {
    let gcd = |mut a: u32, mut b: u32| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    let start = mp.cheaprandn(n);
    let mut step = 1 + mp.cheaprandn(n);
    while gcd(step, n) != 1 {
        step = step % n + 1;
    }
    (0..n).map(move |i| ((u64::from(start) + u64::from(i) * u64::from(step)) % u64::from(n)) as u32)
}

/// An idle P if any queue has something. Go: `checkRunqsNoP`.
fn check_runqs_no_p(sched: &'static Sched) -> Option<&'static P> {
    if sched.ps().any(|pp| !sched.is_idle(pp.id() as usize) && !pp.runq.is_empty()) {
        sched.pidleget_spinning(&mut sched.lock.lock())
    } else {
        None
    }
}
