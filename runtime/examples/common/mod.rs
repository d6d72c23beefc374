//! What the examples share: `--trace FILE`, or the variable `SIGURG_TRACE`, records what the scheduler does, for
//! `conformance check`.

use std::error::Error;
use std::ffi::OsString;
use std::path::PathBuf;

/// What every example returns.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// The command line of an example.
#[derive(Default)]
pub(crate) struct Args {
    /// Where to record, if at all.
    pub(crate) trace: Option<PathBuf>,
    /// Everything else.
    pub(crate) rest: Vec<String>,
}

/// Reads the command line.
pub(crate) fn args() -> Outcome<Args> {
    use lexopt::prelude::*;
    let variable = std::env::var_os("SIGURG_TRACE").filter(|path| !path.is_empty());
    let mut args = Args { trace: variable.map(OsString::into), rest: Vec::new() };
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Long("trace") => args.trace = Some(parser.value()?.into()),
            Value(value) => args.rest.push(value.string()?),
            _ => return Err(arg.unexpected().into()),
        }
    }
    Ok(args)
}

/// Runs `main` on a runtime that records to `trace`.
pub(crate) fn run<T: Send>(trace: Option<PathBuf>, main: impl FnOnce() -> Outcome<T> + Send) -> Outcome<T> {
    let mut builder = sigurg::Builder::new();
    if let Some(path) = trace {
        builder = builder.trace(path);
    }
    // SAFETY: nothing taken from a thread_local! lives across a blocking call in any of the examples.
    let runtime = unsafe { builder.build()? };
    runtime.run(main)
}
