//! `preempt_storm_native`: a scenario on real threads, under real signals whose times the bytes say.
//!
//! 1. It is bounded: some milliseconds of steps, a storm that ends.
//! 2. It is no function of its bytes, as the machine has a say; so a finding leaves its case and its trace behind, where
//!    [`Native::folder`] says.
//! 3. The bytes are on the disk before a run begins: one that hangs ends its process by a dump of all goroutines, of which the
//!    engine learns nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::Met;
use super::code::{Bounds, decode};
use crate::case::run::Native;
use crate::scenario::check::check;
use crate::scenario::play::native::Build;
use crate::scenario::situation::Situation;

/// How large scenarios are here.
pub const BOUNDS: Bounds = Bounds {
    steps: 48,
    goroutines: 12,
    times: 20,
    burst: 304,
    us: 1_008,
    us_together: 8_000,
    heavy_together: 40_000,
    signals: 400,
};

/// Longer than any run takes, sanitizer and a busy machine included.
const WITHIN: Duration = Duration::from_secs(60);

/// The body of the target. `build` makes runtimes; what fails is kept in `folder`.
///
/// # Panics
///
/// If the run lacks a property, or nothing can be run.
pub fn body(build: Build, folder: &Path, data: &[u8], met: &Met) {
    let (scenario, _) = decode(data, &BOUNDS);
    let scenario = Arc::new(scenario);
    let expected = check(&scenario).expect("what was repaired is good");
    let native = Native { build, folder, within: WITHIN };
    let input = folder.join("running.input");
    std::fs::write(&input, data).expect("a folder for what fails");
    let ran = native.run(&scenario, &expected, "fuzz", 0).expect("a folder for cases, and a runtime");
    let all: BTreeMap<Situation, u64> = ran.judged.seen.situations.clone();
    for (situation, times) in all {
        met.times(situation as usize, times);
    }
    if let Some((case, trace)) = ran.kept {
        let failures: Vec<_> = ran.judged.failures.iter().map(ToString::to_string).collect();
        panic!("{}\n{scenario}\ncase: {}\ntrace: {}", failures.join("\n"), case.display(), trace.display());
    }
}
