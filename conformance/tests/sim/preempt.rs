//! Simulated signals.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use sigurg_conformance::sim::Sim;
use sigurg_shuttle::__private::safe_point;
use sigurg_shuttle::sim::{self, Limits, Random, point};
use sigurg_shuttle::{go, metrics, preempt_off, set_gomaxprocs, stacks};

use crate::programs::hog;
use crate::{assert_ok, programs, under_many_schedules};

#[test]
fn a_hog_does_not_starve_the_only_p() {
    under_many_schedules(100, || {
        sim::runtime(1).run(|| {
            let stop = Arc::new(AtomicBool::new(false));
            let stops = Arc::clone(&stop);
            // Runs only if the hog is stopped, which goes first.
            let stopper = go(move || stops.store(true, Relaxed));
            let worker = go(move || hog(&stop));
            worker.join().unwrap();
            stopper.join().unwrap();
        });
    });
}

#[test]
fn hogs_are_stopped_by_signal_in_their_handlers() {
    let mut sim = Sim::new(Limits::default());
    let (mut parked, mut other) = (0, (0, 0));
    for seed in 0..100 {
        let judged = sim.run(&mut Random::new(seed), || {
            parked += sim::runtime(1).run(|| {
                let stop = Arc::new(AtomicBool::new(false));
                let stops = Arc::clone(&stop);
                let stopper = go(move || stops.store(true, Relaxed));
                let worker = go(move || hog(&stop));
                worker.join().unwrap();
                stopper.join().unwrap();
                let all = metrics().preemptions;
                other.0 += all.synchronous;
                other.1 += all.declined;
                all.parked
            });
        });
        assert_ok(&judged, &format!("seed {seed}"));
    }
    assert!(parked > 0, "no hog was stopped in its handler; at safe points, and declined: {other:?}");
}

#[test]
fn a_storm_of_scans_finds_every_goroutine_and_disturbs_none() {
    under_many_schedules(80, || {
        sim::runtime(3).run(|| {
            let stop = Arc::new(AtomicBool::new(false));
            let hogs: Vec<_> = (0..2)
                .map(|_| {
                    let stop = Arc::clone(&stop);
                    go(move || hog(&stop))
                })
                .collect();
            let scanners: Vec<_> = (0..2).map(|_| go(|| stacks::scan(|_| ()))).collect();
            for scanner in scanners {
                assert!(scanner.join().unwrap() >= 1, "at least the main goroutine lives");
            }
            stop.store(true, Relaxed);
            hogs.into_iter().for_each(|hog| hog.join().unwrap());
        });
    });
}

/// Whoever comes to a safe point where it must not be stopped goes on, and the request stands until it may: the model says so.
#[test]
fn who_must_not_stop_at_a_safe_point_keeps_the_request() {
    under_many_schedules(60, || {
        sim::runtime(2).run(|| {
            let stays = || {
                for _ in 0..3 {
                    preempt_off(|| {
                        for _ in 0..10 {
                            point();
                            safe_point();
                        }
                    });
                    safe_point();
                }
            };
            let stay: Vec<_> = (0..2).map(|_| go(stays)).collect();
            let scanner = go(|| assert!((0..2).map(|_| stacks::scan(|_| ())).sum::<usize>() > 0));
            set_gomaxprocs(1);
            stay.into_iter().for_each(|stay| stay.join().unwrap());
            scanner.join().unwrap();
        });
    });
}

#[test]
fn the_measured_program_is_legal() {
    under_many_schedules(100, programs::four_goroutines);
}
