//! What the process of a unit does: the scenario or some by chance, each under every kind of schedule.
//!
//! 1. Before an execution begins, what it is stands on the disk: of one that never comes back nothing else is known.
//! 2. A run that fails is made smaller at once, and kept, as it was and smaller, as a case that `conformance replay` repeats exactly. That it was
//!    found is on the disk before.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sigurg_shuttle::sim::{Schedule, Strategy};

use super::super::keep::{Keep, link};
use super::super::{Done, Draw, Until, again};
use crate::report::coverage::{Observer, is_time};
use crate::report::data::{Finding, Grade, Known, Original};
use crate::report::explored;
use crate::scenario::check::check;
use crate::scenario::expect::Results;
use crate::scenario::make::{self, from_seed};
use crate::scenario::{Scenario, library};
use crate::shrink::case::Run;
use crate::sim::drive::{Chance, Drive, Ran};
use crate::sim::narrate::{Told, keep};
use crate::sim::smaller::smaller;

/// How many scenarios a unit of random ones has.
pub(super) const SCENARIOS: u64 = 30;
/// Runs of a named scenario under each kind of schedule.
const RUNS: u64 = 2;
/// A failure is made smaller for so long at most; and for so long once the time of the layer is over.
const SHRINK: Duration = Duration::from_secs(20);
const SHRINK_LATE: Duration = Duration::from_secs(5);

/// In the folder of the process: signatures of which somebody keeps a case.
pub(super) const KNOWN: &str = "known.json";
/// What is executed now, for people.
pub(super) const RUNNING: &str = "running";
/// What came of it so far ([`Done`]).
pub(super) const DONE: &str = "done.json";

/// The file that tells what a unit is at: a line, and the scenario. It stays open, as it is written at every step.
struct Running(File);

impl Running {
    fn tell(&self, what: &str, scenario: impl std::fmt::Display) -> io::Result<()> {
        let text = format!("{what}\n\n{scenario}");
        self.0.write_all_at(text.as_bytes(), 0)?;
        self.0.set_len(text.len() as u64)
    }
}

/// Does a unit; what came of it is in `folder`, and cases are kept in the folder `cases`.
///
/// # Errors
/// What cannot be read or written.
pub fn try_unit(
    name: &str,
    seed: u64,
    left: Option<Duration>,
    folder: &Path,
    cases: PathBuf,
) -> Result<(), String> {
    let fault = |path: &Path, e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    let known = folder.join(KNOWN);
    let known: BTreeSet<String> = fs::read_to_string(&known)
        .map_err(|e| fault(&known, &e))
        .and_then(|text| serde_json::from_str(&text).map_err(|e| fault(&known, &e)))?;
    let (running, done) = (folder.join(RUNNING), folder.join(DONE));
    let mut draw = Draw::new(seed, name);
    let chance = draw.between(0, u64::MAX - 1);
    let mut unit = Unit {
        name,
        seed,
        until: Until::within(left),
        keep: Keep::knowing(cases, known),
        running: Running(File::create(&running).map_err(|e| fault(&running, &e))?),
        text: String::new(),
        path: done.clone(),
        drive: Drive::new(),
        done: Done::default(),
        runs: 0,
    };
    let mut kinds = Chance::ALL.map(|kind| (kind, kind.strategy(chance)));
    let ran = match library::by_name(name) {
        Some(scenario) => {
            let scenario = Arc::new(scenario);
            unit.done.shown = scenario.sometimes.iter().map(|one| (one.to_string(), 0)).collect();
            (0..RUNS).try_for_each(|_| unit.runs(&scenario, &mut kinds))
        }
        None => (0..SCENARIOS).try_for_each(|_| {
            let scenario = from_seed(draw.between(0, u64::MAX - 1), make::Size::SIM);
            unit.runs(&Arc::new(scenario), &mut kinds)
        }),
    };
    ran.and_then(|()| unit.end()).map_err(|e| fault(&done, &e))
}

