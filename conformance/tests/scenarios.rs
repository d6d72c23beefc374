//! The named scenarios, and random ones, on real threads: each run has every property. What a named one is there for happens, at
//! the latest after some runs; and what failed before is run again.
//!
//! A run that fails leaves its case and its trace beside the built tests, and says where.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use sigurg_conformance::case::run::Native;
use sigurg_conformance::case::{Case, Driver};
use sigurg_conformance::scenario::make::{Size, from_seed};
use sigurg_conformance::scenario::situation::Seen;
use sigurg_conformance::scenario::{Scenario, check, library};

#[path = "common/regress.rs"]
mod regress;

use regress::regressions;

/// Much longer than any run takes, on any machine that still does something.
const STUCK: Duration = Duration::from_secs(90);
/// Runs in which what a scenario is there for must have happened.
const RUNS: u32 = 12;
/// After so long no further run is begun.
const ENOUGH: Duration = Duration::from_secs(30);
/// For how many seconds random scenarios of each shard are run, at least one; the nightly does so for longer.
const RANDOM: &str = "SIGURG_SCENARIO_SECONDS";
const USUALLY: Duration = Duration::from_secs(3);
/// Random scenarios are drawn from so many ranges of seeds, each a test of its own.
const SHARDS: u64 = 4;

fn build(builder: sigurg::Builder) -> Result<sigurg::Runtime, sigurg::BuildError> {
    // SAFETY: goroutines only go through the steps of scenarios: `scenario::play::interpret`, invariant 1.
    unsafe { builder.build() }
}

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cases");
    std::fs::create_dir_all(&folder).expect("a folder beside the built tests");
    folder
}

/// Runs `scenario` once; what happened in it.
fn run(scenario: &Arc<Scenario>, seed: u64) -> Result<Seen, Failed> {
    let expected = check::check(scenario).map_err(|fault| fault.to_string())?;
    let folder = folder();
    let native = Native { build, folder: &folder, within: STUCK };
    let ran = native.run(scenario, &expected, &scenario.name, seed).map_err(|error| error.to_string())?;
    match ran.kept {
        None => Ok(ran.judged.seen),
        Some((case, _)) => {
            let all: Vec<_> = ran.judged.failures.iter().map(ToString::to_string).collect();
            Err(format!("{}\nrepeat it: conformance replay {}", all.join("\n"), case.display()).into())
        }
    }
}

/// A named scenario has every property, and what it is there for happens.
fn named(scenario: Scenario) -> Result<(), Failed> {
    let scenario = Arc::new(scenario);
    let (mut seen, start) = (Seen::default(), Instant::now());
    for turn in 0..RUNS {
        seen.add(&run(&scenario, turn.into())?);
        if seen.missing(&scenario.sometimes).is_empty() {
            return Ok(());
        }
        if start.elapsed() > ENOUGH {
            break;
        }
    }
    let missing: Vec<_> = seen.missing(&scenario.sometimes).iter().map(|one| one.as_str()).collect();
    Err(format!("never happened: {}; did happen: {:?}", missing.join(", "), seen.situations).into())
}

/// Random scenarios have every property.
fn random(shard: u64, lasts: Duration) -> Result<(), Failed> {
    let start = Instant::now();
    for turn in 0.. {
        let seed = shard + SHARDS * turn;
        run(&Arc::new(from_seed(seed, Size::NATIVE)), seed)?;
        if start.elapsed() > lasts {
            break;
        }
    }
    Ok(())
}

/// What failed before has every property now.
fn regression(case: Case) -> Result<(), Failed> {
    if case.driver == Driver::Native {
        let scenario = Arc::new(case.scenario);
        for turn in 0..5 {
            run(&scenario, turn)?;
        }
    }
    Ok(())
}

fn main() {
    let mut trials: Vec<_> = library::all()
        .into_iter()
        .map(|scenario| Trial::test(format!("named::{}", scenario.name), move || named(scenario)))
        .collect();
    let lasts = match std::env::var(RANDOM).map(|seconds| seconds.parse()) {
        Err(_) => USUALLY,
        Ok(Ok(seconds)) => Duration::from_secs(seconds),
        Ok(Err(error)) => {
            eprintln!("{RANDOM} is no number of seconds: {error}");
            std::process::exit(2);
        }
    };
    trials.extend(
        (0..SHARDS).map(|shard| Trial::test(format!("random::{shard}"), move || random(shard, lasts))),
    );
    trials.extend(regressions(regression));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
