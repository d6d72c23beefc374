//! The engine finds what is needed and drops the rest; the parts of a run are put together again right.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::case::Run;
use super::*;
use crate::scenario::Op;
use crate::scenario::check::check;
use crate::scenario::make::{Size, from_seed, scenarios};
use crate::scenario::walk::steps;

/// Numbers, each of which may go or become less.
impl Subject for Vec<u64> {
    fn parts(&self) -> usize {
        self.len()
    }

    fn without(&self, parts: Range<usize>) -> Option<Self> {
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
        let shrunk = shrink(all, later(), fails, |_| ());
        let mut best = shrunk.best;
        best.sort_unstable();
        prop_assert!(shrunk.done);
        prop_assert_eq!(best, found);
    }

    #[test]
    fn every_candidate_of_a_run_is_a_scenario_and_none_is_larger(scenario in scenarios(Size::NATIVE), from in any::<prop::sample::Index>(), length in 1usize..6) {
        let run = Run { scenario, schedule: vec!["M1 a".into(), "M2 b".into(), "SIG M1".into()] };
        let parts = run.parts();
        let start = from.index(parts);
        let without = run.without(start..(start + length).min(parts));
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
            (0..40).map(|i| if i == 23 { "SIG M1".into() } else { format!("M{}", i % 3) }).collect();
        let run = Run { scenario, schedule };
        let fails = |run: &Run| {
            let (mut scans, mut calls) = (false, false);
            for goroutine in &run.scenario.goroutines {
                steps(goroutine, |op, _, _| {
                    scans |= *op == Op::Scan;
                    calls |= matches!(op, Op::Syscall(us) if *us > 0);
                });
            }
            scans && calls && run.schedule.iter().any(|step| step == "SIG M1")
        };
        if !fails(&run) {
            continue;
        }
        let shrunk = shrink(run, later(), fails, |_| ());
        assert!(shrunk.done && fails(&shrunk.best), "{seed}");
        assert_eq!(shrunk.best.schedule, ["SIG M1"], "{seed}");
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
        numbers.contains(&999)
    };
    let mut last = Progress::default();
    let shrunk = shrink(all, deadline, fails, |progress| last = *progress);
    assert!(!shrunk.done && shrunk.best.contains(&999));
    assert_eq!(shrunk.progress, last);
}
