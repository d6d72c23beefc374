//! Runs a scenario natively, judges it, and keeps the case if something is wrong.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use super::{Case, Driver, Outcome, Writer, table, versions};
use crate::scenario::expect::Results;
use crate::scenario::play::native::{self, Build, How};
use crate::scenario::property::{Failure, Judged, judged};
use crate::scenario::{Property, Scenario};

/// Events that a kept case shows before the failure.
const SHOWN: usize = 60;

/// What to run with.
#[derive(Clone, Copy, Debug)]
pub struct Native<'a> {
    /// Makes the runtime.
    pub build: Build,
    /// Where cases and traces are written.
    pub folder: &'a Path,
    /// How long one run may take.
    pub within: Duration,
}

/// A run that came back.
#[derive(Debug)]
pub struct Ran {
    /// What is said of it.
    pub judged: Judged,
    /// Its case and its trace, if something is wrong.
    pub kept: Option<(PathBuf, PathBuf)>,
}

impl Native<'_> {
    /// Runs `scenario` once under the name `name`; `expected` is what it must come to. If it does not come back, the process ends and the
    /// case says so.
    ///
    /// # Errors
    /// That files cannot be written, or the runtime cannot be built.
    pub fn run(
        &self,
        scenario: &Arc<Scenario>,
        expected: &Results,
        name: &str,
        seed: u64,
    ) -> io::Result<Ran> {
        let path = self.folder.join(format!("{name}.case"));
        let trace = self.folder.join(format!("{name}.sgt"));
        let case = Case {
            driver: Driver::Native,
            seed,
            versions: versions(),
            scenario: Scenario::clone(scenario),
            schedule: Vec::new(),
            outcome: None,
            trace: String::new(),
        };
        let writer = Mutex::new(Some(Writer::begin(&path, &case)?));
        let take = || writer.lock().ok().and_then(|mut writer| writer.take());
        let stuck = || {
            if let Some(writer) = take() {
                let failure = Failure {
                    property: Property::Termination,
                    rule: None,
                    seq: None,
                    message: format!("no end within {:?}; faults, if any, had one", self.within),
                };
                // The process ends next; if the disk is full, too, the case still tells what was run.
                let _ = writer.end(&Outcome::of(&[failure]), &table(&trace, None, SHOWN));
            }
        };
        let how = How { build: self.build, trace: &trace, within: self.within, stuck: &stuck };
        let played = native::run(scenario, &how).map_err(io::Error::other)?;
        let judged = judged(scenario, expected, &played, &trace);
        let Some(writer) = take() else { return Err(io::Error::other("it came back after it was given up")) };
        if judged.failures.is_empty() {
            writer.end(&Outcome::Passed, "")?;
            fs::remove_file(&path)?;
            fs::remove_file(&trace)?;
            return Ok(Ran { judged, kept: None });
        }
        let seq = judged.failures.iter().find_map(|failure| failure.seq);
        writer.end(&Outcome::of(&judged.failures), &table(&trace, seq, SHOWN))?;
        Ok(Ran { judged, kept: Some((path, trace)) })
    }
}
