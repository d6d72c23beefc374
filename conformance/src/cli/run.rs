//! `conformance run`: the main job.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};

use super::beside::BesideArgs;
use super::output::{Out, Status, complain};
use super::run_watch;
use crate::explore::Limits;
use crate::report::data::{Grade, Shard};
use crate::report::explored::Explored;
use crate::report::folder::Folder;
use crate::report::view::{Verdict, View};
use crate::run::fuzz::Fuzz;
use crate::run::go::Go;
use crate::run::model::Model;
use crate::run::native::Native;
use crate::run::sim::Sim;
use crate::run::{self, Call, Layer, Until};

/// Run every layer of the harness: search the model, judge recordings of Go, run the runtime and judge what it does.
///
/// Ends with a verdict and a report: DIR/index.html for people, report.json, junit.xml and summary.md for programs. Ctrl-C ends the
/// run with the report of what was done; twice ends it at once.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Time for everything: 60s, 10m, 2h; what hangs is ended ten seconds after its part of it [default: as long as one pass takes]
    #[arg(long, value_name = "TIME", value_parser = time)]
    budget: Option<Duration>,
    /// What chance is drawn from [default: another one each time]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// These layers only, of model, go, native, sim and fuzz
    #[arg(long, value_name = "LAYERS", value_delimiter = ',', value_parser = ["model", "go", "native", "sim", "fuzz"])]
    only: Vec<String>,
    /// This unit only: a configuration, a recording, a program, a scenario, a fuzz target; may be given again
    #[arg(long, value_name = "NAME")]
    unit: Vec<String>,
    /// Where to write the report
    #[arg(long, value_name = "DIR", default_value = "target/conformance")]
    report: PathBuf,
    /// Part I of N of the work; `conformance report merge` joins the parts
    #[arg(long, value_name = "I/N", default_value = "1/1", value_parser = shard)]
    shard: Shard,
    /// What the parts have in common, where several campaigns have the same seed
    #[arg(long, value_name = "NAME", default_value = "")]
    campaign: String,
    #[command(flatten)]
    beside: BesideArgs,
    /// Search the large configurations of the model, too: hours, and up to 20 GiB
    #[arg(long)]
    nightly: bool,
    /// Memory for one search of the model
    #[arg(long, value_name = "GiB", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=4096))]
    memory: u64,
}

const EXAMPLES: &str = "\
Examples:
  conformance run
  conformance run --budget 60s --seed 7
  conformance run --only native --unit hogs/p2 --budget 10m
  conformance run --shard 2/3 --seed 20261122 --report shard-2
  conformance run --baseline last-night/report.json --mutants mutants.json --bench bench.json

Exit status:
  0  conforms
  1  a rule is broken
  2  the call is bad, the harness failed, or not everything was done; the report says what is missing";

fn time(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err("a time is a number and s, m or h".into()),
    };
    let number: u64 = number.parse().map_err(|e| format!("{number:?}: {e}"))?;
    match number.checked_mul(factor).filter(|seconds| (1..=31_536_000).contains(seconds)) {
        Some(seconds) => Ok(Duration::from_secs(seconds)),
        None => Err("a time is between a second and a year".into()),
    }
}

fn shard(text: &str) -> Result<Shard, String> {
    let (index, total) = text.split_once('/').ok_or("a part is I/N")?;
    let number = |text: &str| text.parse::<u32>().map_err(|e| format!("{text:?}: {e}"));
    let shard = Shard { index: number(index)?, total: number(total)? };
    if shard.index == 0 || shard.index > shard.total {
        return Err(format!("of {} parts there are 1 to {}", shard.total, shard.total));
    }
    Ok(shard)
}

pub(super) fn run(args: Args, out: &mut Out) -> io::Result<Status> {
    let folder = match Folder::ready(&args.report) {
        Ok(folder) => folder,
        Err(reason) => return Ok(bad(reason)),
    };
    let beside = match args.beside.read() {
        Ok(beside) => beside,
        Err(reason) => return Ok(bad(reason)),
    };
    let command = match std::env::current_exe() {
        Ok(command) => command,
        Err(e) => return Ok(bad(format!("this program does not find itself: {e}"))),
    };
    let limits = Limits { memory_bytes: args.memory << 30, ..Limits::default() };
    let layers: Vec<Box<dyn Layer>> = vec![
        Box::new(Go::find()),
        Box::new(Model { nightly: args.nightly, limits }),
        Box::new(Sim::new(command.clone(), folder.traces())),
        Box::new(Fuzz::find(command.clone(), folder.traces())),
        Box::new(Native::new(command, folder.traces())),
    ];
    let call = Call {
        seed: args.seed.unwrap_or_else(some_seed),
        budget: args.budget,
        shard: args.shard,
        campaign: args.campaign,
        only: args.only,
        units: args.unit,
        place: run::place::describe(),
    };
    let planned = |name: &String| {
        let plans = layers.iter().filter_map(|layer| layer.plan().ok()).flatten();
        plans.into_iter().any(|plan| plan.name == *name)
    };
    if let Some(unit) = call.units.iter().find(|name| !planned(name)) {
        return Ok(bad(format!("no layer has a unit {unit:?}; the report of a run lists them")));
    }
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // The second one ends the program, because the first has set the flag.
        let hooked = signal_hook::flag::register_conditional_default(signal, Arc::clone(&interrupted))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&interrupted)));
        if let Err(e) = hooked {
            return Ok(bad(format!("Ctrl-C cannot be caught: {e}")));
        }
    }
    let watch = run_watch::new(call.seed);
    let mut report = run::run(&layers, &call, &Until::interrupted(interrupted), &*watch);
    drop(watch);
    beside.add_to(&mut report);
    let view = folder.view(&report);
    table(out, &view)?;
    if let Err(reason) = folder.write(&report, &view) {
        return Ok(bad(format!("the report cannot be written: {reason}")));
    }
    writeln!(out, "report: {}", folder.page().display())?;
    Ok(status(view.own_verdict()))
}

