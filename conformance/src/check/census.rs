//! What a trace holds: the figures that its manifest states.

use std::collections::{BTreeMap, HashMap, HashSet};

use foldhash::fast::RandomState;
use sigurg_traces::{Event, GStatus, Kind, Sym, Symbols, Tag, Via};

/// How often each kind of event occurs, and what runs.
#[derive(Clone, Debug)]
pub struct Kinds {
    kinds: Vec<u64>,
    g_structs: HashSet<u32, RandomState>,
}

impl Default for Kinds {
    fn default() -> Self {
        Self { kinds: vec![0; Tag::ALL.len()], g_structs: HashSet::default() }
    }
}

impl Kinds {
    /// Counts one event.
    pub fn count(&mut self, event: &Event) {
        self.kinds[usize::from(event.kind.tag() as u8)] += 1;
        if let Some(target) = event.target {
            self.g_structs.insert(target.gs);
        }
    }

    /// Events of one kind.
    #[must_use]
    pub fn of(&self, tag: Tag) -> u64 {
        self.kinds[usize::from(tag as u8)]
    }

    /// Different G structs.
    #[must_use]
    pub fn g_structs(&self) -> u64 {
        self.g_structs.len() as u64
    }
}

/// The counts of one trace.
#[derive(Clone, Debug, Default)]
pub struct Census {
    /// By kind.
    pub by_kind: Kinds,
    ms: HashSet<i32, RandomState>,
    changes: HashMap<(GStatus, GStatus, Via, Sym), u64, RandomState>,
    transitions: BTreeMap<Transition, u64>,
}

/// A change of a G's status, as manifests name it: from, to, through which primitive, in which function.
pub type Transition = (String, String, String, String);

impl Census {
    /// Counts one event.
    pub fn count(&mut self, event: &Event) {
        self.by_kind.count(event);
        if event.m >= 0 {
            self.ms.insert(event.m);
        }
        if let Kind::GStatus { from, to, via, .. } = event.kind {
            *self.changes.entry((from, to, via, event.site)).or_default() += 1;
        }
    }

    /// The same, with functions by name.
    pub(super) fn named(mut self, symbols: &Symbols) -> Self {
        for ((from, to, via, site), count) in self.changes.drain() {
            let key = (from.to_string(), to.to_string(), via.to_string(), symbols.resolve(site).to_owned());
            *self.transitions.entry(key).or_default() += count;
        }
        self
    }

    /// Events by kind; kinds that do not occur are left out.
    #[must_use]
    pub fn kinds(&self) -> BTreeMap<String, u64> {
        let counts = Tag::ALL.iter().map(|tag| (tag.to_string(), self.by_kind.of(*tag)));
        counts.filter(|&(_, count)| count > 0).collect()
    }

    /// Different threads.
    #[must_use]
    pub fn ms(&self) -> u64 {
        self.ms.len() as u64
    }

    /// Status changes of Gs, by kind of change.
    #[must_use]
    pub fn transitions(&self) -> &BTreeMap<Transition, u64> {
        &self.transitions
    }
}
