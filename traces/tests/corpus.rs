//! Every recording is read whole, comes out in a legal order, and survives the change to the other form.

mod common;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use sigurg_traces::binary::BinaryWriter;
use sigurg_traces::json::JsonWriter;
use sigurg_traces::source::open;
use sigurg_traces::{Event, GStatus, Kind, Options, OrderRule, Ordered, OrderedError, TraceReader};

fn read(path: &Path) -> TraceReader {
    open(path, Options::default()).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Everything in `path`, in the order that the library gives it, and how often something was held.
fn ordered(path: &Path) -> Result<(Vec<Event>, u64), OrderedError> {
    let mut trace = Ordered::new(read(path));
    let mut events = Vec::new();
    while let Some(event) = trace.next()? {
        events.push(event);
    }
    assert_eq!(trace.cut_off(), 0, "{}", path.display());
    assert_eq!(trace.header().events, events.len() as u64, "{}", path.display());
    Ok((events, trace.holds()))
}

#[test]
fn every_go_recording_has_a_legal_order_with_every_event_once() {
    let (mut total, mut held) = (0, 0);
    let files = common::recordings("go");
    assert_eq!(files.len(), 33);
    for path in files {
        let name = path.display();
        let (events, holds) = ordered(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
        let seqs: HashSet<u64> = events.iter().map(|event| event.seq).collect();
        assert_eq!(seqs.len(), events.len(), "{name}: every event once");
        let mut history: HashMap<u32, (u64, GStatus)> = HashMap::new();
        let mut by_m: HashMap<i32, u64> = HashMap::new();
        let mut latest = 0;
        for event in &events {
            assert!(
                event.lo <= latest.max(event.seq),
                "{name}: seq {} passed what it cannot reach",
                event.seq
            );
            latest = latest.max(event.seq);
            let last = by_m.insert(event.m, event.seq);
            assert!(last.is_none_or(|last| last < event.seq), "{name}: M{} at seq {}", event.m, event.seq);
            if let (Kind::GStatus { from, to, ver, .. }, Some(target)) = (event.kind, event.target) {
                let (known, status) = history.insert(target.gs, (ver, to)).unwrap_or((0, GStatus::Idle));
                assert_eq!((known + 1, status), (ver, from), "{name}: gs {} at seq {}", target.gs, event.seq);
            }
        }
        total += events.len();
        held += holds;
    }
    assert_eq!(total, 1_171_790);
    assert_eq!(held, 1, "the one change in all recordings that was claimed after a later one");
}

#[test]
fn only_the_broken_recordings_with_a_broken_order_have_none() {
    let mut found = Vec::new();
    let files = common::recordings("negative");
    assert_eq!(files.len(), 38);
    for path in files {
        match ordered(&path) {
            Ok(_) => {}
            Err(OrderedError::Inconsistent(error)) => {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                found.push((name, error.rule, error.seq));
            }
            Err(error) => panic!("{}: {error}", path.display()),
        }
    }
    let expected = [
        ("neg-01-swap_changes-a.jsonl.gz", OrderRule::StatusChain, 531),
        ("neg-36-time_travel-a.jsonl.gz", OrderRule::Interval, 933),
        ("neg-37-same_ver-a.jsonl.gz", OrderRule::VerChain, 1663),
    ];
    assert_eq!(found, expected.map(|(name, rule, seq)| (name.to_owned(), rule, seq)));
}

#[test]
fn every_recording_reads_the_same_in_the_binary_form_and_back() {
    for path in [common::recordings("go"), common::recordings("negative")].concat() {
        let mut reader = read(&path);
        let header = reader.header().clone();
        let mut binary = BinaryWriter::new(Vec::new(), &header).unwrap();
        let mut json = JsonWriter::new(Vec::new(), &header).unwrap();
        while let Some(event) = reader.next().unwrap_or_else(|e| panic!("{}: {e}", path.display())) {
            binary.write(&event, reader.symbols()).unwrap();
            json.write(&event, reader.symbols()).unwrap();
        }
        let (binary, json) = (binary.finish().unwrap(), json.finish().unwrap());

        let mut from_binary = TraceReader::from_bytes(&binary, Options::default()).unwrap();
        let mut from_json = TraceReader::from_bytes(&json, Options::default()).unwrap();
        assert_eq!((from_binary.header(), from_json.header()), (&header, &header));
        let mut again = read(&path);
        while let Some(event) = again.next().unwrap() {
            assert_eq!(from_json.next().unwrap(), Some(event), "{}", path.display());
            // Both forms number names by first use, so even the symbols are the same.
            let decoded = from_binary.next().unwrap();
            assert_eq!(decoded.map(|d| (d.kind.tag(), d.seq)), Some((event.kind.tag(), event.seq)));
            let (decoded, names) = (decoded.unwrap(), from_binary.symbols());
            assert_eq!(names.resolve(decoded.site), again.symbols().resolve(event.site));
            assert_eq!(
                (decoded.lo, decoded.t_ns, decoded.m, decoded.p, decoded.on, decoded.by, decoded.target),
                (event.lo, event.t_ns, event.m, event.p, event.on, event.by, event.target),
                "{}",
                path.display()
            );
        }
        assert_eq!((from_json.next(), from_binary.next()), (Ok(None), Ok(None)));
    }
}
