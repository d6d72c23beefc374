//! Chance whose turns are events: what a trace shows depends on no finer order.
//!
//! The usual strategies change threads some hundred times in some thousand operations; two changes between the very two events of one
//! thread are what they hardly ever make.

use std::cell::Cell;

use sigurg_shuttle::sim::{Actor, Choice, Strategy, View};

use crate::run::Draw;

/// Operations without an event after which another is drawn: it may spin.
const SILENCE: u64 = 400;

/// One has the turn until it has told of something. Then another is drawn, or not: how readily differs from execution to execution.
pub struct EventByEvent<'a> {
    draw: Draw,
    /// Another is drawn after one of so many events.
    patience: u64,
    last: Option<Actor>,
    /// Events and operations when its turn began.
    began: (u64, u64),
    told: &'a Cell<u64>,
}

impl<'a> EventByEvent<'a> {
    /// `told` counts the events of the execution.
    #[must_use]
    pub fn new(seed: u64, told: &'a Cell<u64>) -> Self {
        let mut draw = Draw::new(seed, "events");
        let patience = 1 << draw.between(0, 4);
        Self { draw, patience, last: None, began: (0, 0), told }
    }
}

impl Strategy for EventByEvent<'_> {
    fn choose(&mut self, view: &View<'_>) -> Result<Choice, String> {
        let told = self.told.get();
        let silent = view.ops >= self.began.1 + SILENCE;
        let stays = !silent && (told == self.began.0 || self.draw.between(1, self.patience) != 1);
        let last = self.last.filter(|last| stays && view.enabled.contains(last));
        if last.is_none() || told != self.began.0 {
            self.began = (told, view.ops);
        }
        let drawn = || view.enabled[self.draw.between(0, view.enabled.len() as u64 - 1) as usize];
        let actor = last.unwrap_or_else(drawn);
        // Its signal is taken once.
        self.last = Some(actor.thread().map_or(actor, Actor::Thread));
        Ok(Choice { actor, amount: 0 })
    }
}
