//! The named scenarios, and random ones, in simulation: each run has every property, under schedules of every kind; a second run is
//! the same to the last event. What a named scenario is there for happens, and what failed before is run again.
//!
//! A run that fails leaves its case beside the built tests, and says where.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use sigurg_conformance::case::Case;
use sigurg_conformance::scenario::check::check;
use sigurg_conformance::scenario::expect::Results;
use sigurg_conformance::scenario::make::{Size, from_seed};
use sigurg_conformance::scenario::situation::Seen;
use sigurg_conformance::scenario::{Goroutine, Op, Scenario, Situation, library, text};
use sigurg_conformance::shrink::case::Run;
use sigurg_conformance::sim::bytes;
use sigurg_conformance::sim::drive::{Chance, Drive, Ran, schedule};
use sigurg_conformance::sim::narrate::{keep, narrate};
use sigurg_conformance::sim::smaller::smaller;
use sigurg_shuttle::sim::{Dfs, Replay, Schedule, Strategy};
use sigurg_traces::Event;

#[path = "common/regress.rs"]
mod regress;

use regress::regressions;

/// Random scenarios, in shards that are tests of their own; each runs under every kind of schedule.
const SHARDS: u64 = 4;
const SEEDS: u64 = 400;
/// Rounds in which what a named scenario is there for must have happened; a run more of each kind in each.
const ROUNDS: u64 = 8;
/// After so long none of these is begun that is not needed.
const ENOUGH: Duration = Duration::from_secs(8);

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cases");
    std::fs::create_dir_all(&folder).expect("a folder beside the built tests");
    folder
}

/// One run; if it fails, the failure and where its case is.
fn run(
    drive: &mut Drive,
    scenario: &Arc<Scenario>,
    expected: &Results,
    strategy: &mut dyn Strategy,
) -> Result<Ran, Failed> {
    let ran = drive.run(scenario, expected, strategy);
    if ran.judged.failures.is_empty() {
        return Ok(ran);
    }
    let path = folder().join(format!("{}-sim.case", scenario.name));
    keep(&path, drive, scenario, expected, &ran.outcome.schedule)?;
    let all: Vec<_> = ran.judged.failures.iter().map(ToString::to_string).collect();
    Err(format!("{}\nrepeat it: conformance replay {}", all.join("\n"), path.display()).into())
}

/// A named scenario has every property under schedules of every kind, and what it is there for happens in some.
fn named(scenario: Scenario) -> Result<(), Failed> {
    let expected = check(&scenario).map_err(|fault| fault.to_string())?;
    let (scenario, mut drive, start) = (Arc::new(scenario), Drive::new(), Instant::now());
    let mut seen = Seen::default();
    let mut kinds = Chance::ALL.map(|chance| chance.strategy(1));
    for round in 0..ROUNDS {
        for strategy in &mut kinds {
            seen.add(&run(&mut drive, &scenario, &expected, &mut **strategy)?.judged.seen);
        }
        if round > 0 && seen.missing(&scenario.sometimes).is_empty() && start.elapsed() > ENOUGH {
            break;
        }
    }
    missing(&seen, &scenario.sometimes)
}

fn missing(seen: &Seen, wanted: &[Situation]) -> Result<(), Failed> {
    let missing: Vec<_> = seen.missing(wanted).iter().map(|one| one.as_str()).collect();
    match missing[..] {
        [] => Ok(()),
        _ => Err(format!("never happened: {}; did happen: {:?}", missing.join(", "), seen.situations).into()),
    }
}

/// Random scenarios have every property; the same seed, and the recorded schedule, give the same events.
fn random(shard: u64) -> Result<(), Failed> {
    let mut drive = Drive::new();
    for seed in (0..SEEDS).map(|turn| shard + SHARDS * turn) {
        let scenario = Arc::new(from_seed(seed, Size::SIM));
        let expected = check(&scenario).map_err(|fault| fault.to_string())?;
        for chance in Chance::ALL {
            let ran = run(&mut drive, &scenario, &expected, &mut *chance.strategy(seed))?;
            let mut events = |strategy: &mut dyn Strategy| {
                let mut events: Vec<Event> = Vec::new();
                drive.run_and_hear(&scenario, &expected, strategy, &mut |event, _| events.push(*event));
                events
            };
            let first = events(&mut *chance.strategy(seed));
            if first != events(&mut Replay::new(&ran.outcome.schedule)) {
                return Err(format!("{} by {}: the replay differs", scenario.name, chance.as_str()).into());
            }
        }
    }
    Ok(())
}

