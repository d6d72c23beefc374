//! Stopping others, all at once or one by one: B12b to B12z, B13.

use std::hint::black_box;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use sigurg::sync::WaitGroup;
use sigurg::time::sleep;
use sigurg::{stacks, stop_the_world};

use crate::Args;
use crate::kernels::{hog, spin};
use crate::preempt::stop_after;
use crate::report::{Pass, Watch, micros};
use crate::work::{Gate, shared};

/// Hogs, and this goroutine, which calls `call` again and again with a pause between; `call` says when what it asked for had
/// happened, if that is sooner than its end.
fn observed(args: Args, pause: Duration, call: fn() -> Option<Instant>) -> Pass {
    let stop = stop_after(args.d);
    let begin = Instant::now();
    let end = begin + args.d;
    let hogs: Vec<_> = (0..args.k).map(|_| sigurg::go(move || hog(stop))).collect();
    let (mut calls, mut stopping) = (Vec::new(), Vec::new());
    loop {
        let from = Instant::now();
        if from >= end {
            break;
        }
        stopping.extend(call().map(|stopped| stopped - from));
        calls.push(from.elapsed());
        if !pause.is_zero() {
            sleep(pause);
        }
    }
    // Relaxed: when they stop does not matter.
    stop.store(1, Relaxed);
    let iterations: u64 = hogs.into_iter().map(|hog| hog.join().expect("it returns")).sum();
    let wall = begin.elapsed();
    let mut pass = Pass::of(calls.len() as u64);
    pass.set("hog_iters_per_s", iterations as f64 / wall.as_secs_f64());
    pass.samples("call_us", calls);
    if !stopping.is_empty() {
        pass.samples("stopping_us", stopping);
    }
    pass
}

fn stopped() -> Option<Instant> {
    Some(stop_the_world(Instant::now))
}

/// B12b: stops the world.
pub(crate) fn world(args: Args) -> Pass {
    observed(args, Duration::ZERO, stopped)
}

/// B12e: the same, now and then.
pub(crate) fn world_now_and_then(args: Args) -> Pass {
    observed(args, Duration::from_millis(1), stopped)
}

/// B12c: what all goroutines are doing, as text.
pub(crate) fn dump(args: Args) -> Pass {
    observed(args, Duration::ZERO, || {
        black_box(sigurg::dump_goroutines());
        None
    })
}

/// What a collector does to a stack: looks at every word.
fn scan() -> usize {
    let mut sum = 0usize;
    let scanned = stacks::scan(|stack| {
        for word in stack.words() {
            sum = sum.wrapping_add(*word);
        }
    });
    black_box(sum);
    scanned
}

/// B12d: stops each goroutine once, one after the other.
pub(crate) fn each(args: Args) -> Pass {
    observed(args, Duration::ZERO, || {
        scan();
        None
    })
}

/// B12z: disturbs nobody.
pub(crate) fn nobody(args: Args) -> Pass {
    observed(args, Duration::ZERO, || {
        black_box(spin(1000, 1));
        None
    })
}

/// Waits for the gate below so many frames of 64 bytes.
#[inline(never)]
fn deep(frames: u64, parked: &WaitGroup, gate: &Gate) -> u8 {
    let mut frame = [0u8; 64];
    frame[frames as usize % 64] = frames as u8;
    let frame = black_box(&mut frame);
    if frames == 0 {
        parked.done();
        gate.wait();
        return frame[0];
    }
    deep(frames - 1, parked, gate).wrapping_add(frame[frames as usize % 64])
}

/// B13: all stacks, again and again, beside parked goroutines and hogs.
pub(crate) fn stack_scan(args: Args) -> Pass {
    let cycles = if args.k == 0 { 20 } else { 2 };
    // However long it takes: hogs end when it is over.
    let stop = stop_after(Duration::from_secs(3600));
    let (gate, parked) = (shared(Gate::new()), shared(WaitGroup::new()));
    parked.add(i32::try_from(args.n).expect("a count of goroutines"));
    let goroutines: Vec<_> =
        (0..args.n).map(|_| sigurg::go(move || black_box(deep(args.depth, parked, gate)))).collect();
    parked.wait();
    let hogs: Vec<_> = (0..args.k).map(|_| sigurg::go(move || hog(stop))).collect();
    let watch = Watch::start();
    let mut times = Vec::new();
    for _ in 0..cycles {
        let begin = Instant::now();
        let scanned = scan();
        times.push(begin.elapsed());
        assert!(scanned as u64 >= args.n, "{scanned} stacks of {}", args.n);
    }
    let span = watch.stop();
    // Relaxed: when they stop does not matter.
    stop.store(1, Relaxed);
    gate.open();
    goroutines.into_iter().for_each(|goroutine| _ = goroutine.join().expect("it returns"));
    hogs.into_iter().for_each(|hog| _ = hog.join().expect("it returns"));
    let mut pass = Pass::of(cycles);
    // Beside hogs it is theirs.
    if args.k == 0 {
        pass.set("gc_cpu_us_per_cycle", micros(span.cpu) / cycles as f64);
    }
    pass.set("depth", args.depth);
    pass.samples("gc_us", times);
    pass
}
