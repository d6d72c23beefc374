//! Turns for all, in order: what decides when nobody else does.

use super::schedule::Actor;
use super::strategy::{Choice, View};

/// Operations of a turn.
const OPS: u32 = 200;

/// The one whose turn comes after that of `last`, in the order of the actors.
pub(super) fn after(last: Option<Actor>, enabled: &[Actor]) -> Actor {
    let next = enabled.iter().filter(|&&actor| Some(actor) > last).min();
    *next.or_else(|| enabled.iter().min()).unwrap_or(&Actor::Clock)
}

/// All that are enabled take turns.
#[derive(Clone, Debug, Default)]
pub(super) struct Fair {
    last: Option<Actor>,
}

impl Fair {
    pub(super) fn choose(&mut self, view: &View<'_>) -> Choice {
        let actor = after(self.last, view.enabled);
        self.last = Some(actor);
        Choice { actor, amount: if actor == Actor::Clock { 0 } else { OPS } }
    }
}
