//! One short fair run round a component in which a promise is broken.
//!
//! From the state where the stem enters, the run goes by the shortest way to something that does justice to
//! one more actor (a move of it, or a state in which it has none), until all have had justice, and then back.

use std::collections::{HashMap, VecDeque};

use sigurg_model::space::{Packed, Space};

use super::Step;

/// The actor as a bit, 0 for the environment.
#[inline]
pub(super) fn bit(actor: Option<u8>) -> u32 {
    actor.map_or(0, |actor| 1 << actor)
}

/// The obliged actors that can move.
pub(super) fn enabled<S: Space>(space: &S, state: Packed) -> u32 {
    let mut enabled = 0;
    space.successors(state, &mut |step, _| enabled |= bit(space.actor(state, step)));
    enabled
}

/// A cycle from `start` to itself through states that are `inside`, fair to every obliged actor.
///
/// # Panics
/// There is none.
pub(super) fn fair_cycle<S: Space>(
    space: &S,
    start: Packed,
    inside: &dyn Fn(Packed) -> bool,
) -> Vec<Step<S::Move>> {
    let mut cycle = Vec::new();
    let mut here = start;
    let mut served = !enabled(space, start);
    while served != u32::MAX {
        let serves = |from, step, to| bit(space.actor(from, step)) | !enabled(space, to);
        let leg = shortest(space, here, inside, &|from, step, to| serves(from, step, to) & !served != 0);
        for &Step { step, state } in &leg {
            served |= serves(here, step.expect("a leg is made of moves"), state);
            here = state;
        }
        cycle.extend(leg);
    }
    if here != start || cycle.is_empty() {
        cycle.extend(shortest(space, here, inside, &|_, _, to| to == start));
    }
    cycle
}

/// The shortest way from `start` whose last move is `wanted`, through states that are `inside`.
fn shortest<S: Space>(
    space: &S,
    start: Packed,
    inside: &dyn Fn(Packed) -> bool,
    wanted: &dyn Fn(Packed, S::Move, Packed) -> bool,
) -> Vec<Step<S::Move>> {
    let mut parents = HashMap::<Packed, (Packed, S::Move)>::new();
    let mut queue = VecDeque::from([start]);
    while let Some(from) = queue.pop_front() {
        let mut last = None;
        space.successors(from, &mut |step, to| {
            if last.is_some() || bit(space.actor(from, step)) == 0 || !inside(to) {
            } else if wanted(from, step, to) {
                last = Some(Step { step: Some(step), state: to });
            } else if to != start && !parents.contains_key(&to) {
                parents.insert(to, (from, step));
                queue.push_back(to);
            }
        });
        if let Some(last) = last {
            let mut leg = vec![last];
            let mut state = from;
            while let Some(&(parent, step)) = parents.get(&state) {
                leg.push(Step { step: Some(step), state });
                state = parent;
            }
            leg.reverse();
            return leg;
        }
    }
    unreachable!("a component connects its states and does justice to every actor");
}
