//! The engine against spaces whose answers are known or can be had naively.

mod counters;
mod graph;
mod limits;
mod protocols;
mod random;

use std::fmt::Debug;
use std::num::NonZeroUsize;

use sigurg_model::space::{Finding, Packed, Promise, Space};

use super::cycle::{bit, enabled};
use super::{Ending, Found, Limits, Quiet, Report, search};

const fn finding(id: &'static str, expected: bool) -> Finding {
    Finding { id, title: "what it says", expected }
}

fn limits(threads: usize) -> Limits {
    Limits { threads: NonZeroUsize::new(threads).expect("not 0"), ..Limits::default() }
}

fn run<S: Space>(space: &S) -> Report<S::Move> {
    search(space, &limits(2), &Quiet)
}

/// Asserts that a counterexample is one: every step a move of the space, a safety finding shown by the last
/// state, a cycle closed and fair, a dead end without an obliged move.
fn assert_real<S: Space>(space: &S, found: &Found<S::Move>) {
    let context = || format!("in {found:?}");
    let step_from = |from: Packed, step: super::Step<S::Move>| {
        let mut real = false;
        space.successors(from, &mut |m, to| real |= Some(m) == step.step && to == step.state);
        assert!(real, "{step:?} is no move from {from:?} {}", context());
        step.state
    };
    assert!(found.stem[0].step.is_none(), "{}", context());
    assert!(space.initial().contains(&found.stem[0].state), "{}", context());
    let end = found.stem[1..].iter().fold(found.stem[0].state, |from, &step| step_from(from, step));
    let promise = || promise_of(space, found);
    match &found.ending {
        Ending::Broken => {
            let at = space.findings().iter().position(|f| *f == found.finding).expect("a safety finding");
            assert_ne!(space.broken(end) >> at & 1, 0, "{}", context());
        }
        Ending::Stuck => {
            assert!(space.waits(end, promise().region), "{}", context());
            assert_eq!(enabled(space, end), 0, "{}", context());
        }
        Ending::Cycle(cycle) => {
            assert!(!cycle.is_empty(), "{}", context());
            let mut served = 0;
            let mut here = end;
            for &step in cycle {
                served |= !enabled(space, here) | bit(space.actor(here, step.step.expect("a move")));
                here = step_from(here, step);
                assert!(space.waits(here, promise().region), "{}", context());
            }
            assert_eq!(here, end, "{}", context());
            assert_eq!(served, u32::MAX, "{}", context());
        }
    }
}

fn promise_of<S: Space>(space: &S, found: &Found<S::Move>) -> Promise {
    *space.promises().iter().find(|p| p.finding == found.finding).expect("a promise")
}

/// The parts of a report that may not depend on threads or memory.
fn essence<M: Clone + Debug>(report: &Report<M>) -> impl PartialEq + Debug + use<M>
where
    Found<M>: PartialEq,
{
    let Report { states, transitions, depth, complete, stopped, .. } = *report;
    (states, transitions, depth, complete, stopped, report.found.clone())
}
