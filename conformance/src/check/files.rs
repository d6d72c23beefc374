//! All files of one call: judged on several threads, answered in the order of the arguments.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::beside::{self, Argument, Label, Manifest};
use super::judge::{How, Judged, Tally, Unreadable, Verdict, judge};

/// The longest time between two ticks.
const TICK: Duration = Duration::from_millis(100);

/// The arguments of a call, sorted.
#[derive(Debug, Default)]
pub struct Files {
    /// Traces, in their order, and what is wrong with those that were found wanting already.
    pub traces: Vec<Trace>,
    /// Manifests, in their order.
    pub manifests: Vec<(PathBuf, Box<Manifest>)>,
    /// What is not for a checker, and why.
    pub skipped: Vec<(PathBuf, &'static str)>,
    /// Labels by folder and name of the trace.
    labels: HashMap<(PathBuf, String), String>,
}

/// One trace to be judged.
#[derive(Debug)]
pub struct Trace {
    /// Where it is.
    pub path: PathBuf,
    /// The rule by which a list of labels says that it must be rejected.
    pub label: Option<String>,
    /// Whether there is a manifest to compare it with.
    has_manifest: bool,
    /// Why it is unreadable, where its name promised something else than a trace.
    bad: Option<String>,
}

/// What became of a manifest.
#[derive(Debug, PartialEq, Eq)]
pub enum Compared {
    /// It agrees with its trace.
    Agrees,
    /// Where it does not, one line each.
    Disagrees(Vec<String>),
    /// Its trace was not accepted, so it was not compared.
    NotAccepted,
    /// Its trace was not among the files.
    NoTrace,
}

impl Files {
    /// Sorts the arguments of a call.
    #[must_use]
    pub fn new(paths: &[PathBuf]) -> Self {
        let mut files = Self::default();
        for path in paths {
            let bad = match beside::classify(path) {
                Argument::Trace => None,
                Argument::Bad(reason) => Some(reason),
                Argument::Manifest(manifest) => {
                    files.manifests.push((path.clone(), manifest));
                    continue;
                }
                Argument::Labels(labels) => {
                    files.skipped.push((path.clone(), "a list of labels"));
                    files.label(path, labels);
                    continue;
                }
                Argument::Other(what) => {
                    files.skipped.push((path.clone(), what));
                    continue;
                }
            };
            files.traces.push(Trace { path: path.clone(), label: None, has_manifest: false, bad });
        }
        let manifests: HashSet<_> =
            files.manifests.iter().map(|(path, _)| beside::manifest_key(path)).collect();
        for trace in &mut files.traces {
            let name = trace.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            trace.label = files.labels.get(&(beside::folder(&trace.path), name)).cloned();
            trace.has_manifest = manifests.contains(&beside::trace_key(&trace.path));
        }
        files
    }

    fn label(&mut self, list: &Path, labels: Vec<Label>) {
        let folder = beside::folder(list);
        self.labels.extend(labels.into_iter().map(|label| ((folder.clone(), label.file), label.rule)));
    }

    /// Judges every trace on `jobs` threads. `answer` is told in the order of the arguments, as soon as that is
    /// possible; `tick` is called some times a second meanwhile.
    pub fn judge(
        &self,
        how: &How,
        jobs: NonZeroUsize,
        tally: &Tally,
        mut tick: impl FnMut(),
        mut answer: impl FnMut(&Trace, &Judged),
    ) -> Vec<Judged> {
        let next = AtomicUsize::new(0);
        let (sender, receiver) = mpsc::channel();
        let mut judged = Vec::with_capacity(self.traces.len());
        thread::scope(|scope| {
            for _ in 0..jobs.get().min(self.traces.len()) {
                let (sender, next) = (sender.clone(), &next);
                scope.spawn(move || {
                    loop {
                        // Relaxed: it only matters that every number is drawn once.
                        let at = next.fetch_add(1, Relaxed);
                        let Some(trace) = self.traces.get(at) else { return };
                        if sender.send((at, trace.judge(how, tally))).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            let mut early = BTreeMap::new();
            loop {
                match receiver.recv_timeout(TICK) {
                    Ok((at, result)) => early.insert(at, result),
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) => return,
                };
                tick();
                while let Some(result) = early.remove(&judged.len()) {
                    answer(&self.traces[judged.len()], &result);
                    judged.push(result);
                }
            }
        });
        judged
    }

    /// Compares each manifest with its trace, given the answers to the traces.
    #[must_use]
    pub fn compare(&self, judged: &[Judged]) -> Vec<Compared> {
        let keys: HashMap<_, _> = self
            .traces
            .iter()
            .zip(judged)
            .map(|(trace, judged)| (beside::trace_key(&trace.path), judged))
            .collect();
        let compare = |(path, manifest): &(PathBuf, Box<Manifest>)| match keys
            .get(&beside::manifest_key(path))
        {
            None => Compared::NoTrace,
            Some(Judged { verdict: Verdict::Accepted(accepted), .. }) => {
                let census = accepted.census.as_ref();
                let lines = census.map_or_else(Vec::new, |census| manifest.disagreements(accepted, census));
                if lines.is_empty() { Compared::Agrees } else { Compared::Disagrees(lines) }
            }
            Some(_) => Compared::NotAccepted,
        };
        self.manifests.iter().map(compare).collect()
    }
}

impl Trace {
    fn judge(&self, how: &How, tally: &Tally) -> Judged {
        if let Some(reason) = &self.bad {
            let verdict = Verdict::Unreadable(Unreadable::file(reason));
            return Judged { profile: None, events: 0, unknown_kinds: 0, verdict };
        }
        judge(&self.path, &How { census: self.has_manifest, ..*how }, tally)
    }
}
