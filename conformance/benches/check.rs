//! From bytes to verdict on one core: read, put in order, judged. The input is the longest recording of the
//! corpus, in memory, in each of its forms.

use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sigurg_model::Profile;
use sigurg_model::check::Checker;
use sigurg_traces::binary::BinaryWriter;
use sigurg_traces::json::JsonWriter;
use sigurg_traces::source::{Options, TraceReader, open};
use sigurg_traces::{Header, Ordered};

const RECORDING: &str = "../traces/corpus/go/go1.27.3-w10-p2-s111.jsonl.gz";

fn judge(bytes: &[u8]) -> u64 {
    let reader = TraceReader::from_bytes(bytes, Options::default()).expect("a trace");
    let mut ordered = Ordered::new(reader);
    let header: &Header = ordered.header();
    let profile = Profile::of_producer(&header.producer, &header.go_version).expect("a profile");
    let mut checker = Checker::new(profile, &header.into());
    while ordered.advance().expect("an order") {
        checker.event(ordered.event(), ordered.symbols()).expect("a legal trace");
    }
    checker.finish().expect("a legal trace").events
}

fn check(c: &mut Criterion) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(RECORDING);
    let mut reader = open(&path, Options::default()).expect("the corpus is there");
    let header = reader.header().clone();
    let mut json = JsonWriter::new(Vec::new(), &header).expect("memory");
    let mut binary = BinaryWriter::new(Vec::new(), &header).expect("memory");
    while let Some(event) = reader.next().expect("a trace") {
        json.write(&event, reader.symbols()).expect("memory");
        binary.write(&event, reader.symbols()).expect("memory");
    }
    let (json, binary) = (json.finish().expect("memory"), binary.finish().expect("memory"));

    let mut group = c.benchmark_group("check");
    group.throughput(Throughput::Elements(header.events)).sample_size(40);
    group.bench_function("binary", |b| b.iter(|| judge(&binary)));
    group.bench_function("JSON Lines", |b| b.iter(|| judge(&json)));
    group.finish();
}

criterion_group!(benches, check);
criterion_main!(benches);
