//! A shortest way to a state, made concrete.
//!
//! The table knows how far each state lies from the initial ones but not how it was reached. So a way is
//! found backwards: a predecessor of a state at depth `d` is a state at depth `d - 1` that has it among its
//! successors. One pass over each level serves all targets at once; it touches only levels above the
//! deepest target and looks nothing up. Invariants:
//! 1. Of several predecessors the smallest is taken, so the way depends on the space alone.
//! 2. Under symmetry the chain is one of representatives; the concrete way starts at an initial state and
//!    takes the first move whose result belongs to the next link, so its actors keep their identities.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use sigurg_model::space::{Packed, Space};

use super::Step;
use super::table::{Table, hash};

/// Slots that a thread scans at a time; a table of fewer is scanned by the calling thread.
const PIECE: usize = 1 << 16;
/// Depth marks that are compared together.
const GROUP: usize = 64;

/// The shortest way to each target, which is in the table.
pub(super) fn stems<S: Space>(
    space: &S,
    table: &Table,
    targets: &[Packed],
    threads: NonZeroUsize,
) -> Vec<Vec<Step<S::Move>>> {
    let parents = parents(space, table, targets, threads);
    let chain = |&target: &Packed| {
        let mut chain = vec![target];
        while let Some(&parent) = parents.get(&chain[chain.len() - 1]) {
            chain.push(parent);
        }
        chain.reverse();
        concrete(space, &chain)
    };
    targets.iter().map(chain).collect()
}

/// The chosen predecessor of each state on the ways to the targets, but for initial states.
fn parents<S: Space>(
    space: &S,
    table: &Table,
    targets: &[Packed],
    threads: NonZeroUsize,
) -> HashMap<Packed, Packed> {
    let mut parents = HashMap::new();
    let mut wanted = BTreeMap::<u32, BTreeSet<Packed>>::new();
    for &target in targets {
        let slot = table.find(target).expect("a target was reached");
        wanted.entry(table.depth(slot)).or_default().insert(target);
    }
    while let Some((depth, states)) = wanted.pop_last() {
        if depth == 0 {
            break;
        }
        let states: Vec<_> = states.into_iter().collect();
        for (state, parent) in states.iter().zip(predecessors(space, table, depth - 1, &states, threads)) {
            let parent = parent.expect("a state below the first level has a predecessor");
            parents.insert(*state, parent);
            wanted.entry(depth - 1).or_default().insert(parent);
        }
    }
    parents
}

/// For each of `states` (ascending) its smallest predecessor at `depth`.
fn predecessors<S: Space>(
    space: &S,
    table: &Table,
    depth: u32,
    states: &[Packed],
    threads: NonZeroUsize,
) -> Vec<Option<Packed>> {
    let pieces: Vec<_> = (table.marks())
        .flat_map(|(first, marks)| {
            marks.chunks(PIECE).enumerate().map(move |(i, piece)| (first + (i * PIECE) as u32, piece))
        })
        .collect();
    let cursor = AtomicUsize::new(0);
    let work = || {
        let mut best = vec![None; states.len()];
        // Relaxed: only the number matters; the table does not change.
        while let Some((first, piece)) = pieces.get(cursor.fetch_add(1, Relaxed)) {
            scan(space, table, depth, *first, piece, states, &mut best);
        }
        best
    };
    if table.slots() < PIECE as u64 {
        return work();
    }
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.get()).map(|_| scope.spawn(work)).collect();
        let results = workers.into_iter().map(|worker| worker.join().expect("a space does not panic"));
        results
            .reduce(|all, some| all.into_iter().zip(some).map(|(a, b)| smaller(a, b)).collect())
            .expect("there is at least one thread")
    })
}

fn scan<S: Space>(
    space: &S,
    table: &Table,
    depth: u32,
    first: u32,
    piece: &[u16],
    states: &[Packed],
    best: &mut [Option<Packed>],
) {
    let mark = depth as u16 + 1;
    // Nearly every successor is none of the few states: one bit of a word says so.
    let bit = |state: Packed| 1u64 << (hash(state) >> 58);
    let filter = states.iter().fold(0, |filter, &state| filter | bit(state));
    for (i, group) in piece.chunks(GROUP).enumerate() {
        if !group.contains(&mark) {
            continue;
        }
        for (j, _) in group.iter().enumerate().filter(|(_, m)| **m == mark) {
            let state = table.state(first + (i * GROUP + j) as u32);
            space.successors(state, &mut |_, successor| {
                let successor = space.canonical(successor);
                if filter & bit(successor) != 0
                    && let Ok(at) = states.binary_search(&successor)
                {
                    best[at] = smaller(best[at], Some(state));
                }
            });
        }
    }
}

fn smaller(a: Option<Packed>, b: Option<Packed>) -> Option<Packed> {
    a.into_iter().chain(b).min()
}

/// Moves that lead along a chain of representatives, from an initial state on.
fn concrete<S: Space>(space: &S, chain: &[Packed]) -> Vec<Step<S::Move>> {
    let initial = space.initial().into_iter().filter(|&state| space.canonical(state) == chain[0]).min();
    let mut here = initial.expect("a chain begins with an initial state");
    let mut stem = vec![Step { step: None, state: here }];
    for &link in &chain[1..] {
        let mut taken = None;
        space.successors(here, &mut |step, state| {
            if taken.is_none() && space.canonical(state) == link {
                taken = Some(Step { step: Some(step), state });
            }
        });
        let step = taken.expect("the successors of an image are the images of the successors");
        stem.push(step);
        here = step.state;
    }
    stem
}
