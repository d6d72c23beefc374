//! The layer of the simulator: the named scenarios and random ones, under schedules of every kind, judged as they run.
//!
//! 1. What a unit does depends on its name and its seed only, up to the moment at which the time is over.
//! 2. A run that fails is made smaller at once, and kept as a case that `conformance replay` repeats exactly.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sigurg_shuttle::sim::{Schedule, Strategy};

use super::keep::{Keep, link};
use super::{Done, Draw, Layer, Plan, Task, again};
use crate::report::coverage::{Observer, is_time};
use crate::report::data::{Finding, Grade};
use crate::scenario::check::check;
use crate::scenario::expect::Results;
use crate::scenario::make::{Size, from_seed};
use crate::scenario::{Scenario, library};
use crate::shrink::case::Run;
use crate::sim::drive::{Chance, Drive, Ran};
use crate::sim::narrate::keep;
use crate::sim::smaller::smaller;

/// Units of random scenarios, and how many scenarios each has.
const RANDOM: u64 = 10;
const SCENARIOS: u64 = 30;
/// Runs of a named scenario under each kind of schedule.
const RUNS: u64 = 2;
/// A failure is made smaller for so long at most; and for so long once the time of the layer is over.
const SHRINK: Duration = Duration::from_secs(20);
const SHRINK_LATE: Duration = Duration::from_secs(5);

/// The runtime in simulation.
#[derive(Debug)]
pub struct Sim {
    keep: Keep,
}

impl Sim {
    /// Cases of findings are kept in the folder `keep`.
    #[must_use]
    pub fn new(keep: PathBuf) -> Self {
        Self { keep: Keep::new(keep) }
    }
}

impl Layer for Sim {
    fn name(&self) -> &'static str {
        "sim"
    }

    fn about(&self) -> &'static str {
        "the runtime in simulation: threads, signals and time by schedules that can be repeated"
    }

    fn share(&self) -> u32 {
        4
    }

    fn plan(&self) -> Result<Vec<Plan>, String> {
        let named = library::all().into_iter().map(|scenario| Plan {
            about: scenario.about.first().cloned().unwrap_or_default(),
            name: scenario.name,
        });
        let random = (0..RANDOM).map(|unit| Plan {
            name: format!("random/{unit}"),
            about: format!("{SCENARIOS} scenarios by chance"),
        });
        Ok(named.chain(random).collect())
    }

    fn again(&self) -> bool {
        true
    }

    fn try_one(&self, task: &Task<'_>) -> Done {
        let mut draw = Draw::new(task.seed, task.unit);
        let seed = draw.between(0, u64::MAX - 1);
        let mut unit = Unit { layer: self, task, drive: Drive::new(), done: Done::default(), runs: 0 };
        let mut kinds = Chance::ALL.map(|chance| (chance, chance.strategy(seed)));
        match library::by_name(task.unit) {
            Some(scenario) => {
                let scenario = Arc::new(scenario);
                unit.done.shown = scenario.sometimes.iter().map(|one| (one.to_string(), 0)).collect();
                for _ in 0..RUNS {
                    unit.runs(&scenario, &mut kinds);
                }
            }
            None => {
                for _ in 0..SCENARIOS {
                    let scenario = from_seed(draw.between(0, u64::MAX - 1), Size::SIM);
                    unit.runs(&Arc::new(scenario), &mut kinds);
                }
            }
        }
        unit.end()
    }
}

/// A unit that is being done.
struct Unit<'a> {
    layer: &'a Sim,
    task: &'a Task<'a>,
    drive: Drive,
    done: Done,
    runs: u64,
}

