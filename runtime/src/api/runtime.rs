//! Questions to the runtime that the caller runs in, and its one dial.

use std::time::Duration;

use crate::api::metrics::{Metrics, NotInjected, Preemptions};
use crate::facade::atomic::Ordering::Relaxed;
use crate::facade::{getm, nanotime};
use crate::m::M;
use crate::proc::{self, safe_point};
use crate::sched::{MAX_PROCS, Sched};
use crate::stats::{Count, MStats};

/// The runtime of the goroutine that calls.
fn sched(what: &str) -> &'static Sched {
    match getm() {
        Some(mp) => mp.sched(),
        None => panic!("sigurg::{what}: not called on a goroutine"),
    }
}

/// How many goroutines may run at the same time. Go: `GOMAXPROCS(0)`.
///
/// # Panics
///
/// If the caller is not a goroutine.
pub fn gomaxprocs() -> usize {
    safe_point();
    // Relaxed: a figure.
    sched("gomaxprocs").gomaxprocs.load(Relaxed) as usize
}

/// Sets how many goroutines may run at the same time, from 1 to 1024, and returns the number before. Stops all of them for a
/// moment. Go: `GOMAXPROCS(n)`.
///
/// # Panics
///
/// If `procs` is out of range, or the caller is not a goroutine, or is inside [`blocking`](crate::blocking).
pub fn set_gomaxprocs(procs: usize) -> usize {
    assert!((1..=MAX_PROCS).contains(&procs), "set_gomaxprocs({procs}): not a number from 1 to {MAX_PROCS}");
    sched("set_gomaxprocs");
    assert!(proc::on_goroutine(), "set_gomaxprocs: called inside sigurg::blocking");
    proc::set_gomaxprocs(procs as u32) as usize
}

/// Stops every other goroutine, calls `f`, and lets them go on. For diagnosis and measurements: how long it takes to bring
/// a program to a stop, or a look at something that nobody changes meanwhile.
///
/// Goroutines are stopped wherever they are, with whatever locks they hold, the allocator's too. So `f` must not take a lock, also
/// not by allocating or printing: it may wait for ever. If it blocks in a call of this crate the process ends. Those in
/// [`blocking`](crate::blocking), and plain threads, go on meanwhile, until they need a processor of this runtime.
///
/// One at a time: a second caller waits. If `f` panics the world goes on, and so does the panic.
///
/// Go: `stopTheWorld`, `startTheWorld`, which programs cannot call; `runtime.ReadMemStats` does little else.
///
/// # Panics
///
/// If the caller is not a goroutine, or is inside [`blocking`](crate::blocking).
///
/// ```no_run
/// use std::time::Instant;
///
/// let asked = Instant::now();
/// let stopped = sigurg::stop_the_world(Instant::now);
/// println!("stopped after {:?}", stopped - asked);
/// ```
pub fn stop_the_world<T>(f: impl FnOnce() -> T) -> T {
    assert!(proc::on_goroutine(), "sigurg::stop_the_world: not called on a goroutine");
    proc::with_world_stopped(f)
}

/// What the runtime is doing and has done, in numbers.
///
/// # Panics
///
/// If the caller is not a goroutine.
pub fn metrics() -> Metrics {
    safe_point();
    let sched = sched("metrics");
    let total = |of: fn(&MStats) -> &Count| sched.ms().map(|mp: &M| of(&mp.stats).get()).sum::<u64>();
    let (threads, idle) = {
        let state = sched.lock.lock();
        (state.mnext - state.nmfreed - state.nmsys, state.nmidle)
    };
    let (started, ended) = (total(|m| &m.spawned), total(|m| &m.ended));
    let ps = || sched.ps();
    Metrics {
        goroutines: started.saturating_sub(ended),
        goroutines_started: started,
        runnable_global: sched.runqsize() as u64,
        runnable_local: ps().map(|pp| pp.runq.len_hint() as u64).sum(),
        ms: threads as u64,
        idle_ms: idle as u64,
        // Relaxed, here and below: figures.
        spinning_ms: sched.nmspinning.load(Relaxed).max(0) as u64,
        ps: sched.gomaxprocs.load(Relaxed).into(),
        idle_ps: sched.npidle.load(Relaxed).into(),
        schedules: ps().map(|pp| u64::from(pp.schedtick.load(Relaxed))).sum(),
        parks: total(|m| &m.parks),
        steals: total(|m| &m.steals),
        syscalls: total(|m| &m.syscalls),
        handoffs: total(|m| &m.retakes),
        preemptions: Preemptions {
            synchronous: total(|m| &m.preempted_sync),
            parked: total(|m| &m.preempted_park),
            adopted: total(|m| &m.adopted),
            injected: total(|m| &m.preempted_inject),
            not_injected: NotInjected::new(|reason| {
                sched.ms().map(|mp: &M| mp.stats.not_injected[reason as usize].get()).sum()
            }),
            declined: total(|m| &m.declined),
        },
        timers: ps().map(|pp| pp.timers.len() as u64).sum(),
        netpoll_waiters: sched.netpoll.waiters().into(),
        stacks: sched.slab.count().into(),
        stacks_shrunk: total(|m| &m.shrunk),
        uptime: Duration::from_nanos((nanotime() - sched.started) as u64),
    }
}
