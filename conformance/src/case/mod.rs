//! A case: one run as one file, from which it can be repeated.
//!
//! ```text
//! sigurg-case 1
//! driver native
//! seed 42
//! version conformance 0.1.0
//! == scenario
//! scenario tight_loop
//! …
//! == schedule
//! M1 casgstatus x3
//! == outcome
//! failed trace:queue_dup
//!   rejected by rule queue_dup: …
//! == trace
//!   what led there, as a table
//! == end
//! ```
//!
//! 1. What is needed to repeat a run is in the file, and on the disk, before the run begins: an abort, a hang or Ctrl-C lose
//!    nothing. A file without an outcome is a run that never came back.
//! 2. Sections come in this order. Lines of people are indented, so that none looks like the beginning of a section.
//! 3. Steps of a schedule have names. So many equal ones stand as one line.

mod read;
pub mod run;
mod trace;
mod write;

#[cfg(test)]
mod tests;

pub use read::{CaseError, read};
pub use trace::table;
pub use write::{Writer, versions};

use crate::scenario::Scenario;
use crate::scenario::property::Failure;

/// Which driver ran it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// Real threads: repeated by running it again, often.
    Native,
    /// Simulation: repeated by its schedule.
    Sim,
}

impl Driver {
    /// One word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Sim => "sim",
        }
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has every property.
    Passed,
    /// It does not: what failures of that kind have in common, and what is wrong.
    Failed {
        /// Property and rule.
        signature: String,
        /// Lines for people.
        message: String,
    },
}

impl Outcome {
    /// Of a judged run: its first failure.
    #[must_use]
    pub fn of(failures: &[Failure]) -> Self {
        match failures {
            [] => Self::Passed,
            [first, ..] => {
                let all: Vec<_> = failures.iter().map(ToString::to_string).collect();
                Self::Failed { signature: first.signature(), message: all.join("\n") }
            }
        }
    }
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Who ran it.
    pub driver: Driver,
    /// Of the random choices; what a simulator began with.
    pub seed: u64,
    /// What it ran on: names and versions.
    pub versions: Vec<(String, String)>,
    /// What was run.
    pub scenario: Scenario,
    /// Steps, by name, each once for every time it was taken; empty for real threads.
    pub schedule: Vec<String>,
    /// How it ended; none if it never did.
    pub outcome: Option<Outcome>,
    /// What led there, for people.
    pub trace: String,
}
