//! The layer of the simulator: the named scenarios and random ones, under schedules of every kind, judged as they run.
//!
//! 1. What a unit does depends on its name and its seed only, up to the moment at which the time is over.
//! 2. A unit is a process: a body that never comes back costs that unit and no more. What it found before is on the disk.

mod unit;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use super::child::{self, Patience, Ran};
use super::keep::Keep;
use super::{Done, Layer, Plan, Task, again};
use crate::report::data::{Finding, Grade};
use crate::scenario::library;
pub use unit::try_unit;
use unit::{DONE, KNOWN, RUNNING, SCENARIOS};

/// Units of random scenarios.
const RANDOM: u64 = 10;
/// Longer than one execution takes on the slowest machine: it has an end after some hundred thousand operations.
const WITHIN: Duration = Duration::from_secs(20);
/// How often it is told what is executed.
const TOLD_EVERY: Duration = Duration::from_millis(200);
/// The call of the command that does one unit; not for people.
pub const CALL: &str = "sim-unit";

/// The runtime in simulation.
#[derive(Debug)]
pub struct Sim {
    /// The command that does one unit: this one.
    command: PathBuf,
    keep: Keep,
    patience: Patience<'static>,
}

impl Sim {
    /// Units are done by `command`, and cases of findings are kept in the folder `keep`.
    #[must_use]
    pub fn new(command: PathBuf, keep: PathBuf) -> Self {
        Self { command, keep: Keep::new(keep), patience: Patience::of(WITHIN) }
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
        let folder = match tempfile::tempdir() {
            Ok(folder) => folder,
            Err(e) => return harness(task, format!("no folder for a unit: {e}")),
        };
        let place = |name: &str| folder.path().join(name);
        let known = serde_json::to_string(&self.keep.known()).expect("only JSON types");
        if let Err(e) = fs::write(place(KNOWN), known) {
            return harness(task, format!("{}: {e}", place(KNOWN).display()));
        }
        let mut command = Command::new(&self.command);
        command.args([CALL, task.unit, "--seed", &task.seed.to_string(), "--out"]).arg(folder.path());
        command.arg("--keep").arg(self.keep.folder());
        if let Some(left) = task.until.left() {
            command.args(["--ms", &left.as_millis().to_string()]);
        }
        let running = place(RUNNING);
        let mut told = Instant::now();
        let mut tell = || {
            if told.elapsed() > TOLD_EVERY {
                told = Instant::now();
                let text = fs::read_to_string(&running).unwrap_or_default();
                task.watch.inside(text.lines().next().unwrap_or_default());
            }
        };
        let patience = self.patience.beside(&running);
        let ran = child::run(&mut command, patience, task.until, folder.path(), &mut tell);
        // What it had found is there, whatever became of it.
        let done =
            fs::read_to_string(place(DONE)).ok().and_then(|text| serde_json::from_str::<Done>(&text).ok());
        let found = done.unwrap_or_default();
        found.findings.iter().for_each(|(signature, _)| self.keep.keeps(signature));
        let (rule, title, said) = match ran {
            Ran::Well if found.grade.is_some() => return found,
            Ran::Well => return harness(task, "a unit ended without a word of what it did".into()),
            Ran::Over | Ran::Late if !found.findings.is_empty() => return found,
            Ran::Over => return Done::default(),
            Ran::Late => return Done { why: late(&repro(task)), ..Done::default() },
            Ran::Unstarted(reason) => return harness(task, format!("a unit cannot be done: {reason}")),
            // The engine itself, or the harness: a panic of the runtime is caught, and judged.
            Ran::Badly { how, said } if how.starts_with("panic") || how.starts_with("exit") => {
                return harness(task, format!("a unit ended by {how}: {}", said.trim()));
            }
            Ran::Badly { how, said } => {
                (format!("crash-{how}"), format!("an execution ended by {how}"), said)
            }
            Ran::Stuck { after, said } => {
                let title = format!("an execution did not come back within {} s", after.as_secs());
                ("hang".to_owned(), title, said)
            }
        };
        let mut finding =
            Finding::new(Grade::Fail, &*rule, format!("{}: {title}", task.unit)).of(unit(task), repro(task));
        let was_at =
            fs::read_to_string(&running).unwrap_or_else(|e| format!("it is not known at what it was: {e}"));
        finding.story = format!("{title}\n{said}\n{was_at}");
        found.found(format!("sim:{rule}:{}", task.unit), finding)
    }
}

/// Why a unit has no result that did not end in its time.
pub(super) fn late(repro: &str) -> String {
    format!("the budget was used up before it had ended; alone: {repro}")
}

fn unit(task: &Task<'_>) -> String {
    format!("sim {}", task.unit)
}

fn repro(task: &Task<'_>) -> String {
    again::run(&format!("--only sim --unit {} --seed {}", task.unit, task.seed))
}

