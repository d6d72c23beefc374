//! What `Runtime::run` begins and ends.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::Duration;

use sigurg::sync::Mutex;
use sigurg::{blocking, chan, go, lock_os_thread, time, yield_now};

use crate::stage::{eventually, run, threads};

#[test]
fn it_returns_what_main_returns() {
    assert_eq!(run(1, || vec![1, 2, 3]), [1, 2, 3]);
}

#[test]
fn main_may_borrow_from_the_caller() {
    let mut sum = 0;
    let numbers = [1, 2, 3];
    run(2, || sum = numbers.iter().sum());
    assert_eq!(sum, 6);
}

/// Goroutines in every state in which the end can find them. None of them ends by itself.
fn leave_goroutines_behind() {
    let (tx, rx) = chan::<()>(0);
    let never = Arc::new(Mutex::new(()));
    std::mem::forget(never.lock());
    for i in 0..10 {
        let (tx, rx, never) = (tx.clone(), rx.clone(), Arc::clone(&never));
        go(move || match i {
            0 => drop(rx.recv()),
            1 => drop(never.lock()),
            2 => time::sleep(Duration::from_secs(3600)),
            3 => loop {
                yield_now();
            },
            4 => loop {
                go(|| ());
                yield_now();
            },
            5 => loop {
                blocking(|| thread::sleep(Duration::from_micros(10)));
            },
            6 => {
                lock_os_thread();
                let _ = rx.recv();
            }
            7 => {
                lock_os_thread();
                loop {
                    yield_now();
                }
            }
            8 => loop {
                time::sleep(Duration::from_micros(10));
            },
            _ => drop(tx),
        });
    }
    for _ in 0..20 {
        yield_now();
        time::sleep(Duration::from_micros(50));
    }
}

#[test]
fn it_returns_though_goroutines_wait_sleep_run_or_are_queued() {
    for procs in [1, 2, 4] {
        assert_eq!(
            run(procs, || {
                leave_goroutines_behind();
                42
            }),
            42
        );
    }
}

#[test]
fn goroutines_that_it_leaves_behind_are_not_scheduled_any_more() {
    let counter = Arc::new(AtomicU64::new(0));
    run(2, || {
        for _ in 0..10 {
            let counter = Arc::clone(&counter);
            go(move || {
                loop {
                    counter.fetch_add(1, SeqCst);
                    yield_now();
                }
            });
        }
        while counter.load(SeqCst) < 1000 {
            yield_now();
        }
    });
    let at_the_end = counter.load(SeqCst);
    thread::sleep(Duration::from_millis(20));
    assert_eq!(counter.load(SeqCst), at_the_end);
}

#[test]
fn its_threads_end_with_it() {
    run(2, || ());
    let few = threads().len();
    for _ in 0..20 {
        run(4, leave_goroutines_behind);
    }
    eventually("the threads of ended runtimes are gone", || threads().len() <= few);
}

#[test]
fn a_runtime_inside_a_goroutine_is_refused() {
    // SAFETY: nothing of a thread lives across a blocking call here.
    let inner = unsafe { sigurg::Builder::new().gomaxprocs(1).build() }.expect("a runtime");
    assert!(run(1, || go(|| inner.run(|| ())).join().is_err()));
}

#[test]
fn another_runtime_can_be_built_afterwards() {
    for round in 0..100u32 {
        let sum: u32 = run(1 + round % 3, move || {
            let parts: Vec<_> = (0..20).map(|i| go(move || i * round)).collect();
            parts.into_iter().map(|part| part.join().expect("no panic")).sum()
        });
        assert_eq!(sum, round * 190);
    }
}

#[test]
fn goroutines_of_two_runtimes_talk_through_channels() {
    let rounds = 5_000;
    let (there, back) = (chan(0), chan(0));
    thread::scope(|scope| {
        let (tx, rx) = (there.0, back.1);
        scope.spawn(move || {
            run(1, || {
                for n in 0..rounds {
                    tx.send(n).expect("a receiver");
                    assert_eq!(rx.recv(), Ok(n + 1));
                }
                // The other one's loop ends with this.
                tx.close();
            });
        });
        let (tx, rx) = (back.0, there.1);
        scope.spawn(move || run(2, || rx.iter().for_each(|n| tx.send(n + 1).expect("a receiver"))));
    });
}

#[test]
fn hooks_are_called_once_by_each_thread_that_runs_goroutines() {
    let (started, stopped) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let count = |counter: &Arc<AtomicU64>| {
        let counter = Arc::clone(counter);
        move || _ = counter.fetch_add(1, SeqCst)
    };
    let builder = sigurg::Builder::new().gomaxprocs(2);
    let builder = builder.on_thread_start(count(&started)).on_thread_stop(count(&stopped));
    // SAFETY: nothing of a thread lives across a blocking call here.
    let runtime = unsafe { builder.build() }.expect("a runtime");
    let ms = runtime.run(|| {
        (0..5).for_each(|_| go(lock_os_thread).join().expect("no panic"));
        sigurg::metrics().ms
    });
    assert!(started.load(SeqCst) >= 5 + ms.min(1), "a thread for each locked goroutine");
    eventually("each thread says that it stops", || stopped.load(SeqCst) == started.load(SeqCst));
}
