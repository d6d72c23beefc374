//! The state of the runtime as a whole, looked at after each turn.

use std::cell::Cell;

use sigurg_conformance::sim::Sim;
use sigurg_shuttle::sim::{self, Damage, Failure, Limits, Random};
use sigurg_shuttle::{go, yield_now};

use crate::assert_ok;

/// Something goes wrong amid goroutines that come, wait and go; afterwards everybody sleeps for a while.
fn damaged(damage: Damage) {
    sim::runtime(2).run(|| {
        let others: Vec<_> = (0..2).map(|_| go(yield_now)).collect();
        // In the ring of its own P: the next one pushes it out of `runnext`.
        let waiting: Vec<_> = (0..2).map(|_| go(|| ())).collect();
        damage.plant();
        // A foreign call: it keeps its P.
        sim::sleep(5_000_000);
        others.into_iter().chain(waiting).for_each(|other| other.join().unwrap());
    });
}

#[test]
fn every_planted_fault_is_seen() {
    let mut sim = Sim::new(Limits::default());
    for &damage in Damage::ALL {
        let seen = Cell::new(0);
        for seed in 0..40 {
            let judged = sim.run(&mut Random::new(seed), || damaged(damage));
            if let Some(Failure::Inconsistent(what)) = &judged.outcome.failure {
                assert!(!what.is_empty());
                seen.set(seen.get() + 1);
            }
        }
        println!("{damage:?}: {} of 40", seen.get());
        assert!(seen.get() > 0, "{damage:?} was not seen in 40 executions");
    }
}

#[test]
fn without_a_fault_nothing_is_seen() {
    let mut sim = Sim::new(Limits::default());
    for seed in 0..100 {
        let judged = sim.run(&mut Random::new(seed), || damaged(Damage::None));
        assert_ok(&judged, &format!("seed {seed}"));
    }
}
