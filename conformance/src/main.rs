//! The `conformance` command; see [`sigurg_conformance::cli`].

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    sigurg_conformance::cli::main()
}
