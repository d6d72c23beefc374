//! Turns read from bytes: what a fuzzer changes.

use super::fair::Fair;
use super::schedule::Actor;
use super::strategy::{Choice, Strategy, View};

/// Two bytes are a turn: whose, among those that are enabled, and how long. Any bytes are a legal schedule; where they end
/// all take turns.
#[derive(Clone, Debug)]
pub struct Bytes<'a> {
    rest: &'a [u8],
    fair: Fair,
}

impl<'a> Bytes<'a> {
    /// The turns of one execution.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, fair: Fair::default() }
    }

    /// The bytes that no turn was read from yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

/// 0 to 31, then in steps that grow, up to 4032.
fn ops(byte: u8) -> u32 {
    let (power, low) = (u32::from(byte >> 5), u32::from(byte & 31));
    if power == 0 { low } else { (32 + low) << (power - 1) }
}

/// Mostly 0; nanoseconds up to more than a time slice.
fn lateness(byte: u8) -> u32 {
    match (byte >> 5, u32::from(byte & 31)) {
        (7, low) => 12_000_000 + low * 1_000_000,
        (6, low) => (low + 1) * 6_000,
        _ => 0,
    }
}

impl Strategy for Bytes<'_> {
    fn choose(&mut self, view: &View<'_>) -> Result<Choice, String> {
        let [who, how_long, ref rest @ ..] = *self.rest else {
            self.rest = &[];
            return Ok(self.fair.choose(view));
        };
        self.rest = rest;
        let actor = view.enabled[usize::from(who) % view.enabled.len()];
        let amount = if actor == Actor::Clock { lateness(how_long) } else { ops(how_long) };
        Ok(Choice { actor, amount })
    }
}
