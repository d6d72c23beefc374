//! The layer of the real Go: its recordings are accepted, each under the rules of its own release, and broken ones are refused by
//! the rule that they break.

use std::path::Path;

use super::corpus::Corpus;
use super::{Done, Layer, Plan, Task, again, trace};
use crate::check::beside::{self, Argument};
use crate::check::judge::Verdict;
use crate::report::data::{Finding, Grade};

/// The recordings of Go.
#[derive(Debug)]
pub struct Go {
    /// The folder with `go/` and `negative/`.
    corpus: Corpus,
}

impl Go {
    /// The corpus of the repository that the working directory lies in.
    #[must_use]
    pub fn find() -> Self {
        Self { corpus: Corpus::find("traces/corpus", "go") }
    }
}

impl Layer for Go {
    fn name(&self) -> &'static str {
        "go"
    }

    fn about(&self) -> &'static str {
        "recordings of the real Go runtime, and broken ones that must be refused"
    }

    fn share(&self) -> u32 {
        1
    }

    fn plan(&self) -> Result<Vec<Plan>, String> {
        let corpus = self.corpus.folder()?;
        let mut plans = Vec::new();
        for (folder, about) in [("go", "a recording of Go, to be accepted"), ("negative", "")] {
            let path = corpus.join(folder);
            let fault = |e: std::io::Error| format!("{}: {e}", path.display());
            let entries = std::fs::read_dir(&path).map_err(fault)?;
            let mut paths = Vec::new();
            for entry in entries {
                paths.push(entry.map_err(fault)?.path());
            }
            paths.sort();
            let labels = labels(&path.join("labels.json"))?;
            for path in paths {
                if !matches!(beside::classify(&path), Argument::Trace) {
                    continue;
                }
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let about = match labels.iter().find(|(file, _)| *file == name) {
                    Some((_, rule)) => format!("to be refused by {rule}"),
                    None => about.into(),
                };
                plans.push(Plan { name: format!("{folder}/{name}"), about });
            }
        }
        Ok(plans)
    }

    fn again(&self) -> bool {
        false
    }

    fn try_one(&self, task: &Task<'_>) -> Done {
        let path = self.corpus.folder().unwrap_or(Path::new("")).join(task.unit);
        let (judged, mut done) = trace::judged(&path);
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let wanted = match labels(&path.with_file_name("labels.json")) {
            Ok(labels) => labels.into_iter().find(|(file, _)| *file == name).map(|(_, rule)| rule),
            Err(reason) => return failed(done, task, Grade::Error, "bad labels", reason),
        };
        match (&judged.verdict, wanted) {
            (Verdict::Accepted(_), None) => done.grade = Some(Grade::Pass),
            (Verdict::Rejected(rejected), Some(rule)) if rejected.rule == rule => {
                done.coverage.bites.insert(rule, 1);
                done.grade = Some(Grade::Pass);
            }
            (Verdict::Rejected(rejected), None) => {
                let (signature, finding) = trace::refused(&path, rejected);
                return done.found(signature, finding.of(unit(task), repro(task)));
            }
            (Verdict::Accepted(_), Some(rule)) => {
                done.coverage = Default::default();
                let title = format!("a broken trace is accepted: {rule} should refuse it");
                return failed(done, task, Grade::Fail, &rule, title);
            }
            (Verdict::Rejected(rejected), Some(rule)) => {
                let title = format!("a broken trace is refused by {} instead of {rule}", rejected.rule);
                return failed(done, task, Grade::Fail, &rule, title);
            }
            (Verdict::Unreadable(unreadable), _) => {
                return failed(done, task, Grade::Error, "unreadable", unreadable.to_string());
            }
        }
        done
    }
}

/// Names and rules in the list of labels, if there is one.
fn labels(path: &Path) -> Result<Vec<(String, String)>, String> {
    match beside::classify(path) {
        Argument::Labels(labels) => Ok(labels.into_iter().map(|label| (label.file, label.rule)).collect()),
        Argument::Bad(reason) => Err(format!("{}: {reason}", path.display())),
        _ => Ok(Vec::new()),
    }
}

fn unit(task: &Task<'_>) -> String {
    format!("go {}", task.unit)
}

fn repro(task: &Task<'_>) -> String {
    again::run(&format!("--only go --unit {}", task.unit))
}

fn failed(done: Done, task: &Task<'_>, grade: Grade, rule: &str, title: String) -> Done {
    let finding = Finding::new(grade, rule, title).of(unit(task), repro(task));
    done.found(format!("go:{rule}:{}", task.unit), finding)
}
