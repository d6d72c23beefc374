//! The `conformance` command; see [`sigurg_conformance::cli`].

#![deny(unsafe_code)]

use std::process::ExitCode;

use sigurg::{BuildError, Builder, Runtime};

/// Accepts the contract of the runtime, once, for the goroutines of scenarios and programs.
#[expect(unsafe_code, reason = "whoever makes a runtime says that its goroutines keep the contract")]
fn build(builder: Builder) -> Result<Runtime, BuildError> {
    // SAFETY: goroutines only go through the steps of scenarios, and their interpreter keeps nothing of a thread_local! across a
    // blocking call (scenario/play/interpret.rs, invariant 1); nor do the programs of run/programs.rs.
    unsafe { builder.build() }
}

fn main() -> ExitCode {
    sigurg_conformance::cli::main(build)
}
