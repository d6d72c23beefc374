//! `conformance replay`: a failing run once more.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::output::{Out, Status, complain, name, note};
use crate::case::run::Native;
use crate::case::{self, Case, Driver, Outcome, Writer};
use crate::scenario::check::check;
use crate::scenario::make::{Size, from_seed};
use crate::scenario::play::native::Build;
use crate::scenario::{Scenario, library, text};
use crate::shrink::case::Run;
use crate::shrink::shrink;

/// Repeat a run. FILE is a case that a failing test kept, a scenario as text, or the name of a named scenario; `seed-7` is the one
/// that is drawn from 7.
///
/// A run on real threads never is the same twice: it is repeated so many times, each in a process of its own, so that one that
/// hangs or dies is one more failure. How often it failed, and how, is told, with what led to the last failure.
///
/// A run of the simulator is repeated exactly, by its schedule, and told as a table with a column for each M: every turn and every
/// event. Where the program is not the one that was recorded, the place at which it departs is marked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// A case, a scenario, or a name; see --list
    #[arg(value_name = "FILE", required_unless_present = "list")]
    file: Option<PathBuf>,
    /// The named scenarios, and what is none, with the reason
    #[arg(long)]
    list: bool,
    /// How many times; of scenarios in the simulator, under so many schedules of each kind
    #[arg(long, value_name = "N", default_value = "10")]
    pub(super) times: NonZeroU32,
    /// Run a scenario in the simulator, under schedules drawn by chance
    #[arg(long)]
    sim: bool,
    /// What these schedules are drawn from
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) seed: u64,
    /// How many of the last rows of a simulated run are shown
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(super) rows: usize,
    /// How long one run may take, in seconds
    #[arg(long, value_name = "S", default_value_t = 60)]
    within: u64,
    /// Make it smaller, as long as it fails the same way, for so many seconds
    #[arg(long, value_name = "S")]
    pub(super) shrink: Option<u64>,
    /// Where cases and traces of runs that fail are kept
    #[arg(long, value_name = "DIR", default_value = "target/conformance/cases")]
    pub(super) keep: PathBuf,
    /// Run once, in this process
    #[arg(long, hide = true)]
    once: Option<u64>,
}

const EXAMPLES: &str = "\
Examples:
  conformance replay target/conformance/cases/tight_loop.case
  conformance replay --times 200 several_suspenders
  conformance replay --shrink 120 found.case
  conformance replay --sim --times 1000 --seed 7 several_suspenders
  conformance replay mine.scenario

Exit status:
  0  no run failed
  1  a run failed
  2  the file is bad, or nothing can be run";

pub(super) fn run(args: &Args, build: Build, out: &mut Out) -> io::Result<Status> {
    if args.list {
        return list(out);
    }
    let path = args.file.as_deref().expect("required");
    let case = match load(path, if args.sim { Size::SIM } else { Size::NATIVE }) {
        Ok(case) => case,
        Err(reason) => {
            complain(format_args!("{}: {reason}", name(path)));
            return Ok(Status::Bad);
        }
    };
    if let Err(error) = std::fs::create_dir_all(&args.keep) {
        complain(format_args!("{}: {error}", args.keep.display()));
        return Ok(Status::Bad);
    }
    if args.sim || case.driver == Driver::Sim {
        return super::replay_sim::run(args, case, out);
    }
    if let Some(turn) = args.once {
        return once(args, case, turn, build);
    }
    let before = case.outcome.clone();
    if let Some(Outcome::Failed { signature, .. }) = &before {
        writeln!(out, "it failed with {signature}")?;
    }
    let mut subject = Run { scenario: case.scenario, schedule: Vec::new() };
    let repeated = match repeat(args, &subject.scenario, args.times.get(), None) {
        Ok(repeated) => repeated,
        Err(error) => {
            complain(error);
            return Ok(Status::Bad);
        }
    };
    tell(out, &subject.scenario, &repeated)?;
    let Some(signature) = repeated.most() else { return Ok(Status::Conforms) };
    if let Some(seconds) = args.shrink {
        subject = smaller(args, subject, &signature, Duration::from_secs(seconds), repeated.runs)?;
        let path = args.keep.join(format!("{}-small.case", subject.scenario.name));
        keep(&path, &subject.scenario, &signature)?;
        writeln!(out, "\n{}\nkept: {}", subject.scenario, path.display())?;
    }
    Ok(Status::Broken)
}

/// What FILE is: a case, a scenario, a name; `seed-N` is the scenario that is drawn from N, of that size.
fn load(path: &Path, size: Size) -> Result<Case, String> {
    let of = |scenario: Scenario| Case {
        driver: Driver::Native,
        seed: 0,
        versions: case::versions(),
        scenario,
        schedule: Vec::new(),
        outcome: None,
        trace: String::new(),
    };
    if !path.exists()
        && let Some(name) = path.to_str()
    {
        let drawn = || Some(from_seed(name.strip_prefix("seed-")?.parse().ok()?, size));
        if let Some(scenario) = library::by_name(name).or_else(drawn) {
            return Ok(of(scenario));
        }
    }
    let content =
        std::fs::read_to_string(path).map_err(|e| format!("{e}; and no scenario has that name (--list)"))?;
    if content.starts_with("sigurg-case") {
        return case::read(path).map_err(|e| e.to_string());
    }
    text::parse(&content).map(of).map_err(|e| e.to_string())
}

