//! The recordings, read once and kept in memory.

use std::path::{Path, PathBuf};

use sigurg_model::Profile;
use sigurg_model::check::CheckOptions;
use sigurg_traces::order::{Ordered, OrderedError};
use sigurg_traces::{Event, Header, Options, Symbols, source};

/// One recording in its legal order.
pub(crate) struct Recording {
    pub(crate) name: String,
    pub(crate) header: Header,
    pub(crate) events: Vec<Event>,
    pub(crate) symbols: Symbols,
}

impl Recording {
    pub(crate) fn profile(&self) -> &'static Profile {
        Profile::of_producer(&self.header.producer, &self.header.go_version)
            .expect("a profile for its release")
    }

    pub(crate) fn options(&self) -> CheckOptions {
        CheckOptions { complete: self.header.complete, ..CheckOptions::default() }
    }
}

/// The folder `name` of the corpus.
pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../traces/corpus").join(name)
}

/// The traces in a folder, sorted by name.
pub(crate) fn traces(name: &str) -> Vec<PathBuf> {
    let folder = folder(name);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.to_string_lossy().contains(".jsonl"));
    paths.sort();
    assert!(!paths.is_empty(), "no traces in {}", folder.display());
    paths
}

/// Reads a trace whole; `Err` if no order of it is possible.
pub(crate) fn read(path: &Path) -> Result<Recording, OrderedError> {
    let reader = source::open(path, Options::default())?;
    let header = reader.header().clone();
    let mut ordered = Ordered::new(reader);
    let mut events = Vec::new();
    while let Some(event) = ordered.next()? {
        events.push(event);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Recording { name, header, events, symbols: ordered.symbols().clone() })
}

/// Every recording of real Go.
pub(crate) fn recordings() -> Vec<Recording> {
    traces("go").iter().map(|path| read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))).collect()
}
