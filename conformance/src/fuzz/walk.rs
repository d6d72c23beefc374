//! `model_walk`: arbitrary steps of the protocol machine.
//!
//! What must hold on every walk:
//! 1. Nothing of the model panics, its words for people included.
//! 2. An invariant is broken nowhere, and a hazard shows only where the exhaustive search is there to show it.
//! 3. *check* and *explore* agree: every change of a status word is a row of the table that traces are judged by, and an
//!    edge that the facts call impossible is never made.
//! 4. What the search rests on: a state leaves the engine's marks alone, its representative is its own and is broken as it is,
//!    moves of one state are told apart.

use std::sync::OnceLock;

use sigurg_model::machine::Machine;
use sigurg_model::machine::family;
use sigurg_model::machine::step::{Act, Move};
use sigurg_model::rules::transition::ROWS;
use sigurg_model::space::{Packed, Space};
use sigurg_traces::GStatus;

use super::Met;

/// Steps of a walk, at most.
const STEPS: usize = 4_096;

fn machines() -> &'static [Machine] {
    static ALL: OnceLock<Vec<Machine>> = OnceLock::new();
    ALL.get_or_init(|| family::all().into_iter().map(|(config, _)| Machine::new(config)).collect())
}

/// The first byte says which configuration, each other one which of the enabled steps is next.
///
/// # Panics
///
/// If the model is wrong.
pub fn body(data: &[u8], met: &Met) {
    let [which, choices @ ..] = data else { return };
    let machine = &machines()[usize::from(*which) % machines().len()];
    let mut state = machine.initial()[0];
    let mut moves: Vec<(Move, Packed)> = Vec::new();
    let mut last = 0;
    for choice in &choices[..choices.len().min(STEPS)] {
        moves.clear();
        machine.successors(state, &mut |step, to| {
            assert!(moves.iter().all(|(other, _)| *other != step), "walk: a move twice: {step:?}");
            moves.push((step, to));
        });
        let Some(&(step, to)) = moves.get(usize::from(*choice) % moves.len().max(1)) else { break };
        judge(machine, state, step, to);
        // Which step, and which came after which: in each configuration the same counters.
        let act = step.act as usize;
        met.once(act);
        met.once(Act::ALL.len() * (1 + last) + act);
        (state, last) = (to, act);
    }
    let _ = machine.describe(state);
    for promise in machine.promises() {
        let _ = machine.waits(state, promise.region);
    }
}

fn judge(machine: &Machine, from: Packed, step: Move, to: Packed) {
    let config = machine.config();
    let tell = || {
        format!(
            "{}\n  {}\n  {}\n  {}",
            config.name,
            machine.describe(from),
            machine.narrate(from, step),
            machine.describe(to)
        )
    };
    assert!(to.0 & Packed::MARKS == 0, "walk: marks of the engine: {}", tell());
    assert!(machine.actor(from, step).is_none_or(|actor| actor < 32), "walk: an actor beyond 32: {}", tell());
    let broken = machine.broken(to);
    for (bit, finding) in machine.findings().iter().enumerate() {
        let shows = config.shows.contains(&finding.id);
        assert!(broken >> bit & 1 == 0 || shows, "walk: {} ({}): {}", finding.id, finding.title, tell());
    }
    let image = machine.canonical(to);
    assert!(machine.canonical(image) == image, "walk: the representative has another: {}", tell());
    assert!(machine.broken(image) == broken, "walk: the representative is broken otherwise: {}", tell());
    for (old, new) in machine.statuses(from).into_iter().zip(machine.statuses(to)) {
        assert!(old == new || known(machine, old, new), "walk: {old} -> {new} is no row: {}", tell());
    }
}

/// Whether the table has the change, in the release of the machine.
fn known(machine: &Machine, from: GStatus, to: GStatus) -> bool {
    let profile = &machine.config().profile;
    ROWS.iter().any(|row| (row.from, row.to) == (from, to) && row.holds(profile))
}
