//! Reports that go into another one: of planted bugs, of speed, of tests under other tools, of earlier nights.

use std::path::{Path, PathBuf};

use crate::report::data::Report;
use crate::report::{folder, libfuzzer, nextest};

/// What stands beside what is run or joined.
#[derive(Debug, clap::Args)]
pub(super) struct BesideArgs {
    /// What `ci/mutants/run --json FILE` wrote: the kill matrix becomes part of the report; may be given again
    #[arg(long, value_name = "FILE")]
    mutants: Vec<PathBuf>,
    /// What `ci/bench/run --json FILE` wrote: the comparison becomes part of the report; may be given again
    #[arg(long, value_name = "FILE")]
    bench: Vec<PathBuf>,
    /// The folder in which `ci/loom`, `ci/miri` and `ci/sanitize` leave what came of their tests; may be given again
    #[arg(long, value_name = "DIR")]
    tests: Vec<PathBuf>,
    /// The folder in which `ci/fuzz` leaves the logs of its engine; may be given again
    #[arg(long, value_name = "DIR")]
    fuzz: Vec<PathBuf>,
    /// An earlier report to compare with: report.json, or its folder; may be given again
    #[arg(long, value_name = "FILE")]
    baseline: Vec<PathBuf>,
    /// Earlier reports, for the trend: every *.json in it, and the report.json of every folder in it
    #[arg(long, value_name = "DIR")]
    history: Option<PathBuf>,
}

/// What was read of it.
pub(super) struct Beside {
    parts: Vec<Report>,
    earlier: Vec<Report>,
}

impl BesideArgs {
    /// Reads all of it.
    ///
    /// # Errors
    /// The file and the reason.
    pub(super) fn read(&self) -> Result<Beside, String> {
        let parts = [(&self.mutants, "mutants"), (&self.bench, "bench")];
        let parts =
            parts.into_iter().flat_map(|(paths, layer)| paths.iter().map(move |path| part(path, layer)));
        let mut earlier = self.baseline.clone();
        if let Some(history) = &self.history {
            earlier.extend(folder::reports(history)?);
        }
        let tests = self.tests.iter().map(|folder| nextest::read(folder));
        let fuzz = self.fuzz.iter().map(|folder| libfuzzer::read(folder));
        Ok(Beside {
            parts: parts.chain(tests).chain(fuzz).collect::<Result<_, _>>()?,
            earlier: earlier.iter().map(|path| folder::read(path)).collect::<Result<_, _>>()?,
        })
    }
}

/// A report that has that layer.
fn part(path: &Path, layer: &str) -> Result<Report, String> {
    let report = folder::read(path)?;
    if report.runs.values().any(|run| run.layers.contains_key(layer)) {
        Ok(report)
    } else {
        Err(format!("{}: this report has no layer {layer}", path.display()))
    }
}

impl Beside {
    /// Adds it to `report`.
    pub(super) fn add_to(self, report: &mut Report) {
        self.parts.into_iter().for_each(|part| report.join(part));
        // A report does not come before itself: the history may have it already.
        let is_earlier = |earlier: &&Report| !earlier.runs.keys().any(|id| report.runs.contains_key(id));
        let earlier: Vec<_> = self.earlier.iter().filter(is_earlier).cloned().collect();
        earlier.iter().for_each(|earlier| report.remember(earlier));
    }
}