impl Unit<'_> {
    /// A run under each kind of schedule, unless the time is over.
    fn runs(&mut self, scenario: &Arc<Scenario>, kinds: &mut [(Chance, Box<dyn Strategy>)]) {
        let expected = check(scenario).expect("named ones are tested, others were repaired");
        for (chance, strategy) in kinds {
            if self.runs > 0 && self.task.until.over().is_some() {
                return;
            }
            self.task.watch.inside(&format!("{} by {}", scenario.name, chance.as_str()));
            self.run(scenario, &expected, &mut **strategy);
        }
    }

    fn run(&mut self, scenario: &Arc<Scenario>, expected: &Results, strategy: &mut dyn Strategy) {
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
            add(&mut done.figures, what, count);
        }
        if let Some(signature) = ran.signature() {
            self.failed(scenario, expected, &ran, signature);
            return;
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
    }

    /// A failure; the first with its signature is made smaller and kept.
    fn failed(&mut self, scenario: &Arc<Scenario>, expected: &Results, ran: &Ran, signature: String) {
        let first = &ran.judged.failures[0];
        let rule = first.rule.unwrap_or(first.property.as_str());
        let repro = again::run(&format!("--only sim --unit {} --seed {}", self.task.unit, self.task.seed));
        let mut finding = Finding::new(Grade::Fail, rule, first.message.lines().next().unwrap_or_default())
            .of(format!("sim {}", self.task.unit), repro);
        finding.story = format!("{first}\n\n{scenario}");
        let name = format!("sim:{signature}");
        if self.layer.keep.is_first(&name) {
            let kept = self.layer.keep.place(&format!("{name}.case"));
            let kept =
                kept.and_then(|path| Ok((self.keep(&path, scenario, expected, ran, &signature)?, path)));
            match kept {
                Ok((story, path)) => {
                    finding.story = story;
                    finding.repro = again::replay("", &link(&path));
                    finding.trace = Some(link(&path));
                }
                Err(error) => finding.story += &format!("\nits case could not be kept: {error}"),
            }
        }
        self.done.findings.push((name, finding));
    }

    /// Keeps the case, as it is and then smaller; what is to be told.
    fn keep(
        &mut self,
        path: &Path,
        scenario: &Arc<Scenario>,
        expected: &Results,
        ran: &Ran,
        signature: &str,
    ) -> io::Result<String> {
        // As it is, before anything else is tried.
        keep(path, &mut self.drive, scenario, expected, &ran.outcome.schedule)?;
        let whole =
            Run { scenario: Scenario::clone(scenario), schedule: ran.outcome.schedule.slices.clone() };
        let left = self.task.until.left().map_or(SHRINK, |left| left.clamp(SHRINK_LATE, SHRINK));
        let watch = self.task.watch;
        let mut told = Instant::now();
        let shrunk = smaller(
            &mut self.drive,
            whole,
            |ran| ran.failed_with(signature),
            Instant::now() + left,
            |progress, best| {
                if told.elapsed() > Duration::from_secs(1) {
                    told = Instant::now();
                    watch.inside(&format!(
                        "shrinks: {} turns, {} tried",
                        best.schedule.len(),
                        progress.tried
                    ));
                }
            },
        );
        let Run { scenario: small, schedule } = shrunk.best;
        let (small, turns) = (Arc::new(small), schedule.len());
        let expected = check(&small).expect("it was run");
        let table = keep(path, &mut self.drive, &small, &expected, &Schedule { slices: schedule })?;
        let message = &ran.judged.failures[0];
        Ok(format!(
            "{message}\n\n{small}\n{turns} turns of {}; the last of them:\n{table}",
            ran.outcome.schedule.slices.len()
        ))
    }

    fn end(mut self) -> Done {
        add(&mut self.done.figures, "executions", self.runs);
        self.done.grade = Some(match self.done.findings.first() {
            Some((_, finding)) => {
                self.done.why.clone_from(&finding.title);
                Grade::Fail
            }
            None => Grade::Pass,
        });
        self.done
    }
}

fn add(figures: &mut Vec<(&'static str, u64)>, what: &'static str, count: u64) {
    match figures.iter_mut().find(|(name, _)| *name == what) {
        Some((_, all)) => *all += count,
        None => figures.push((what, count)),
    }
}
