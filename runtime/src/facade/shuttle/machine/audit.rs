//! Whether the whole state of a runtime fits together, looked at between two turns.
//!
//! Events tell what was done; these are facts that no event tells, or that must hold when nobody does anything.
//!
//! 1. *After every turn*, wherever the threads stand: each goroutine lies in at most one queue or runs on at most one M, not both;
//!    what lies in a queue is `Runnable`; each P is in at most one place; and if nobody holds `sched.lock`, what lies under it
//!    is what the counts beside it say. Nobody who is dead and off its M is asked to stop: the next life would, for nobody.
//! 2. *When every thread sleeps* nothing is in anybody's hand: each P and each goroutine is in exactly one place, links go both
//!    ways, nobody holds a scan bit, no work lies in a queue while a P is idle, and nobody waits for a world that has stopped: a
//!    wake-up would have been lost. Nobody who waits does so for a suspender: that one would hold its scan bit.
//! 3. It only looks. Nothing it finds depends on anything but the state, so an execution is the same without it.

use std::ptr;

use crate::facade::atomic::Ordering::Relaxed;
use crate::g::{G, Gs};
use crate::m::M;
use crate::p::{P, PStatus};
use crate::runq::RING;
use crate::sched::{GQueue, MAX_PROCS, SYSMON_ASLEEP, Sched, State};
use crate::status::GStatus;
use crate::waitreason::WaitReason;

type Verdict = Result<(), String>;

macro_rules! ensure {
    ($holds:expr, $($words:tt)+) => {
        if !$holds {
            return Err(format!($($words)+));
        }
    };
}

/// Where Gs were found. Kept, so that looking allocates nothing.
#[derive(Default)]
pub(super) struct Audit {
    /// By number.
    places: Vec<Found>,
}

/// Where one G was found.
#[derive(Clone, Copy, Default)]
struct Found {
    queues: u8,
    ms: u8,
}

/// Where one P was found.
#[derive(Clone, Copy, Default)]
struct Holders {
    ms: u8,
    on_its_way: u8,
    idle: bool,
}

impl Audit {
    /// What does not fit, if anything. `all_sleep`: every thread does.
    pub(super) fn look(&mut self, sched: &'static Sched, all_sleep: bool) -> Verdict {
        // Relaxed here and everywhere: one thread of the process runs everything.
        if sched.ended.load(Relaxed) || sched.gomaxprocs.load(Relaxed) == 0 {
            return Ok(());
        }
        let mut ps = [Holders::default(); MAX_PROCS];
        self.places.clear();
        self.places.resize(sched.slab.count() as usize + 1, Found::default());
        self.look_at_ms(sched, &mut ps)?;
        for pp in sched.ps() {
            self.look_at_queue(sched, pp)?;
        }
        // What is under the lock may be in the middle of a change, unless the lock is free.
        let free = sched.lock.raw.try_lock();
        let under_lock = if free {
            // SAFETY: the lock is held, and no guard of it is.
            let state = unsafe { sched.lock.unguarded() };
            let verdict = self.look_under_lock(sched, state, &mut ps);
            sched.lock.raw.unlock();
            verdict
        } else {
            Ok(())
        };
        under_lock?;
        for pp in sched.ps() {
            let (id, holders) = (pp.id(), ps[pp.id() as usize]);
            let places = holders.ms + holders.on_its_way + u8::from(holders.idle);
            ensure!(places <= 1, "P{id} is in {places} places");
        }
        for gp in sched.slab.all() {
            let Found { queues, ms } = self.of(gp);
            ensure!(queues + ms <= 1, "{} is in {queues} queues and runs on {ms} Ms", name(gp));
            let asked = gp.preempt_stop.load(Relaxed) && gp.status.load().is(GStatus::Dead);
            ensure!(!asked || ms == 1, "{} is dead and asked to stop for a suspender", name(gp));
        }
        if all_sleep && free { self.look_at_rest(sched, &ps) } else { Ok(()) }
    }

    fn of(&self, gp: &G) -> Found {
        self.places.get(gp.gs().0 as usize).copied().unwrap_or_default()
    }

