//! `conformance replay` of what the simulator ran: exactly, step by step.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sigurg_shuttle::sim::Schedule;

use super::output::{Out, Status, complain, note};
use super::replay::Args;
use crate::case::{Case, Outcome, Writer};
use crate::scenario::Scenario;
use crate::scenario::check::check;
use crate::scenario::expect::Results;
use crate::shrink::case::Run;
use crate::sim::drive::{Chance, Drive, Ran, schedule};
use crate::sim::narrate::{Told, keep, narrate};
use crate::sim::smaller::smaller;

/// Progress is told once in this time.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Repeats a case by its schedule; a scenario without one gets schedules by chance, until one fails.
pub(super) fn run(args: &Args, case: Case, out: &mut Out) -> io::Result<Status> {
    let (expected, schedule) = match (check(&case.scenario), schedule(&case)) {
        (Ok(expected), Ok(schedule)) => (expected, schedule),
        (Err(fault), _) => return Ok(bad(&fault.to_string())),
        (_, Err(error)) => return Ok(bad(&error.to_string())),
    };
    let mut drive = Drive::new();
    let scenario = Arc::new(case.scenario);
    let drawn = schedule.slices.is_empty();
    let schedule = if drawn {
        let Some(ran) = draw(args, &mut drive, &scenario, &expected, out)? else {
            return Ok(Status::Conforms);
        };
        ran.outcome.schedule
    } else {
        if let Some(Outcome::Failed { signature, .. }) = &case.outcome {
            writeln!(out, "it failed with {signature}")?;
        }
        schedule
    };
    let told = narrate(&mut drive, &scenario, &expected, &schedule, args.rows);
    tell(out, &scenario, &told)?;
    let Some(signature) = told.ran.signature() else { return Ok(Status::Conforms) };
    if drawn {
        let path = args.keep.join(format!("{}-sim.case", scenario.name));
        keep(&path, &mut drive, &scenario, &expected, &schedule)?;
        writeln!(out, "kept: {}", path.display())?;
    }
    if let Some(seconds) = args.shrink {
        let whole =
            Run { scenario: Scenario::clone(&scenario), schedule: told.ran.outcome.schedule.slices.clone() };
        shrink(args, &mut drive, whole, &signature, Duration::from_secs(seconds), out)?;
    }
    Ok(Status::Broken)
}

fn bad(reason: &str) -> Status {
    complain(reason);
    Status::Bad
}

/// The first run that fails under schedules by chance.
fn draw(
    args: &Args,
    drive: &mut Drive,
    scenario: &Arc<Scenario>,
    expected: &Results,
    out: &mut Out,
) -> io::Result<Option<Ran>> {
    let mut kinds = Chance::ALL.map(|chance| (chance, chance.strategy(args.seed)));
    let mut runs = 0u64;
    for turn in 0..args.times.get() {
        for (chance, strategy) in &mut kinds {
            let ran = drive.run(scenario, expected, &mut **strategy);
            runs += 1;
            if ran.signature().is_some() {
                writeln!(
                    out,
                    "{}: run {} by {}, seed {}, failed",
                    scenario.name,
                    turn + 1,
                    chance.as_str(),
                    args.seed
                )?;
                return Ok(Some(ran));
            }
        }
    }
    writeln!(out, "{}: 0 of {runs} simulated runs failed (seed {})", scenario.name, args.seed)?;
    Ok(None)
}

fn tell(out: &mut Out, scenario: &Scenario, told: &Told) -> io::Result<()> {
    if told.left_out > 0 {
        writeln!(out, "{} rows before these are left out (--rows)", told.left_out)?;
    }
    write!(out, "{}", told.table)?;
    let Told { ran, departs, .. } = told;
    if let Some(how) = departs {
        writeln!(out, "\nthe program departs from the schedule: {how}")?;
        writeln!(out, "it is another program, or was built otherwise; what fits of the rest was run")?;
    }
    match &ran.judged.failures[..] {
        [] => writeln!(out, "\n{}: it does not fail", scenario.name)?,
        all => {
            writeln!(out)?;
            all.iter().try_for_each(|failure| writeln!(out, "{failure}"))?;
        }
    }
    writeln!(out, "{} turns, {} operations", ran.outcome.schedule.slices.len(), ran.outcome.ops)
}

/// Makes it smaller, keeps the best all the while, and tells it.
fn shrink(
    args: &Args,
    drive: &mut Drive,
    whole: Run,
    signature: &str,
    time: Duration,
    out: &mut Out,
) -> io::Result<()> {
    let turns = whole.schedule.len();
    let path = args.keep.join(format!("{}-small.case", whole.scenario.name));
    let (mut told, mut kept, mut written) = (Instant::now(), 0, Ok(()));
    let shrunk = smaller(
        drive,
        whole,
        |ran| ran.failed_with(signature),
        Instant::now() + time,
        |progress, best| {
            if told.elapsed() < TELL_EVERY {
                return;
            }
            told = Instant::now();
            note(format_args!(
                "tried {:5}, kept {:4}: {} steps of goroutines, {} turns",
                progress.tried,
                progress.kept,
                best.scenario.size(),
                best.schedule.len()
            ));
            if kept != progress.kept && written.is_ok() {
                kept = progress.kept;
                written = keep_run(&path, best, signature);
            }
        },
    );
    written?;
    if !shrunk.done {
        note("the time is over: the best so far");
    }
    let Run { scenario, schedule } = shrunk.best;
    let scenario = Arc::new(scenario);
    let expected = check(&scenario).expect("it was run");
    let schedule = Schedule { slices: schedule };
    let told = narrate(drive, &scenario, &expected, &schedule, args.rows);
    keep(&path, drive, &scenario, &expected, &schedule)?;
    writeln!(out, "\n{scenario}")?;
    tell(out, &scenario, &told)?;
    writeln!(out, "of {turns}\nkept: {}", path.display())
}

/// The same for what is only on its way.
fn keep_run(path: &Path, run: &Run, signature: &str) -> io::Result<()> {
    let case = Case {
        driver: crate::case::Driver::Sim,
        seed: 0,
        versions: crate::case::versions(),
        scenario: run.scenario.clone(),
        schedule: run.schedule.iter().map(ToString::to_string).collect(),
        outcome: None,
        trace: String::new(),
    };
    let failed = Outcome::Failed { signature: signature.to_owned(), message: String::new() };
    Writer::begin(path, &case)?.end(&failed, "")
}
