//! How fast traces are read, in events a second: a recording of Go of 100,000 events, in memory.

use std::io::{Cursor, Read};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sigurg_traces::binary::{BinaryReader, BinaryWriter};
use sigurg_traces::json::JsonReader;
use sigurg_traces::{Options, Ordered, TraceReader};

const RECORDING: &[u8] = include_bytes!("../corpus/go/go1.27.3-w11-p4-s113.jsonl.gz");

fn drain(mut reader: TraceReader) -> u64 {
    let mut checksum = 0;
    while let Some(event) = reader.next().expect("a good recording") {
        checksum ^= event.t_ns;
    }
    checksum
}

fn read(c: &mut Criterion) {
    let mut json = Vec::new();
    flate2::read::GzDecoder::new(RECORDING).read_to_end(&mut json).expect("a good recording");
    let mut reader = JsonReader::new(json.as_slice(), Options::default()).expect("a header");
    let mut writer = BinaryWriter::new(Vec::new(), reader.header()).expect("memory");
    while let Some(event) = reader.next().expect("a good recording") {
        writer.write(&event, reader.symbols()).expect("memory");
    }
    let binary = writer.finish().expect("memory");
    let zstd = zstd::encode_all(binary.as_slice(), 3).expect("memory");
    eprintln!(
        "{} events; bytes: json {}, json.gz {}, binary {}, binary.zst {}",
        reader.header().events,
        json.len(),
        RECORDING.len(),
        binary.len(),
        zstd.len()
    );

    let mut group = c.benchmark_group("read");
    group.throughput(Throughput::Elements(reader.header().events));
    group.bench_function("json", |b| {
        b.iter(|| {
            let mut reader = JsonReader::new(json.as_slice(), Options::default()).expect("a header");
            let mut checksum = 0;
            while let Some(event) = reader.next().expect("a good recording") {
                checksum ^= event.t_ns;
            }
            checksum
        });
    });
    group.bench_function("binary", |b| {
        b.iter(|| {
            let mut reader = BinaryReader::new(binary.as_slice()).expect("a header");
            let mut checksum = 0;
            while let Some(event) = reader.next().expect("a good recording") {
                checksum ^= event.t_ns;
            }
            checksum
        });
    });
    group.bench_function("json.gz", |b| {
        b.iter(|| drain(TraceReader::new(Cursor::new(RECORDING), Options::default()).expect("a header")));
    });
    for (name, bytes) in [("json, opened", &json), ("binary, opened", &binary), ("binary.zst, opened", &zstd)]
    {
        group.bench_function(name, |b| {
            b.iter(|| drain(TraceReader::from_bytes(bytes, Options::default()).expect("a header")));
        });
    }
    group.bench_function("binary, ordered", |b| {
        b.iter(|| {
            let reader = TraceReader::from_bytes(&binary, Options::default()).expect("a header");
            let mut trace = Ordered::new(reader);
            let mut checksum = 0;
            while let Some(event) = trace.next().expect("a good recording") {
                checksum ^= event.t_ns;
            }
            checksum
        });
    });
    group.finish();
}

criterion_group!(benches, read);
criterion_main!(benches);
