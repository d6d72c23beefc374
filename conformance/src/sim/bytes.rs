//! A scenario and a schedule out of bytes: what a fuzzer changes.
//!
//! The first byte says how many pairs of bytes after it are the scenario; the rest are the turns. So a change of the one leaves
//! the other where it is. Any bytes are a run, and fewer bytes are less of one.

use std::cell::RefCell;
use std::sync::Arc;

use arbitrary::{Arbitrary, Unstructured};
use sigurg_shuttle::sim::Bytes;

use super::drive::{Drive, Ran};
use crate::case::Case;
use crate::scenario::Scenario;
use crate::scenario::check::check;

/// A run that a fuzzer's bytes are.
#[derive(Debug)]
pub struct Fuzzed {
    /// What was run.
    pub scenario: Arc<Scenario>,
    /// What came of it: [`Ran::judged`] holds the verdict.
    pub ran: Ran,
}

impl Fuzzed {
    /// As a file from which `conformance replay` repeats it.
    #[must_use]
    pub fn case(&self) -> Case {
        self.ran.case(&self.scenario)
    }
}

/// What `bytes` say: the scenario, and the bytes of the turns.
///
/// # Panics
/// Never: a scenario can be drawn from any bytes, and is repaired.
#[must_use]
pub fn parts(bytes: &[u8]) -> (Scenario, &[u8]) {
    let (pairs, rest) = bytes.split_first().map_or((0, bytes), |(first, rest)| (usize::from(*first), rest));
    let (program, turns) = rest.split_at((2 * pairs).min(rest.len()));
    let scenario = Scenario::arbitrary(&mut Unstructured::new(program));
    (scenario.expect("what is missing is drawn as nothing"), turns)
}

/// Runs what `bytes` say, and judges it.
///
/// Each thread keeps one simulator for all its calls.
///
/// # Panics
/// If a scenario out of bytes is not accepted: a fault of [`repair`](crate::scenario::repair).
#[must_use]
pub fn run(bytes: &[u8]) -> Fuzzed {
    thread_local!(static DRIVE: RefCell<Drive> = RefCell::new(Drive::new()));
    let (scenario, turns) = parts(bytes);
    let scenario = Arc::new(scenario);
    let expected = check(&scenario).unwrap_or_else(|fault| panic!("{fault}\n{scenario}"));
    let ran = DRIVE.with_borrow_mut(|drive| drive.run(&scenario, &expected, &mut Bytes::new(turns)));
    Fuzzed { scenario, ran }
}
