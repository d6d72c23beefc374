//! One legal order of the events of a trace, whatever its producer's order rests on.
//!
//! - [`by_counter`]: one counter numbered the events, and versions order the changes of one G;
//! - [`by_version`]: no counter, only each M's own order and the versions of the objects;
//! - [`Ordered`]: either, as the header says.
//!
//! Invariant: an order that cannot be had is an [`Inconsistent`] trace, which is a broken rule and not a bad file.

pub mod by_counter;
pub mod by_version;
mod inconsistent;

use std::fmt;

pub use inconsistent::{Inconsistent, OrderRule};

use crate::error::ReadError;
use crate::event::Event;
use crate::header::{Header, Ordering};
use crate::source::TraceReader;
use crate::symbols::Symbols;

use by_counter::ByCounter;
use by_version::ByVersion;

/// Why there is no next event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderedError {
    /// The file is bad.
    Read(ReadError),
    /// The file reads well and tells an impossible story.
    Inconsistent(Box<Inconsistent>),
}

impl fmt::Display for OrderedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => error.fmt(f),
            Self::Inconsistent(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for OrderedError {}

impl From<ReadError> for OrderedError {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl From<Box<Inconsistent>> for OrderedError {
    fn from(error: Box<Inconsistent>) -> Self {
        Self::Inconsistent(error)
    }
}

/// A trace in a legal order.
pub struct Ordered {
    reader: TraceReader,
    order: Order,
    event: Event,
    cut_off: u64,
    read: bool,
    ended: bool,
}

enum Order {
    Counter(Box<ByCounter>),
    Version(Box<ByVersion>),
}

impl Ordered {
    /// Orders `reader` as its header says.
    pub fn new(reader: TraceReader) -> Self {
        let order = match reader.header().ordering {
            Ordering::Ver => Order::Counter(Box::default()),
            Ordering::Stream => Order::Version(Box::default()),
        };
        Self { reader, order, event: Event::lost(0), cut_off: 0, read: false, ended: false }
    }

    /// The header.
    pub fn header(&self) -> &Header {
        self.reader.header()
    }

    /// The names used by the events read so far.
    pub fn symbols(&self) -> &Symbols {
        self.reader.symbols()
    }

    /// How many events were skipped because their kind is unknown.
    pub fn skipped(&self) -> u64 {
        self.reader.skipped()
    }

    /// How many events at the end of a prefix never came, because what must come before them was cut off. Known
    /// after the last event.
    pub fn cut_off(&self) -> u64 {
        self.cut_off
    }

    /// How often an event had to wait for one that stands later in the file.
    pub fn holds(&self) -> u64 {
        match &self.order {
            Order::Counter(order) => order.holds(),
            Order::Version(order) => order.holds(),
        }
    }

    /// The trace itself, to read on in its own order where no legal one is wanted any more.
    pub fn into_reader(self) -> TraceReader {
        self.reader
    }

    /// On which line of the file event `seq` stands, from 1; `None` in the binary form.
    pub fn line_of(&self, seq: u64) -> Option<u64> {
        self.reader.line_of(seq)
    }

    /// Goes on to the next event of the order, which [`Ordered::event`] then is; false after the last one.
    ///
    /// # Errors
    ///
    /// If the file is bad, or no order is possible. There is no sense in going on after an error.
    #[inline]
    pub fn advance(&mut self) -> Result<bool, OrderedError> {
        loop {
            let waiting = match &mut self.order {
                Order::Counter(order) => order.pop()?,
                Order::Version(order) => order.pop()?,
            };
            if let Some(event) = waiting {
                self.event = event;
                return Ok(true);
            }
            if self.read {
                return self.end();
            }
            let Some(event) = self.reader.next()? else {
                self.read = true;
                if let Order::Version(order) = &mut self.order {
                    order.end(self.reader.header().is_cut());
                }
                continue;
            };
            self.event = event;
            let comes_at_once = match &mut self.order {
                Order::Counter(order) => order.admit(&self.event)?,
                Order::Version(order) => order.admit(&self.event)?,
            };
            if comes_at_once {
                return Ok(true);
            }
        }
    }

    /// The event that [`Ordered::advance`] went on to.
    #[inline]
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// The next event of the order, or `None` after the last one.
    ///
    /// # Errors
    ///
    /// As [`Ordered::advance`].
    #[allow(clippy::should_implement_trait, reason = "an iterator could not say `?`")]
    #[inline]
    pub fn next(&mut self) -> Result<Option<Event>, OrderedError> {
        Ok(self.advance()?.then_some(self.event))
    }

    #[cold]
    fn end(&mut self) -> Result<bool, OrderedError> {
        if !self.ended {
            let cut = self.reader.header().is_cut();
            self.cut_off = match &self.order {
                Order::Counter(order) => order.finish(cut)?,
                Order::Version(order) => order.finish(cut)?,
            };
            self.ended = true;
        }
        Ok(false)
    }
}
