//! A goroutine that is unwinding stays on its thread, whatever its destructors wait for: std counts panics by thread.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use sigurg::sync::Mutex;
use sigurg::{blocking, chan, go, scope, time, yield_now};

use crate::stage::{gettid, run};

/// Calls its function when dropped, and tells whether that was on one thread, and panicking all the time.
struct OnDrop<F: Fn()> {
    wait: F,
    stayed: Arc<AtomicBool>,
}

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        let before = (gettid(), std::thread::panicking());
        (self.wait)();
        let after = (gettid(), std::thread::panicking());
        self.stayed.store(before == after && before.1, SeqCst);
    }
}

/// Goroutines that panic and call `wait` meanwhile, among others that keep the threads changing hands.
fn stays(wait: impl Fn() + Send + Sync + Copy + 'static) {
    run(2, move || {
        let stop = AtomicBool::new(false);
        scope(|scope| {
            for _ in 0..4 {
                scope.go(|| {
                    while !stop.load(SeqCst) {
                        assert!(!std::thread::panicking(), "another goroutine's panic");
                        yield_now();
                    }
                });
            }
            for round in 0..300 {
                let stayed = Arc::new(AtomicBool::new(false));
                let in_drop = OnDrop { wait, stayed: Arc::clone(&stayed) };
                let unwinds = go(move || {
                    let _in_drop = in_drop;
                    // Not `panic!`: it would print a backtrace each time.
                    std::panic::resume_unwind(Box::new(round));
                });
                let panic = unwinds.join().expect_err("it panicked");
                assert_eq!(panic.downcast_ref(), Some(&round));
                assert!(stayed.load(SeqCst), "round {round}: moved to another thread");
                assert!(!std::thread::panicking());
            }
            stop.store(true, SeqCst);
        });
    });
}

#[test]
fn while_it_waits_for_a_channel() {
    stays(|| {
        let (tx, rx) = chan(0);
        go(move || tx.send(1));
        assert_eq!(rx.recv(), Ok(1));
    });
}

#[test]
fn while_it_sleeps() {
    stays(|| time::sleep(Duration::from_micros(20)));
}

#[test]
fn while_it_yields() {
    stays(|| (0..5).for_each(|_| yield_now()));
}

#[test]
fn while_it_waits_for_a_mutex() {
    stays(|| {
        let mutex = Arc::new(Mutex::new(()));
        let held = Arc::clone(&mutex);
        let (tx, rx) = chan(0);
        let holder = go(move || {
            let _guard = held.lock();
            tx.send(()).expect("a receiver");
            yield_now();
        });
        rx.recv().expect("a sender");
        drop(mutex.lock());
        holder.join().expect("no panic");
    });
}

#[test]
fn while_it_starts_and_joins_others() {
    stays(|| (0..50).for_each(|_| go(yield_now).join().expect("no panic")));
}

#[test]
fn while_it_is_in_a_blocking_call() {
    stays(|| blocking(|| std::thread::sleep(Duration::from_micros(100))));
}
