//! What a signal does to a goroutine: it moves it, keeps it in its handler, or lets it run on; and what happens without one.

use std::cell::Cell;

use sigurg_conformance::sim::Sim;
use sigurg_shuttle::Preemptions;
use sigurg_shuttle::sim::{Limits, Pct, Random, Strategy};

use crate::{assert_ok, programs, times};

/// Adds up what `program` counts in many executions.
fn count(executions: u64, program: impl Fn() -> Preemptions) -> Preemptions {
    let sum = Cell::new(Preemptions::default());
    let mut sim = Sim::new(Limits::default());
    let mut pct = Pct::new(3, 3);
    for seed in 0..executions * times() {
        let mut random = Random::new(seed);
        for (name, strategy) in [("random", &mut random as &mut dyn Strategy), ("pct", &mut pct)] {
            let judged = sim.run(strategy, || {
                let one = program();
                let mut all = sum.get();
                all.synchronous += one.synchronous;
                all.parked += one.parked;
                all.adopted += one.adopted;
                all.injected += one.injected;
                all.declined += one.declined;
                sum.set(all);
            });
            assert_ok(&judged, &format!("{name}, execution {seed}"));
        }
    }
    println!("{:?}", sum.get());
    sum.get()
}

#[test]
fn who_may_be_moved_is_moved_by_an_injected_call() {
    let moved = Cell::new(0);
    let all = count(100, || {
        let (preemptions, threads) = programs::movable_hogs();
        moved.set(moved.get() + threads);
        preemptions
    });
    assert!(all.injected > 0, "{all:?}");
    assert!(moved.get() > 0, "none went on in another thread, of {all:?}");
}

#[test]
fn at_an_unsafe_point_nobody_is_moved_but_kept_in_the_handler() {
    let all = count(100, programs::unsafe_hogs);
    assert!(all.injected == 0 && all.parked > 0, "{all:?}");
}

#[test]
fn hogs_that_wait_in_their_handlers_take_turns() {
    let all = count(80, programs::three_hogs_on_one_p);
    assert!(all.parked > 0, "{all:?}");
}

#[test]
fn the_p_of_a_foreign_call_is_used_by_others() {
    let all = count(100, programs::foreign_calls);
    assert!(all.adopted > 0, "{all:?}");
}

#[test]
fn who_comes_back_from_a_foreign_call_and_computes_is_recalled() {
    let all = count(100, programs::back_from_a_foreign_call);
    assert!(all.adopted > 0 && all.parked > 0, "{all:?}");
}

#[test]
fn a_goroutine_in_a_foreign_call_is_looked_at() {
    let all = count(100, programs::scanned_in_a_foreign_call);
    assert!(all.adopted > 0, "{all:?}");
}
