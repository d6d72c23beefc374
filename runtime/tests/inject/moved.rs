//! What it is for.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use sigurg::time;

use crate::stage::{STUCK, Stop, run};
use crate::tier::{compute, go, stopped, warm_up};

/// The thread. Not inlined: a function that calls a library is none to be stopped in.
#[inline(never)]
fn thread() -> i32 {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::gettid() }
}

#[test]
fn a_computation_goes_on_in_another_thread() {
    run(2, || {
        let (stop, moves) = (Stop::default(), Arc::new(AtomicU64::new(0)));
        let hogs: Vec<_> = (0..5)
            .map(|_| {
                let (stop, moves) = (stop.clone(), Arc::clone(&moves));
                go(move || {
                    let mut on = thread();
                    while !stop.is_set() {
                        compute(100_000);
                        let now = thread();
                        // Relaxed: a figure.
                        moves.fetch_add(u64::from(now != on), Relaxed);
                        on = now;
                    }
                })
            })
            .collect();
        // `run` ends this if it takes for ever.
        while moves.load(Relaxed) < 20 {
            time::sleep(Duration::from_millis(1));
        }
        stop.set();
        for hog in hogs {
            hog.join().expect("no panic");
        }
        assert!(stopped() > 0);
    });
}

#[test]
fn one_p_is_shared_by_endless_loops_without_a_thread_for_each() {
    const HOGS: usize = 300;
    run(1, || {
        warm_up();
        let before = stopped();
        let stop = Stop::default();
        let counts: Arc<Vec<AtomicU64>> = Arc::new((0..HOGS).map(|_| AtomicU64::new(0)).collect());
        let hogs: Vec<_> = (0..HOGS)
            .map(|i| {
                let (stop, counts) = (stop.clone(), Arc::clone(&counts));
                go(move || {
                    while !stop.is_set() {
                        compute(1_000);
                        // Relaxed: only grows.
                        counts[i].fetch_add(1, Relaxed);
                    }
                })
            })
            .collect();
        // Each of them runs: every 100 us one is stopped for who wakes here.
        while counts.iter().any(|count| count.load(Relaxed) == 0) {
            time::sleep(Duration::from_micros(100));
        }
        let metrics = sigurg::metrics();
        stop.set();
        for hog in hogs {
            hog.join().expect("no panic");
        }
        let stops = stopped() - before;
        assert!(stops >= HOGS as u64 - 1, "stopped {stops} times");
        assert!(metrics.ms < HOGS as u64 / 4, "{} threads, {:?}", metrics.ms, metrics.preemptions);
    });
}

#[test]
fn the_whole_runtime_may_be_allowed_to() {
    // SAFETY: these goroutines touch no thread-local.
    let runtime = unsafe { sigurg::Builder::new().gomaxprocs(1).injectable().build() }.expect("a runtime");
    runtime.run(|| {
        // The first goroutine, too, though functions of the runtime are inlined into it.
        let begin = Instant::now();
        while stopped() == 0 {
            assert!(begin.elapsed() < STUCK / 2, "{:?}", sigurg::metrics().preemptions);
            let (tx, rx) = sigurg::chan::<u64>(0);
            let waker = sigurg::go(move || tx.send(1).is_ok());
            compute(10_000_000);
            assert_eq!(rx.recv(), Ok(1));
            assert!(waker.join().expect("no panic"));
        }
    });
}
