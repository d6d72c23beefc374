//! Random priorities with few changes: finds what needs few steps in the wrong order, wherever they are.
//!
//! After Burckhardt, Kothari, Musuvathi and Nagarakatte, "A randomized scheduler with probabilistic guarantees of finding
//! bugs" (2010). Signals and the clock have priorities as threads do. A thread that spins, or that never ends its turn, goes
//! behind all others: it may wait for them.

use std::collections::HashMap;

use super::random::Dice;
use super::schedule::{Actor, End, Slice};
use super::strategy::{Choice, Strategy, View};

/// Operations after which a thread that could go on goes behind the others.
const PATIENCE: u32 = 1_000;
/// Priorities at the beginning are above this.
const HIGH: i64 = 1 << 32;

/// See the module.
#[derive(Clone, Debug)]
pub struct Pct {
    dice: Dice,
    changes: usize,
    /// Operations of the execution before.
    length: u64,
    /// At which operations a priority changes, last first.
    change_at: Vec<u64>,
    priorities: HashMap<Actor, i64>,
    lowest: i64,
}

impl Pct {
    /// `changes` of priority in each execution: one less than the depth of the faults that are looked for.
    pub fn new(seed: u64, changes: usize) -> Self {
        Self {
            dice: Dice::new(seed),
            changes,
            length: 5_000,
            change_at: Vec::new(),
            priorities: HashMap::new(),
            lowest: 0,
        }
    }

    fn begin(&mut self) {
        self.priorities.clear();
        self.lowest = 0;
        let length = self.length as usize;
        self.change_at = (0..self.changes).map(|_| self.dice.below(length) as u64).collect();
        self.change_at.sort_unstable_by(|a, b| b.cmp(a));
    }

    fn put_last(&mut self, actor: Actor) {
        self.lowest -= 1;
        self.priorities.insert(actor, self.lowest);
    }
}

impl Strategy for Pct {
    fn choose(&mut self, view: &View<'_>) -> Result<Choice, String> {
        if view.ops == 0 {
            self.begin();
        }
        self.length = self.length.max(view.ops + 1);
        for &actor in view.enabled {
            let dice = &mut self.dice;
            self.priorities.entry(actor).or_insert_with(|| HIGH + (dice.next() >> 32).cast_signed());
        }
        while self.change_at.last().is_some_and(|&at| at <= view.ops) {
            self.change_at.pop();
            if let Some(last) = view.last {
                self.put_last(Actor::Thread(last));
            }
        }
        let best = view.enabled.iter().max_by_key(|actor| self.priorities[*actor]);
        let actor = best.copied().unwrap_or(Actor::Clock);
        if actor == Actor::Clock {
            // Whoever is due goes first now.
            self.put_last(actor);
            return Ok(Choice { actor, amount: self.dice.lateness() });
        }
        let until = self.change_at.last().map_or(u64::MAX, |&at| at - view.ops);
        Ok(Choice { actor, amount: PATIENCE.min(u32::try_from(until).unwrap_or(u32::MAX)) })
    }

    fn ran(&mut self, slice: &Slice) -> Result<(), String> {
        let Some(thread) = slice.actor.thread() else { return Ok(()) };
        if let Actor::Signal(_) = slice.actor {
            // The next one has a priority of its own.
            self.priorities.remove(&slice.actor);
        }
        if slice.end == End::GaveWay || slice.amount >= PATIENCE {
            self.put_last(Actor::Thread(thread));
        }
        Ok(())
    }
}
