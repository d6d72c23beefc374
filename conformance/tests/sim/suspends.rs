//! Goroutines that are stopped to be looked at: afterwards everything is as before.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use sigurg_shuttle::sim::{self, point};
use sigurg_shuttle::{JoinHandle, chan, go, set_gomaxprocs, stacks, time, yield_now};

use crate::programs::hog;
use crate::under_many_schedules;

fn hogs(count: usize, stop: &Arc<AtomicBool>) -> Vec<JoinHandle<()>> {
    let hog = || {
        let stop = Arc::clone(stop);
        go(move || hog(&stop))
    };
    (0..count).map(|_| hog()).collect()
}

#[test]
fn who_was_looked_at_yields_to_others_as_before() {
    under_many_schedules(100, || {
        sim::runtime(2).run(|| {
            let stop = Arc::new(AtomicBool::new(false));
            let hogs = hogs(2, &stop);
            let scanners: Vec<_> = (0..2).map(|_| go(|| stacks::scan(|_| ()))).collect();
            scanners.into_iter().for_each(|scanner| assert!(scanner.join().unwrap() >= 1));
            // Both Ps are taken from them, again and again.
            for _ in 0..2 {
                set_gomaxprocs(1);
                set_gomaxprocs(2);
            }
            stop.store(true, Relaxed);
            hogs.into_iter().for_each(|hog| hog.join().unwrap());
        });
    });
}

#[test]
fn who_ends_while_it_is_looked_at_leaves_no_request_to_the_next_on_its_stack() {
    under_many_schedules(150, || {
        sim::runtime(2).run(|| {
            let scanner = go(|| (0..4).map(|_| stacks::scan(|_| ())).sum::<usize>());
            for _ in 0..6 {
                go(point).join().unwrap();
            }
            scanner.join().unwrap();
            let stop = Arc::new(AtomicBool::new(false));
            let hogs = hogs(2, &stop);
            set_gomaxprocs(1);
            set_gomaxprocs(2);
            stop.store(true, Relaxed);
            hogs.into_iter().for_each(|hog| hog.join().unwrap());
        });
    });
}

#[test]
fn several_suspenders_look_at_goroutines_that_park_all_the_time() {
    under_many_schedules(100, || {
        sim::runtime(3).run(|| {
            let (tx, rx) = chan(0);
            let sender = go(move || {
                for i in 0..6 {
                    (0..20).for_each(|_| point());
                    tx.send(i).unwrap();
                }
            });
            let scanners: Vec<_> = (0..2)
                .map(|_| {
                    go(|| {
                        for _ in 0..3 {
                            stacks::scan(|_| ());
                            yield_now();
                        }
                    })
                })
                .collect();
            assert_eq!(rx.iter().sum::<u32>(), 15);
            sender.join().unwrap();
            scanners.into_iter().for_each(|scanner| scanner.join().unwrap());
        });
    });
}

/// What a goroutine waits for is what it says, whoever looked at it before: two want it, and who comes too late lets it alone.
#[test]
fn who_sleeps_after_it_was_looked_at_says_so() {
    under_many_schedules(150, || {
        sim::runtime(3).run(|| {
            let scanners: Vec<_> = (0..2)
                .map(|_| go(|| assert!((0..3).map(|_| stacks::scan(|_| ())).sum::<usize>() > 0)))
                .collect();
            for _ in 0..4 {
                (0..10).for_each(|_| point());
                time::sleep(Duration::from_micros(20));
            }
            scanners.into_iter().for_each(|scanner| scanner.join().unwrap());
        });
    });
}
