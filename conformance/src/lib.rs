//! Checks traces of a goroutine runtime against the model, and explores the model itself.
//!
//! - [`check`]: is this trace legal?
//! - [`explore`]: the engine that searches a state space; [`survey`]: which configurations of the model it
//!   searches, and what it must find there;
//! - [`scenario`]: programs for whole runs: drawn, written, run on real threads, judged;
//! - [`mod@case`]: one run as one file, to be repeated; [`shrink`]: made smaller;
//! - [`show`]: a trace for people, as text; [`timeline`]: as a picture;
//! - [`sim`]: executions of the whole runtime in simulation, judged as they happen;
//! - [`mutants`]: planted bugs, to test the tests;
//! - [`run`]: all layers of the harness within one budget; [`report`]: what came of it;
//! - [`fuzz`]: what an engine that makes bytes calls;
//! - [`cli`]: the `conformance` command, which is all of these.

#![forbid(unsafe_code)]

pub mod case;
pub mod check;
pub mod cli;
pub mod explore;
pub mod fuzz;
pub mod mutants;
pub mod report;
pub mod run;
pub mod scenario;
pub mod show;
pub mod shrink;
pub mod sim;
pub mod survey;
pub mod timeline;