fn list(out: &mut Out) -> io::Result<Status> {
    for scenario in library::all() {
        writeln!(out, "{:28} {}", scenario.name, scenario.about.first().map_or("", String::as_str))?;
    }
    writeln!(out, "\nNot staged:")?;
    for (what, why) in library::not_staged() {
        writeln!(out, "{what:28} {why}")?;
    }
    Ok(Status::Conforms)
}

/// One run, in this process; its case is kept if it fails.
fn once(args: &Args, case: Case, turn: u64, build: Build) -> io::Result<Status> {
    let expected = match check(&case.scenario) {
        Ok(expected) => expected,
        Err(fault) => {
            complain(fault);
            return Ok(Status::Bad);
        }
    };
    let native = Native { build, folder: &args.keep, within: Duration::from_secs(args.within) };
    let label = format!("{}-{turn}", case.scenario.name);
    match native.run(&Arc::new(case.scenario), &expected, &label, turn) {
        Ok(ran) => Ok(if ran.kept.is_some() { Status::Broken } else { Status::Conforms }),
        Err(error) => {
            complain(error);
            Ok(Status::Bad)
        }
    }
}

/// What came of several runs.
struct Repeated {
    runs: u32,
    /// Failures by what they have in common.
    failed: BTreeMap<String, u32>,
    /// The case of the last.
    last: Option<(PathBuf, Case)>,
}

impl Repeated {
    /// What is most frequent.
    fn most(&self) -> Option<String> {
        self.failed.iter().max_by_key(|(_, count)| **count).map(|(signature, _)| signature.clone())
    }
}

/// Runs `scenario` `times` times, each in a process of its own; or until it fails with `signature`.
fn repeat(args: &Args, scenario: &Scenario, times: u32, signature: Option<&str>) -> io::Result<Repeated> {
    let file = args.keep.join(format!("{}-replayed.scenario", scenario.name));
    std::fs::write(&file, scenario.to_string())?;
    let mut repeated = Repeated { runs: 0, failed: BTreeMap::new(), last: None };
    for turn in 0..times {
        let path = args.keep.join(format!("{}-{turn}.case", scenario.name));
        let _ = std::fs::remove_file(&path);
        let status = Command::new(std::env::current_exe()?)
            .arg("replay")
            .arg(&file)
            .args(["--once", &turn.to_string(), "--within", &args.within.to_string(), "--keep"])
            .arg(&args.keep)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        repeated.runs += 1;
        if status.success() {
            continue;
        }
        let case = case::read(&path).map_err(|e| io::Error::other(format!("{}: {e}", path.display())))?;
        let found = match &case.outcome {
            Some(Outcome::Failed { signature, .. }) => signature.clone(),
            _ => format!("died: {status}"),
        };
        *repeated.failed.entry(found.clone()).or_default() += 1;
        repeated.last = Some((path, case));
        if signature == Some(&found) {
            break;
        }
    }
    let _ = std::fs::remove_file(&file);
    Ok(repeated)
}

fn tell(out: &mut Out, scenario: &Scenario, repeated: &Repeated) -> io::Result<()> {
    let failed: u32 = repeated.failed.values().sum();
    writeln!(out, "{}: {failed} of {} runs failed", scenario.name, repeated.runs)?;
    for (signature, count) in &repeated.failed {
        writeln!(out, "  {count:4} {signature}")?;
    }
    if let Some((path, case)) = &repeated.last {
        if let Some(Outcome::Failed { message, .. }) = &case.outcome {
            writeln!(out, "\n{message}")?;
        }
        if !case.trace.is_empty() {
            writeln!(out, "\n{}", case.trace)?;
        }
        writeln!(out, "\nkept: {}", path.display())?;
    }
    out.flush()
}

/// Writes a case that failed so.
fn keep(path: &Path, scenario: &Scenario, signature: &str) -> io::Result<()> {
    let case = Case {
        driver: Driver::Native,
        seed: 0,
        versions: case::versions(),
        scenario: scenario.clone(),
        schedule: Vec::new(),
        outcome: None,
        trace: String::new(),
    };
    let failed = Outcome::Failed { signature: signature.to_owned(), message: String::new() };
    Writer::begin(path, &case)?.end(&failed, "")
}

/// The smallest that still fails so, in as many runs as showed it before.
fn smaller(args: &Args, subject: Run, signature: &str, time: Duration, runs: u32) -> io::Result<Run> {
    let mut failed = Ok(());
    let fails = |run: &Run| match repeat(args, &run.scenario, runs, Some(signature)) {
        Ok(repeated) => repeated.failed.contains_key(signature).then(|| run.clone()),
        Err(error) => {
            failed = Err(error);
            None
        }
    };
    let shrunk = shrink(subject, Instant::now() + time, fails, |progress, _| {
        note(format_args!(
            "tried {:4}, kept {:3}, size {} of {}",
            progress.tried, progress.kept, progress.to, progress.from
        ));
    });
    failed?;
    if !shrunk.done {
        note("the time is over: the best so far");
    }
    Ok(shrunk.best)
}
