//! The bodies of the fuzz targets: bytes in, a panic if something is wrong.
//!
//! 1. No engine is known here: libFuzzer (the package in `fuzz/`), AFL++ and LibAFL call the same functions, and so does the test
//!    that runs the seeds.
//! 2. A body is a function of its bytes, but for the one on real threads. It keeps memory from one execution to the next,
//!    nothing else.
//! 3. A finding is a panic whose first line begins with its signature: what failed and the rule, the same for the same fault.

pub mod code;
mod dice;
mod met;
pub mod native;
pub mod runq;
pub mod storm;
pub mod trace;
pub mod walk;

pub use met::Met;

/// A body by the name of its target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// As `cargo fuzz list` shows it.
    pub name: &'static str,
    /// Runs it once.
    pub body: fn(&[u8], &Met),
}

/// All that need nothing but bytes; [`storm`] and [`native`] also need a folder for what they find.
pub const TARGETS: &[Target] = &[
    Target { name: "runq_ops", body: runq::body },
    Target { name: "trace_reader", body: trace::body },
    Target { name: "model_walk", body: walk::body },
];