pub(super) fn bad(reason: String) -> Status {
    complain(reason);
    Status::Bad
}

/// The status that a verdict ends with.
pub(super) fn status(verdict: Verdict) -> Status {
    match verdict {
        Verdict::Conforms => Status::Conforms,
        Verdict::Broken => Status::Broken,
        Verdict::Incomplete => Status::Bad,
    }
}

fn some_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    // Six digits can be said over a telephone, and are enough to be another one.
    now.map_or(1, |now| u64::from(now.subsec_nanos()) % 1_000_000)
}

/// The verdict on a terminal.
pub(super) fn table(out: &mut Out, view: &View) -> io::Result<()> {
    let [layer, units, pass, interesting, fail, error, time] =
        ["layer", "units", "pass", "interesting", "fail", "error", "time"];
    writeln!(
        out,
        "\n{layer:8}{units:>12}{pass:>8}{interesting:>13}{fail:>7}{error:>7}{time:>10}  what it did"
    )?;
    for (name, layer) in &view.layers {
        let count = |grade| layer.graded.get(&grade).copied().unwrap_or(0);
        let figures =
            layer.figures.iter().filter(|(name, _)| matches!(&***name, "states" | "events" | "executions"));
        let mut told: Vec<_> =
            figures.map(|(name, count)| format!("{} {name}", indicatif::HumanCount(*count))).collect();
        told.extend(layer.skipped.as_ref().map(|reason| format!("skipped: {reason}")));
        writeln!(
            out,
            "{name:8}{:>12}{:>8}{:>13}{:>7}{:>7}{:>9.1}s  {}",
            format!("{}/{}", layer.planned - layer.left.len() as u64, layer.planned),
            count(Grade::Pass),
            count(Grade::Interesting),
            count(Grade::Fail),
            count(Grade::Error),
            layer.took_ms as f64 / 1e3,
            told.join(", "),
        )?;
    }
    for (signature, failure) in &view.findings {
        let finding = &failure.finding;
        writeln!(out, "\n{}: {} ({}x)", finding.rule, finding.title, failure.times)?;
        writeln!(out, "  {signature}\n  {}", finding.repro)?;
        for differs in finding.differences() {
            writeln!(out, "  {differs}")?;
        }
        if let Some(original) = &finding.original {
            writeln!(out, "  made smaller: {}\n  as it was found: {}", original.smaller(), original.repro)?;
        }
    }
    if !view.explored.is_empty() {
        writeln!(out, "\nhow far it was looked:")?;
    }
    for Explored { layer, how, bound } in &view.explored {
        writeln!(out, "  {layer}: {how}\n    {bound}")?;
    }
    writeln!(out, "\nverdict: {}", view.verdict.as_str())?;
    for missing in &view.missing {
        writeln!(out, "  {}", missing.what)?;
    }
    if !view.absent.is_empty() {
        let absent: Vec<_> = view.absent.iter().map(|absent| &*absent.layer).collect();
        writeln!(out, "  not run in this report: {}", absent.join(", "))?;
    }
    if let Some(changes) = &view.changes {
        let counts = [
            (changes.newly_failing.len(), "newly failing"),
            (changes.newly_fixed.len(), "newly fixed"),
            (changes.still_failing.len(), "still failing"),
            (changes.newly_interesting.len(), "newly interesting"),
            (changes.slower.len(), "figures of speed worse beyond noise"),
        ];
        let said: Vec<_> =
            counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        let said = if said.is_empty() { "nothing changed".into() } else { said.join(", ") };
        writeln!(out, "  since the last report: {said}")?;
        changes.slower.iter().try_for_each(|slower| writeln!(out, "  slower: {slower}"))?;
    }
    Ok(())
}
