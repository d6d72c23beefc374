//! How fast the checker judges: events decoded in memory, one core.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

#[path = "../tests/check/corpus.rs"]
mod corpus;
#[path = "../tests/check/judge.rs"]
mod judge;

use judge::judge;

fn check(c: &mut Criterion) {
    let recordings = corpus::recordings();
    let events: usize = recordings.iter().map(|recording| recording.events.len()).sum();
    let mut group = c.benchmark_group("check");
    group.throughput(Throughput::Elements(events as u64));
    group.sample_size(20);
    group.bench_function("all recordings", |b| {
        b.iter(|| {
            for recording in &recordings {
                judge(recording, recording.profile()).unwrap_or_else(|e| panic!("{}: {e}", recording.name));
            }
        });
    });
    let longest = recordings.iter().max_by_key(|recording| recording.events.len()).expect("a recording");
    group.throughput(Throughput::Elements(longest.events.len() as u64));
    group.bench_function(&longest.name, |b| {
        b.iter(|| judge(longest, longest.profile()).unwrap_or_else(|e| panic!("{e}")));
    });
    group.finish();
}

criterion_group!(benches, check);
criterion_main!(benches);
