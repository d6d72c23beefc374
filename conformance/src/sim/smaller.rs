//! Makes a run of the simulator smaller, as long as it shows the same: program, turns and signals together.
//!
//! 1. What is kept was executed: its schedule is that of the execution that showed it, so it is repeated exactly.
//! 2. A smaller program seldom shows it under what is left of an old schedule; so it gets some new ones, too.

use std::sync::Arc;
use std::time::Instant;

use sigurg_shuttle::sim::{Replay, Schedule, Strategy};

use super::drive::{Chance, Drive, Ran};
use crate::scenario::check::check;
use crate::shrink::case::Run;
use crate::shrink::{Progress, Shrunk, shrink};

/// New schedules of each kind for a program that was made smaller.
const NEW: u64 = 8;

/// The smallest run of which `wanted` says that it shows the same as `run`, as far as it is found by `deadline`.
pub fn smaller(
    drive: &mut Drive,
    run: Run,
    wanted: impl Fn(&Ran) -> bool,
    deadline: Instant,
    tell: impl FnMut(&Progress, &Run),
) -> Shrunk<Run> {
    let mut program = run.scenario.clone();
    let tries = |candidate: &Run| {
        let scenario = Arc::new(candidate.scenario.clone());
        let expected = check(&scenario).ok()?;
        let mut shows = |strategy: &mut dyn Strategy| {
            let ran = drive.run(&scenario, &expected, strategy);
            wanted(&ran).then_some(ran.outcome.schedule.slices)
        };
        let mut found = shows(&mut Replay::lenient(&Schedule { slices: candidate.schedule.clone() }));
        if candidate.scenario != program {
            let new = (0..NEW).flat_map(|seed| Chance::ALL.map(|chance| chance.strategy(seed)));
            for mut strategy in new {
                if found.is_some() || Instant::now() >= deadline {
                    break;
                }
                found = shows(&mut *strategy);
            }
        }
        let found = Run { scenario: candidate.scenario.clone(), schedule: found? };
        program.clone_from(&found.scenario);
        Some(found)
    };
    shrink(run, deadline, tries, tell)
}
