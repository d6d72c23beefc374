//! Who decides.

use super::schedule::{Actor, Slice};

/// Whose turn is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// One of those that are enabled.
    pub actor: Actor,
    /// After so many operations the strategy is asked again, or before if the turn ends. Of the clock: so many nanoseconds
    /// later than the deadline.
    pub amount: u32,
}

/// What a strategy sees of an execution.
pub struct View<'a> {
    /// Who can have the next turn; at least one. Threads come first, the clock last.
    pub enabled: &'a [Actor],
    /// The thread that had the last turn, if it can go on.
    pub last: Option<u16>,
    /// Operations so far.
    pub ops: u64,
    pub(in super::super) ops_of: &'a dyn Fn(u16) -> u64,
}

impl View<'_> {
    /// Operations of that thread so far.
    pub fn ops_of(&self, thread: u16) -> u64 {
        (self.ops_of)(thread)
    }
}

/// Decides whose turn it is. The same strategy decides the executions of one campaign, one after the other.
pub trait Strategy {
    /// Chooses one of those that are enabled.
    ///
    /// # Errors
    ///
    /// If it cannot go on: the reason ends the execution.
    fn choose(&mut self, view: &View<'_>) -> Result<Choice, String>;

    /// Is told how the turn that it chose went.
    ///
    /// # Errors
    ///
    /// As [`Strategy::choose`].
    fn ran(&mut self, slice: &Slice) -> Result<(), String> {
        let _ = slice;
        Ok(())
    }

    /// What the last execution was sure to find, where that is known.
    fn bound(&self) -> Option<Bound> {
        None
    }
}

/// A fault that shows if `depth` operations come in a certain order is found by one execution with a probability of at least
/// `1 / (actors * steps ^ (depth - 1))`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Of the faults that are looked for.
    pub depth: u32,
    /// Operations among which a priority changes: no fewer than the execution had.
    pub steps: u64,
    /// Those that were given a priority.
    pub actors: u64,
    /// Nobody but the clock was put behind the others for another reason than a change. If somebody was, because it spun or had
    /// had a thousand operations, then the orders that this rules out are not among those that were drawn.
    pub holds: bool,
}

impl Bound {
    /// The least probability.
    #[must_use]
    pub fn probability(&self) -> f64 {
        1.0 / (self.actors as f64 * (self.steps as f64).powi(self.depth as i32 - 1))
    }
}
