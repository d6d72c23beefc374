//! Tests of the tests: planted bugs, each of which some layer of tests must find.
//!
//! A mutant is a patch under `ci/mutants` with a header: `Layer`, the tests that must kill it; `Rule`, what it breaks; `Bug`, what it
//! is; and `Survives`, the reason, where no test can see it. [`Mutants`] tries them, as a [`run::Layer`](crate::run::Layer):
//! so what came of it is a report like any other, and joins others.
//!
//! 1. One copy of the sources is changed and changed back, with one folder for what is built: cargo builds what the patch touches.
//! 2. The same tests pass without a mutant, in the same copy and the same time. Otherwise nothing counts as a kill.
//! 3. A mutant that does not apply or does not build is an error of the harness, neither killed nor alive.
//! 4. One that is said to survive is tried like the others, and fails if it does not.

mod layer;
mod matrix;
mod patch;
mod suite;
mod tree;

use std::fs;
use std::path::Path;

pub(crate) use layer::LAYER;
pub use layer::Mutants;
pub use matrix::matrix;
pub(crate) use matrix::{Matrix, Row};
pub use patch::Patch;
pub use suite::{SUITES, Suite};

/// Where the patches are, from the root of the sources.
pub const FOLDER: &str = "ci/mutants";

/// A planted bug.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// The name of its file.
    pub name: String,
    /// The tests that must kill it.
    pub suite: &'static Suite,
    /// The rule, or the bug of somebody else, that it is made after.
    pub rule: String,
    /// What is wrong with it, in one line.
    pub bug: String,
    /// Why no test can see it, if so.
    pub survives: Option<String>,
    /// How it differs.
    pub patch: Patch,
}

impl Mutant {
    /// A mutant out of the text of its file.
    ///
    /// # Errors
    /// What is missing in the header, or wrong with the patch.
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        let (header, patch) = text.split_once("\n\n").ok_or("there is no empty line after the header")?;
        let line = |key: &str| {
            let mut lines = header.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
            lines.next().map(str::trim).filter(|value| !value.is_empty())
        };
        let known = |line: &&str| {
            ["Layer: ", "Rule: ", "Bug: ", "Survives: "].iter().any(|key| line.starts_with(key))
        };
        if let Some(line) = header.lines().find(|line| !known(line)) {
            return Err(format!("{line:?} is no line of a header"));
        }
        let must = |key: &str| line(key).ok_or(format!("the header has no {key}"));
        let suite = must("Layer")?;
        Ok(Self {
            name: name.to_owned(),
            suite: Suite::of(suite).ok_or(format!("there is no layer {suite}"))?,
            rule: must("Rule")?.to_owned(),
            bug: must("Bug")?.to_owned(),
            survives: line("Survives").map(str::to_owned),
            patch: Patch::parse(patch)?,
        })
    }
}

/// Every mutant of the sources at `root`, by name.
///
/// # Errors
/// The file that is no mutant, and why.
pub fn load(root: &Path) -> Result<Vec<Mutant>, String> {
    let folder = root.join(FOLDER);
    let fault = |e: &dyn std::fmt::Display| format!("{}: {e}", folder.display());
    let mut mutants = Vec::new();
    for entry in fs::read_dir(&folder).map_err(|e| fault(&e))? {
        let path = entry.map_err(|e| fault(&e))?.path();
        if path.extension().is_none_or(|extension| extension != "patch") {
            continue;
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        mutants.push(Mutant::parse(&name, &text).map_err(|e| format!("{}: {e}", path.display()))?);
    }
    mutants.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(mutants)
}
