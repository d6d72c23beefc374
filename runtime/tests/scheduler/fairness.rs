//! Who runs when: the runnext, the slice that goes with it, and what keeps it from starving the rest.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU32};

use sigurg::{chan, go, scope, yield_now};
use sigurg_traces::{Kind, Queue, TakeHow};

use crate::stage::{run, traced, undisturbed};

#[test]
fn of_three_started_in_a_row_the_last_runs_first_and_the_others_in_order() {
    let order = run(1, || {
        undisturbed(|| {
            let order = Mutex::new(Vec::new());
            scope(|scope| {
                for name in ["a", "b", "c"] {
                    let order = &order;
                    scope.go(move || order.lock().expect("no panic").push(name));
                }
            });
            order.into_inner().expect("no panic")
        })
    });
    assert_eq!(order, ["c", "a", "b"]);
}

/// Answers every number with itself, until the channel is closed.
fn echo() -> (chan::Sender<u32>, chan::Receiver<u32>) {
    let (ask, asked) = chan(0);
    let (answer, answered) = chan(0);
    go(move || asked.iter().try_for_each(|n| answer.send(n)));
    (ask, answered)
}

#[test]
fn two_that_ready_each_other_share_one_time_slice() {
    let rounds = 1000;
    let slices = run(1, || {
        undisturbed(|| {
            let (ask, answered) = echo();
            // The first answer comes from a goroutine that had to be scheduled.
            let answer = |n| {
                ask.send(n).expect("a receiver");
                answered.recv()
            };
            assert_eq!(answer(0), Ok(0));
            let before = sigurg::metrics().schedules;
            for n in 0..rounds {
                assert_eq!(answer(n), Ok(n));
            }
            sigurg::metrics().schedules - before
        })
    });
    assert_eq!(slices, 0, "slices begun in {rounds} rounds");
}

#[test]
fn a_goroutine_inherits_the_slice_exactly_if_it_was_the_runnext_of_the_p_that_runs_it() {
    for procs in [1, 2] {
        let ((), events) = traced(procs, || {
            let (ask, answered) = echo();
            let yielders: Vec<_> = (0..20).map(|_| go(|| (0..20).for_each(|_| yield_now()))).collect();
            for n in 0..200 {
                ask.send(n).expect("a receiver");
                assert_eq!(answered.recv(), Ok(n));
            }
            yielders.into_iter().for_each(|yielder| yielder.join().expect("no panic"));
        });
        // What each M took last, and from where.
        let mut hands = HashMap::new();
        let (mut inherited, mut fresh) = (0, 0);
        for event in events {
            let gs = event.target.map(|target| target.gs);
            match event.kind {
                Kind::RunqGet { q, how: TakeHow::Pop, .. } => _ = hands.insert(event.m, (gs, q)),
                Kind::Execute { inherit_time } => {
                    let was_next = hands.remove(&event.m) == Some((gs, Queue::Runnext));
                    assert_eq!(inherit_time, was_next, "{procs} Ps: {event:?}");
                    *if inherit_time { &mut inherited } else { &mut fresh } += 1;
                }
                _ => {}
            }
        }
        assert!(inherited > 0 && fresh > 0, "{procs} Ps: {inherited} inherited a slice, {fresh} did not");
    }
}

#[test]
fn a_goroutine_in_the_global_queue_waits_for_61_time_slices_at_most() {
    const EVERY: u32 = 61;
    let waits: Vec<_> = run(1, || {
        let wait = |_| {
            let ran = AtomicU32::new(0);
            scope(|scope| {
                // They fill the ring: none of them is in the global queue.
                for _ in 0..200 {
                    scope.go(|| ran.fetch_add(1, Relaxed));
                }
                yield_now();
                ran.load(Relaxed)
            })
        };
        (0..30).map(wait).collect()
    });
    assert!(waits.iter().all(|ran| *ran <= EVERY), "slices of others before each: {waits:?}");
    assert!(waits.iter().any(|ran| *ran > 1), "the local queue goes first otherwise: {waits:?}");
}

/// Two goroutines of one P that hand a token to and fro until `third` has run.
fn third_runs_beside_a_pair(third: impl FnOnce(&AtomicBool) + Send) {
    run(1, || {
        let third_ran = AtomicBool::new(false);
        scope(|scope| {
            let (there, back) = (chan::<()>(0), chan::<()>(0));
            scope.go(|| third(&third_ran));
            let (tx, rx) = (there.0, back.1);
            scope.go(move || while rx.recv().is_ok() && tx.send(()).is_ok() {});
            let (tx, rx) = (back.0, there.1);
            while !third_ran.load(SeqCst) {
                tx.send(()).expect("a receiver");
                rx.recv().expect("a sender");
            }
        });
    });
}

#[test]
fn a_pair_that_keeps_readying_each_other_does_not_starve_the_local_queue() {
    third_runs_beside_a_pair(|ran| ran.store(true, SeqCst));
}

#[test]
fn a_pair_that_keeps_readying_each_other_does_not_starve_the_global_queue() {
    third_runs_beside_a_pair(|ran| {
        yield_now();
        ran.store(true, SeqCst);
    });
}

#[test]
fn what_lies_on_the_queue_of_a_busy_p_is_stolen_by_an_idle_one() {
    run(2, || {
        for count in [1, 2, 3, 200, 1000] {
            let ran = AtomicU32::new(0);
            scope(|scope| {
                for _ in 0..count {
                    scope.go(|| ran.fetch_add(1, Relaxed));
                }
                // This goroutine keeps its P and never enters the scheduler.
                while ran.load(Relaxed) < count {
                    std::thread::yield_now();
                }
            });
        }
    });
}
