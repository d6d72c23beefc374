//! A counterexample as a story: who did what, and what came of it, one line a move.

use std::fmt::{self, Display, Formatter};

use sigurg_model::space::{Packed, Space};

use super::{Ending, Found, Step};

/// A counterexample of a space, to be printed.
#[derive(Debug)]
pub struct Story<'a, S: Space> {
    space: &'a S,
    found: &'a Found<S::Move>,
}

impl<'a, S: Space> Story<'a, S> {
    /// The story of what a search of `space` has found.
    pub fn new(space: &'a S, found: &'a Found<S::Move>) -> Self {
        Self { space, found }
    }

    /// Numbered lines, the first of them for move `number`; `before` is the state before the first move.
    fn lines(
        &self,
        f: &mut Formatter<'_>,
        steps: &[Step<S::Move>],
        mut number: usize,
        mut before: Option<Packed>,
    ) -> fmt::Result {
        for &Step { step, state } in steps {
            let deed = match (before, step) {
                (Some(before), Some(step)) => self.space.narrate(before, step),
                _ => String::from("at first"),
            };
            writeln!(f, "{number:4}. {deed} | {}", self.space.describe(state))?;
            number += 1;
            before = Some(state);
        }
        Ok(())
    }
}

impl<S: Space> Display for Story<'_, S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Found { finding, stem, ending } = self.found;
        writeln!(f, "{}: {}", finding.id, finding.title)?;
        self.lines(f, stem, 0, None)?;
        match ending {
            Ending::Broken => Ok(()),
            Ending::Stuck => writeln!(f, "and from here nobody who must move can"),
            Ending::Cycle(steps) => {
                writeln!(f, "and from here round and round:")?;
                self.lines(f, steps, stem.len(), stem.last().map(|step| step.state))
            }
        }
    }
}
