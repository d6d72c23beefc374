//! The files under `traces/regress`: one test for each.

use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};
use sigurg_conformance::case::{self, Case};

/// A test `regression::NAME` for each case, that hands it to `run`.
pub(crate) fn regressions(run: fn(Case) -> Result<(), Failed>) -> impl Iterator<Item = Trial> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../traces/regress");
    let files =
        std::fs::read_dir(&folder).expect("traces/regress").map(|entry| entry.expect("an entry").path());
    files.filter(|file| file.extension().is_some_and(|extension| extension == "case")).map(move |file| {
        let name = format!("regression::{}", file.file_stem().expect("a name").to_string_lossy());
        Trial::test(name, move || run(read(file)?))
    })
}

fn read(file: PathBuf) -> Result<Case, Failed> {
    case::read(&file).map_err(|error| format!("{}: {error}", file.display()).into())
}