fn harness(task: &Task<'_>, title: String) -> Done {
    let finding = Finding::new(Grade::Error, "harness", title).of(unit(task), repro(task));
    Done::default().found(format!("sim:harness:{}", task.unit), finding)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::time::Instant;

    use super::super::{Call, Until, Watch, run};
    use super::*;
    use crate::report::data::{Layer as Record, Report, Shard};
    use crate::report::view::{Verdict, View};

    struct Silent;

    impl Watch for Silent {
        fn layer(&self, _: &'static str, _: u64) {}
        fn unit(&self, _: &str, _: u64, _: f64) {}
        fn inside(&self, _: &str) {}
        fn ended(&self, _: &'static str, _: &Record) {}
    }

    /// A layer whose units do what a script does; it finds its folder in `$out`.
    fn script(folder: &Path, does: &str, patience: Patience<'static>) -> Sim {
        let command = folder.join("unit");
        let text = format!("#!/bin/sh\nwhile [ \"$1\" != --out ]; do shift; done\nout=\"$2\"\n{does}\n");
        fs::write(&command, text).unwrap();
        fs::set_permissions(&command, PermissionsExt::from_mode(0o755)).unwrap();
        Sim { patience, ..Sim::new(command, folder.join("traces")) }
    }

    /// One unit of it, in a run with that budget.
    fn one(sim: Sim, budget: Option<Duration>) -> Report {
        let call = Call {
            seed: 7,
            budget,
            shard: Shard { index: 1, total: 1 },
            campaign: String::new(),
            only: Vec::new(),
            units: vec!["tight_loop".into()],
            place: std::collections::BTreeMap::new(),
        };
        let layers: Vec<Box<dyn Layer>> = vec![Box::new(sim)];
        run(&layers, &call, &Until::within(None), &Silent)
    }

    const LINE: &str = "run --only sim --unit tight_loop --seed 7 ";

    #[test]
    fn a_body_that_hangs_does_not_hold_the_run_and_is_named_with_what_was_found_before() {
        let folder = tempfile::tempdir().unwrap();
        let before =
            Finding::new(Grade::Fail, "one_m", "two threads").of("sim tight_loop".into(), String::new());
        let before = Done::default().found("sim:one_m".into(), before);
        fs::write(folder.path().join("before"), serde_json::to_string(&before).unwrap()).unwrap();
        let does = format!(
            "cp {}/before \"$out/{DONE}\"; echo 'execution 3' >\"$out/{RUNNING}\"; exec sleep 1000",
            folder.path().display()
        );
        let patience = Patience { grace: Duration::from_secs(2), ..Patience::of(WITHIN) };
        let began = Instant::now();
        let view = View::new(&one(script(folder.path(), &does, patience), Some(Duration::from_secs(5))));
        assert!(began.elapsed() < WITHIN, "the budget does not hold: {:?}", began.elapsed());
        assert_eq!(view.verdict, Verdict::Broken);
        let names: Vec<_> = view.findings.keys().map(|name| &**name).collect();
        assert_eq!(names, ["sim:hang:tight_loop", "sim:one_m"]);
        let hang = &view.findings["sim:hang:tight_loop"].finding;
        assert!(hang.repro.contains(LINE) && hang.story.contains("execution 3"), "{hang:?}");
    }

    #[test]
    fn without_a_budget_what_hangs_is_ended_after_longer_than_any_execution_takes() {
        let folder = tempfile::tempdir().unwrap();
        let patience = Patience::of(Duration::from_millis(300));
        let view = View::new(&one(script(folder.path(), "exec sleep 1000", patience), None));
        assert_eq!(view.verdict, Verdict::Broken);
        assert!(view.findings.contains_key("sim:hang:tight_loop"), "{:?}", view.findings);
    }

    #[test]
    fn who_still_does_something_when_the_time_is_over_has_no_result_and_does_not_hang() {
        let folder = tempfile::tempdir().unwrap();
        let does = format!("while :; do echo goes on >\"$out/{RUNNING}\"; sleep 0.05; done");
        let patience = Patience { grace: Duration::from_secs(4), ..Patience::of(WITHIN) };
        let view = View::new(&one(script(folder.path(), &does, patience), Some(Duration::from_secs(1))));
        assert_eq!(view.verdict, Verdict::Incomplete);
        assert!(view.findings.is_empty(), "{:?}", view.findings);
        let why = &view.layers["sim"].left["tight_loop"];
        assert!(why.contains("the budget was used up") && why.contains(LINE), "{why}");
    }

    #[test]
    fn a_unit_that_crashes_is_a_finding_and_one_that_cannot_work_an_error() {
        for (does, grade, says) in [
            ("kill -SEGV $$", Grade::Fail, "an execution ended by SIGSEGV"),
            ("echo no room >&2; exit 2", Grade::Error, "no room"),
            ("exit 0", Grade::Error, "without a word"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let view = View::new(&one(script(folder.path(), does, Patience::of(WITHIN)), None));
            let failure = view.findings.values().next().expect(does);
            assert_eq!(failure.finding.grade, grade, "{does}");
            assert!(failure.finding.title.contains(says), "{does}: {}", failure.finding.title);
        }
    }
}
