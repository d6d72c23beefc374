//! Threads that cannot begin before a goroutine goes on that was stopped.

use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sigurg::{Builder, go, lock_os_thread, set_gomaxprocs, stacks, time};

use crate::stage::{Stop, ms, parked, run_with};

fn compute(turns: u64) {
    (0..turns).for_each(|i| _ = black_box(i));
}

/// A new thread waits for a lock that goroutines are stopped with. All threads are somebody's own: of who was stopped, or of who is
/// locked to one. Ps that wait for their threads have the holder of the lock in their queues.
#[test]
fn a_lock_that_new_threads_wait_for_is_given_back_whichever_p_has_its_holder() {
    for procs in [2, 3] {
        storm(procs, Duration::from_secs(2), false);
    }
}

/// Who stops the world cannot wait for a P that waits for a thread: that may wait for a goroutine that has stopped.
#[test]
fn the_world_stops_though_ps_wait_for_threads_that_wait_for_a_stopped_goroutine() {
    storm(2, Duration::from_secs(2), true);
}

fn storm(procs: u32, lasts: Duration, world_stops: bool) {
    let lock = Arc::new(Mutex::new(()));
    let of_threads = Arc::clone(&lock);
    let builder = Builder::new().gomaxprocs(procs).on_thread_start(move || drop(of_threads.lock()));
    run_with(builder, lasts, || {
        let stop = Stop::default();
        let holds = |_: u64| {
            let (stop, lock) = (stop.clone(), Arc::clone(&lock));
            go(move || {
                while !stop.is_set() {
                    let held = lock.lock().expect("nobody panics with it");
                    compute(20_000);
                    drop(held);
                    compute(10_000);
                }
            })
        };
        let computes = |_: u64| {
            let stop = stop.clone();
            go(move || {
                while !stop.is_set() {
                    compute(200_000);
                }
            })
        };
        // Its thread ends with it, so that others have to be made.
        let locked = |i: u64| {
            let stop = stop.clone();
            go(move || {
                while !stop.is_set() {
                    let once = go(move || {
                        lock_os_thread();
                        for _ in 0..3 {
                            time::sleep(Duration::from_micros(50 * i));
                            compute(5_000);
                        }
                    });
                    once.join().expect("no panic");
                }
            })
        };
        // Readies whom it stopped on its own P.
        let scans = |_: u64| {
            let stop = stop.clone();
            go(move || {
                while !stop.is_set() {
                    stacks::scan(|stack| _ = black_box(stack.words().len()));
                }
            })
        };
        let stops_the_world = |_: u64| {
            let stop = stop.clone();
            go(move || {
                while !stop.is_set() {
                    set_gomaxprocs(procs as usize + 1);
                    set_gomaxprocs(procs as usize);
                    time::sleep(Duration::from_millis(1));
                }
            })
        };
        let crowd: Vec<_> = (0..2)
            .map(scans)
            .chain((0..u64::from(world_stops)).map(stops_the_world))
            .chain((0..2).map(holds))
            .chain((0..8).map(computes))
            .chain((1..9).map(locked))
            .collect();
        let before = parked();
        time::sleep(lasts);
        assert!(parked() > before, "nothing was tried");
        // Each of the 20 may hold one, each P has one; some are on their way.
        assert!(
            ms().len() < 64,
            "{} threads: as many as were asked for, not as many as were needed",
            ms().len()
        );
        stop.set();
        for goroutine in crowd {
            goroutine.join().expect("no panic");
        }
    });
}
