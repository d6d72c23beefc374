//! An execution is a function of its schedule.

use sigurg_conformance::sim::Sim;
use sigurg_shuttle::sim::{Bytes, Dfs, Failure, Limits, Pct, Random, Replay, Schedule, Strategy, Urw};
use sigurg_shuttle::{go, sim, yield_now};
use sigurg_traces::Event;

use crate::{assert_ok, programs};

/// One execution and its events.
fn events(sim: &mut Sim, strategy: &mut dyn Strategy, program: impl Fn()) -> (Vec<Event>, Schedule) {
    let mut events = Vec::new();
    let judged = sim.run_and_hear(strategy, &mut |event, _| events.push(*event), program);
    assert_ok(&judged, "an execution");
    (events, judged.outcome.schedule)
}

#[test]
fn the_same_seed_gives_the_same_events_and_so_does_its_replay() {
    let mut sim = Sim::new(Limits::default());
    for seed in 0..40 {
        let strategies: [fn(u64) -> Box<dyn Strategy>; 3] = [
            |seed| Box::new(Random::new(seed)),
            |seed| Box::new(Pct::new(seed, 3)),
            |seed| Box::new(Urw::new(seed)),
        ];
        for strategy in strategies {
            for program in
                [programs::four_goroutines, programs::selects, programs::system_calls, programs::plain_thread]
            {
                let first = events(&mut sim, &mut *strategy(seed), program);
                let second = events(&mut sim, &mut *strategy(seed), program);
                assert!(first == second, "seed {seed}: two executions differ");
                let again = events(&mut sim, &mut Replay::new(&first.1), program);
                assert!(first == again, "seed {seed}: the replay differs");
                let text: Schedule = first.1.to_string().parse().expect("what was written is read");
                assert_eq!(text, first.1);
            }
        }
    }
}

#[test]
fn any_bytes_are_a_schedule() {
    let mut sim = Sim::new(Limits::default());
    let mut state = 1u64;
    for len in 0..200 {
        let bytes: Vec<u8> = (0..len)
            .map(|_| {
                state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        let judged = sim.run(&mut Bytes::new(&bytes), programs::four_goroutines);
        assert_ok(&judged, &format!("{bytes:?}"));
    }
}

#[test]
fn a_replay_of_another_program_says_where_they_part() {
    let mut sim = Sim::new(Limits::default());
    let (_, schedule) = events(&mut sim, &mut Random::new(7), programs::four_goroutines);
    let judged = sim.run(&mut Replay::new(&schedule), programs::tree);
    let Some(Failure::Diverged(how)) = &judged.outcome.failure else {
        panic!("the replay did not notice: {}", judged.outcome)
    };
    assert!(how.starts_with("turn ") && how.contains(&format!(" of {}", schedule.slices.len())), "{how}");
    let lenient = sim.run(&mut Replay::lenient(&schedule), programs::tree);
    assert_ok(&lenient, "a lenient replay");
}

#[test]
fn all_schedules_of_a_tiny_program_are_run() {
    let mut sim = Sim::new(Limits::default());
    let mut dfs = Dfs::new(1);
    let mut count = 0;
    while dfs.advance() {
        let judged = sim.run(&mut dfs, || {
            sim::runtime(1).run(|| {
                let other = go(yield_now);
                other.join().unwrap();
            });
        });
        assert_ok(&judged, &format!("schedule {count}"));
        count += 1;
    }
    assert!(count > 400, "{count} schedules");
}

#[test]
fn all_schedules_of_two_threads_show_both_outcomes_of_a_race() {
    use std::cell::Cell;
    use std::rc::Rc;
    let mut sim = Sim::new(Limits::default());
    let mut dfs = Dfs::new(usize::MAX);
    let mut counts = [0u32; 3];
    while dfs.advance() {
        let seen = Rc::new(Cell::new(0));
        let result = Rc::clone(&seen);
        let judged = sim.run(&mut dfs, move || {
            let threads: Vec<_> = (0..2)
                .map(|_| {
                    let seen = Rc::clone(&seen);
                    sim::spawn(move || {
                        let before = seen.get();
                        sim::point();
                        seen.set(before + 1);
                    })
                })
                .collect();
            threads.into_iter().for_each(sim::JoinHandle::join);
        });
        assert_ok(&judged, "two threads");
        counts[result.get()] += 1;
    }
    assert!(counts[0] == 0 && counts[1] > 0 && counts[2] > 0, "{counts:?}");
}
