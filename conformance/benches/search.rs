//! How fast the search engine is by itself: a space of 17.2 million states, five successors each, whose
//! moves cost nearly nothing. The figure to beat is 3 million distinct states a second on two threads.

#![allow(missing_docs, reason = "criterion's macros make an undocumented function")]

use std::num::NonZeroUsize;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use sigurg_conformance::explore::{Limits, Quiet, search};
use sigurg_model::space::{Finding, Packed, Promise, Space};

/// Counters that each may be counted up, and on from their end to 0 again; so most successors are known.
/// They are spread over the 126 bits like the fields of a real state.
struct Counters;

const COUNTERS: u32 = 5;
const MODULUS: u128 = 28;
const STATES: u64 = 28u64.pow(COUNTERS);

fn shift(counter: u32) -> u32 {
    // Two in the low half, three in the high one.
    [3, 27, 66, 85, 110][counter as usize]
}

impl Space for Counters {
    type Move = u8;

    fn initial(&self) -> Vec<Packed> {
        vec![Packed(0)]
    }

    fn successors(&self, state: Packed, visit: &mut impl FnMut(u8, Packed)) {
        for counter in 0..COUNTERS {
            let shift = shift(counter);
            let value = state.0 >> shift & 0x1f;
            let cleared = state.0 & !(0x1f << shift);
            let next = if value + 1 == MODULUS { 0 } else { value + 1 };
            visit(counter as u8, Packed(cleared | next << shift));
        }
    }

    fn findings(&self) -> &[Finding] {
        &[]
    }

    fn broken(&self, _: Packed) -> u32 {
        0
    }

    fn promises(&self) -> &[Promise] {
        &[]
    }

    fn waits(&self, _: Packed, _: u8) -> bool {
        false
    }

    fn actor(&self, _: Packed, _: u8) -> Option<u8> {
        None
    }

    fn narrate(&self, _: Packed, step: u8) -> String {
        format!("counts up counter {step}")
    }

    fn describe(&self, state: Packed) -> String {
        format!("{:x}", state.0)
    }
}

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("search");
    group.throughput(Throughput::Elements(STATES)).sampling_mode(SamplingMode::Flat).sample_size(10);
    for threads in [1, 2] {
        let limits = Limits { threads: NonZeroUsize::new(threads).expect("not 0"), ..Limits::default() };
        group.bench_function(format!("{threads} threads"), |bencher| {
            bencher.iter(|| {
                let report = search(&Counters, &limits, &Quiet);
                assert_eq!((report.states, report.complete), (STATES, true));
            });
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
