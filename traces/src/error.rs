//! Why a trace cannot be read, and where.
//!
//! Invariant: a [`ReadError`] says that the *file* is bad. A file that reads well but tells an impossible
//! story is an [`Inconsistent`](crate::order::Inconsistent) trace instead.

use std::fmt;

/// A place in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The file as a whole.
    File,
    /// Line of a JSON Lines trace, from 1, after unpacking.
    Line(u64),
    /// Byte offset in a binary trace, from 0, after unpacking.
    Byte(u64),
}

/// A trace that cannot be read. The caller knows the file's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// Where.
    pub place: Place,
    /// Why, in one line.
    pub reason: Box<str>,
}

impl ReadError {
    pub(crate) fn file(reason: impl Into<Box<str>>) -> Self {
        Self { place: Place::File, reason: reason.into() }
    }

    pub(crate) fn line(line: u64, reason: impl Into<Box<str>>) -> Self {
        Self { place: Place::Line(line), reason: reason.into() }
    }

    pub(crate) fn byte(offset: u64, reason: impl Into<Box<str>>) -> Self {
        Self { place: Place::Byte(offset), reason: reason.into() }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place::File => write!(f, "{}", self.reason),
            Place::Line(line) => write!(f, "line {line}: {}", self.reason),
            Place::Byte(offset) => write!(f, "byte {offset}: {}", self.reason),
        }
    }
}

impl std::error::Error for ReadError {}
