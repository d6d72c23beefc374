//! Goroutines in system calls: others need their Ps, and a call may end only by what others do.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use sigurg_conformance::sim::Sim;
use sigurg_shuttle::sim::{self, Limits, Random};
use sigurg_shuttle::{
    JoinHandle, blocking, chan, go, lock_os_thread, set_gomaxprocs, stacks, unlock_os_thread, yield_now,
};

use crate::programs::hog;
use crate::{assert_ok, under_many_schedules};

/// A goroutine in a system call that ends when something is sent.
fn call() -> (chan::Sender<u32>, JoinHandle<u32>) {
    let (tx, rx) = chan(0);
    (tx, go(move || blocking(|| rx.recv().unwrap())))
}

#[test]
fn the_only_p_is_taken_from_a_call_that_waits_for_another_goroutine() {
    under_many_schedules(100, || {
        sim::runtime(1).run(|| {
            let (tx, call) = call();
            let ends_it = go(move || tx.send(7).unwrap());
            assert_eq!(call.join().unwrap(), 7);
            ends_it.join().unwrap();
        });
    });
}

#[test]
fn sysmon_is_woken_by_a_call() {
    // While every P is idle it sleeps for a second at a time, as there is a thread outside: until 2 s, if nobody wakes it.
    let mut sim = Sim::new(Limits { virtual_ns: 1_800_000_000, ..Limits::default() });
    for seed in 0..100 {
        let judged = sim.run(&mut Random::new(seed), || {
            let (wake, woken) = chan(0);
            let outside = sim::spawn(move || {
                sim::sleep(1_300_000_000);
                wake.send(()).unwrap();
            });
            sim::runtime(1).run(move || {
                woken.recv().unwrap();
                let (tx, rx) = chan(0);
                let ends_it = go(move || tx.send(7).unwrap());
                assert_eq!(blocking(|| rx.recv().unwrap()), 7);
                ends_it.join().unwrap();
            });
            outside.join();
        });
        assert_ok(&judged, &format!("seed {seed}"));
    }
}

#[test]
fn a_call_readies_goroutines_while_its_p_is_taken() {
    under_many_schedules(100, || {
        sim::runtime(1).run(|| {
            let (tx, rx) = chan(0);
            let calls: Vec<_> = (0..2)
                .map(|i| {
                    let tx = tx.clone();
                    go(move || blocking(|| (0..3).for_each(|j| tx.send(10 * i + j).unwrap())))
                })
                .collect();
            drop(tx);
            assert_eq!(rx.iter().sum::<u32>(), 36);
            calls.into_iter().for_each(|call| call.join().unwrap());
        });
    });
}

#[test]
fn the_world_stops_while_calls_wait_for_it_and_are_scanned() {
    under_many_schedules(100, || {
        sim::runtime(3).run(|| {
            let calls: Vec<_> = (0..2).map(|_| call()).collect();
            let stop = Arc::new(AtomicBool::new(false));
            let scanner = {
                let stop = Arc::clone(&stop);
                go(move || {
                    while !stop.load(Relaxed) {
                        stacks::scan(|_| ());
                        yield_now();
                    }
                })
            };
            yield_now();
            set_gomaxprocs(2);
            stop.store(true, Relaxed);
            for (tx, call) in calls {
                tx.send(7).unwrap();
                assert_eq!(call.join().unwrap(), 7);
            }
            scanner.join().unwrap();
        });
    });
}

#[test]
fn every_p_is_reached_while_calls_wait_for_that_and_others_become_idle() {
    under_many_schedules(100, || {
        sim::runtime(3).run(|| {
            let (tx, call) = call();
            let others: Vec<_> = (0..4).map(|i| go(move || (yield_now(), i).1)).collect();
            stacks::shrink();
            tx.send(7).unwrap();
            assert_eq!(call.join().unwrap(), 7);
            assert_eq!(others.into_iter().map(|other| other.join().unwrap()).sum::<i32>(), 6);
        });
    });
}

#[test]
fn a_locked_goroutine_comes_back_from_its_calls_on_its_thread() {
    under_many_schedules(40, || {
        sim::runtime(1).run(|| {
            let stop = Arc::new(AtomicBool::new(false));
            let locked = go(|| {
                lock_os_thread();
                let thread = sim::thread_number();
                for _ in 0..3 {
                    blocking(|| sim::sleep(30_000_000));
                    assert_eq!(sim::thread_number(), thread);
                }
                unlock_os_thread();
            });
            let hogs: Vec<_> = (0..2)
                .map(|_| {
                    let stop = Arc::clone(&stop);
                    go(move || hog(&stop))
                })
                .collect();
            locked.join().unwrap();
            stop.store(true, Relaxed);
            hogs.into_iter().for_each(|hog| hog.join().unwrap());
        });
    });
}
