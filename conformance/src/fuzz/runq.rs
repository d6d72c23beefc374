//! `runq_ops`: what may be done to the run queues of two Ps, against what must come of it.
//!
//! An even first byte: one operation after the other, against plain deques (`steps`). An odd one: an owner, two thieves and one who
//! looks, as simulated threads that take turns by the rest of the bytes (`race`).

mod race;
mod steps;

use super::Met;

/// The body of the target.
///
/// # Panics
///
/// If a queue does what it must not.
pub fn body(data: &[u8], met: &Met) {
    match data {
        [] => {}
        [first, rest @ ..] if first % 2 == 0 => steps::run(rest, met),
        [_, rest @ ..] => race::run(rest, met),
    }
}
