#![no_main]

use std::ffi::CStr;

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use sigurg_conformance::fuzz::trace;
use sigurg_fuzz::{MET, begin_with};

const WORDS: &[u8] = concat!("-dict=", env!("CARGO_MANIFEST_DIR"), "/dict/trace_reader.dict\0").as_bytes();

fuzz_target!(
    init: begin_with(vec![CStr::from_bytes_with_nul(WORDS).expect("one zero, at the end")]),
    |data: &[u8]| trace::body(data, &MET)
);

// Three of four times a trace stays one, with something wrong in it.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let damaged = match seed % 4 {
        0 => None,
        _ => trace::mutate(&data[..size], seed.into(), max_size),
    };
    match damaged {
        Some(damaged) => {
            data[..damaged.len()].copy_from_slice(&damaged);
            damaged.len()
        }
        None => fuzzer_mutate(data, size, max_size),
    }
});
