//! Are failures repeated, and made smaller? Makes simulated runs that fail, each kept as a case, and then repeats and shrinks them from
//! their files. Without a fault in the runtime there are none: `ci/mutants/run --replays 100 NAME` builds this with a planted one.
//!
//! Runs are made by one process and repeated by another, so that nothing but the files can be what repeats them.
//!
//! Ends with 1 if one is not repeated to the same violation, to the last word of the judge and the number of the event, or if those that
//! were shrunk keep more than a quarter of their turns in the middle.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use sigurg_conformance::case::{self, Outcome, Writer};
use sigurg_conformance::scenario::check::check;
use sigurg_conformance::scenario::make::{Size, from_seed};
use sigurg_conformance::shrink::case::Run;
use sigurg_conformance::sim::drive::{Chance, Drive, schedule};
use sigurg_conformance::sim::smaller::smaller;
use sigurg_shuttle::sim::{Replay, Schedule};

/// Makes simulated runs that fail, and repeats and shrinks them from their files
#[derive(Debug, Parser)]
struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Runs random scenarios until so many have failed
    Make {
        /// Where to keep them
        folder: PathBuf,
        /// How many
        runs: usize,
    },
    /// Repeats each of them, and makes it smaller
    Repeat {
        /// Where they are
        folder: PathBuf,
        /// For so many seconds each, at most
        seconds: u64,
    },
}

/// Random scenarios that are tried.
const SEEDS: u64 = 40_000;
/// What may be left of their turns in the middle, in percent.
const MOST: f64 = 25.0;

fn main() -> ExitCode {
    let done = match Args::parse().what {
        What::Make { folder, runs } => make(&folder, runs),
        What::Repeat { folder, seconds } => repeat(&folder, Duration::from_secs(seconds)),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// One run of each scenario that fails is kept as it was, not as it is repeated.
fn make(folder: &Path, runs: usize) -> Result<bool, Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let (mut drive, mut made, mut tried) = (Drive::new(), 0, 0u64);
    for seed in 0..SEEDS {
        if made == runs {
            break;
        }
        let scenario = Arc::new(from_seed(seed, Size::SIM));
        let expected = check(&scenario).expect("it was repaired");
        for chance in Chance::ALL {
            tried += 1;
            let ran = drive.run(&scenario, &expected, &mut *chance.strategy(seed));
            if ran.signature().is_none() {
                continue;
            }
            let mut case = ran.case(&scenario);
            let outcome = case.outcome.take().expect("it came back");
            Writer::begin(&folder.join(format!("{seed}.case")), &case)?.end(&outcome, "")?;
            made += 1;
            break;
        }
    }
    println!("{made} runs failed of {tried}");
    Ok(made == runs)
}

fn repeat(folder: &Path, time: Duration) -> Result<bool, Box<dyn Error>> {
    let mut files: Vec<_> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_, std::io::Error>>()?;
    files.sort();
    let (mut repeated, mut left_turns, mut left_ops) = (0, Vec::new(), Vec::new());
    for file in &files {
        let case = case::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let (schedule, scenario) = (schedule(&case)?, Arc::new(case.scenario));
        let Some(Outcome::Failed { signature, message }) = case.outcome else {
            return Err(format!("{}: it did not fail", file.display()).into());
        };
        let expected = check(&scenario)?;
        let mut drive = Drive::new();
        let ran = drive.run(&scenario, &expected, &mut Replay::new(&schedule));
        match Outcome::of(&ran.judged.failures) {
            Outcome::Failed { signature: now, message: said }
                if now == signature && same(&message, &said) =>
            {
                repeated += 1
            }
            other => println!("{}: {signature} was repeated as {other:?}", file.display()),
        }
        let whole = Run { scenario: (*scenario).clone(), schedule: schedule.slices };
        let (turns, began) = (whole.schedule.len(), Instant::now());
        let best =
            smaller(&mut drive, whole, |ran| ran.failed_with(&signature), began + time, |_, _| ()).best;
        let small = Arc::new(best.scenario);
        let now = drive.run(&small, &check(&small)?, &mut Replay::new(&Schedule { slices: best.schedule }));
        if !now.failed_with(&signature) {
            return Err(format!("{}: what is kept does not show it", file.display()).into());
        }
        left_turns.push(percent(now.outcome.schedule.slices.len() as u64, turns as u64));
        left_ops.push(percent(now.outcome.ops, ran.outcome.ops));
        println!(
            "{}: {signature}: {} of {turns} turns, {} of {} operations, {} of {} steps of goroutines, {:.1} s",
            file.file_stem().unwrap_or_default().display(),
            now.outcome.schedule.slices.len(),
            now.outcome.ops,
            ran.outcome.ops,
            small.size(),
            scenario.size(),
            began.elapsed().as_secs_f64()
        );
    }
    let (turns, ops) = (median(left_turns), median(left_ops));
    println!(
        "{repeated} of {} runs repeated to the same violation; in the middle {turns:.0} % of the turns are left, {ops:.0} % of the operations",
        files.len()
    );
    Ok(repeated == files.len() && turns <= MOST)
}

/// Whether two messages are one, but for space at the ends of lines, which files do not keep.
fn same(one: &str, other: &str) -> bool {
    let lines = |text: &str| text.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
    lines(one) == lines(other)
}

fn percent(left: u64, of: u64) -> f64 {
    left as f64 * 100.0 / of.max(1) as f64
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(100.0)
}
