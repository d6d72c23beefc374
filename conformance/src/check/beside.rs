//! What lies beside traces in the same folder, so that a pattern of the shell names it too.
//!
//! Three things, recognised by name *and* content; nothing else that is not a trace is let pass:
//! `NAME.manifest.json` states what the trace NAME holds, and is compared with it; `labels.json` states by which
//! rule each trace must be rejected; `README.md` is for people.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sigurg_traces::Header;

use super::census::Census;
use super::judge::Accepted;

/// The longest file that is read whole, in bytes.
const MAX_FILE: u64 = 64 << 20;

/// What an argument is.
#[derive(Debug)]
pub enum Argument {
    /// A trace, or something that claims to be one.
    Trace,
    /// A manifest.
    Manifest(Box<Manifest>),
    /// A list of labels.
    Labels(Vec<Label>),
    /// Not for a checker, and why.
    Other(&'static str),
    /// It has the name of a manifest or of a list of labels and is none, and why.
    Bad(String),
}

/// What a trace holds, as its producer counted.
#[derive(Debug, Deserialize)]
pub struct Manifest {
    header: Header,
    kinds: BTreeMap<String, u64>,
    g_structs: Option<u64>,
    ms: Option<u64>,
    transitions: Option<Vec<Counted>>,
}

#[derive(Debug, Deserialize)]
struct Counted {
    from: String,
    to: String,
    via: String,
    #[serde(default, rename = "fn")]
    site: String,
    count: u64,
}

/// By which rule a trace must be rejected.
#[derive(Debug, Deserialize)]
pub struct Label {
    /// Name of the trace, in the folder of the list.
    pub file: String,
    /// Name of the rule.
    pub rule: String,
}

const MANIFEST: &str = ".manifest.json";

/// What the argument `path` is.
#[must_use]
pub fn classify(path: &Path) -> Argument {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    if !path.is_file() {
        return Argument::Trace;
    }
    if name == "README.md" {
        return Argument::Other("Markdown");
    }
    if name == "labels.json" {
        return match parse(path) {
            Ok(labels) => Argument::Labels(labels),
            Err(reason) => Argument::Bad(format!("not a list of labels: {reason}")),
        };
    }
    if name.ends_with(MANIFEST) {
        return match parse(path) {
            Ok(manifest) => Argument::Manifest(manifest),
            Err(reason) => Argument::Bad(format!("not a manifest: {reason}")),
        };
    }
    Argument::Trace
}

fn parse<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    let file = File::open(path).map_err(|e| format!("cannot be opened: {e}"))?;
    let mut text = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut text).map_err(|e| format!("cannot be read: {e}"))?;
    if text.len() as u64 > MAX_FILE {
        return Err(format!("longer than {MAX_FILE} bytes"));
    }
    serde_json::from_slice(&text).map_err(|e| e.to_string())
}

/// The folder of a trace and its name without the endings that tell its form and packing.
#[must_use]
pub fn trace_key(path: &Path) -> (PathBuf, String) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = [".gz", ".zst"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    let name = [".jsonl", ".sgtr"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    (folder(path), name.to_owned())
}

/// The folder and the name of the trace that the manifest at `path` belongs to.
#[must_use]
pub fn manifest_key(path: &Path) -> (PathBuf, String) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    (folder(path), name.strip_suffix(MANIFEST).unwrap_or(&name).to_owned())
}

/// The folder that a path lies in.
#[must_use]
pub fn folder(path: &Path) -> PathBuf {
    path.parent().map(Path::to_owned).unwrap_or_default()
}

impl Manifest {
    /// Where the manifest and its trace disagree, one line each.
    #[must_use]
    pub fn disagreements(&self, trace: &Accepted, census: &Census) -> Vec<String> {
        let mut lines = Vec::new();
        if self.header != trace.header {
            lines.push("its header is not that of the trace".to_owned());
        }
        let mut count = |of: &str, stated: u64, counted: u64| {
            if stated != counted {
                lines.push(format!("it states {stated} {of}, the trace has {counted}"));
            }
        };
        let kinds = census.kinds();
        for kind in self.kinds.keys().chain(kinds.keys().filter(|kind| !self.kinds.contains_key(*kind))) {
            let of = |counts: &BTreeMap<String, u64>| counts.get(kind).copied().unwrap_or(0);
            count(&format!("{kind} events"), of(&self.kinds), of(&kinds));
        }
        if let Some(stated) = self.g_structs {
            count("G structs", stated, census.by_kind.g_structs());
        }
        if let Some(stated) = self.ms {
            count("Ms", stated, census.ms());
        }
        if let Some(transitions) = &self.transitions {
            let key = |c: &Counted| (c.from.clone(), c.to.clone(), c.via.clone(), c.site.clone());
            let mut stated = BTreeMap::new();
            for counted in transitions {
                *stated.entry(key(counted)).or_insert(0) += counted.count;
            }
            let counted = census.transitions();
            for change in stated.keys().chain(counted.keys().filter(|change| !stated.contains_key(*change))) {
                let (from, to, via, site) = change;
                let of = |counts: &BTreeMap<_, u64>| counts.get(change).copied().unwrap_or(0);
                count(&format!("changes {from} -> {to} by {via} in {site}"), of(&stated), of(counted));
            }
        }
        lines
    }
}
