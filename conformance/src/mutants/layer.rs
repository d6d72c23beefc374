//! Mutants as a layer of the harness: a unit is one of them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use super::suite::{Outcome, Suite, less};
use super::tree::Tree;
use super::{Mutant, load};
use crate::report::data::{Finding, Grade};
use crate::report::histogram::Histogram;
use crate::run::{Done, Layer, Plan, Task, Until};

/// The name of the layer.
pub(crate) const LAYER: &str = "mutants";
/// What its histogram is of.
pub(super) const TIMES: &str = "time to kill";

/// See the module above.
#[derive(Debug)]
pub struct Mutants {
    mutants: Vec<Mutant>,
    tree: Tree,
    /// Where it is built, and what the tests say is kept.
    target: PathBuf,
    budget: Duration,
    /// Whether the tests of a suite pass without a mutant, once that was tried.
    controls: Mutex<BTreeMap<&'static str, Result<(), String>>>,
}

impl Mutants {
    /// The mutants of the sources at `root`, each to be tried for `budget` at most, in a copy below `target`.
    ///
    /// # Errors
    /// A file that is no mutant, or that cannot be copied.
    pub fn new(root: &Path, target: &Path, budget: Duration) -> Result<Self, String> {
        let mutants = load(root)?;
        let copy = target.join("tree");
        let tree = Tree::of(root, &copy).map_err(|e| format!("{}: {e}", copy.display()))?;
        Ok(Self { mutants, tree, target: target.to_owned(), budget, controls: Mutex::default() })
    }

    /// All of them, by name.
    #[must_use]
    pub fn all(&self) -> &[Mutant] {
        &self.mutants
    }

    /// Runs an example of this package, built from the copy with mutant `name` in it.
    ///
    /// # Errors
    /// A mutant that does not exist or apply; a command that cannot be run.
    pub fn example(&self, name: &str, example: &str, args: &[&str]) -> io::Result<ExitStatus> {
        let mutant = self.mutants.iter().find(|mutant| mutant.name == name);
        let mutant = mutant.ok_or_else(|| io::Error::other(format!("there is no mutant {name}")))?;
        let files = mutant.patch.apply(|file| fs::read_to_string(self.tree.path().join(file)));
        let _changed = self.tree.change(&files.map_err(io::Error::other)?)?;
        let mut cargo = Command::new("cargo");
        cargo.args(["run", "--quiet", "--locked", "--package", env!("CARGO_PKG_NAME"), "--example", example]);
        cargo.args(less()).arg("--");
        cargo.args(args).current_dir(self.tree.path()).env("CARGO_TARGET_DIR", &self.target);
        cargo.stdin(Stdio::null()).status()
    }

    fn tests(&self, suite: &Suite, of: &str, until: &Until) -> Outcome {
        let log = self.target.join(format!("{of}.log"));
        suite.run(self.tree.path(), &self.target, &log, self.budget, until)
    }

    /// Rule 2 of the module above.
    fn control(&self, suite: &'static Suite, task: &Task<'_>) -> Result<(), Broken> {
        let mut controls = self.controls.lock().unwrap_or_else(|e| e.into_inner());
        let control = match controls.entry(suite.name) {
            Entry::Occupied(control) => control.into_mut(),
            Entry::Vacant(unknown) => {
                task.watch.inside(&format!("{} without a mutant", suite.name));
                let says = |what: &str| format!("{} without a mutant: {what}", suite.name);
                unknown.insert(match self.tests(suite, &format!("no-mutant-{}", suite.name), task.until) {
                    Outcome::Lives { .. } => Ok(()),
                    Outcome::Killed { test, .. } => Err(says(&format!("{test} fails"))),
                    Outcome::Error(why) => Err(says(&why)),
                    Outcome::Interrupted => return Err(Broken::Off),
                })
            }
        };
        control.clone().map_err(Broken::Error)
    }

