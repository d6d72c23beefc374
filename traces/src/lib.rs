//! The event vocabulary of a goroutine scheduler, and everything needed to read it back in an order
//! that can be trusted.
//!
//! Runtime and model never know each other; they meet only through the events defined here.
//!
//! - [`vocab`]: the closed lists of words (statuses, primitives, queues, reasons to decline);
//! - [`event`]: one event, one line of a trace; [`table`]: the kinds and their fields, stated once;
//! - [`header`], [`symbols`]: what a trace says once;
//! - [`source`]: opens a trace in either form, packed or not; [`json`] and [`binary`]: the two forms;
//! - [`object`]: what an event changes and to which version; [`order`]: one legal order of a whole trace;
//! - [`error`]: why a trace cannot be read.

#![forbid(unsafe_code)]

/// The example of the format page compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod binary;
pub mod error;
pub mod event;
pub mod header;
pub mod json;
pub mod object;
pub mod order;
pub mod source;
pub mod symbols;
pub mod table;
pub mod vocab;

#[cfg(test)]
mod arbitrary;

pub use error::{Place, ReadError};
pub use event::{Event, Kind, Request, Sym, Target};
pub use header::Header;
pub use object::Object;
pub use order::{Inconsistent, OrderRule, Ordered, OrderedError};
pub use source::{Options, TraceReader, UnknownKinds};
pub use symbols::Symbols;
pub use table::{Need, Tag};
pub use vocab::{Field, GStatus, Guard, PStatus, Phase, PutHow, Queue, Reject, Stack, TakeHow, Via};

use std::io;

/// Refuses to write what a reader would refuse to read.
fn check_writable(event: &Event, next_seq: u64) -> io::Result<()> {
    let fault = |reason: String| Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    if event.seq != next_seq {
        return fault(format!("event {} was written where {next_seq} must follow", event.seq));
    }
    event
        .malformed()
        .map_or(Ok(()), |reason| fault(format!("event {next_seq}, {}: {reason}", event.kind.tag())))
}

/// Refuses to end a trace that is shorter or longer than its header says.
fn check_count(written: u64, promised: u64) -> io::Result<()> {
    if written == promised {
        return Ok(());
    }
    let reason = format!("{written} events were written, the header promises {promised}");
    Err(io::Error::new(io::ErrorKind::InvalidInput, reason))
}
