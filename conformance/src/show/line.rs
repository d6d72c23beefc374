//! One event as one line, in columns that stand still.

use std::fmt::{self, Display, Formatter};

use sigurg_traces::{Event, Symbols};

use super::words::words;

/// An event, to be printed as a line.
#[derive(Debug)]
pub struct Line<'a> {
    event: &'a Event,
    symbols: &'a Symbols,
    seq_width: usize,
    marked: bool,
}

/// Columns of a trace of so many events for their numbers.
#[must_use]
pub fn seq_width(events: u64) -> usize {
    events.to_string().len().max(3)
}

/// Microseconds with three decimals.
#[must_use]
pub fn micros(t_ns: u64) -> String {
    format!("{}.{:03}", t_ns / 1000, t_ns % 1000)
}

/// An id after its letter, or `-` if there is none.
#[must_use]
pub fn id(letter: char, id: Option<u64>) -> String {
    id.map_or_else(|| "-".into(), |id| format!("{letter}{id}"))
}

impl<'a> Line<'a> {
    /// A line whose number takes `seq_width` columns.
    #[must_use]
    pub fn new(event: &'a Event, symbols: &'a Symbols, seq_width: usize, marked: bool) -> Self {
        Self { event, symbols, seq_width, marked }
    }

    /// The names of the columns.
    #[must_use]
    pub fn heading(seq_width: usize) -> String {
        format!("  {:>seq_width$} {:>13}  {:4} {:4} {:7} {:7} what", "seq", "us", "M", "P", "stack", "by")
    }
}

impl Display for Line<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let e = self.event;
        write!(
            f,
            "{} {:>width$} {:>13}  {:4} {:4} {:7} {:7} {}",
            if self.marked { '>' } else { ' ' },
            e.seq,
            micros(e.t_ns),
            id('M', u64::try_from(e.m).ok()),
            id('P', u64::try_from(e.p).ok()),
            e.on,
            id('G', (e.by != 0).then_some(e.by)),
            words(e, self.symbols),
            width = self.seq_width,
        )
    }
}
