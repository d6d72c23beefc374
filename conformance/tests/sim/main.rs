//! Whole runtimes in simulation: programs under many schedules, every execution judged by the model.

mod audit;
mod basics;
mod calls;
mod failures;
mod preempt;
mod programs;
mod schedules;
mod signals;
mod suspends;
mod waits;
mod wakeups;
mod world;

use sigurg_conformance::sim::{Judged, Sim};
use sigurg_shuttle::sim::{Limits, Pct, Random, Strategy, Urw};

/// How many times as many executions there are to be as usual: `SIGURG_SIM_TIMES=50`.
fn times() -> u64 {
    std::env::var("SIGURG_SIM_TIMES").map_or(1, |times| times.parse().expect("a number of times"))
}

/// Runs `program` under `count` schedules of each kind, the same ones each time.
fn under_many_schedules(count: u64, program: impl Fn()) {
    let mut sim = Sim::new(Limits::default());
    let (mut pct, mut urw) = (Pct::new(1, 3), Urw::new(2));
    for seed in 0..count * times() {
        let mut random = Random::new(seed);
        let strategies: [(&str, &mut dyn Strategy); 3] =
            [("random", &mut random), ("pct", &mut pct), ("urw", &mut urw)];
        for (name, strategy) in strategies {
            let judged = sim.run(strategy, &program);
            assert_ok(&judged, &format!("{name}, execution {seed}"));
        }
    }
}

fn assert_ok(judged: &Judged, what: &str) {
    assert!(judged.outcome.is_ok(), "{what}: {}", judged.outcome);
}
