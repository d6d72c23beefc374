#![no_main]

use libfuzzer_sys::fuzz_target;
use sigurg_conformance::fuzz::runq;
use sigurg_fuzz::MET;

fuzz_target!(|data: &[u8]| runq::body(data, &MET));
