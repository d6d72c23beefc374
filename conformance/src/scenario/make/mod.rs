//! Scenarios by chance: for proptest, for a fuzzer's bytes, and from a seed.
//!
//! All draw freely and let [`repair`](super::repair) leave out what cannot stand, so that none needs to know the rules. What they
//! share is how large a scenario gets: [`Size`].

mod bytes;
mod strategy;

#[cfg(test)]
mod tests;

pub use bytes::from_seed;
pub use strategy::scenarios;

use super::{Channel, Goroutine, Op, Scenario, Storm};

/// How large scenarios get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Goroutines, at most.
    pub goroutines: u8,
    /// Steps in a body, at most.
    pub steps: u8,
    /// Microseconds of one step, at most.
    pub us: u32,
    /// Rounds of a loop, at most.
    pub times: u32,
    /// Signals of a storm, at most; 0: no storms.
    pub signals: u32,
}

impl Size {
    /// For real threads: a run takes some ten milliseconds.
    pub const NATIVE: Self = Self { goroutines: 12, steps: 8, us: 2_000, times: 20, signals: 400 };
    /// For simulation, where every instruction point costs: a run takes some thousand steps.
    pub const SIM: Self = Self { goroutines: 5, steps: 5, us: 8, times: 4, signals: 0 };
}

/// Objects of each kind that goroutines share.
const SHARED: u8 = 4;

/// The parts, before they are named and repaired.
fn assemble(
    procs: u8,
    capacities: Vec<u16>,
    counts: (u8, u8),
    storm: Option<Storm>,
    bodies: Vec<(bool, Vec<Op>)>,
) -> Scenario {
    let channel = |capacity| Channel { name: String::new(), capacity };
    let goroutine = |(daemon, body)| Goroutine { name: String::new(), daemon, body };
    super::repair::repair(Scenario {
        name: "random".into(),
        about: Vec::new(),
        procs,
        channels: capacities.into_iter().map(channel).collect(),
        mutexes: vec![String::new(); counts.0.into()],
        flags: vec![String::new(); counts.1.into()],
        storm,
        goroutines: bodies.into_iter().map(goroutine).collect(),
        sometimes: Vec::new(),
    })
}
