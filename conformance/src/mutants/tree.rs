//! The copy of the sources that mutants are made in.
//!
//! Invariant: a file is written only if its text changes. Cargo goes by the times of files, so it builds again what differs from the
//! last mutant, and nothing else. What an aborted run left is put right by the next [`Tree::of`].

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The mark of a folder that can be made again, by which cargo marks its own.
const CACHE: &str = "CACHEDIR.TAG";

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    path: PathBuf,
}

impl Tree {
    /// Makes the folder at `path` a copy of the sources at `root`.
    pub(super) fn of(root: &Path, path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        let (ours, theirs) = (files(root)?, files(path)?);
        for gone in theirs.difference(&ours) {
            fs::remove_file(path.join(gone))?;
        }
        for file in &ours {
            let (from, to) = (root.join(file), path.join(file));
            if fs::read(&to).ok() != Some(fs::read(&from)?) {
                to.parent().map_or(Ok(()), fs::create_dir_all)?;
                fs::copy(from, to)?;
            }
        }
        Ok(Self { path: path.to_owned() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Changes files until the answer is dropped.
    pub(super) fn change(&self, files: &[(PathBuf, String)]) -> io::Result<Changed> {
        let mut changed = Changed { before: Vec::new() };
        for (file, text) in files {
            let path = self.path.join(file);
            let before = fs::read(&path)?;
            fs::write(&path, text)?;
            changed.before.push((path, before));
        }
        Ok(changed)
    }
}

/// Files of a tree that are changed, and what was in them: the sources may be others by now.
pub(super) struct Changed {
    before: Vec<(PathBuf, Vec<u8>)>,
}

impl Drop for Changed {
    fn drop(&mut self) {
        for (path, before) in &self.before {
            fs::write(path, before)
                .unwrap_or_else(|e| panic!("{}: cannot be changed back: {e}", path.display()));
        }
    }
}

/// All files of the sources below `root`, relative to it.
fn files(root: &Path) -> io::Result<BTreeSet<PathBuf>> {
    let (mut all, mut folders) = (BTreeSet::new(), vec![PathBuf::new()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if entry.file_name() == ".git" || root.join(&path).join(CACHE).exists() {
                continue;
            }
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else {
                all.insert(path);
            }
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_changed_and_changed_back_and_only_what_differs_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let (root, path) = (dir.path().join("sources"), dir.path().join("copy"));
        fs::create_dir_all(root.join("a/target")).unwrap();
        let built = ["a/target/built", "a/target/CACHEDIR.TAG"];
        for (file, text) in [("a/one", "1"), ("two", "2"), (built[0], "x"), (built[1], "x"), (".git", "x")] {
            fs::write(root.join(file), text).unwrap();
        }
        let written = |file: &str| fs::metadata(path.join(file)).unwrap().modified().unwrap();
        let tree = Tree::of(&root, &path).unwrap();
        assert_eq!(files(&path).unwrap(), files(&root).unwrap());
        assert!(!path.join("a/target").exists() && !path.join(".git").exists());
        let (one, two) = (written("a/one"), written("two"));

        let changed = tree.change(&[("a/one".into(), "mutant".into())]).unwrap();
        assert_eq!(fs::read_to_string(path.join("a/one")).unwrap(), "mutant");
        drop(changed);
        assert_eq!(fs::read_to_string(path.join("a/one")).unwrap(), "1");
        assert!(written("a/one") > one && written("two") == two);

        // As an aborted run, and changes of the sources, leave it.
        fs::write(path.join("a/one"), "mutant").unwrap();
        fs::write(path.join("gone"), "x").unwrap();
        let one = written("a/one");
        Tree::of(&root, &path).unwrap();
        assert_eq!(files(&path).unwrap(), files(&root).unwrap());
        assert_eq!(fs::read_to_string(path.join("a/one")).unwrap(), "1");
        assert!(written("a/one") >= one && written("two") == two);
    }
}
