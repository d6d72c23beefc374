//! How executions fail: each with what is needed to see why, and to see it again.

use std::cell::Cell;
use std::rc::Rc;

use sigurg_conformance::sim::Sim;
use sigurg_shuttle::sim::{self, Failure, Limits, Random, Replay};
use sigurg_shuttle::{chan, go};

/// Two plain threads that may lose an update, and a main thread that does not expect it.
fn lost_update() {
    let count = Rc::new(Cell::new(0));
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let count = Rc::clone(&count);
            sim::spawn(move || {
                let before = count.get();
                sim::point();
                count.set(before + 1);
            })
        })
        .collect();
    threads.into_iter().for_each(sim::JoinHandle::join);
    assert!(count.get() == 2, "an update was lost");
}

#[test]
fn a_failure_is_repeated_by_its_schedule() {
    let mut sim = Sim::new(Limits::default());
    let failed = (0..200)
        .map(|seed| sim.run(&mut Random::new(seed), lost_update).outcome)
        .find(|outcome| !outcome.is_ok())
        .expect("one of 200 schedules loses an update");
    assert_eq!(failed.failure, Some(Failure::Panic("an update was lost".into())));
    for _ in 0..3 {
        let again = sim.run(&mut Replay::new(&failed.schedule), lost_update).outcome;
        assert_eq!(again.failure, failed.failure);
        assert_eq!(again.schedule, failed.schedule);
    }
}

#[test]
fn a_deadlock_of_goroutines_is_a_failure_that_names_them() {
    let mut sim = Sim::new(Limits::default());
    for seed in 0..50 {
        let judged = sim.run(&mut Random::new(seed), || {
            sim::runtime(2).run(|| {
                let (tx, rx) = chan::<()>(0);
                let receiver = go(move || rx.recv().is_ok());
                receiver.join().unwrap();
                drop(tx);
            });
        });
        let outcome = &judged.outcome;
        assert_eq!(outcome.failure, Some(Failure::Fatal), "seed {seed}: {outcome}");
        for part in
            ["all goroutines are asleep", "G1: status=Waiting(join)", "G2: status=Waiting(chan receive)"]
        {
            assert!(outcome.report.contains(part), "seed {seed}: no {part:?} in {outcome}");
        }
    }
}

#[test]
fn a_deadlock_of_threads_is_a_failure() {
    let mut sim = Sim::new(Limits::default());
    let judged = sim.run(&mut Random::new(1), || {
        let (tx, rx) = chan::<()>(0);
        let _receiver = rx.recv();
        drop(tx);
    });
    assert_eq!(judged.outcome.failure, Some(Failure::Deadlock), "{}", judged.outcome);
}

#[test]
fn an_execution_without_end_is_ended() {
    let mut sim = Sim::new(Limits { ops: 20_000, ..Limits::default() });
    for seed in 0..20 {
        let judged = sim.run(&mut Random::new(seed), || {
            sim::runtime(2).run(|| {
                let hog = go(|| {
                    loop {
                        sim::point();
                    }
                });
                hog.join().unwrap();
            });
        });
        let outcome = &judged.outcome;
        assert!(
            matches!(outcome.failure, Some(Failure::TooLong { ops: 20_000.. })),
            "seed {seed}: {outcome}"
        );
        assert!(outcome.report.contains("thread 0 \"main\""), "{outcome}");
    }
}
