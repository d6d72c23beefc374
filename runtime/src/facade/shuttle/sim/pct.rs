//! Random priorities with few changes: finds what needs few steps in the wrong order, wherever they are.
//!
//! After Burckhardt, Kothari, Musuvathi and Nagarakatte, "A randomized scheduler with probabilistic guarantees of finding
//! bugs" (2010). Signals and the clock have priorities as threads do. A thread that spins, or that never ends its turn, goes
//! behind all others: it may wait for them. So does one that has had very many operations since it last did: two that keep waking each
//! other may wait for a third, or for time to pass. What is sure of an execution in which nobody was is a [`Bound`].

use std::collections::HashMap;

use super::random::Dice;
use super::schedule::{Actor, End, Slice};
use super::strategy::{Bound, Choice, Strategy, View};

/// Operations after which a thread that could go on goes behind the others.
const PATIENCE: u32 = 1_000;
/// The same for who is behind the others already: it lets those go on that it wakes. Between this and twice as many, by chance: turns
/// that are all alike can keep step with a loop for ever, and then one thread never sees what the other does in between.
const BEHIND: usize = PATIENCE as usize / 8;
/// Operations, of all its turns since it last went behind the others, after which it does.
const SHARE: u32 = 20 * PATIENCE;
/// Priorities at the beginning are above this.
const HIGH: i64 = 1 << 32;

/// See the module.
#[derive(Clone, Debug)]
pub struct Pct {
    dice: Dice,
    changes: usize,
    /// Operations of the execution before.
    length: u64,
    /// At which operations a priority changes, last first, and to what: the changes are in any order among each other.
    change_at: Vec<(u64, i64)>,
    priorities: HashMap<Actor, i64>,
    /// Operations since it last went behind the others.
    spent: HashMap<u16, u32>,
    lowest: i64,
    /// Operations that the present turn may have.
    patience: u32,
    /// What the present execution is sure to find.
    bound: Bound,
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
            spent: HashMap::new(),
            lowest: 0,
            patience: 0,
            bound: Bound { depth: changes as u32 + 1, steps: 0, actors: 0, holds: true },
        }
    }

    fn begin(&mut self) {
        self.priorities.clear();
        self.spent.clear();
        self.lowest = 0;
        let length = self.length as usize;
        self.change_at = (0..self.changes as i64).map(|to| (self.dice.below(length) as u64, to)).collect();
        self.change_at.sort_unstable_by(|a, b| b.cmp(a));
        self.bound = Bound { steps: self.length, actors: 0, holds: true, ..self.bound };
    }

    /// Operations that it may have in one turn.
    fn patience(&mut self, actor: Actor) -> u32 {
        let is_behind = self.priorities[&actor] < 0;
        if is_behind { (BEHIND + self.dice.below(BEHIND)) as u32 } else { PATIENCE }
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
            let (dice, bound) = (&mut self.dice, &mut self.bound);
            self.priorities.entry(actor).or_insert_with(|| {
                bound.actors += 1;
                HIGH + (dice.next() >> 32).cast_signed()
            });
        }
        self.bound.holds &= view.ops < self.bound.steps;
        let best = |of: &Self| {
            let best = view.enabled.iter().max_by_key(|actor| of.priorities[*actor]);
            best.copied().unwrap_or(Actor::Clock)
        };
        while let Some((_, to)) = self.change_at.pop_if(|(at, _)| *at <= view.ops) {
            // It changes for whoever would go on.
            let actor = best(self);
            let priority = to.min(self.priorities[&actor]);
            self.priorities.insert(actor, priority);
        }
        let actor = best(self);
        if actor == Actor::Clock {
            // Whoever is due goes first now.
            self.put_last(actor);
            return Ok(Choice { actor, amount: self.dice.lateness() });
        }
        let until = self.change_at.last().map_or(u64::MAX, |&(at, _)| at - view.ops);
        self.patience = self.patience(actor);
        Ok(Choice { actor, amount: self.patience.min(u32::try_from(until).unwrap_or(u32::MAX)) })
    }

    fn ran(&mut self, slice: &Slice) -> Result<(), String> {
        let Some(thread) = slice.actor.thread() else { return Ok(()) };
        if let Actor::Signal(_) = slice.actor {
            // The next one has a priority of its own.
            self.priorities.remove(&slice.actor);
        }
        let spent = self.spent.entry(thread).or_default();
        *spent += slice.amount;
        if slice.end == End::GaveWay || slice.amount >= self.patience || *spent >= SHARE {
            *spent = 0;
            // Who has ended is not chosen again.
            self.bound.holds &= slice.end == End::Ended;
            self.put_last(Actor::Thread(thread));
        }
        Ok(())
    }

    fn bound(&self) -> Option<Bound> {
        Some(self.bound)
    }
}
