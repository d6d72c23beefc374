//! Threads that cannot begin before a goroutine goes on that was stopped.

use std::hint::black_box;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};

use sigurg::{
    Builder, blocking, chan, go, lock_os_thread, preempt_off, stacks, stop_the_world, time, unlock_os_thread,
    yield_now,
};

use crate::stage::{Stop, ms, parked, run_with};

fn compute(turns: u64) {
    (0..turns).for_each(|i| _ = black_box(i));
}

/// A new thread waits for a lock that goroutines are stopped with. All threads are somebody's own: of who was stopped, or of who is
/// locked to one. Ps that wait for their threads have the holder of the lock in their queues.
#[test]
fn a_lock_that_new_threads_wait_for_is_given_back_whichever_p_has_its_holder() {
    for procs in [2, 3] {
        storm(procs, Duration::from_secs(2));
    }
}

/// A thread that is new waits for a lock, and a P for that thread. Who holds the lock runs, all other threads are somebody's own. Who stops the
/// world then stops the holder, and can wait neither for that P nor for its thread.
#[test]
fn the_world_stops_though_a_p_waits_for_a_thread_that_waits_for_who_is_stopped() {
    let lock = Arc::new(Mutex::new(()));
    let waiting = Arc::new(AtomicU64::new(0));
    let (of_threads, waits) = (Arc::clone(&lock), Arc::clone(&waiting));
    let builder = Builder::new().gomaxprocs(3).on_thread_start(move || {
        // Relaxed, here and below: a count.
        waits.fetch_add(1, Relaxed);
        drop(of_threads.lock());
        waits.fetch_sub(1, Relaxed);
    });
    run_with(builder, Duration::ZERO, || {
        // Threads that are idle later: without one the holder would not be stopped, and main not go on.
        let all = Arc::new(Barrier::new(6));
        let meet = |_| {
            let all = Arc::clone(&all);
            go(move || blocking(|| _ = all.wait()))
        };
        let made: Vec<_> = (0..6).map(meet).collect();
        made.into_iter().for_each(|made| made.join().expect("no panic"));
        for _ in 0..10 {
            let (held, release) = (Stop::default(), Stop::default());
            let holder = go({
                let (lock, held, release) = (Arc::clone(&lock), held.clone(), release.clone());
                move || {
                    let _lock = lock.lock().expect("nobody panics with it");
                    held.set();
                    while !release.is_set() {
                        compute(1);
                    }
                }
            });
            while !held.is_set() {
                yield_now();
            }
            let (ends, end) = chan::<()>(0);
            let mut owners = Vec::new();
            // Takes the idle threads, one by one, until one would have to be made that can only wait.
            preempt_off(|| {
                let mut goes_on = true;
                while goes_on {
                    let (owns, end) = (Stop::default(), end.clone());
                    owners.push(go({
                        let owns = owns.clone();
                        move || {
                            lock_os_thread();
                            owns.set();
                            end.recv().expect_err("nobody sends");
                            unlock_os_thread();
                        }
                    }));
                    // One that is idle would have come in that time; if not, this round shows less.
                    let began = Instant::now();
                    while waiting.load(Relaxed) == 0 || began.elapsed() < Duration::from_millis(2) {
                        if owns.is_set() {
                            break;
                        }
                    }
                    goes_on = owns.is_set();
                }
                // Not after it: who yields needs a thread, too.
                stop_the_world(|| {});
                release.set();
            });
            drop(ends);
            for goroutine in owners.into_iter().chain([holder]) {
                goroutine.join().expect("no panic");
            }
        }
    });
}

fn storm(procs: u32, lasts: Duration) {
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
        let crowd: Vec<_> = (0..2)
            .map(scans)
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
