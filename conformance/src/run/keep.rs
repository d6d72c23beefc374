//! Where files of findings are kept.
//!
//! Invariant: of one signature a run keeps one file, so that a fault which shows a thousand times does not fill the disk.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// `traces/` of the report's folder.
#[derive(Debug)]
pub(super) struct Keep {
    folder: PathBuf,
    known: Mutex<BTreeSet<String>>,
}

impl Keep {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self::knowing(folder, BTreeSet::new())
    }

    /// Of these signatures somebody else keeps something.
    pub(super) fn knowing(folder: PathBuf, known: BTreeSet<String>) -> Self {
        Self { folder, known: Mutex::new(known) }
    }

    /// Whether nothing was kept of that signature yet; whoever asks keeps it now.
    pub(super) fn is_first(&self, signature: &str) -> bool {
        self.known.lock().expect("nobody panics with it").insert(signature.to_owned())
    }

    /// Of that signature something is kept.
    pub(super) fn keeps(&self, signature: &str) {
        self.is_first(signature);
    }

    /// The signatures of which something is kept.
    pub(super) fn known(&self) -> BTreeSet<String> {
        self.known.lock().expect("nobody panics with it").clone()
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The place for a file of that name, as far as it may be one. The folder is made if need be.
    pub(super) fn place(&self, name: &str) -> io::Result<PathBuf> {
        fs::create_dir_all(&self.folder)?;
        let word = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        Ok(self.folder.join(name.chars().map(|c| if word(c) { c } else { '-' }).collect::<String>()))
    }
}

/// A file that was kept, as a report names it: from its own folder.
pub(super) fn link(path: &Path) -> String {
    format!("traces/{}", path.file_name().unwrap_or_default().display())
}
