//! Runs the built command, and makes the files that it is given.

#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flate2::read::MultiGzDecoder;
use serde_json::Value;
use tempfile::TempDir;

/// What a call came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The JSON object on standard output, which must hold nothing else.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("not one JSON object: {e}\n{self:?}"))
    }
}

pub(crate) fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_conformance"))
}

/// Calls the command with these arguments and nothing on standard input.
pub(crate) fn run<A: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = A>) -> Ran {
    run_with(args, &[])
}

/// Calls the command with `input` on standard input.
pub(crate) fn run_with<A: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = A>, input: &[u8]) -> Ran {
    let mut command = command();
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    let mut stdin = child.stdin.take().expect("piped");
    let output = std::thread::scope(|scope| {
        // It may end without having read everything.
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output().expect("the command ends")
    });
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ran { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn corpus(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../traces/corpus").join(folder)
}

/// The files in a folder of the corpus whose names end so, by name.
pub(crate) fn recordings(folder: &str, ending: &str) -> Vec<PathBuf> {
    let folder = corpus(folder);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{}: no {ending}", folder.display());
    files
}

/// A small recording of Go 1.27.
pub(crate) fn small() -> PathBuf {
    corpus("go").join("go1.27.3-w1-p2-s101.jsonl.gz")
}

/// The lines of [`small`].
pub(crate) fn small_lines() -> Vec<String> {
    let file = std::fs::File::open(small()).expect("the recording");
    let mut text = String::new();
    MultiGzDecoder::new(file).read_to_string(&mut text).expect("gzip of text");
    text.lines().map(str::to_owned).collect()
}

/// A folder to put files in.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A file of that content.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        path.parent().map(std::fs::create_dir_all).transpose().expect("a temporary folder");
        std::fs::write(&path, content).expect("a file in a temporary folder");
        path
    }

    /// A file of those lines.
    pub(crate) fn lines(&self, name: &str, lines: &[String]) -> PathBuf {
        self.file(name, lines.join("\n") + "\n")
    }
}

/// A path as an argument.
pub(crate) fn arg(path: &Path) -> &str {
    path.to_str().expect("a path that is UTF-8")
}
