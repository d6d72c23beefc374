#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use sigurg_conformance::fuzz::storm;
use sigurg_fuzz::{MET, begin_with, unmark};
use sigurg_shuttle::sim;

/// Beside what libFuzzer keeps.
const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/artifacts/preempt_storm/cases");

fuzz_target!(
    init: {
        std::fs::create_dir_all(KEPT).expect("a folder for what fails");
        // libfuzzer-sys would end the process at a panic of a simulated goroutine; one that leaves the body still ends it.
        let _ = std::panic::take_hook();
        sim::on_new_stack(unmark);
        // How often something was done says little of a scheduler, and nearly every input would be something new.
        begin_with(vec![c"-use_counters=0", c"-entropic=0"]);
    },
    |data: &[u8]| storm::body(Path::new(KEPT), data, &MET)
);
