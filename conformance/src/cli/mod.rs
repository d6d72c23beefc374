//! The command line: what can be asked, and how the answer is given.
//!
//! Invariants:
//! 1. The exit status is 0 if everything conforms, 1 if a rule is broken, 2 if an input or the call is bad.
//! 2. With `--json`, standard output holds one JSON object and nothing else.
//! 3. Whatever is wrong with an input or the call is said on standard error, with file, place and reason.

mod beside;
mod check;
mod check_json;
mod convert;
mod explore;
mod explore_json;
mod output;
mod parts;
mod progress;
mod replay;
mod replay_sim;
mod report;
mod run;
mod run_watch;
mod show;
mod show_file;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::scenario::play::native::Build;
use output::{Out, Status, complain};

/// Checks traces of goroutine schedulers against an executable model of Go's state rules, and explores that
/// model itself.
#[derive(Debug, Parser)]
#[command(name = "conformance", version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Args {
    #[command(subcommand)]
    call: Call,
}

const EXAMPLES: &str = "\
Examples:
  conformance run                              the main job: a verdict, and a report
  conformance check traces/corpus/go/*         are these recordings legal?
  conformance show trace.jsonl.gz --g 7        what happened to goroutine 7?
  conformance explore                          search the model exhaustively
  conformance explore --config stubborn/go1.27 how can suspendG wait for ever in Go 1.27?
  conformance convert trace.jsonl.gz trace.sgtr.zst
  conformance replay --times 100 tight_loop    how often does this run fail?

Exit status:
  0  conforms
  1  a rule is broken
  2  an input or the call is bad; file, place and reason are on standard error";

#[derive(Debug, Subcommand)]
enum Call {
    Run(run::Args),
    Check(check::Args),
    Explore(explore::Args),
    Show(show::Args),
    Convert(convert::Args),
    Replay(replay::Args),
    Report(report::Args),
    #[command(name = crate::run::native::CALL, hide = true)]
    Program(parts::ProgramArgs),
    #[command(name = crate::run::fuzz::CALL, hide = true)]
    Fuzz(parts::FuzzArgs),
    #[command(name = crate::run::sim::CALL, hide = true)]
    Sim(parts::SimArgs),
}

/// Runs the command that the arguments of this process ask for. Runtimes are made by `build`.
#[must_use]
pub fn main(build: Build) -> ExitCode {
    let Args { call } = Args::parse();
    let mut out = Out::new();
    let done = match call {
        Call::Run(args) => run::run(args, &mut out),
        Call::Check(args) => check::run(args, &mut out),
        Call::Explore(args) => explore::run(args, &mut out),
        Call::Show(args) => show::run(args, &mut out),
        Call::Convert(args) => convert::run(&args, &mut out),
        Call::Replay(args) => replay::run(&args, build, &mut out),
        Call::Report(args) => report::run(&args, &mut out),
        Call::Program(args) => Ok(parts::program(&args, build)),
        Call::Fuzz(args) => Ok(parts::fuzz(&args, build)),
        Call::Sim(args) => Ok(parts::sim(args)),
    };
    let status = done.and_then(|status| out.flush().map(|()| status)).unwrap_or_else(|e| {
        complain(format_args!("standard output: {e}"));
        Status::Bad
    });
    status.into()
}