/// Parks are not called off by this runtime; everything else happens somewhere.
const NEVER: Situation = Situation::ParkCalledOff;

/// A campaign of random scenarios comes by everything that can happen.
fn situations() -> Result<(), Failed> {
    let (mut drive, mut seen) = (Drive::new(), Seen::default());
    for seed in 1_000_000..1_000_000 + SHARDS * SEEDS {
        let scenario = Arc::new(from_seed(seed, Size::SIM));
        let expected = check(&scenario).map_err(|fault| fault.to_string())?;
        let chance = Chance::ALL[(seed % 3) as usize];
        seen.add(&run(&mut drive, &scenario, &expected, &mut *chance.strategy(seed))?.judged.seen);
    }
    let wanted: Vec<_> = Situation::ALL.iter().copied().filter(|one| *one != NEVER).collect();
    missing(&seen, &wanted)
}

/// All schedules that differ in one place from the one in which everybody goes on as long as possible.
fn near_the_simple_one() -> Result<(), Failed> {
    let texts = [
        "scenario meet\nprocs 2\nchannel c 0\ngo a { send c }\ngo b { recv c }",
        "scenario suspended\nprocs 1\ngo a { compute 3us }\ngo b { scan }",
    ];
    let mut drive = Drive::new();
    for program in texts {
        let scenario = Arc::new(text::parse(program).map_err(|e| e.to_string())?);
        let expected = check(&scenario).map_err(|fault| fault.to_string())?;
        let (mut dfs, mut count) = (Dfs::new(1), 0);
        while dfs.advance() {
            run(&mut drive, &scenario, &expected, &mut dfs)?;
            count += 1;
        }
        if count < 500 {
            return Err(format!("{}: only {count} schedules", scenario.name).into());
        }
    }
    Ok(())
}

