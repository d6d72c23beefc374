#![no_main]

use libfuzzer_sys::fuzz_target;
use sigurg_conformance::fuzz::walk;
use sigurg_fuzz::MET;

fuzz_target!(|data: &[u8]| walk::body(data, &MET));
