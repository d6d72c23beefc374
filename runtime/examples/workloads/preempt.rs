//! Goroutines that never yield: B11, B12a.

use std::hint::black_box;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::time::{Duration, Instant};

use sigurg::time::sleep;

use crate::Args;
use crate::kernels::{hog, spin};
use crate::report::{Pass, millis};
use crate::work::shared;

const MILLI: Duration = Duration::from_millis(1);

/// Raised when hogs are to end; at the latest half a second after `d`, by a thread outside the runtime, so that a
/// runtime without preemption comes to an end, too.
pub(crate) fn stop_after(d: Duration) -> &'static AtomicU32 {
    let stop = shared(AtomicU32::new(0));
    std::thread::spawn(move || {
        std::thread::sleep(d + Duration::from_millis(500));
        // Relaxed: when they stop does not matter.
        stop.store(1, Relaxed);
    });
    stop
}

/// B11: one sleeper beside hogs.
pub(crate) fn fairness(args: Args) -> Pass {
    let stop = stop_after(args.d);
    let end = Instant::now() + args.d;
    let hogs: Vec<_> = (0..args.k).map(|_| sigurg::go(move || hog(stop))).collect();
    let sleeper = sigurg::go(move || {
        let mut late = Vec::new();
        while Instant::now() < end {
            let begin = Instant::now();
            sleep(MILLI);
            late.push(begin.elapsed() - MILLI);
        }
        stop.store(1, Relaxed);
        late
    });
    let late = sleeper.join().expect("it returns");
    let counts: Vec<_> = hogs.into_iter().map(|hog| hog.join().expect("it returns")).collect();
    let expected = args.d.as_nanos() / MILLI.as_nanos();
    let mut pass = Pass::of(late.len() as u64);
    if (late.len() as u128) < expected / 100 {
        pass.status = "starved";
    }
    pass.set("expected", expected as u64);
    pass.samples("late_us", late);
    pass.shares(&counts);
    pass
}

#[inline(never)]
fn rotating_hog(me: u32, stop: &AtomicU32, owner: &AtomicU32, switches: &AtomicU64) -> u64 {
    let (mut x, mut n) = (88_172_645_463_325_252_u64, 0);
    // Relaxed, all: only counts.
    while stop.load(Relaxed) == 0 {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        n += 1;
        if owner.load(Relaxed) != me {
            owner.store(me, Relaxed);
            switches.fetch_add(1, Relaxed);
        }
    }
    black_box(x);
    n
}

/// B11c: how long hogs run before others do.
pub(crate) fn rotation(args: Args) -> Pass {
    let stop = stop_after(args.d);
    let (owner, switches) = (shared(AtomicU32::new(0)), shared(AtomicU64::new(0)));
    let started = shared(AtomicU64::new(0));
    let begin = Instant::now();
    let start = |me| {
        sigurg::go(move || {
            started.fetch_add(1, Relaxed);
            rotating_hog(me, stop, owner, switches)
        })
    };
    let hogs: Vec<_> = (1..=args.k as u32).map(start).collect();
    sleep(args.d);
    let elapsed = begin.elapsed();
    // Whoever comes back only because the thread outside ended the hogs was starved.
    let starved = stop.swap(1, Relaxed) != 0;
    let counts: Vec<_> = hogs.into_iter().map(|hog| hog.join().expect("it returns")).collect();
    let switches = switches.load(Relaxed);
    let mut pass = Pass::of(switches);
    if starved {
        pass.status = "starved";
    }
    pass.set("quantum_ms", millis(elapsed) / switches.max(1) as f64);
    pass.set("started", started.load(Relaxed));
    pass.set("stop_late_ms", millis(elapsed - args.d));
    pass.shares(&counts);
    pass
}

/// B12a: to be run with preemption on and off.
pub(crate) fn cost(args: Args) -> Pass {
    let spinner = |i| sigurg::go(move || black_box(spin(args.n, i)));
    let spinners: Vec<_> = (0..args.k).map(spinner).collect();
    spinners.into_iter().for_each(|spinner| _ = spinner.join().expect("it returns"));
    Pass::of(args.n * args.k)
}
