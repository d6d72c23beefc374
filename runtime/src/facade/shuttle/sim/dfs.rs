//! All schedules that differ from a simple one in few places.
//!
//! The simple schedule lets a thread go on as long as it can, then the next in order. Every other choice, before any
//! operation, is a *deviation*; all schedules with up to a given number of them are run. Without a bound that is
//! every schedule.
//!
//! After Emmi, Qadeer and Rakamaric, "Delay-bounded scheduling" (2011).

use super::fair::after;
use super::schedule::{Actor, Slice};
use super::strategy::{Choice, Strategy, View};

/// More operations than a turn has.
const ALL: u32 = u32::MAX - 1;

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
    begun: bool,
}

impl Dfs {
    /// All schedules with up to `bound` deviations.
    pub fn new(bound: usize) -> Self {
        Self { bound, path: Vec::new(), depth: 0, deviations: 0, last: None, begun: false }
    }

    /// Goes on to the next schedule; `false` if there is none: all were run. Call it before each execution.
    pub fn advance(&mut self) -> bool {
        (self.depth, self.deviations, self.last) = (0, 0, None);
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
            Some(last) => Actor::Thread(last),
            None => after(self.last, view.enabled),
        };
        if self.deviations == self.bound {
            self.last = Some(simple);
            return Ok(Choice { actor: simple, amount: if simple == Actor::Clock { 0 } else { ALL } });
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
        self.last = Some(actor);
        Ok(Choice { actor, amount: 0 })
    }

    fn ran(&mut self, slice: &Slice) -> Result<(), String> {
        self.last = Some(slice.actor);
        Ok(())
    }
}
