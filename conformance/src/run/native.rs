//! The layer of the real runtime on real threads with real signals: programs are run and recorded, and the model judges.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use sigurg_model::rules::sequence::Step;

use super::child::{self, Patience, Ran};
use super::keep::{Keep, link};
use super::programs::{self, Program};
use super::sim::late;
use super::{Done, Layer, Plan, Task, again, trace};
use crate::check::judge::Verdict;
use crate::report::data::{Finding, Grade};

/// Longer than any program takes on the slowest machine.
const WITHIN: Duration = Duration::from_secs(90);
/// How hard a kept trace is packed: quickly.
const LEVEL: i32 = 3;
/// Numbers of Ps.
const PROCS: [u32; 3] = [1, 2, 4];

/// The runtime on real threads.
#[derive(Debug)]
pub struct Native {
    /// The command that runs one program: this one.
    pub command: PathBuf,
    keep: Keep,
}

impl Native {
    /// Programs are run by `command`, and traces of findings kept in the folder `keep`.
    #[must_use]
    pub fn new(command: PathBuf, keep: PathBuf) -> Self {
        Self { command, keep: Keep::new(keep) }
    }
}

/// The call of the command that runs one program; not for people.
pub const CALL: &str = "native-program";

impl Layer for Native {
    fn name(&self) -> &'static str {
        "native"
    }

    fn about(&self) -> &'static str {
        "the runtime on real threads with real signals, its traces judged"
    }

    fn share(&self) -> u32 {
        4
    }

    fn plan(&self) -> Result<Vec<Plan>, String> {
        let at = |program: &Program, procs| Plan {
            name: format!("{}/p{procs}", program.name),
            about: program.about.into(),
        };
        Ok(programs::ALL.iter().flat_map(|program| PROCS.map(|procs| at(program, procs))).collect())
    }

    fn again(&self) -> bool {
        true
    }

    fn try_one(&self, task: &Task<'_>) -> Done {
        let folder = match tempfile::tempdir() {
            Ok(folder) => folder,
            Err(e) => return harness(task, format!("no folder for a trace: {e}")),
        };
        let path = folder.path().join("trace.sgt");
        let (name, procs) = task.unit.split_once("/p").expect("units are named so");
        let program = programs::by_name(name).expect("a unit is a program");
        let mut command = Command::new(&self.command);
        command.args([CALL, name, "--procs", procs, "--seed", &task.seed.to_string(), "--trace"]).arg(&path);
        let ran = child::run(&mut command, Patience::of(WITHIN), task.until, folder.path(), &mut || ());
        let (rule, title, story) = match ran {
            Ran::Well => return self.judged(task, &program, &path),
            Ran::Over => return Done::default(),
            Ran::Late => return Done { why: late(&repro(task)), ..Done::default() },
            Ran::Unstarted(reason) => return harness(task, format!("the program cannot be run: {reason}")),
            Ran::Badly { how, said } => {
                (format!("crash-{}", how.replace(' ', "-")), format!("{name} ended by {how}"), said)
            }
            Ran::Stuck { after, said } => {
                ("hang".into(), format!("{name} did not end within {} s", after.as_secs()), said)
            }
        };
        // What it recorded before may tell why; a trace that was never finished is read as far as it goes.
        let (judged, _) = trace::judged(&path);
        if let Verdict::Rejected(rejected) = &judged.verdict {
            let (signature, mut finding) = trace::refused(&path, rejected);
            finding.story = format!("{title}\n{story}\n{}", finding.story);
            return self.failed(task, signature, finding, &path);
        }
        let signature = format!("native:{rule}:{name}");
        let finding = Finding { story, ..Finding::new(Grade::Fail, rule, title) };
        self.failed(task, signature, finding, &path)
    }
}

impl Native {
    fn judged(&self, task: &Task<'_>, program: &Program, path: &Path) -> Done {
        let (judged, mut done) = trace::judged(path);
        match &judged.verdict {
            Verdict::Accepted(_) => {
                done.grade = Some(Grade::Pass);
                done.figure("executions", 1);
                let count = |step: &Step| {
                    let name = format!("{step:?}");
                    let count = done.coverage.steps.get(&name).copied().unwrap_or(0);
                    (name, count)
                };
                done.shown = program.shows.iter().map(count).collect();
                done
            }
            Verdict::Rejected(rejected) => {
                let (signature, finding) = trace::refused(path, rejected);
                self.failed(task, signature, finding, path)
            }
            Verdict::Unreadable(unreadable) => {
                let title = format!("the trace of {} is unreadable: {unreadable}", program.name);
                let finding = Finding::new(Grade::Fail, "unreadable", title);
                self.failed(task, format!("native:unreadable:{}", program.name), finding, path)
            }
        }
    }

    /// A failure, with its trace kept if it is the first with that signature.
    fn failed(&self, task: &Task<'_>, signature: String, finding: Finding, path: &Path) -> Done {
        let mut finding = finding.of(unit(task), repro(task));
        let keep = || {
            let kept = self.keep.place(&format!("{signature}-{}-{}.sgt.zst", task.unit, task.seed))?;
            zstd::stream::copy_encode(fs::File::open(path)?, fs::File::create(&kept)?, LEVEL)?;
            io::Result::Ok(link(&kept))
        };
        match self.keep.is_first(&signature).then(keep).transpose() {
            Ok(kept) => finding.trace = kept,
            Err(e) => finding.story += &format!("\nits trace could not be kept: {e}"),
        }
        Done::default().with("executions", 1).found(signature, finding)
    }
}

fn unit(task: &Task<'_>) -> String {
    format!("native {}", task.unit)
}

/// What happened may need the same luck once more; the seed sets the sizes, and a budget tries again and again.
fn repro(task: &Task<'_>) -> String {
    again::run(&format!("--only native --unit {} --seed {} --budget 60s", task.unit, task.seed))
}

fn harness(task: &Task<'_>, title: String) -> Done {
    let finding = Finding::new(Grade::Error, "harness", title).of(unit(task), repro(task));
    Done::default().found(format!("native:harness:{}", task.unit), finding)
}