/// Bytes of every length are a run, which is the same each time, and has every property.
fn any_bytes() -> Result<(), Failed> {
    let mut state = 1u64;
    for len in 0..250 {
        let all: Vec<u8> = (0..len)
            .map(|_| {
                state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        let (first, second) = (bytes::run(&all), bytes::run(&all));
        if first.ran.outcome != second.ran.outcome || first.scenario != second.scenario {
            return Err(format!("{all:?}: two runs differ").into());
        }
        if !first.ran.judged.failures.is_empty() {
            return Err(format!("{all:?}: {:?}", first.ran.judged.failures).into());
        }
    }
    Ok(())
}

/// A run is told exactly as it was; a program that is another departs, at a place that is marked.
fn told() -> Result<(), Failed> {
    let mut drive = Drive::new();
    let scenario = Arc::new(from_seed(7, Size::SIM));
    let expected = check(&scenario).map_err(|fault| fault.to_string())?;
    let ran = run(&mut drive, &scenario, &expected, &mut *Chance::Random.strategy(7))?;
    let same = narrate(&mut drive, &scenario, &expected, &ran.outcome.schedule, usize::MAX);
    assert_eq!((same.departs, same.left_out), (None, 0));
    let what = |ran: &Ran| {
        let outcome = &ran.outcome;
        (outcome.failure.clone(), outcome.schedule.clone(), outcome.ops, outcome.virtual_ns)
    };
    assert_eq!(what(&same.ran), what(&ran));
    let rows = same.table.lines().count() as u64;
    assert!(rows > ran.outcome.schedule.slices.len() as u64 && same.table.contains("M0"), "{}", same.table);
    let mut other = Scenario::clone(&scenario);
    other.goroutines.push(Goroutine { name: "more".into(), daemon: false, body: vec![Op::Yield] });
    let expected = check(&other).map_err(|fault| fault.to_string())?;
    let other = narrate(&mut drive, &Arc::new(other), &expected, &ran.outcome.schedule, usize::MAX);
    let how = other.departs.ok_or("another program does not depart")?;
    assert!(how.starts_with("turn "), "{how}");
    let marked = other.table.lines().filter(|line| line.starts_with('>') && line.contains("departs")).count();
    assert_eq!(marked, 1, "{}", other.table);
    assert!(other.ran.judged.failures.is_empty(), "what fits of the rest was run to the end");
    Ok(())
}

/// Programs, turns and signals shrink to what a situation needs.
fn smallest() -> Result<(), Failed> {
    let mut drive = Drive::new();
    let is_there = |ran: &Ran| ran.judged.seen.situations.contains_key(&Situation::StoppedBySignal);
    let mut left = Vec::new();
    for seed in 0..200 {
        let scenario = Arc::new(from_seed(seed, Size::SIM));
        let expected = check(&scenario).map_err(|fault| fault.to_string())?;
        let ran = run(&mut drive, &scenario, &expected, &mut *Chance::Random.strategy(seed))?;
        if !is_there(&ran) {
            continue;
        }
        let whole = Run { scenario: Scenario::clone(&scenario), schedule: ran.outcome.schedule.slices };
        let before = whole.schedule.len();
        if before < 100 {
            // Little more than a beginning and an end, which nothing makes shorter.
            continue;
        }
        let deadline = Instant::now() + Duration::from_secs(60);
        let best = smaller(&mut drive, whole, is_there, deadline, |_, _| ()).best;
        let (scenario, turns) = (Arc::new(best.scenario), best.schedule.len());
        let expected = check(&scenario).map_err(|fault| fault.to_string())?;
        let again = drive.run(&scenario, &expected, &mut Replay::new(&Schedule { slices: best.schedule }));
        assert!(is_there(&again), "seed {seed}: what is kept does not show it");
        assert!(again.outcome.is_ok(), "seed {seed}: {}", again.outcome);
        assert!(turns * 2 <= before, "seed {seed}: {turns} turns of {before}");
        left.push((turns * 100 / before, seed));
        if left.len() == 5 {
            left.sort_unstable();
            assert!(left[2].0 <= 25, "percent of the turns that are left, and of which seed: {left:?}");
            return Ok(());
        }
    }
    Err(format!("only {} of 200 scenarios came to it", left.len()).into())
}

/// What failed once under a schedule has every property now: under what fits of that schedule, and under others.
fn regression(case: Case) -> Result<(), Failed> {
    // One of real threads has none.
    let schedule = schedule(&case).map_err(|error| error.to_string())?;
    let scenario = Arc::new(case.scenario);
    let expected = check(&scenario).map_err(|fault| fault.to_string())?;
    let mut drive = Drive::new();
    run(&mut drive, &scenario, &expected, &mut Replay::lenient(&schedule))?;
    for mut strategy in (0..30).flat_map(|seed| Chance::ALL.map(|chance| chance.strategy(seed))) {
        run(&mut drive, &scenario, &expected, &mut *strategy)?;
    }
    Ok(())
}

/// A daemon that only ever grows its stack can be stopped like any other: a run of it ends.
fn growing_for_ever() -> Result<(), Failed> {
    let scenario = text::parse(
        "scenario growing\nprocs 1\ndaemon hog { forever { grow 4KiB } }\ngo other { compute 3us }\n",
    );
    let scenario = Arc::new(scenario.map_err(|fault| fault.to_string())?);
    let expected = check(&scenario).map_err(|fault| fault.to_string())?;
    let mut drive = Drive::new();
    Chance::ALL
        .iter()
        .try_for_each(|chance| run(&mut drive, &scenario, &expected, &mut *chance.strategy(1)).map(drop))
}

fn main() {
    let named = library::all()
        .into_iter()
        .map(|scenario| Trial::test(format!("named::{}", scenario.name), move || named(scenario)));
    let mut trials: Vec<_> = named.collect();
    trials.extend((0..SHARDS).map(|shard| Trial::test(format!("random::{shard}"), move || random(shard))));
    trials.push(Trial::test("random_scenarios_come_by_every_situation", situations));
    trials.push(Trial::test("every_schedule_near_the_simple_one", near_the_simple_one));
    trials.push(Trial::test("who_only_grows_its_stack_can_be_stopped", growing_for_ever));
    trials.push(Trial::test("any_bytes_are_a_run", any_bytes));
    trials.push(Trial::test("a_run_is_told_as_it_was", told));
    trials.push(Trial::test("runs_shrink_to_what_a_situation_needs", smallest));
    trials.extend(regressions(regression));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
