//! The layer of fuzzing: the bodies of the fuzz targets, in processes of their own, on the seeds and on inputs made of them.
//!
//! It is what can be had of fuzzing without tools, in a slice of a run. `ci/fuzz` is the whole of it: code coverage, sanitizer, hours.

mod hunt;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use sigurg_model::rules::rule::Rule;

use super::child::{self, Patience, Ran};
use super::corpus::Corpus;
use super::keep::{Keep, link};
use super::sim::late;
use super::{Done, Layer, Plan, Task, again};
use crate::report::data::{Finding, Grade, HERE, Original};
pub use hunt::hunt;
use hunt::{ALL, FOUND, Found, HUNTED, Hunted, INPUT, LEFT, WHOLE, signature};

/// Longer than any input takes on the slowest machine.
const WITHIN: Duration = Duration::from_secs(60);
/// The call of the command that runs one unit; not for people.
pub const CALL: &str = "fuzz-target";

/// The fuzz targets.
#[derive(Debug)]
pub struct Fuzz {
    /// The command that runs one unit: this one.
    command: PathBuf,
    /// The folder with the seeds of each target.
    corpus: Corpus,
    keep: Keep,
}

impl Fuzz {
    /// Units are run by `command`, seeds are those of the repository that the working directory lies in, and inputs of findings are kept in
    /// the folder `keep`.
    #[must_use]
    pub fn find(command: PathBuf, keep: PathBuf) -> Self {
        Self { command, corpus: Corpus::find("fuzz/corpus", ""), keep: Keep::new(keep) }
    }
}

impl Layer for Fuzz {
    fn name(&self) -> &'static str {
        "fuzz"
    }

    fn about(&self) -> &'static str {
        "bytes as queues, traces, walks of the model and scenarios, guided by what the model tells"
    }

    fn share(&self) -> u32 {
        2
    }

    fn plan(&self) -> Result<Vec<Plan>, String> {
        self.corpus.folder()?;
        let plan = |(name, about, made): &(&str, &str, u64)| Plan {
            name: (*name).into(),
            about: format!("{about}: the seeds, and {made} inputs made of them"),
        };
        Ok(ALL.iter().map(plan).collect())
    }

    fn again(&self) -> bool {
        true
    }

    fn try_one(&self, task: &Task<'_>) -> Done {
        let corpus = self.corpus.folder().expect("nothing is planned without");
        let folder = match tempfile::tempdir() {
            Ok(folder) => folder,
            Err(e) => return harness(task, format!("no folder for inputs: {e}")),
        };
        let mut command = Command::new(&self.command);
        command.args([CALL, task.unit, "--seed", &task.seed.to_string(), "--corpus"]).arg(corpus);
        command.arg("--out").arg(folder.path());
        let input = folder.path().join(INPUT);
        let patience = Patience::of(WITHIN).beside(&input);
        let (kind, signature, title, story) =
            match child::run(&mut command, patience, task.until, folder.path(), &mut || ()) {
                Ran::Well => return hunted(task, folder.path()),
                Ran::Over => return Done::default(),
                Ran::Late => return Done { why: late(&repro(task)), ..Done::default() },
                Ran::Unstarted(reason) => {
                    return harness(task, format!("the target cannot be run: {reason}"));
                }
                Ran::Badly { how, said } => match read::<Found>(&folder.path().join(FOUND)) {
                    Ok(found) => {
                        let (signature, line) =
                            (signature(&found.message), found.message.lines().next().unwrap_or_default());
                        // The rule stands before it.
                        let title = line.strip_prefix(&format!("{signature}: ")).unwrap_or(line).to_owned();
                        let story = format!("{}\n\npanicked at {}", found.message, found.at);
                        ("panics", signature, title, story)
                    }
                    // It says itself what it lacks.
                    Err(_) if how == "exit status 2" => return harness(task, said),
                    Err(_) => ("crashes", how.clone(), format!("{} ended by {how}", task.unit), said),
                },
                Ran::Stuck { after, said } => {
                    let title = format!("{}: an input did not end within {} s", task.unit, after.as_secs());
                    ("hangs", "hang".into(), title, said)
                }
            };
        let mut finding = Finding::new(Grade::Fail, rule(&signature), title).of(unit(task), repro(task));
        finding.story = story;
        let signature = format!("fuzz:{}:{signature}", task.unit);
        if self.keep.is_first(&signature)
            && let Err(e) = self.kept(task, &signature, &mut finding, folder.path())
        {
            finding.story += &format!("\nits input could not be kept: {e}");
        }
        Done::default().with(kind, 1).found(signature, finding)
    }
}

