//! The engine finds what is needed and drops the rest; the parts of a run are put together again right.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use sigurg_shuttle::sim::{Actor, Schedule, Slice};

use super::case::Run;
use super::*;
use crate::scenario::Op;
use crate::scenario::check::check;
use crate::scenario::make::{Size, from_seed, scenarios};
use crate::scenario::walk::steps;

/// Numbers, each of which may go or become less.
impl Subject for Vec<u64> {
    fn lists(&self) -> Vec<usize> {
        vec![self.len()]
    }

    fn without(&self, _: usize, parts: Range<usize>) -> Option<Self> {
        let mut rest = self.clone();
        rest.drain(parts);
        Some(rest)
    }

    fn simpler(&self) -> Vec<Self> {
        let less = |i: usize| {
            let mut rest = self.clone();
            rest[i] /= 2;
            rest
        };
        (0..self.len()).map(less).collect()
    }

    fn size(&self) -> u64 {
        self.iter().sum::<u64>() + 1_000_000 * self.len() as u64
    }
}

fn turns(text: &str) -> Vec<Slice> {
    text.parse::<Schedule>().expect("turns").slices
}

fn later() -> Instant {
    Instant::now() + Duration::from_secs(600)
}

proptest! {
    #[test]
    fn what_is_needed_stays_and_the_rest_goes(noise in prop::collection::vec(0u64..100, 0..60), needed in prop::collection::vec(100u64..200, 1..4), places in prop::collection::vec(any::<prop::sample::Index>(), 4)) {
        let mut all = noise;
        for (number, place) in needed.iter().zip(places) {
            all.insert(place.index(all.len() + 1), *number);
        }
        let mut found = needed.clone();
        found.sort_unstable();
        found.dedup();
        let fails = |numbers: &Vec<u64>| found.iter().all(|number| numbers.contains(number));
        let shrunk = shrink(all, later(), |numbers| fails(numbers).then(|| numbers.clone()), |_, _| ());
        let mut best = shrunk.best;
        best.sort_unstable();
        prop_assert!(shrunk.done);
        prop_assert_eq!(best, found);
    }

    #[test]
    fn every_candidate_of_a_run_is_a_scenario_and_none_is_larger(scenario in scenarios(Size::NATIVE), from in any::<prop::sample::Index>(), length in 1usize..6) {
        let run = Run { scenario, schedule: turns("t1:3 t2:5z t1:2 s1:7") };
        let without = run.lists().into_iter().enumerate().filter_map(|(list, parts)| {
            let start = from.index(parts);
            run.without(list, start..(start + length).min(parts))
        });
        let without: Vec<_> = without.collect();
        for candidate in run.simpler().into_iter().chain(without) {
            let checked = check(&candidate.scenario);
            prop_assert!(checked.is_ok(), "{checked:?}\n{}", candidate.scenario);
            prop_assert!(candidate.size() <= run.size(), "{}\n{}", run.scenario, candidate.scenario);
        }
    }
}

/// A failure that needs one suspender beside one system call, and a signal at one step of the schedule.
#[test]
fn programs_schedules_and_signals_shrink_together() {
    let mut shrunk_to = Vec::new();
    for seed in 0..200 {
        let scenario = from_seed(seed, Size::NATIVE);
        let schedule: Vec<_> =
            (0..40).map(|i| if i == 23 { "s1:4".into() } else { format!("t{}:9", i % 3) }).collect();
        let schedule = turns(&schedule.join(" "));
        let run = Run { scenario, schedule };
        let fails = |run: &Run| {
            let (mut scans, mut calls) = (false, false);
            for goroutine in &run.scenario.goroutines {
                steps(goroutine, |op, _, _| {
                    scans |= *op == Op::Scan;
                    calls |= matches!(op, Op::Syscall(us) if *us > 0);
                });
            }
            scans && calls && run.schedule.iter().any(|turn| turn.actor == Actor::Signal(1))
        };
        if !fails(&run) {
            continue;
        }
        let shrunk = shrink(run, later(), |run| fails(run).then(|| run.clone()), |_, _| ());
        assert!(shrunk.done && fails(&shrunk.best), "{seed}");
        assert_eq!(shrunk.best.schedule, turns("s1:4"), "{seed}");
        shrunk_to.push(shrunk.best.scenario.size());
    }
    assert!(shrunk_to.len() > 20, "{shrunk_to:?}");
    // One goroutine, or two, and the two steps.
    assert!(shrunk_to.iter().all(|&size| size <= 4), "{shrunk_to:?}");
}

#[test]
fn when_the_time_is_over_the_best_so_far_is_what_failed() {
    let all: Vec<u64> = (0..1_000).collect();
    let deadline = Instant::now() + Duration::from_millis(20);
    let fails = |numbers: &Vec<u64>| {
        std::thread::sleep(Duration::from_millis(5));
        numbers.contains(&999).then(|| numbers.clone())
    };
    let mut last = Progress::default();
    let shrunk = shrink(all, deadline, fails, |progress, _| last = *progress);
    assert!(!shrunk.done && shrunk.best.contains(&999));
    assert_eq!(shrunk.progress, last);
}

#[test]
fn a_turn_that_is_put_off_is_done_with_the_next_of_its_thread() {
    let run = Run { scenario: from_seed(1, Size::SIM), schedule: turns("t1:3 t2:5 t1:2z t2:7 s2:1 t1:1") };
    let without = |turns: Range<usize>| run.without(1, turns).expect("something changes").schedule;
    assert_eq!(without(0..1), turns("t2:5 t1:6z t2:7 s2:1 t1:1"));
    assert_eq!(without(1..2), turns("t1:3 t1:2z t2:13 s2:1 t1:1"));
    assert_eq!(
        without(1..4),
        turns("t1:3 t1:2z t2:13 s2:1 t1:1"),
        "what ends by itself stays, and a signal lands where it did"
    );
    assert!(run.without(1, 2..3).is_none());
}
