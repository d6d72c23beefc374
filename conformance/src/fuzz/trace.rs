//! `trace_reader`: any bytes as a trace, in any of its forms: read, put in order, judged.
//!
//! What must hold:
//! 1. The answer is an error, a broken rule or a verdict: no panic, no memory without bound.
//! 2. Both codecs say the same: what was read is written in either form and read again.
//! 3. What the model accepts keeps its invariants by a count of its own (`recount`).
//!
//! [`mutate`] makes damaged traces out of good ones: an engine's own changes hardly ever get past a length or a name.

mod damage;
mod recount;

use std::io;

use sigurg_model::Profile;
use sigurg_model::check::{CheckOptions, Checker, Failure, Summary};
use sigurg_traces::binary::{self, BinaryWriter};
use sigurg_traces::json::JsonWriter;
use sigurg_traces::{
    Event, Header, Kind, Options, Ordered, ReadError, Sym, Symbols, TraceReader, UnknownKinds,
};

pub use damage::mutate;

use super::Met;
use recount::Recount;

/// Events of a trace that are looked at. What is packed well can be of any length.
const MOST: usize = 10_000;

/// A trace in memory.
struct Trace {
    header: Header,
    events: Vec<Event>,
    symbols: Symbols,
}

/// The body of the target.
///
/// # Panics
///
/// If a reader is wrong about what it read, or the model about what it accepted.
pub fn body(data: &[u8], met: &Met) {
    let lenient = Options { unknown_kinds: UnknownKinds::Count };
    let _ = read(data, lenient);
    let Ok(trace) = read(data, Options::default()) else { return };
    for event in &trace.events {
        met.once(event.kind.tag() as usize);
    }
    both_forms_agree(&trace);
    match verdict(data) {
        Ok(summary) => {
            met.once(1 << 10);
            for (row, &times) in summary.rows.iter().chain(&summary.p_rows).chain(&summary.steps).enumerate()
            {
                met.times(1 << 11 | row, times);
            }
        }
        // Which rule was broken.
        Err(rule) => met.once(1 << 12 | rule.len() << 5 | usize::from(rule.as_bytes()[0] & 31)),
    }
}

/// Reads all of it, or the first [`MOST`] events.
fn read(data: &[u8], options: Options) -> Result<Trace, ReadError> {
    let mut reader = TraceReader::from_bytes(data, options)?;
    let mut events = Vec::new();
    while events.len() < MOST
        && let Some(event) = reader.next()?
    {
        events.push(event);
    }
    Ok(Trace { header: reader.header().clone(), events, symbols: reader.symbols().clone() })
}

/// What the model says of it: the name of the rule that is broken, `order` or `malformed`.
fn verdict(data: &[u8]) -> Result<Summary, &'static str> {
    let reader = TraceReader::from_bytes(data, Options::default()).map_err(|_| "unreadable")?;
    let mut ordered = Ordered::new(reader);
    let header = ordered.header();
    let profile =
        Profile::of_producer(&header.producer, &header.go_version).unwrap_or(const { &Profile::NEWEST_GO });
    let mut checker = Checker::new(profile, &CheckOptions::from(header));
    let mut recount = Recount::default();
    for _ in 0..MOST {
        let Some(event) = ordered.next().map_err(|_| "order")? else { break };
        checker.event(&event, ordered.symbols()).map_err(|failure| rule(&failure))?;
        recount.see(&event);
    }
    let summary = checker.finish().map_err(|failure| rule(&failure))?;
    recount.expect_none();
    Ok(summary)
}

fn rule(failure: &Failure) -> &'static str {
    match failure {
        Failure::Violation(violation) => violation.rule.name(),
        Failure::Malformed(_) => "malformed",
    }
}

fn both_forms_agree(trace: &Trace) {
    let trace = &Trace {
        header: Header { events: trace.events.len() as u64, open: false, ..trace.header.clone() },
        events: trace.events.clone(),
        symbols: trace.symbols.clone(),
    };
    for (form, bytes) in [("json", json(trace)), ("binary", binary(trace))] {
        let bytes =
            bytes.unwrap_or_else(|error| panic!("codec {form}: what was read cannot be written: {error}"));
        let again = read(&bytes, Options::default())
            .unwrap_or_else(|error| panic!("codec {form}: what was written cannot be read: {error}"));
        assert_eq!(again.header, trace.header, "codec {form}: header");
        assert_eq!(again.events.len(), trace.events.len(), "codec {form}: events");
        for (first, second) in trace.events.iter().zip(&again.events) {
            let (first, second) = (named(first, &trace.symbols), named(second, &again.symbols));
            assert_eq!(first, second, "codec {form}: an event");
        }
    }
}

/// An event with its names in words, so that it can be compared with one of another table.
fn named<'a>(event: &Event, symbols: &'a Symbols) -> (Event, [&'a str; 2]) {
    let mut event = *event;
    let mut other = Default::default();
    if let Some(sym) = name_of(&mut event.kind) {
        other = std::mem::take(sym);
    }
    let site = std::mem::take(&mut event.site);
    (event, [symbols.resolve(site), symbols.resolve(other)])
}

fn json(trace: &Trace) -> io::Result<Vec<u8>> {
    let mut writer = JsonWriter::new(Vec::new(), &trace.header)?;
    trace.events.iter().try_for_each(|event| writer.write(event, &trace.symbols))?;
    writer.finish()
}

fn binary(trace: &Trace) -> io::Result<Vec<u8>> {
    let mut writer = BinaryWriter::new(Vec::new(), &trace.header)?;
    trace.events.iter().try_for_each(|event| writer.write(event, &trace.symbols))?;
    writer.finish()
}

/// Whether bytes begin as the binary form does.
fn is_binary(data: &[u8]) -> bool {
    data.starts_with(&binary::MAGIC)
}

/// The name that a kind has beside the event's function.
fn name_of(kind: &mut Kind) -> Option<&mut Sym> {
    match kind {
        Kind::GStatus { reason: name, .. }
        | Kind::Gopark { reason: name, .. }
        | Kind::Newproc { entry: name, .. }
        | Kind::StwBegin { reason: name }
        | Kind::StwStopped { reason: name } => Some(name),
        _ => None,
    }
}