    fn queued(&mut self, sched: &'static Sched, gs: Gs, place: impl FnOnce() -> String) -> Verdict {
        let Some(found) = self.places.get_mut(gs.0 as usize).filter(|_| !gs.is_none()) else {
            return Err(format!("{} has G struct {}, which does not exist", place(), gs.0));
        };
        found.queues += 1;
        let gp = sched.g(gs);
        let status = gp.status.load().base();
        ensure!(status == GStatus::Runnable, "{} has {}, which is {status:?}", place(), name(gp));
        Ok(())
    }

    fn look_at_ms(&mut self, sched: &'static Sched, ps: &mut [Holders; MAX_PROCS]) -> Verdict {
        for mp in sched.ms() {
            if let Some(gp) = mp.curg() {
                self.places[gp.gs().0 as usize].ms += 1;
            }
            if let Some(pp) = mp.p() {
                ps[pp.id() as usize].ms += 1;
            }
            // SAFETY: null, or a P, which lives as long as the execution.
            if let Some(pp) = unsafe { mp.nextp.load(Relaxed).as_ref() } {
                ps[pp.id() as usize].on_its_way += 1;
            }
        }
        Ok(())
    }

    fn look_at_queue(&mut self, sched: &'static Sched, pp: &P) -> Verdict {
        let (head, tail) = (pp.runq.head.load(Relaxed), pp.runq.tail.load(Relaxed));
        let id = pp.id();
        ensure!(tail.wrapping_sub(head) <= RING as u64, "the ring of P{id} is from {head} to {tail}");
        for at in head..tail {
            let gs = Gs(pp.runq.ring[at as usize % RING].load(Relaxed));
            self.queued(sched, gs, || format!("the ring of P{id}"))?;
        }
        let next = pp.runq.peek_next();
        if next.is_none() { Ok(()) } else { self.queued(sched, next, || format!("runnext of P{id}")) }
    }

    /// sched.lock held.
    fn look_under_lock(
        &mut self,
        sched: &'static Sched,
        state: &State,
        ps: &mut [Holders; MAX_PROCS],
    ) -> Verdict {
        let GQueue { head, tail, len } = state.runq;
        let (mut gp, mut last, mut count) = (head, None, 0);
        while let Some(one) = gp {
            self.queued(sched, one.gs(), || "the global queue".into())?;
            count += 1;
            last = gp;
            let next = Gs(one.schedlink.load(Relaxed));
            gp = (!next.is_none()).then(|| sched.g(next));
        }
        let size = sched.runqsize();
        ensure!(
            count == len && len == size && last.map(G::gs) == tail.map(G::gs),
            "the global queue has {count} goroutines, counts {len} and tells {size}"
        );

        let mut count = 0;
        for pp in sched.idle_ps(state) {
            let (id, status) = (pp.id(), pp.status.load());
            count += 1;
            ensure!(!ps[id as usize].idle, "P{id} is on the idle list twice");
            ps[id as usize].idle = true;
            ensure!(status == PStatus::Idle, "P{id} is on the idle list and {status:?}");
            ensure!(pp.runq.is_empty(), "P{id} is on the idle list and has runnable goroutines");
            ensure!(sched.is_idle(id as usize), "P{id} is on the idle list and not among the bits");
        }
        let idle = sched.npidle.load(Relaxed);
        let bits: u32 = sched.idlep_mask.iter().map(|word| word.load(Relaxed).count_ones()).sum();
        ensure!(
            count == idle && bits == idle,
            "{count} Ps are on the idle list, {idle} are counted, {bits} have a bit"
        );

        let sleeps = sched.sysmonwait.load(Relaxed) == SYSMON_ASLEEP && !sched.gcwaiting.load(Relaxed);
        let procs = sched.gomaxprocs.load(Relaxed);
        ensure!(!sleeps || idle == procs, "sysmon sleeps for long, and {idle} of {procs} Ps are idle");

        let mut count = 0;
        // SAFETY: null, or an M, which lives as long as the execution.
        let mut mp = unsafe { state.midle.as_ref() };
        while let Some(one) = mp {
            count += 1;
            let free = one.p().is_none() && one.curg().is_none() && one.nextp.load(Relaxed).is_null();
            ensure!(
                free && !one.spinning.load(Relaxed),
                "M{} is on the idle list and holds something",
                one.id()
            );
            ensure!(count <= state.mnext, "the list of idle Ms has no end");
            // SAFETY: as above.
            mp = unsafe { one.schedlink.load(Relaxed).as_ref() };
        }
        ensure!(count == state.nmidle, "{count} Ms are on the idle list, {} are counted", state.nmidle);
        let spinning = sched.nmspinning.load(Relaxed);
        ensure!((0..=state.mnext).contains(&spinning), "{spinning} Ms are counted as spinning");
        Ok(())
    }

