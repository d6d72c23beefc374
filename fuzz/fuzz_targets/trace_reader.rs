//! Arbitrary bytes as a trace, in any of its forms: read, put in order, judged. The answer may be anything
//! but a panic, unbounded memory or no answer at all.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sigurg_model::Profile;
use sigurg_model::check::{CheckOptions, Checker};
use sigurg_traces::order::Ordered;
use sigurg_traces::source::{Options, TraceReader};

fuzz_target!(|data: &[u8]| {
    let Ok(reader) = TraceReader::from_bytes(data, Options::default()) else { return };
    let mut events = Ordered::new(reader);
    let header = events.header();
    let profile =
        Profile::of_producer(&header.producer, &header.go_version).unwrap_or(const { &Profile::NEWEST_GO });
    let mut checker = Checker::new(profile, &CheckOptions::from(header));
    while let Ok(Some(event)) = events.next() {
        if checker.event(&event, events.symbols()).is_err() {
            return;
        }
    }
    let _ = checker.finish();
});
