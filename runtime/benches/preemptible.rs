//! What `#[preemptible]` costs: the same loops with and without it, on a plain thread. (On a goroutine that nobody asks to stop
//! they are the same instructions, and one load more for 1,024 rounds.)

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Rounds of each loop.
const ROUNDS: usize = 1 << 16;

/// Defines a function twice, with the attribute and without, and measures both.
macro_rules! pairs {
    ($(fn $name:ident($arg:ident: &[u64]) -> u64 $body:block)+) => {
        mod plain { $(#[inline(never)] pub(crate) fn $name($arg: &[u64]) -> u64 $body)+ }
        mod preemptible { $(#[sigurg::preemptible] #[inline(never)] pub(crate) fn $name($arg: &[u64]) -> u64 $body)+ }

        fn measure(c: &mut Criterion) {
            // One cycle through all places, in no order that a machine foresees.
            let data: Vec<u64> = (0..ROUNDS as u64).map(|i| (i * 40_503 + 12_345) % ROUNDS as u64).collect();
            $(
                let mut group = c.benchmark_group(stringify!($name));
                group.throughput(Throughput::Elements(ROUNDS as u64));
                group.bench_function("plain", |b| b.iter(|| plain::$name(black_box(&data))));
                group.bench_function("preemptible", |b| b.iter(|| preemptible::$name(black_box(&data))));
                group.finish();
            )+
        }
    };
}

pairs! {
    // Each round waits for the one before.
    fn xorshift(data: &[u64]) -> u64 {
        let mut x = data[1] | 1;
        for _ in 0..data.len() {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
        }
        x
    }

    // Each round waits for memory.
    fn chase(data: &[u64]) -> u64 {
        let mut at = 0;
        let mut rounds = data.len();
        while rounds > 0 {
            at = data[at as usize];
            rounds -= 1;
        }
        at
    }

    // Branches that are foreseen half of the time.
    fn search(data: &[u64]) -> u64 {
        let (mut largest, mut places) = (0, 0);
        for (i, &value) in data.iter().enumerate() {
            if value % 7 == 3 {
                largest = value.max(largest ^ i as u64);
                places += 1;
            }
        }
        largest + places
    }

    // Nothing to wait for but the rounds themselves, and vector instructions to be had.
    fn sum(data: &[u64]) -> u64 {
        let mut sum = 0u64;
        for value in data {
            sum = sum.wrapping_add(*value);
        }
        sum
    }
}

criterion_group!(benches, measure);
criterion_main!(benches);