/// A unit that is being done.
struct Unit<'a> {
    name: &'a str,
    seed: u64,
    until: Until,
    keep: Keep,
    running: Running,
    /// The scenario as text.
    text: String,
    /// Where what came of it goes.
    path: PathBuf,
    drive: Drive,
    done: Done,
    runs: u64,
}

impl Unit<'_> {
    /// A run under each kind of schedule, unless the time is over.
    fn runs(
        &mut self,
        scenario: &Arc<Scenario>,
        kinds: &mut [(Chance, Box<dyn Strategy>)],
    ) -> io::Result<()> {
        let expected = check(scenario).expect("named ones are tested, others were repaired");
        self.text = scenario.to_string();
        for (chance, strategy) in kinds {
            if self.runs > 0 && self.until.over().is_some() {
                return Ok(());
            }
            let what = format!("execution {} of the unit, a schedule by {}", self.runs + 1, chance.as_str());
            self.running.tell(&what, &self.text)?;
            self.run(scenario, &expected, *chance, &mut **strategy)?;
        }
        Ok(())
    }

    fn run(
        &mut self,
        scenario: &Arc<Scenario>,
        expected: &Results,
        chance: Chance,
        strategy: &mut dyn Strategy,
    ) -> io::Result<()> {
        let mut observer = Observer::default();
        let mut events = 0;
        let ran = self.drive.run_and_hear(scenario, expected, strategy, &mut |event, _| {
            observer.see(event);
            events += 1;
        });
        self.runs += 1;
        let done = &mut self.done;
        for (what, count) in
            [("events", events), ("operations", ran.outcome.ops), ("turns", ran.outcome.turns)]
        {
            done.figure(what, count);
        }
        done.figure(&explored::by(chance.as_str()), 1);
        if let Some(bound) = strategy.bound().filter(|bound| bound.holds) {
            done.figure(explored::BOUND_HOLDS, 1);
            done.figure(explored::ACTORS, bound.actors);
            done.figure(explored::STEPS, bound.steps);
            done.figure(explored::BOUND, (bound.probability() * explored::ONE) as u64);
        }
        if let Some(signature) = ran.signature() {
            return self.failed(scenario, expected, &ran, signature);
        }
        let (mut coverage, histograms) = observer.end();
        coverage.count(&ran.summary);
        done.coverage.add(&coverage);
        // Times are made up.
        let counts = histograms.into_iter().filter(|(name, _)| !is_time(name));
        done.histograms.extend(counts.map(|(name, histogram)| (name.to_owned(), histogram)));
        for (what, count) in &mut done.shown {
            let seen = ran.judged.seen.situations.iter().find(|(situation, _)| situation.as_str() == what);
            *count += seen.map_or(0, |(_, seen)| *seen);
        }
        Ok(())
    }

    /// A failure; the first with its signature is made smaller and kept.
    fn failed(
        &mut self,
        scenario: &Arc<Scenario>,
        expected: &Results,
        ran: &Ran,
        signature: String,
    ) -> io::Result<()> {
        let first = &ran.judged.failures[0];
        let rule = first.rule.unwrap_or(first.property.as_str());
        let repro = again::run(&format!("--only sim --unit {} --seed {}", self.name, self.seed));
        let mut finding = Finding::new(Grade::Fail, rule, first.message.lines().next().unwrap_or_default())
            .of(format!("sim {}", self.name), repro);
        finding.story = format!("{first}\n\n{scenario}");
        finding.state = Known::all(&ran.state);
        let name = format!("sim:{signature}");
        let is_first = self.keep.is_first(&name);
        self.done.why = finding.title.clone();
        self.done.grade = Some(Grade::Fail);
        self.done.findings.push((name.clone(), finding));
        self.tell()?;
        if !is_first {
            return Ok(());
        }
        let kept = self.keep_whole(&name, scenario, expected, ran);
        self.tell()?;
        let smaller = kept.and_then(|path| self.keep_smaller(&name, &path, scenario, ran, &signature));
        if let Err(error) = smaller {
            self.finding().story += &format!("\nits case could not be kept: {error}");
        }
        self.tell()
    }

    /// The last one.
    fn finding(&mut self) -> &mut Finding {
        &mut self.done.findings.last_mut().expect("it was put there").1
    }

    /// Keeps the case as it is, and tells of it.
    fn keep_whole(
        &mut self,
        name: &str,
        scenario: &Arc<Scenario>,
        expected: &Results,
        ran: &Ran,
    ) -> io::Result<PathBuf> {
        let path = self.keep.place(&format!("{name}.whole.case"))?;
        keep(&path, &mut self.drive, scenario, expected, &ran.outcome.schedule)?;
        let finding = self.finding();
        finding.repro = again::replay("", &link(&path));
        finding.trace = Some(link(&path));
        Ok(path)
    }

    /// Makes the case smaller, keeps that, too, and tells of both.
    fn keep_smaller(
        &mut self,
        name: &str,
        path: &Path,
        scenario: &Arc<Scenario>,
        ran: &Ran,
        signature: &str,
    ) -> io::Result<()> {
        let whole =
            Run { scenario: Scenario::clone(scenario), schedule: ran.outcome.schedule.slices.clone() };
        let left = self.until.left().map_or(SHRINK, |left| left.clamp(SHRINK_LATE, SHRINK));
        let (mut told, mut said) = (Instant::now(), Ok(()));
        let running = &self.running;
        let shrunk = smaller(
            &mut self.drive,
            whole.clone(),
            |ran| ran.failed_with(signature),
            Instant::now() + left,
            |progress, best| {
                if told.elapsed() > Duration::from_secs(1) {
                    told = Instant::now();
                    let turns = best.schedule.len();
                    let what = format!("shrinks: {turns} turns, {} tried", progress.tried);
                    said = running.tell(&what, best.scenario.to_string());
                }
            },
        );
        said?;
        let small = Arc::new(shrunk.best.scenario.clone());
        let schedule = Schedule { slices: shrunk.best.schedule.clone() };
        let expected = check(&small).expect("it was run");
        let kept = self.keep.place(&format!("{name}.case"))?;
        let Told { ran, table, window, .. } = keep(&kept, &mut self.drive, &small, &expected, &schedule)?;
        let message = ran.judged.failures.first().map_or_else(String::new, ToString::to_string);
        let sizes = SIZES.map(|(of, size)| (of.to_owned(), size(&whole), size(&shrunk.best)));
        let original =
            Original { file: link(path), repro: again::replay("", &link(path)), sizes: sizes.to_vec() };
        let finding = self.finding();
        if let Some(title) = message.lines().next() {
            finding.title = title.to_owned();
        }
        finding.story = format!("{message}\n\n{small}\n{}; its last turns:\n{table}", original.smaller());
        finding.repro = again::replay("", &link(&kept));
        finding.trace = Some(link(&kept));
        finding.beside.push(original.file.clone());
        finding.state = Known::all(&ran.state);
        finding.window = Some(window);
        finding.original = Some(original);
        Ok(())
    }

    /// Writes what came of it so far.
    fn tell(&self) -> io::Result<()> {
        let mut new = self.path.clone();
        new.add_extension("new");
        fs::write(&new, serde_json::to_string(&self.done).expect("only JSON types"))?;
        fs::rename(&new, &self.path)
    }

    fn end(mut self) -> io::Result<()> {
        self.done.figure("executions", self.runs);
        self.done.grade = self.done.grade.or(Some(Grade::Pass));
        self.tell()
    }
}

/// What a run is made of.
type Size = fn(&Run) -> u64;
const SIZES: [(&str, Size); 4] = [
    ("goroutines", |run| run.scenario.goroutines.len() as u64),
    ("lines of program", |run| run.scenario.size() as u64),
    ("turns", |run| run.schedule.len() as u64),
    ("changes of thread", |run| {
        run.schedule.windows(2).filter(|turns| turns[0].actor != turns[1].actor).count() as u64
    }),
];
