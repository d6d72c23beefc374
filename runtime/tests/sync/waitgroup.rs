use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use sigurg::sync::{Barrier, WaitGroup};

use crate::crew::{Crew, on_all_crews, rounds, task};

on_all_crews!(wait_returns_when_all_is_done, a_group_can_be_used_again_at_once);

fn wait_returns_when_all_is_done(crew: Crew) {
    let (workers, waiters) = (6, 3);
    for round in 0..if crew == Crew::Threads { rounds(200) } else { 3 } {
        let group = WaitGroup::new();
        // Relaxed: `done` and `wait` are what makes them seen.
        let done: Vec<_> = (0..workers).map(|_| AtomicUsize::new(0)).collect();
        group.add(workers);
        let mut tasks = Vec::new();
        for slot in &done {
            let group = &group;
            tasks.push(task(move || {
                slot.store(1, Relaxed);
                group.done();
            }));
        }
        for _ in 0..waiters {
            tasks.push(task(|| {
                group.wait();
                let seen = done.iter().map(|slot| slot.load(Relaxed)).sum::<usize>();
                assert_eq!(seen, workers as usize, "wait came back too early, round {round}");
            }));
        }
        crew.run(tasks);
        assert_eq!(group.count(), 0);
    }
}

/// One adds the next round as soon as it comes back from `wait`, when the other may not have woken from the last yet.
fn a_group_can_be_used_again_at_once(crew: Crew) {
    let rounds = rounds(5_000);
    let group = WaitGroup::new();
    let begin = Barrier::new(3);
    let finished = AtomicUsize::new(0);
    crew.run(vec![
        task(|| {
            for round in 0..rounds {
                group.add(1);
                begin.wait();
                group.wait();
                assert!(finished.load(Relaxed) > round, "wait came back before round {round} was done");
            }
        }),
        task(|| {
            for _ in 0..rounds {
                begin.wait();
                group.wait();
            }
        }),
        task(|| {
            for round in 0..rounds {
                begin.wait();
                finished.store(round + 1, Relaxed);
                group.done();
            }
        }),
    ]);
}

#[test]
fn a_negative_count_panics_and_changes_nothing() {
    let group = WaitGroup::new();
    group.add(2);
    for delta in [-3, i32::MIN] {
        let panic = catch_unwind(AssertUnwindSafe(|| group.add(delta))).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"sync: negative WaitGroup counter"));
    }
    assert_eq!(group.count(), 2);
    group.add(-2);
    group.wait();
    assert!(catch_unwind(AssertUnwindSafe(|| group.done())).is_err());
    assert_eq!(group.count(), 0);
}

#[test]
fn a_count_that_does_not_fit_panics_and_changes_nothing() {
    let group = WaitGroup::new();
    group.add(i32::MAX);
    assert!(catch_unwind(AssertUnwindSafe(|| group.add(1))).is_err());
    assert_eq!(group.count(), i32::MAX as u32);
}
