//! The `conformance` command; see [`sigurg_conformance::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    sigurg_conformance::cli::main(build)
}

fn build(builder: sigurg::Builder) -> Result<sigurg::Runtime, sigurg::BuildError> {
    // SAFETY: the programs of `run::programs` keep nothing of a thread_local! across a blocking call.
    unsafe { builder.build() }
}
