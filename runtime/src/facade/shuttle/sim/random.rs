//! Random turns.

use super::schedule::Actor;
use super::strategy::{Choice, Strategy, View};

/// A small generator: SplitMix64.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ x >> 31
    }

    /// Below `n`, which is not 0.
    pub(super) fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }

    /// From 0 to some hundreds: each order of magnitude is as likely as the others.
    pub(super) fn ops(&mut self) -> u32 {
        let bits = self.below(11);
        self.below(1 << bits) as u32
    }

    /// How late a sleeper is, nanoseconds: mostly not at all, sometimes by more than a time slice.
    pub(super) fn lateness(&mut self) -> u32 {
        match self.below(8) {
            0 => 12_000_000,
            1 => self.below(200_000) as u32,
            _ => 0,
        }
    }
}

/// Each turn goes to one of those that can have it, with equal chances, for a random number of operations.
#[derive(Clone, Debug)]
pub struct Random {
    dice: Dice,
}

impl Random {
    /// The same seed gives the same turns.
    pub fn new(seed: u64) -> Self {
        Self { dice: Dice::new(seed) }
    }
}

impl Strategy for Random {
    fn choose(&mut self, view: &View<'_>) -> Result<Choice, String> {
        let actor = view.enabled[self.dice.below(view.enabled.len())];
        let amount = if actor == Actor::Clock { self.dice.lateness() } else { self.dice.ops() };
        Ok(Choice { actor, amount })
    }
}
