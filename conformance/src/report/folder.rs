//! The folder that a report lies in: `report.json`, `index.html`, `junit.xml`, `summary.md`, and `traces/`.
//!
//! Invariant: a file of a report is whole or not there: it is written beside its place and then renamed. Whether there is room is
//! tried before the work, not found out after it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::data::{HERE, Report, SCHEMA};
use super::view::View;
use super::{html, junit, summary};

/// What a report needs at most, by experience, in bytes.
const ROOM: usize = 8 << 20;
/// The data.
pub const DATA: &str = "report.json";

/// A folder for a report.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes the folder, and tries whether it can be written to and has room.
    ///
    /// # Errors
    /// Why not, in words.
    pub fn ready(path: &Path) -> Result<Self, String> {
        let folder = Self { path: path.to_owned() };
        let tried = fs::create_dir_all(path).and_then(|()| {
            // A unique name: the folder may be somebody else's, too.
            let mut probe = tempfile::Builder::new().prefix(".room").tempfile_in(path)?;
            probe.write_all(&vec![0x5a; ROOM])?;
            probe.as_file().sync_all()
        });
        match tried {
            Ok(()) => Ok(folder),
            Err(e) => Err(format!("no report can be written to {}: {e}", path.display())),
        }
    }

    /// Where the page is.
    #[must_use]
    pub fn page(&self) -> PathBuf {
        self.path.join("index.html")
    }

    /// Where traces of findings are kept.
    #[must_use]
    pub fn traces(&self) -> PathBuf {
        self.path.join("traces")
    }

    /// Writes all forms of a report.
    ///
    /// # Errors
    /// The file that cannot be written, and why.
    pub fn write(&self, report: &Report, view: &View) -> Result<(), String> {
        let data = serde_json::to_string(report).expect("a report has only JSON types");
        let junit = junit::xml(view).map_err(|e| format!("junit.xml: {e}"))?;
        let forms = [
            (DATA, data),
            ("junit.xml", junit),
            ("summary.md", summary::markdown(view)),
            ("index.html", html::page(view)),
        ];
        for (name, text) in forms {
            self.put(name, &text).map_err(|e| format!("{}: {e}", self.path.join(name).display()))?;
        }
        Ok(())
    }

    fn put(&self, name: &str, text: &str) -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(".new").tempfile_in(&self.path)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        let target = self.path.join(name);
        // Temporary files are for their owner only; a report is for everybody.
        let kept = file.persist(target).map_err(|e| e.error)?;
        let mut rights = kept.metadata()?.permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut rights, 0o644);
        kept.set_permissions(rights)
    }

    /// What `report` says, with lines that name files of this folder by where it is.
    #[must_use]
    pub fn view(&self, report: &Report) -> View {
        let mut view = View::new(report);
        let here = word(&self.path);
        for failure in view.findings.values_mut() {
            let finding = &mut failure.finding;
            let original = finding.original.as_mut().map(|original| &mut original.repro);
            for text in [&mut finding.repro, &mut finding.story].into_iter().chain(original) {
                *text = text.replace(HERE, &here);
            }
        }
        view
    }

    /// Takes over what another report kept of its findings, from the folder that it lies in. What is not there any more is left out.
    ///
    /// # Errors
    /// The file that cannot be copied, and why.
    pub fn copy_kept(&self, from: &Path, report: &Report) -> Result<(), String> {
        let findings =
            report.runs.values().flat_map(|run| run.layers.values()).flat_map(|it| it.findings.values());
        let files = findings.flat_map(|finding| finding.trace.iter().chain(&finding.beside));
        // What is in a report came over a network, perhaps: only a file of its own folder is taken.
        let names = files.filter_map(|file| Path::new(file).file_name());
        for name in names {
            let (source, target) = (from.join("traces").join(name), self.traces().join(name));
            let is_itself = fs::canonicalize(&source).ok() == fs::canonicalize(&target).ok();
            if source.is_file() && !is_itself {
                let copied = fs::create_dir_all(self.traces()).and_then(|()| fs::copy(&source, &target));
                copied.map_err(|e| format!("{}: {e}", source.display()))?;
            }
        }
        Ok(())
    }
}

/// A path as a shell takes it for one word.
fn word(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    if path.chars().all(is_plain) { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

/// The reports in a folder of earlier ones, by name: its JSON files, and the data of each folder in it.
///
/// # Errors
/// What cannot be read, and why.
pub fn reports(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let fault = |e: io::Error| format!("{}: {e}", folder.display());
    let mut reports = Vec::new();
    for entry in fs::read_dir(folder).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            reports.push(path);
        } else if path.join(DATA).is_file() {
            reports.push(path.join(DATA));
        }
    }
    reports.sort();
    Ok(reports)
}

/// Reads a report: a file, or the folder that it lies in.
///
/// # Errors
/// File and reason, in words.
pub fn read(path: &Path) -> Result<Report, String> {
    let path = if path.is_dir() { path.join(DATA) } else { path.to_owned() };
    let fault = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    let text = fs::read_to_string(&path).map_err(|e| fault(&e))?;
    #[derive(serde::Deserialize)]
    struct Look {
        schema: u32,
    }
    let Look { schema } = serde_json::from_str(&text).map_err(|e| fault(&format!("not a report: {e}")))?;
    if schema != SCHEMA {
        return Err(fault(&format!("schema {schema} is not supported; this program knows schema {SCHEMA}")));
    }
    serde_json::from_str(&text).map_err(|e| fault(&e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_for_a_shell() {
        for path in ["target/a-b", "my reports", "it's"] {
            let script = format!("printf %s {}/traces", word(Path::new(path)));
            let said = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(said.stdout).unwrap(), format!("{path}/traces"));
        }
    }
}
