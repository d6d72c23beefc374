//! Runs one benchmark workload and prints one line of JSON: `workloads -w B1b -p 1`.
//!
//! One warm-up pass, one measured pass, one line. Peers that print the same are in `ci/bench`, and `ci/bench/run`
//! compares them. Options: `-w` workload, `-p` processors, `-n` operations, `-k` goroutines (or what the workload
//! counts), `-d` seconds, `--depth` frames of each parked goroutine.

mod communicate;
mod kernels;
mod preempt;
mod report;
mod spawn;
mod stop;
mod wait;
mod work;

use std::process::ExitCode;
use std::time::Duration;

use report::{Pass, Watch, line};

/// The parameters of one pass.
#[derive(Clone, Copy)]
struct Args {
    p: u32,
    n: u64,
    k: u64,
    d: Duration,
    depth: u64,
}

/// One entry of the table: its parameters unless given, how it warms up, and its body.
struct Workload {
    name: &'static str,
    n: u64,
    k: u64,
    d: Duration,
    warm: Option<fn(Args) -> Args>,
    body: fn(Args) -> Pass,
}

const fn workload(name: &'static str, n: u64, k: u64, body: fn(Args) -> Pass) -> Workload {
    Workload {
        name,
        n,
        k,
        d: Duration::ZERO,
        warm: Some(|args| Args { n: (args.n / 10).max(1), ..args }),
        body,
    }
}

/// One that runs for a time and has no warm-up.
const fn timed(name: &'static str, k: u64, d: Duration, body: fn(Args) -> Pass) -> Workload {
    Workload { name, n: 0, k, d, warm: None, body }
}

const SECOND: Duration = Duration::from_secs(1);

const WORKLOADS: &[Workload] = &[
    workload("B1a", 1_000_000, 0, spawn::burst),
    workload("B1b", 300_000, 0, spawn::one_by_one),
    workload("B1c", 1_000_000, 0, spawn::batches),
    workload("B2", 2_000_000, 2, communicate::yields),
    workload("B3", 500_000, 0, |args| communicate::ping_pong(args, 0, false)),
    workload("B3b", 500_000, 0, |args| communicate::ping_pong(args, 1, false)),
    workload("B3x", 100_000, 0, |args| communicate::ping_pong(args, 0, true)),
    workload("B4", 2_000_000, 1, communicate::throughput),
    workload("B5", 1_000_000, 0, spawn::skynet),
    Workload {
        warm: Some(|args| Args { n: args.n.saturating_sub(5), ..args }),
        ..workload("B6a", 25, 0, spawn::fork_join)
    },
    workload("B6b", 40_000, 0, spawn::uneven),
    workload("B7", 2_000_000, 8, communicate::mutex),
    workload("B8", 100_000, 0, wait::timers),
    Workload {
        warm: Some(|args| Args { d: Duration::from_millis(300), ..args }),
        ..timed("B9", 200, Duration::from_secs(2), wait::echo)
    },
    Workload { warm: None, ..workload("B10", 100_000, 0, wait::idle_memory) },
    timed("B11", 1, SECOND, preempt::fairness),
    timed("B11c", 4, SECOND, preempt::rotation),
    workload("B12a", 300_000_000, 1, preempt::cost),
    timed("B12b", 1, SECOND, stop::world),
    timed("B12c", 1, SECOND, stop::dump),
    timed("B12d", 1, SECOND, stop::each),
    timed("B12e", 1, SECOND, stop::world_now_and_then),
    timed("B12z", 1, SECOND, stop::nobody),
    Workload { warm: None, ..workload("B13", 10_000, 0, stop::stack_scan) },
];

fn parse() -> Result<(&'static Workload, Args), lexopt::Error> {
    use lexopt::prelude::*;
    let (mut name, mut p, mut n, mut k, mut d, mut depth) = (None, 1, None, None, None, 0);
    let mut parser = lexopt::Parser::from_env();
    while let Some(option) = parser.next()? {
        match option {
            Short('w') => name = Some(parser.value()?.string()?),
            Short('p') => p = parser.value()?.parse()?,
            Short('n') => n = Some(parser.value()?.parse()?),
            Short('k') => k = Some(parser.value()?.parse()?),
            Short('d') => {
                d = Some(parser.value()?.parse_with(|text| text.parse().map(Duration::from_secs_f64))?)
            }
            Long("depth") => depth = parser.value()?.parse()?,
            _ => return Err(option.unexpected()),
        }
    }
    let name = name.ok_or("which workload? -w B1b")?;
    let workload = WORKLOADS.iter().find(|workload| workload.name == name);
    let workload = workload.ok_or_else(|| format!("no workload {name:?}"))?;
    let args =
        Args { p, n: n.unwrap_or(workload.n), k: k.unwrap_or(workload.k), d: d.unwrap_or(workload.d), depth };
    Ok((workload, args))
}

fn main() -> ExitCode {
    let (workload, args) = match parse() {
        Ok(parsed) => parsed,
        Err(error) => {
            eprintln!("workloads: {error}");
            return ExitCode::from(2);
        }
    };
    // SAFETY: nothing taken from a thread_local! lives across a blocking call in this program.
    let runtime = match unsafe { sigurg::Builder::new().gomaxprocs(args.p).build() } {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("workloads: {error}");
            return ExitCode::FAILURE;
        }
    };
    let line = runtime.run(move || {
        if let Some(warm) = workload.warm {
            (workload.body)(warm(args));
        }
        let watch = Watch::start();
        let pass = (workload.body)(args);
        line(workload.name, ("sigurg", env!("CARGO_PKG_VERSION")), args, pass, watch.stop())
    });
    println!("{line}");
    ExitCode::SUCCESS
}