impl Fuzz {
    /// Keeps the input, and what the body left behind, and tells of it.
    fn kept(&self, task: &Task<'_>, signature: &str, finding: &mut Finding, folder: &Path) -> io::Result<()> {
        let input = self.keep.place(&format!("{signature}.input"))?;
        fs::copy(folder.join(INPUT), &input)?;
        finding.trace = Some(link(&input));
        let whole = folder.join(WHOLE);
        if whole.is_file() {
            let kept = self.keep.place(&format!("{signature}.whole.input"))?;
            let (from, to) = (fs::copy(whole, &kept)?, input.metadata()?.len());
            finding.beside.push(link(&kept));
            finding.original = Some(Original {
                file: link(&kept),
                repro: format!("cargo fuzz run {} {HERE}/{}", task.unit, link(&kept)),
                sizes: vec![("bytes".into(), from, to)],
            });
        }
        let left = folder.join(LEFT);
        for entry in fs::read_dir(&left)? {
            let path = entry?.path();
            // What the body runs now is the input.
            if path.ends_with("running.input") {
                continue;
            }
            // By the signature: another finding of the target leaves files of the same names.
            let kind = path.extension().unwrap_or_default().display();
            let kept = self.keep.place(&format!("{signature}.{kind}"))?;
            fs::copy(&path, &kept)?;
            let is = format!("{HERE}/{}", link(&kept));
            finding.story = finding.story.replace(&path.display().to_string(), &is);
            finding.beside.push(link(&kept));
            if path.extension().is_some_and(|extension| extension == "case") {
                let times = if task.unit == "preempt_storm_native" { "--times 200 " } else { "" };
                finding.repro = again::replay(times, &link(&kept));
            }
        }
        let input = format!("{HERE}/{}", link(&input));
        finding.story += &format!("\n\nwith the sanitizer: cargo fuzz run {} {input}", task.unit);
        Ok(())
    }
}

/// A unit that found nothing.
fn hunted(task: &Task<'_>, folder: &Path) -> Done {
    let hunted: Hunted = match read(&folder.join(HUNTED)) {
        Ok(hunted) => hunted,
        Err(reason) => return harness(task, reason),
    };
    let mut done = Done { grade: Some(Grade::Pass), ..Done::default() }
        .with("executions", hunted.executions)
        .with("seeds", hunted.seeds)
        .with("bytes of seeds", hunted.seed_bytes)
        .with("inputs that met something new", hunted.new)
        .with("bytes that met something new", hunted.new_bytes)
        .with("features", hunted.features);
    done.coverage.met =
        hunted.met.into_iter().map(|(counter, times)| (format!("{} {counter}", task.unit), times)).collect();
    done
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, String> {
    let fault = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    let text = fs::read_to_string(path).map_err(|e| fault(&e))?;
    serde_json::from_str(&text).map_err(|e| fault(&e))
}

/// The rule in a signature, or all of it.
fn rule(signature: &str) -> &str {
    signature.split(':').find(|part| Rule::by_name(part).is_some()).unwrap_or(signature)
}

fn unit(task: &Task<'_>) -> String {
    format!("fuzz {}", task.unit)
}

fn repro(task: &Task<'_>) -> String {
    again::run(&format!("--only fuzz --unit {} --seed {}", task.unit, task.seed))
}

fn harness(task: &Task<'_>, title: String) -> Done {
    let finding = Finding::new(Grade::Error, "harness", title).of(unit(task), repro(task));
    Done::default().found(format!("fuzz:harness:{}", task.unit), finding)
}
