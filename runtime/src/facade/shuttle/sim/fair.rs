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

/// What passes for each operation, nanoseconds: as for a microsecond of computing, which is one.
const NS_OF_OP: u64 = 1_000;

/// All that are enabled take turns, and time passes as long as they compute: whoever waits for the end of a time slice does so for
/// some turns.
#[derive(Clone, Debug, Default)]
pub(super) struct Fair {
    last: Option<Actor>,
    /// Operations when time passed last.
    clock_at: u64,
}

impl Fair {
    pub(super) fn choose(&mut self, view: &View<'_>) -> Choice {
        let actor = after(self.last, view.enabled);
        self.last = Some(actor);
        if actor != Actor::Clock {
            return Choice { actor, amount: OPS };
        }
        let computed = view.ops - self.clock_at;
        self.clock_at = view.ops;
        Choice { actor, amount: u32::try_from(computed * NS_OF_OP).unwrap_or(u32::MAX) }
    }
}
