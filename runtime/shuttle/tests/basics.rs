//! The simulator's own properties.

use sigurg_shuttle::go;
use sigurg_shuttle::sim::{self, Limits, Random, Simulator};

#[test]
fn a_runtime_runs_in_one_execution() {
    let mut simulator = Simulator::new(Limits::default());
    for seed in 0..200 {
        let mut events = 0;
        let outcome = simulator.run(
            &mut Random::new(seed),
            &mut |_, _| {
                events += 1;
                Ok(())
            },
            || {
                let answer = sim::runtime(2).run(|| go(|| 6 * 7).join().unwrap());
                assert_eq!(answer, 42);
            },
        );
        assert!(outcome.is_ok(), "seed {seed}: {outcome}");
        if seed < 5 {
            println!("{events} events, {outcome}");
        }
    }
}