    /// Rule 2.
    fn look_at_rest(&self, sched: &'static Sched, ps: &[Holders; MAX_PROCS]) -> Verdict {
        let mut in_hand = 0;
        for pp in sched.ps() {
            let (id, status, holders) = (pp.id(), pp.status.load(), ps[pp.id() as usize]);
            let m = pp.m();
            match status {
                PStatus::Running => {
                    let both = m.is_some_and(|mp| mp.p().is_some_and(|p| ptr::eq(p, pp)));
                    ensure!(both, "all sleep; P{id} is Running, and its M is {}", m.map_or(-1, M::id));
                }
                PStatus::Idle if holders.idle => {}
                PStatus::Idle => in_hand += 1,
                PStatus::Gcstop => ensure!(
                    sched.gcwaiting.load(Relaxed),
                    "all sleep; P{id} is stopped, and nobody stops the world"
                ),
                PStatus::Dead => return Err(format!("all sleep; P{id} is in use and dead")),
            }
        }
        // SAFETY: the caller has just held the lock, and nobody has run since.
        let State { nwanted, stopwait, .. } = *unsafe { sched.lock.unguarded() };
        ensure!(in_hand == nwanted, "all sleep; {in_hand} Ps are nowhere, {nwanted} wait for threads");

        let counted = sched.nmspinning.load(Relaxed);
        let spinning = sched.ms().filter(|mp| mp.spinning.load(Relaxed)).count();
        ensure!(counted == spinning as i32, "all sleep; {spinning} Ms spin, {counted} are counted");

        let mut queued = None;
        for gp in sched.slab.all() {
            let (Found { queues, ms }, word) = (self.of(gp), gp.status.load());
            ensure!(!word.has_scan(), "all sleep; somebody holds the scan bit of {}", name(gp));
            let status = word.base();
            let places = match status {
                GStatus::Runnable => (1, 0),
                GStatus::Running | GStatus::Syscall => (0, 1),
                // A suspendable one stays on its M.
                GStatus::Waiting if ms == 1 => (0, 1),
                _ => (0, 0),
            };
            ensure!(
                (queues, ms) == places,
                "all sleep; {} is {status:?}, in {queues} queues and on {ms} Ms",
                name(gp)
            );
            if ms == 1 {
                let both = gp.m().is_some_and(|mp| mp.curg().is_some_and(|g| ptr::eq(g, gp)));
                ensure!(both, "all sleep; {} runs on an M that it does not name", name(gp));
            }
            if queues == 1 {
                queued = Some(gp);
            }
            let why = WaitReason::from_index(gp.waitreason.load(Relaxed));
            match (status, why) {
                (GStatus::Waiting, WaitReason::StoppingTheWorld) => {
                    ensure!(stopwait > 0, "all sleep; {} waits for a world that has stopped", name(gp));
                }
                (GStatus::Waiting, WaitReason::Preempted) => {
                    return Err(format!(
                        "all sleep; {} says that a suspender has it, and none does",
                        name(gp)
                    ));
                }
                _ => {}
            }
        }
        let idle = sched.npidle.load(Relaxed);
        if let Some(gp) = queued.filter(|_| idle > 0 && spinning == 0) {
            return Err(format!("all sleep; {} waits to run, and {idle} Ps are idle", name(gp)));
        }
        Ok(())
    }
}

fn name(gp: &G) -> String {
    match gp.goid() {
        0 => format!("G struct {}", gp.gs().0),
        goid => format!("G{goid}"),
    }
}
