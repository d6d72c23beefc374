//! Random turns by how much each thread still has to do, so that all orders are about equally likely.
//!
//! After Zhao, Wolff, Mathur and Roychoudhury, "Selectively uniform concurrency testing" (2025): a walk that treats all
//! threads alike finishes the short ones first. How much a thread has to do is what it did the last time.

use super::random::Dice;
use super::schedule::{Actor, Slice};
use super::strategy::{Choice, Strategy, View};

/// See the module.
#[derive(Clone, Debug)]
pub struct Urw {
    dice: Dice,
    /// Operations by thread, in this execution and in the one before.
    now: Vec<u64>,
    before: Vec<u64>,
}

impl Urw {
    /// The same seed gives the same turns.
    pub fn new(seed: u64) -> Self {
        Self { dice: Dice::new(seed), now: Vec::new(), before: Vec::new() }
    }

    fn weight(&self, actor: Actor, view: &View<'_>) -> u64 {
        let left = |thread: u16| {
            let before = self.before.get(usize::from(thread)).copied().unwrap_or(1_000);
            before.saturating_sub(view.ops_of(thread)).max(1)
        };
        match actor {
            Actor::Thread(thread) => left(thread),
            // One operation among those that the thread still does.
            Actor::Signal(thread) => (left(thread) / 4).max(1),
            Actor::Clock => 100,
        }
    }
}

impl Strategy for Urw {
    fn choose(&mut self, view: &View<'_>) -> Result<Choice, String> {
        if view.ops == 0 {
            self.before = std::mem::take(&mut self.now);
        }
        let total: u64 = view.enabled.iter().map(|&actor| self.weight(actor, view)).sum();
        let mut at = self.dice.below(total as usize) as u64;
        let mut chosen = view.enabled[0];
        for &actor in view.enabled {
            chosen = actor;
            match at.checked_sub(self.weight(actor, view)) {
                Some(rest) => at = rest,
                None => break,
            }
        }
        let amount = if chosen == Actor::Clock { self.dice.lateness() } else { self.dice.ops() };
        Ok(Choice { actor: chosen, amount })
    }

    fn ran(&mut self, slice: &Slice) -> Result<(), String> {
        if let Some(thread) = slice.actor.thread() {
            let thread = usize::from(thread);
            if self.now.len() <= thread {
                self.now.resize(thread + 1, 0);
            }
            self.now[thread] += u64::from(slice.amount) + 1;
        }
        Ok(())
    }
}
