//! A trace for people: who did what to whom, one line an event, in Go's words.
//!
//! - [`words`]: what an event says; [`mod@line`]: the columns around it;
//! - [`filter`]: which events are wanted; [`lanes`]: the same events with one column for each M.

pub mod filter;
pub mod lanes;
pub mod line;
pub mod words;
