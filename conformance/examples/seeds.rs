//! Writes the seeds of the fuzz targets: `cargo run -p sigurg-conformance --example seeds -- fuzz/corpus`. What is in that folder
//! is what this wrote, made fewer by `cargo fuzz cmin`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sigurg_conformance::fuzz::{code, trace};
use sigurg_conformance::scenario::library;
use sigurg_conformance::sim::Sim;
use sigurg_shuttle::sim::{self, Limits, Random};
use sigurg_shuttle::{chan, go, stacks, yield_now};
use sigurg_traces::binary::BinaryWriter;
use sigurg_traces::header::Ordering;
use sigurg_traces::json::JsonWriter;
use sigurg_traces::{Event, Header, Options, Symbols, source};

/// Events of a recording that are kept.
const EVENTS: usize = 120;

fn main() -> io::Result<()> {
    let Some(out) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: seeds FOLDER");
        std::process::exit(2);
    };
    let put = |target: &str, name: &str, bytes: &[u8]| {
        let folder = out.join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), bytes)
    };
    scenarios(&put)?;
    queues(&put)?;
    walks(&put)?;
    traces(&put)
}

type Put<'a> = dyn Fn(&str, &str, &[u8]) -> io::Result<()> + 'a;

/// The named scenarios, each with some turns.
fn scenarios(put: &Put<'_>) -> io::Result<()> {
    for (scenario, seed) in library::all().iter().zip(1..) {
        let schedule = noise(seed, 64);
        let bytes = code::encode(scenario, &schedule);
        put("preempt_storm", &format!("named-{}", scenario.name), &bytes)?;
        put("preempt_storm_native", &format!("named-{}", scenario.name), &code::encode(scenario, &[]))?;
    }
    Ok(())
}

fn queues(put: &Put<'_>) -> io::Result<()> {
    let steps: &[(&str, &[u8])] = &[
        ("steps-runnext", &[0, 0, 0, 0, 4, 5, 5, 5]),
        ("steps-full-ring", &[0, 0x43, 0x43, 0x46, 5]),
        ("steps-steal", &[0, 0x33, 0x0f, 0x0d, 0x0f, 0x1f]),
        ("steps-steal-runnext", &[0, 0, 0x1f, 0, 0x0f]),
    ];
    for (name, bytes) in steps {
        put("runq_ops", name, bytes)?;
    }
    for seed in 0..8u64 {
        let mut bytes = vec![1];
        bytes.extend(noise(seed, 48 + 64));
        put("runq_ops", &format!("race-{seed}"), &bytes)?;
    }
    Ok(())
}

fn walks(put: &Put<'_>) -> io::Result<()> {
    for (config, which) in sigurg_model::machine::family::all().iter().zip(0..) {
        let mut bytes = vec![which];
        bytes.extend(noise(which.into(), 160));
        put("model_walk", &config.0.name.replace('/', "-"), &bytes)?;
    }
    Ok(())
}

/// The beginnings of recordings, one of each release; a broken one; and what the simulator tells, in every form.
fn traces(put: &Put<'_>) -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../traces/corpus");
    for (folder, name) in [
        ("go", "go1.21.13-w9-p4-s702"),
        ("go", "go1.22.10-w1-p4-s601"),
        ("go", "go1.23.9-w12-p2-s501"),
        ("go", "go1.24.11-w11-p4-s402"),
        ("go", "go1.25.5-w1-p2-s301"),
        ("go", "go1.26.6-w1-p4-s201"),
        ("go", "go1.27.3-w1-p2-s101"),
        ("go", "go1.27.3-w12-p2-s114"),
    ] {
        let path = corpus.join(folder).join(format!("{name}.jsonl.gz"));
        let mut reader = source::open(&path, Options::default()).map_err(io::Error::other)?;
        let mut events = Vec::new();
        while let Some(event) = reader.next().map_err(io::Error::other)?
            && events.len() < EVENTS
        {
            events.push(event);
        }
        let header =
            Header { events: events.len() as u64, complete: false, lost: 0, ..reader.header().clone() };
        let symbols = reader.symbols();
        put("trace_reader", &format!("{name}.jsonl"), &json(&header, &events, symbols)?)?;
        put("trace_reader", &format!("{name}.sgt"), &binary(&header, &events, symbols)?)?;
    }
    let (header, events, symbols) = simulated();
    let whole = binary(&header, &events, &symbols)?;
    put("trace_reader", "simulated.sgt", &whole)?;
    put("trace_reader", "simulated.sgt.zst", &zstd::encode_all(&*whole, 3)?)?;
    put("trace_reader", "simulated.jsonl", &json(&header, &events, &symbols)?)?;
    for seed in 0..24 {
        if let Some(damaged) = trace::mutate(&whole, seed, usize::MAX) {
            put("trace_reader", &format!("damaged-{seed}.sgt"), &damaged)?;
        }
    }
    Ok(())
}

/// Two Ps, a channel, a scan.
fn simulated() -> (Header, Vec<Event>, Symbols) {
    let (mut events, mut symbols) = (Vec::new(), Symbols::new());
    let judged = Sim::new(Limits::default()).run_and_hear(
        &mut Random::new(1),
        &mut |event, names| {
            events.push(*event);
            symbols = names.clone();
        },
        || {
            sim::runtime(2).run(|| {
                let (tx, rx) = chan(0);
                let sender = go(move || (0..2).for_each(|i| tx.send(i).unwrap()));
                let scanner = go(|| stacks::scan(|_| ()));
                yield_now();
                assert_eq!(rx.iter().sum::<u64>(), 1);
                sender.join().unwrap();
                scanner.join().unwrap();
            });
        },
    );
    assert!(judged.outcome.is_ok(), "{}", judged.outcome);
    let header = Header::new("sigurg", "0.1.0", Ordering::Stream, 2, events.len() as u64);
    (header, events, symbols)
}

fn json(header: &Header, events: &[Event], symbols: &Symbols) -> io::Result<Vec<u8>> {
    let mut writer = JsonWriter::new(Vec::new(), header)?;
    events.iter().try_for_each(|event| writer.write(event, symbols))?;
    writer.finish()
}

fn binary(header: &Header, events: &[Event], symbols: &Symbols) -> io::Result<Vec<u8>> {
    let mut writer = BinaryWriter::new(Vec::new(), header)?;
    events.iter().try_for_each(|event| writer.write(event, symbols))?;
    writer.finish()
}

/// Bytes that look random.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (state >> 56) as u8
    };
    (0..len).map(|_| next()).collect()
}
