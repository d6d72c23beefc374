//! All schedules that differ from a simple one in few places.
//!
//! The simple schedule lets a thread go on as long as it can, or for [`PATIENCE`] operations, then the next in order. Every
//! other choice, before any operation, is a *deviation*; all schedules with up to a given number of them are run. Without a
//! bound that is every schedule, which is possible for some ten operations: two plain threads with one `point` each are
//! some hundred schedules. One goroutine that yields to another are some four hundred with one deviation.
//!
//! After Emmi, Qadeer and Rakamaric, "Delay-bounded scheduling" (2011).

use super::fair::after;
use super::schedule::{Actor, Slice};
use super::strategy::{Choice, Strategy, View};

/// Operations after which the simple schedule goes on with another thread: this one may wait for it.
const PATIENCE: u32 = 2_000;

/// One decision: how many choices there were, and which was made. The first is that of the simple schedule.
#[derive(Clone, Copy, Debug)]
struct Node {
    choices: usize,
    at: usize,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Dfs {
    bound: usize,
    path: Vec<Node>,
    depth: usize,
    deviations: usize,
    last: Option<Actor>,
    /// Operations of the last thread since another one had a turn.
    alone: u32,
    begun: bool,
}

impl Dfs {
    /// All schedules with up to `bound` deviations.
    pub fn new(bound: usize) -> Self {
        Self { bound, path: Vec::new(), depth: 0, deviations: 0, last: None, alone: 0, begun: false }
    }

    /// Goes on to the next schedule; `false` if there is none: all were run. Call it before each execution.
    pub fn advance(&mut self) -> bool {
        (self.depth, self.deviations, self.last, self.alone) = (0, 0, None, 0);
        if !std::mem::replace(&mut self.begun, true) {
            return true;
        }
        while let Some(node) = self.path.last_mut() {
            if node.at + 1 < node.choices {
                node.at += 1;
                return true;
            }
            self.path.pop();
        }
        false
    }
}

impl Strategy for Dfs {
    fn choose(&mut self, view: &View<'_>) -> Result<Choice, String> {
        let simple = match view.last {
            Some(last) if self.alone < PATIENCE => Actor::Thread(last),
            _ => after(self.last, view.enabled),
        };
        if self.deviations == self.bound {
            let goes_on = self.last.and_then(Actor::thread) == simple.thread();
            let left = PATIENCE - if goes_on { self.alone % PATIENCE } else { 0 };
            return Ok(Choice { actor: simple, amount: if simple == Actor::Clock { 0 } else { left } });
        }
        if self.depth == self.path.len() {
            self.path.push(Node { choices: view.enabled.len(), at: 0 });
        }
        let node = self.path[self.depth];
        if node.choices != view.enabled.len() {
            return Err(format!(
                "decision {} had {} choices and now has {}: the program depends on more than the schedule",
                self.depth,
                node.choices,
                view.enabled.len()
            ));
        }
        self.depth += 1;
        let mut others = view.enabled.iter().copied().filter(|&actor| actor != simple);
        let actor = match node.at.checked_sub(1) {
            None => simple,
            Some(other) => {
                self.deviations += 1;
                others.nth(other).unwrap_or(simple)
            }
        };
        Ok(Choice { actor, amount: 0 })
    }

    fn ran(&mut self, slice: &Slice) -> Result<(), String> {
        let goes_on =
            slice.actor != Actor::Clock && self.last.and_then(Actor::thread) == slice.actor.thread();
        let before = if goes_on { self.alone } else { 0 };
        self.alone = before.saturating_add(slice.amount.saturating_add(1));
        self.last = Some(slice.actor);
        Ok(())
    }
}
