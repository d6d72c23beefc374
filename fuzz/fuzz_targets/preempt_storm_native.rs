#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use sigurg_conformance::fuzz::native;
use sigurg_fuzz::MET;

/// Beside what libFuzzer keeps.
const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/artifacts/preempt_storm_native/cases");

fn build(builder: sigurg::Builder) -> Result<sigurg::Runtime, sigurg::BuildError> {
    // SAFETY: goroutines only go through the steps of scenarios: `scenario::play::interpret`, invariant 1.
    unsafe { builder.build() }
}

fuzz_target!(
    init: std::fs::create_dir_all(KEPT).expect("a folder for what fails"),
    |data: &[u8]| native::body(build, Path::new(KEPT), data, &MET)
);
