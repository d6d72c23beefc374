//! What led to a failure, as a table with one column for each M.

use std::collections::VecDeque;
use std::path::Path;

use sigurg_traces::header::Ordering;
use sigurg_traces::source::{Options, UnknownKinds, open};
use sigurg_traces::{Event, Ordered};

use crate::show::lanes::{Cell, write};
use crate::show::line::seq_width;
use crate::show::words::words;

/// Events after the one at which it shows.
const AFTER: usize = 5;
/// Bytes beyond which nobody reads a whole trace for its last rows: what went on and on until it was given up can be gigabytes long.
const LONGEST: u64 = 256 << 20;

/// The event numbered `seq` of the trace at `path`, marked, with `before` events that led there and some after it; without
/// a number, or where no legal order gets so far, the last ones. What cannot be read is said in words.
#[must_use]
pub fn table(path: &Path, seq: Option<u64>, before: usize) -> String {
    let bytes = std::fs::metadata(path).map_or(0, |file| file.len());
    if seq.is_none() && bytes > LONGEST {
        let path = path.display();
        return format!("no table of {} MiB of trace: `conformance show {path}` reads it\n", bytes >> 20);
    }
    let reader = match open(path, Options { unknown_kinds: UnknownKinds::Count }) {
        Ok(reader) => reader,
        Err(error) => return format!("the trace cannot be read: {error}"),
    };
    let width = seq_width(reader.header().events);
    let merges = reader.header().ordering == Ordering::Stream;
    let mut end = String::new();
    let mut cells: VecDeque<Cell> = VecDeque::new();
    let mut after = 0;
    let mut take = |event: &Event, words: String| {
        let marked = Some(event.seq) == seq;
        cells.push_back(Cell { seq: event.seq, t_ns: event.t_ns, m: event.m, words, marked });
        after += usize::from(marked || after > 0);
        if after == 0 && cells.len() > before {
            cells.pop_front();
        }
        after <= AFTER
    };
    if merges {
        let mut ordered = Ordered::new(reader);
        loop {
            match ordered.next() {
                Ok(Some(event)) => {
                    if !take(&event, words(&event, ordered.symbols())) {
                        break;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    end = format!("{error}\n");
                    break;
                }
            }
        }
    } else {
        let mut reader = reader;
        loop {
            match reader.next() {
                Ok(Some(event)) => {
                    if !take(&event, words(&event, reader.symbols())) {
                        break;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    end = format!("{error}\n");
                    break;
                }
            }
        }
    }
    let mut text = Vec::new();
    write(&mut text, cells.make_contiguous(), width).expect("memory takes what is written");
    String::from_utf8(text).expect("text") + &end
}
