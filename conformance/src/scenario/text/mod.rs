//! The text form of a scenario, to be written by hand.
//!
//! ```text
//! # A loop without calls does not keep another goroutine from running.
//! scenario tight_loop
//! procs 1
//! flag stop
//! sometimes stopped_by_signal
//!
//! go hog {
//!     await stop
//! }
//! go other {
//!     repeat 10 { yield; compute 100us }
//!     set stop
//! }
//! ```
//!
//! One statement a line, or several with `;` between them. `#` begins a comment; those before the first statement say what the
//! scenario is about, and are kept. Everything is declared before the goroutines, but for the goroutines
//! themselves, which may name each other in any order. Times are `us`, `ms` or `s`, sizes `KiB`.
//!
//! 1. What is printed reads back as the same, and is printed as the same again.
//! 2. A mistake has a line, a column and a reason; one against the rules of [`check`](super::check) stands where the step stands.

mod lex;
mod parse;
mod print;

#[cfg(test)]
mod tests;

use std::fmt;

pub use parse::parse;

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextError {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// Why.
    pub reason: String,
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.reason)
    }
}

impl std::error::Error for TextError {}
