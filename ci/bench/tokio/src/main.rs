//! The workloads of the example `workloads` on tokio: one line of JSON, the same fields. What tokio cannot express
//! prints `"status":"unsupported"`.

#[allow(dead_code, reason = "tokio cannot preempt a hog")]
#[path = "../../../../runtime/examples/workloads/kernels.rs"]
mod kernels;
#[allow(dead_code, reason = "figures of workloads that tokio cannot express")]
#[path = "../../../../runtime/examples/workloads/report.rs"]
mod report;
mod spawn;
mod talk;
mod wait;

use std::future::Future;
use std::pin::Pin;
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
}

type Body = fn(Args) -> Pin<Box<dyn Future<Output = Pass> + Send>>;

/// Name, parameters unless given, and body; B9 and B10 warm up in their own way.
const WORKLOADS: &[(&str, u64, u64, f64, Body)] = &[
    ("B1a", 1_000_000, 0, 0.0, |args| Box::pin(spawn::burst(args))),
    ("B1b", 300_000, 0, 0.0, |args| Box::pin(spawn::one_by_one(args))),
    ("B1c", 1_000_000, 0, 0.0, |args| Box::pin(spawn::batches(args))),
    ("B2", 2_000_000, 2, 0.0, |args| Box::pin(talk::yields(args))),
    ("B3b", 500_000, 0, 0.0, |args| Box::pin(talk::ping_pong(args))),
    ("B4", 2_000_000, 1, 0.0, |args| Box::pin(talk::throughput(args))),
    ("B5", 1_000_000, 0, 0.0, |args| Box::pin(spawn::skynet(args))),
    ("B6a", 25, 0, 0.0, |args| Box::pin(spawn::fork_join(args))),
    ("B6b", 40_000, 0, 0.0, |args| Box::pin(spawn::uneven(args))),
    ("B7", 2_000_000, 8, 0.0, |args| Box::pin(talk::mutex(args))),
    ("B8", 100_000, 0, 0.0, |args| Box::pin(wait::timers(args))),
    ("B9", 0, 200, 2.0, |args| Box::pin(wait::echo(args))),
    ("B10", 100_000, 0, 0.0, |args| Box::pin(wait::idle_memory(args))),
];

fn warm_up(name: &str, args: Args) -> Option<Args> {
    match name {
        "B10" => None,
        "B9" => Some(Args { d: Duration::from_millis(300), ..args }),
        "B6a" => Some(Args { n: args.n.saturating_sub(5), ..args }),
        _ => Some(Args { n: (args.n / 10).max(1), ..args }),
    }
}

fn parse() -> Result<(String, Option<Body>, Args), lexopt::Error> {
    use lexopt::prelude::*;
    let (mut name, mut p, mut n, mut k, mut d) = (None, 1, None, None, None);
    let mut parser = lexopt::Parser::from_env();
    while let Some(option) = parser.next()? {
        match option {
            Short('w') => name = Some(parser.value()?.string()?),
            Short('p') => p = parser.value()?.parse()?,
            Short('n') => n = Some(parser.value()?.parse()?),
            Short('k') => k = Some(parser.value()?.parse()?),
            Short('d') => d = Some(parser.value()?.parse::<f64>()?),
            _ => return Err(option.unexpected()),
        }
    }
    let name: String = name.ok_or("which workload? -w B1b")?;
    let known = WORKLOADS.iter().find(|(known, ..)| *known == name);
    let (_, dn, dk, dd, _) = known.copied().unwrap_or(("", 0, 0, 0.0, |_| unreachable!("not a workload")));
    let d = Duration::from_secs_f64(d.unwrap_or(dd));
    let args = Args { p, n: n.unwrap_or(dn), k: k.unwrap_or(dk), d };
    Ok((name, known.map(|known| known.4), args))
}

/// The version of tokio that this was built with.
fn version() -> &'static str {
    let lock = include_str!("../Cargo.lock");
    let at = lock.split_once("name = \"tokio\"\nversion = \"").and_then(|(_, rest)| rest.split_once('"'));
    at.map_or("unknown", |(version, _)| version)
}

fn main() -> ExitCode {
    let (name, body, args) = match parse() {
        Ok(parsed) => parsed,
        Err(error) => {
            eprintln!("bench-tokio: {error}");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(args.p as usize).enable_all().build();
    let runtime = runtime.expect("threads and a poller");
    let name = name.as_str();
    let warm = warm_up(name, args);
    let run = async move {
        let Some(body) = body else {
            return (Pass { status: "unsupported", ..Pass::default() }, Watch::start().stop());
        };
        if let Some(args) = warm {
            body(args).await;
        }
        let watch = Watch::start();
        let pass = body(args).await;
        (pass, watch.stop())
    };
    let (pass, span) = runtime.block_on(async { tokio::spawn(run).await.expect("the workload returns") });
    println!("{}", line(name, ("tokio", version()), args, pass, span));
    ExitCode::SUCCESS
}
