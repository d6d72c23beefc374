//! A recorded schedule once more.

use super::fair::Fair;
use super::schedule::{Schedule, Slice};
use super::strategy::{Choice, Strategy, View};

/// Repeats a schedule. If the program is the same, so is the execution; if not, the outcome says where they part.
#[derive(Clone, Debug)]
pub struct Replay<'a> {
    schedule: &'a Schedule,
    at: usize,
    ops: u64,
    lenient: Option<Fair>,
}

impl<'a> Replay<'a> {
    /// The execution fails with [`Diverged`](super::Failure::Diverged) at the first turn that goes otherwise.
    pub fn new(schedule: &'a Schedule) -> Self {
        Self { schedule, at: 0, ops: 0, lenient: None }
    }

    /// Turns that cannot be had are left out, turns may end otherwise, and where the schedule ends all take turns: for schedules
    /// that were changed, or belong to another program.
    pub fn lenient(schedule: &'a Schedule) -> Self {
        Self { schedule, at: 0, ops: 0, lenient: Some(Fair::default()) }
    }

    /// How many turns were repeated.
    pub fn repeated(&self) -> usize {
        self.at
    }

    fn place(&self) -> String {
        let recorded: u64 = self.schedule.slices.iter().map(operations).sum();
        format!(
            "turn {} of {} (operation {} of {recorded})",
            self.at + 1,
            self.schedule.slices.len(),
            self.ops + 1
        )
    }
}

fn operations(slice: &Slice) -> u64 {
    slice.actor.thread().map_or(1, |_| u64::from(slice.amount) + 1)
}

fn tell(slice: &Slice) -> String {
    match slice.actor.thread() {
        None => format!("{} ns more than the deadline pass", slice.amount),
        Some(_) => format!("{} operations, then it {}", slice.amount, slice.end),
    }
}

impl Strategy for Replay<'_> {
    fn choose(&mut self, view: &View<'_>) -> Result<Choice, String> {
        if let Some(fair) = &mut self.lenient {
            while let Some(slice) = self.schedule.slices.get(self.at) {
                self.at += 1;
                if view.enabled.contains(&slice.actor) {
                    return Ok(Choice { actor: slice.actor, amount: slice.amount });
                }
            }
            return Ok(fair.choose(view));
        }
        let Some(slice) = self.schedule.slices.get(self.at) else {
            return Err(format!(
                "{}: recorded are {} turns, and the program goes on",
                self.place(),
                self.schedule.slices.len()
            ));
        };
        if !view.enabled.contains(&slice.actor) {
            let enabled: Vec<_> = view.enabled.iter().map(ToString::to_string).collect();
            return Err(format!(
                "{}: {} was to have it, but only {} can",
                self.place(),
                slice.actor,
                enabled.join(", ")
            ));
        }
        Ok(Choice { actor: slice.actor, amount: slice.amount })
    }

    fn ran(&mut self, slice: &Slice) -> Result<(), String> {
        if self.lenient.is_some() {
            return Ok(());
        }
        let expected = &self.schedule.slices[self.at];
        if slice != expected {
            return Err(format!(
                "{}: {} was to run so: {}; it ran so: {}",
                self.place(),
                expected.actor,
                tell(expected),
                tell(slice)
            ));
        }
        self.ops += operations(slice);
        self.at += 1;
        Ok(())
    }
}
