//! `conformance show`: a trace for people.

use std::io::{self, Write};
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use sigurg_traces::header::Ordering;
use sigurg_traces::source::{Options, TraceReader, UnknownKinds, open};
use sigurg_traces::{Event, Header, Ordered, OrderedError, Symbols};

use super::output::{Out, Status, complain, name, note};
use crate::show::filter::{Filter, Sieve};
use crate::show::lanes::{self, Cell};
use crate::show::line::{Line, seq_width};
use crate::show::words::words;

/// Show a trace for people: one line an event, with its time, thread, P and stack, and what it says in Go's
/// words.
///
/// All filters given must fit. A goroutine's struct (`--gs`) is what its versions count by; in recordings of
/// Go 1.21 to 1.23 its first change still carries the goid of the goroutine before it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// A trace; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Only what is about goroutine ID or done on its behalf
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(u64).range(1..))]
    g: Option<u64>,
    /// Only what is about G struct N
    #[arg(long, value_name = "N")]
    gs: Option<NonZeroU32>,
    /// Only what thread N does, and what is done to it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    m: Option<i32>,
    /// Only events numbered N to M, both included; either may be left out
    #[arg(long, value_name = "N..M", value_parser = range)]
    pub(super) events: Option<RangeInclusive<u64>>,
    /// Only event SEQ and what comes just before and after it
    #[arg(long, value_name = "SEQ")]
    pub(super) around: Option<u64>,
    /// With --around: how many events before and how many after [default: 10]
    #[arg(long, value_name = "N", requires = "around")]
    pub(super) context: Option<u16>,
    /// One column for each M
    #[arg(long)]
    lanes: bool,
    /// Write a page with a timeline that can be zoomed, of --around (default context: 2000) or of the first 20,000 from --events
    #[arg(long, value_name = "OUT", conflicts_with_all = ["g", "gs", "m", "lanes"])]
    pub(super) html: Option<PathBuf>,
    /// Write the whole trace as Chrome trace JSON, which ui.perfetto.dev opens
    #[arg(long, value_name = "OUT", conflicts_with_all = ["g", "gs", "m", "lanes", "events", "around"])]
    pub(super) perfetto: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  conformance show trace.jsonl.gz | less
  conformance show trace.jsonl.gz --g 7
  conformance show trace.jsonl.gz --around 1572 --context 5 --lanes
  conformance show trace.jsonl.gz --m 3 --events 1000..2000
  conformance show trace.jsonl.gz --around 1572 --html fault.html
  conformance show trace.jsonl.gz --perfetto trace.json

Exit status:
  0  shown
  1  no legal order of the events is possible; what could be ordered is shown
  2  the file is bad, or what was asked for does not occur in it";

fn range(text: &str) -> Result<RangeInclusive<u64>, String> {
    let (from, to) = text.split_once("..").ok_or("a range is N..M")?;
    let number = |text: &str, otherwise: u64| match text.strip_prefix('=').unwrap_or(text) {
        "" => Ok(otherwise),
        text => text.parse().map_err(|e| format!("{text:?}: {e}")),
    };
    let (from, to) = (number(from, 0)?, number(to, u64::MAX)?);
    if from > to {
        return Err(format!("{from} is after {to}"));
    }
    Ok(from..=to)
}

/// A trace in the order in which people read it: the numbers of a counter as they stand in the file; streams
/// in a legal order.
enum Timeline {
    File(TraceReader),
    Merged(Box<Ordered>),
}

impl Timeline {
    fn header(&self) -> &Header {
        match self {
            Self::File(trace) => trace.header(),
            Self::Merged(trace) => trace.header(),
        }
    }

    fn symbols(&self) -> &Symbols {
        match self {
            Self::File(trace) => trace.symbols(),
            Self::Merged(trace) => trace.symbols(),
        }
    }

    fn skipped(&self) -> u64 {
        match self {
            Self::File(trace) => trace.skipped(),
            Self::Merged(trace) => trace.skipped(),
        }
    }

    fn next(&mut self) -> Result<Option<Event>, OrderedError> {
        match self {
            Self::File(trace) => Ok(trace.next()?),
            Self::Merged(trace) => trace.next(),
        }
    }
}

pub(super) fn run(args: Args, out: &mut Out) -> io::Result<Status> {
    if args.html.is_some() || args.perfetto.is_some() {
        return Ok(super::show_file::write(&args));
    }
    let file = name(&args.file);
    // A people's view shows what it can; what it leaves out is said at the end.
    let reader = match open(&args.file, Options { unknown_kinds: UnknownKinds::Count }) {
        Ok(reader) => reader,
        Err(error) => {
            complain(format_args!("{file}: {error}"));
            return Ok(Status::Bad);
        }
    };
    let mut timeline = match reader.header().ordering {
        Ordering::Ver => Timeline::File(reader),
        Ordering::Stream => Timeline::Merged(Box::new(Ordered::new(reader))),
    };
    let header = timeline.header();
    let (events, width) = (header.events, seq_width(header.events));
    for seq in [args.around, args.events.as_ref().map(|events| *events.start())].into_iter().flatten() {
        if seq >= events {
            let last = events.checked_sub(1).map_or("none".into(), |last| format!("0 to {last}"));
            complain(format_args!("{file}: there is no event {seq}; the trace has events {last}"));
            return Ok(Status::Bad);
        }
    }
    let mut sieve = Sieve::new(Filter {
        g: args.g,
        gs: args.gs.map(NonZeroU32::get),
        m: args.m,
        events: args.events,
        around: args.around,
        context: usize::from(args.context.unwrap_or(10)),
    });
    let mut cells = Vec::new();
    let (mut shown, mut status, mut at_end) = (0u64, Status::Conforms, false);
    while !out.is_closed() {
        let event = match timeline.next() {
            Ok(Some(event)) => event,
            Ok(None) => {
                at_end = true;
                break;
            }
            Err(error) => {
                complain(format_args!("{file}: {error}"));
                status = if matches!(error, OrderedError::Read(_)) { Status::Bad } else { Status::Broken };
                break;
            }
        };
        let symbols = timeline.symbols();
        sieve.take(event, |event, marked| {
            shown += 1;
            if shown == 1 && !args.lanes {
                writeln!(out, "{}", Line::heading(width))?;
            }
            if args.lanes {
                let Event { seq, t_ns, m, .. } = event;
                cells.push(Cell { seq, t_ns, m, words: words(&event, symbols), marked });
                Ok(())
            } else {
                writeln!(out, "{}", Line::new(&event, symbols, width, marked))
            }
        })?;
        if sieve.is_done(event.seq) {
            break;
        }
    }
    if shown > 0 && args.lanes {
        lanes::write(out, &cells, width)?;
    }
    if timeline.skipped() > 0 {
        note(format_args!("{file}: {} events of unknown kinds are not shown", timeline.skipped()));
    }
    if at_end {
        if let Some(absent) = sieve.absent() {
            complain(format_args!("{file}: there is no {absent} in the trace"));
            status = Status::Bad;
        } else if shown == 0 {
            note(format_args!("{file}: no event fits all that was asked for"));
        }
    }
    Ok(status)
}
