//! `preempt_off`.

use std::panic::catch_unwind;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use sigurg::{chan, go, preempt_off, time};

use crate::stage::{Stop, parked, run};

/// Computes for so long without a call of the runtime.
fn compute(how_long: Duration) {
    let start = Instant::now();
    while start.elapsed() < how_long {
        std::hint::spin_loop();
    }
}

/// Counts how often it wakes, which takes the only P from others.
fn counter(stop: &Stop) -> Arc<AtomicU64> {
    let count = Arc::new(AtomicU64::new(0));
    go({
        let (count, stop) = (Arc::clone(&count), stop.clone());
        move || {
            while !stop.is_set() {
                time::sleep(Duration::from_micros(200));
                count.fetch_add(1, Relaxed);
            }
        }
    });
    count
}

#[test]
fn nobody_else_runs_on_the_p_meanwhile_and_others_do_before_and_after() {
    run(1, || {
        let stop = Stop::default();
        let count = counter(&stop);
        let seen = |how_long| {
            let before = count.load(Relaxed);
            compute(how_long);
            count.load(Relaxed) - before
        };
        for _ in 0..5 {
            while seen(Duration::from_millis(10)) == 0 {}
            assert_eq!(preempt_off(|| seen(Duration::from_millis(30))), 0);
            // It nests, and calls of the runtime are no safe points either.
            let inside = preempt_off(|| {
                let first = preempt_off(|| seen(Duration::from_millis(15)));
                drop(chan::<u8>(1));
                first + seen(Duration::from_millis(15))
            });
            assert_eq!(inside, 0);
        }
        stop.set();
    });
}

#[test]
fn after_a_panic_inside_preemption_is_as_it_was() {
    run(1, || {
        let stop = Stop::default();
        let count = counter(&stop);
        let panic =
            catch_unwind(|| preempt_off(|| std::panic::resume_unwind(Box::new(5u8)))).expect_err("a panic");
        assert_eq!(panic.downcast_ref(), Some(&5u8));
        let before = (parked(), count.load(Relaxed));
        while count.load(Relaxed) < before.1 + 3 {
            compute(Duration::from_millis(1));
        }
        assert!(parked() > before.0, "stopped by signal again");
        stop.set();
    });
}

#[test]
fn a_goroutine_may_block_inside() {
    run(1, || {
        let (tx, rx) = chan::<u32>(0);
        let receiver =
            go(move || preempt_off(|| (0..100).map(|_| rx.recv().expect("a sender")).sum::<u32>()));
        for i in 0..100 {
            preempt_off(|| tx.send(i)).expect("a receiver");
        }
        assert_eq!(receiver.join().expect("no panic"), 99 * 100 / 2);
    });
}

#[test]
fn on_a_plain_thread_it_only_calls() {
    assert_eq!(preempt_off(|| preempt_off(|| 3)), 3);
}