    fn outcome(&self, mutant: &Mutant, task: &Task<'_>) -> Result<Outcome, Broken> {
        self.control(mutant.suite, task)?;
        let files = mutant.patch.apply(|file| fs::read_to_string(self.tree.path().join(file)));
        let files = files.map_err(|why| Broken::Error(format!("it does not apply: {why}")))?;
        let _changed = self.tree.change(&files).map_err(|e| Broken::Error(format!("the copy: {e}")))?;
        match self.tests(mutant.suite, &mutant.name, task.until) {
            Outcome::Error(why) => {
                let log = self.target.join(format!("{}.log", mutant.name));
                Err(Broken::Error(format!("{why}: {}", log.display())))
            }
            Outcome::Interrupted => Err(Broken::Off),
            outcome => Ok(outcome),
        }
    }
}

/// Why there is no outcome.
enum Broken {
    Error(String),
    /// Somebody told us to stop.
    Off,
}

impl Layer for Mutants {
    fn name(&self) -> &'static str {
        LAYER
    }

    fn about(&self) -> &'static str {
        "planted bugs, each of which the tests must find"
    }

    fn share(&self) -> u32 {
        1
    }

    fn plan(&self) -> Result<Vec<Plan>, String> {
        let plan = |mutant: &Mutant| Plan {
            name: mutant.name.clone(),
            about: format!("{} ({})", mutant.bug, mutant.rule),
        };
        // One suite after the other: what is built for one is used for the next.
        let mut mutants: Vec<_> = self.mutants.iter().collect();
        mutants.sort_by_key(|mutant| (mutant.suite.name, &mutant.name));
        Ok(mutants.into_iter().map(plan).collect())
    }

    fn again(&self) -> bool {
        false
    }

    fn try_one(&self, task: &Task<'_>) -> Done {
        let Some(mutant) = self.mutants.iter().find(|mutant| mutant.name == task.unit) else {
            return Done::default();
        };
        let suite = mutant.suite;
        let mut done = Done::default();
        let (grade, why) = match (self.outcome(mutant, task), &mutant.survives) {
            (Err(Broken::Off), _) => return done,
            (Err(Broken::Error(why)), _) => (Grade::Error, why),
            (Ok(Outcome::Killed { test, after }), None) => {
                let mut times = Histogram::default();
                times.record(after.as_nanos() as u64);
                done.histograms.push((TIMES.into(), times));
                done = done.with(suite.kills, 1).with("ms to kill", after.as_millis() as u64);
                (Grade::Pass, format!("killed by {} in {:.1} s: {test}", suite.name, after.as_secs_f64()))
            }
            (Ok(Outcome::Killed { test, .. }), Some(_)) => {
                (Grade::Fail, format!("is said to survive, and {test} kills it: take that out of its header"))
            }
            (Ok(_), Some(reason)) => (Grade::Interesting, format!("survives, as it is said to: {reason}")),
            (Ok(Outcome::Lives { out_of_time: true }), None) => {
                (Grade::Fail, format!("lives: {} found nothing in {} s", suite.name, self.budget.as_secs()))
            }
            (Ok(_), None) => (Grade::Fail, format!("lives: all tests of {} pass", suite.name)),
        };
        task.watch.inside(&why);
        if matches!(grade, Grade::Fail | Grade::Error) {
            done.findings.push((format!("mutant {}", mutant.name), finding(mutant, grade, &why)));
        }
        Done { grade: Some(grade), why, ..done }
    }
}

fn finding(mutant: &Mutant, grade: Grade, why: &str) -> Finding {
    let title = format!("{}: {}", mutant.name, why.lines().next().unwrap_or_default());
    let story = format!("{}\n{why}", mutant.bug);
    Finding { story, ..Finding::new(grade, &*mutant.rule, title) }
        .of(format!("{LAYER} {}", mutant.name), format!("ci/mutants/run {}", mutant.name))
}
