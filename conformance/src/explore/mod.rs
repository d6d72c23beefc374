//! Exhaustive search of a [`Space`]: every state, every safety finding, every broken promise.
//!
//! Why an own engine: speed and size decide how large a configuration can be searched at all. On one protocol
//! of 17.4 million states and one machine, with two threads at most, SPIN reached 0.48 and stateright 0.53
//! million distinct states a second, SPIN with 105 bytes a state. This engine reaches 3.6 to 5.1 million on
//! two threads of that machine on this model's version of the same protocol (`k1-0`), and up to 7.2 million
//! where moves cost nearly nothing (`benches/search.rs`), with 24 to 48 bytes a state for exact states.
//!
//! How it works, one file each: `pages` gets the memory, `table` is the set of reached states, `bfs` fills
//! it level by level, `path` finds a shortest way to a state again, `liveness` looks for runs that break a
//! promise, `cycle` makes one such run concrete, and [`story`] tells it. Invariants:
//! 1. A complete search visits every reachable state; a search that cannot says so and why.
//! 2. What a complete search reports depends on the space alone, not on threads or memory.
//! 3. Every reported run is a real one: each step is a move of the space from the state before.

mod bfs;
mod cycle;
mod liveness;
mod pages;
mod path;
pub mod story;
mod table;
#[cfg(test)]
mod tests;

use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use sigurg_model::space::{Finding, Packed, Promise, Space};

/// What a search may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Threads that search.
    pub threads: NonZeroUsize,
    /// Bytes for the table, the frontiers and the liveness search. Beyond it the search stops, incomplete.
    pub memory_bytes: u64,
    /// Levels to expand, if not all; 65,534 is the most there can be.
    pub max_depth: Option<u32>,
    /// Whether to check the promises of the space, too. Fairness is a matter of single actors, so this
    /// needs a space without symmetry.
    pub promises: bool,
}

impl Default for Limits {
    /// All processors, 4 GiB, to the end, promises too.
    fn default() -> Self {
        Self {
            threads: available_parallelism().unwrap_or(NonZeroUsize::MIN),
            memory_bytes: 4 << 30,
            max_depth: None,
            promises: true,
        }
    }
}

/// Told how a search is getting on, from the thread that called [`search`].
pub trait Progress: Sync {
    /// A level is done: so many states and transitions so far, so many states wait at `depth`.
    fn level(&self, depth: u32, states: u64, frontier: u64, transitions: u64) {
        let _ = (depth, states, frontier, transitions);
    }

    /// Whether the search should end at the next level.
    fn is_over(&self) -> bool {
        false
    }

    /// All states are known; the promises are checked next.
    fn promises(&self, promises: &[Promise]) {
        let _ = promises;
    }
}

/// Nobody is watching.
#[derive(Clone, Copy, Debug)]
pub struct Quiet;

impl Progress for Quiet {}

/// Why a search ended before everything was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// [`Limits::memory_bytes`] would have been exceeded, or the system refused memory.
    Memory,
    /// The states at the greatest allowed depth were not expanded.
    Depth,
    /// [`Progress::is_over`] said so.
    Told,
    /// An unexpected safety finding: the level is finished, deeper ones were not looked at.
    Broken,
    /// Promises were to be checked on a space with symmetry.
    Symmetry,
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Memory => "the memory limit was reached",
            Self::Depth => "the depth limit was reached",
            Self::Told => "it was told to stop",
            Self::Broken => "a rule is broken, nothing deeper was looked at",
            Self::Symmetry => "promises cannot be checked while symmetric states are folded",
        })
    }
}

/// One line of a counterexample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<M> {
    /// The move that led here; `None` for the initial state and where a cycle is entered.
    pub step: Option<M>,
    /// The state after it.
    pub state: Packed,
}

/// How a counterexample ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending<M> {
    /// The last state of the stem shows the finding.
    Broken,
    /// In the last state of the stem nobody who must move can: the promise is never kept.
    Stuck,
    /// The steps lead from the last state of the stem back to it, for ever, and are fair to everybody.
    Cycle(Vec<Step<M>>),
}

/// A finding and the shortest way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<M> {
    /// What was found.
    pub finding: Finding,
    /// From an initial state on, that state included.
    pub stem: Vec<Step<M>>,
    /// What the stem leads to.
    pub ending: Ending<M>,
}

impl<M> Found<M> {
    /// Moves of the counterexample, one turn of its cycle included.
    #[must_use]
    pub fn moves(&self) -> usize {
        let cycle = if let Ending::Cycle(steps) = &self.ending { steps.len() } else { 0 };
        self.stem.len() - 1 + cycle
    }
}

/// What a search saw.
#[derive(Clone, Debug)]
pub struct Report<M> {
    /// Distinct states.
    pub states: u64,
    /// Moves tried, those to known states included.
    pub transitions: u64,
    /// Distance of the farthest state from the initial ones.
    pub depth: u32,
    /// Whether every state was seen and every promise that was to be checked was.
    pub complete: bool,
    /// Why not, otherwise.
    pub stopped: Option<Stop>,
    /// Time to reach all states.
    pub elapsed: Duration,
    /// Time to check the promises and to find the ways to what was found.
    pub elapsed_after: Duration,
    /// Bytes of the table for each state in it: 16 for the state, 2 for its depth, the rest is free slots.
    pub bytes_per_state: f64,
    /// What was found: safety first, in the order of the space, then promises in theirs.
    pub found: Vec<Found<M>>,
}

impl<M> Report<M> {
    /// Distinct states reached per second.
    #[must_use]
    pub fn states_per_second(&self) -> f64 {
        self.states as f64 / self.elapsed.as_secs_f64()
    }
}

/// Searches a space.
///
/// A space with symmetry must fold it in [`Space::canonical`] only: `broken` is asked of representatives.
///
/// # Panics
/// The space breaks one of the invariants that [`sigurg_model::space`] states.
pub fn search<S: Space>(space: &S, limits: &Limits, progress: &dyn Progress) -> Report<S::Move> {
    let begin = Instant::now();
    let reached = bfs::reach(space, limits, progress);
    let elapsed = begin.elapsed();

    let mut stopped = reached.stopped;
    let mut violations = Vec::new();
    if limits.promises && stopped.is_none() && !space.promises().is_empty() {
        if reached.folded {
            stopped = Some(Stop::Symmetry);
        } else {
            progress.promises(space.promises());
            match liveness::check(space, &reached.table, limits) {
                Ok(found) => violations = found,
                Err(stop) => stopped = Some(stop),
            }
        }
    }

    let broken = reached.found.iter().map(|&(bit, state)| (space.findings()[bit], state, Ending::Broken));
    let unkept = violations.into_iter().map(|v| (v.finding, v.state, v.ending));
    let ends: Vec<_> = broken.chain(unkept).collect();
    let targets: Vec<_> = ends.iter().map(|end| end.1).collect();
    let stems = path::stems(space, &reached.table, &targets, limits.threads);
    let found = stems.into_iter().zip(ends);
    let found = found.map(|(stem, (finding, _, ending))| Found { finding, stem, ending }).collect();
    Report {
        states: reached.states,
        transitions: reached.transitions,
        depth: reached.depth,
        complete: stopped.is_none(),
        stopped,
        elapsed,
        elapsed_after: begin.elapsed() - elapsed,
        bytes_per_state: reached.table.bytes() as f64 / reached.states.max(1) as f64,
        found,
    }
}
