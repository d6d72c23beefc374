//! Files of the repository that the working directory lies in, for layers that work on them.

use std::path::{Path, PathBuf};

/// A folder of them.
#[derive(Debug)]
pub(super) struct Corpus {
    name: &'static str,
    folder: Option<PathBuf>,
}

impl Corpus {
    /// The folder of that name that is nearest, here or above, among those that have the folder `part`.
    pub(super) fn find(name: &'static str, part: &str) -> Self {
        let here = std::env::current_dir().unwrap_or_default();
        let folder = here.ancestors().map(|above| above.join(name)).find(|folder| folder.join(part).is_dir());
        Self { name, folder }
    }

    /// Where it is.
    ///
    /// # Errors
    /// That there is none.
    pub(super) fn folder(&self) -> Result<&Path, String> {
        self.folder.as_deref().ok_or_else(|| format!("there is no folder {} here or above", self.name))
    }
}
