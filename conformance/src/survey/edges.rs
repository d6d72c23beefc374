//! The edges of the protocol: what a trace can show of one G before and after a change, and how the bounded model gets there.
//!
//! A trace shows a G's status and what is asked of it ([`Face`]). Whatever else the model's state has, an edge that no
//! configuration has cannot be in a trace; one that the model has and no trace shows is a hole in what was exercised.

use std::collections::{HashMap, HashSet, VecDeque};

use sigurg_model::Profile;
use sigurg_model::machine::config::{Config, User};
use sigurg_model::machine::{Face, Machine, family};
use sigurg_model::space::{Packed, Space};

/// A change of what is shown of a G.
pub type Edge = (Face, Face);

/// A shortest way of the model to an edge.
#[derive(Clone, Debug)]
pub struct Walk {
    /// The configuration, by its name.
    pub config: &'static str,
    /// What is shown of that G, from the start to behind the edge.
    pub faces: Vec<Face>,
}

/// The configurations under the rules of this runtime, without what it does not have: stacks that are copied, coroutine switches,
/// threads of C that call in.
#[must_use]
pub fn configs() -> Vec<Config> {
    let mut all: Vec<Config> = Vec::new();
    for (config, _) in family::all() {
        if config.user.coroswitch || config.c_threads {
            continue;
        }
        let own = Config {
            profile: Profile::SIGURG,
            user: User { grows: false, ..config.user },
            symmetry: false,
            liveness: false,
            histories: false,
            shows: &[],
            ..config
        };
        let same = |other: &Config| Config { name: own.name, about: own.about, ..*other } == own;
        if !all.iter().any(same) {
            all.push(own);
        }
    }
    all
}

/// The edges that `config` has among its `most` states next to the start, each with a shortest way there.
#[must_use]
pub fn edges(config: Config, most: usize) -> HashMap<Edge, Walk> {
    let machine = Machine::new(config);
    let mut found: HashMap<Edge, Walk> = HashMap::new();
    let mut before: HashMap<Packed, Packed> = HashMap::new();
    let starts = machine.initial();
    let mut seen: HashSet<Packed> = starts.iter().copied().collect();
    let mut queue: VecDeque<Packed> = starts.into();
    while let Some(from) = queue.pop_front() {
        let faces = machine.faces(from);
        machine.successors(from, &mut |_, to| {
            for (g, (&old, new)) in faces.iter().zip(machine.faces(to)).enumerate() {
                if old != new {
                    found.entry((old, new)).or_insert_with(|| {
                        let mut all = vec![new];
                        let mut at = Some(from);
                        while let Some(state) = at {
                            let face = machine.faces(state)[g];
                            if all.last() != Some(&face) {
                                all.push(face);
                            }
                            at = before.get(&state).copied();
                        }
                        all.reverse();
                        Walk { config: config.name, faces: all }
                    });
                }
            }
            if seen.len() < most && seen.insert(to) {
                before.insert(to, from);
                queue.push_back(to);
            }
        });
    }
    found
}

/// The edges of all [`configs`].
#[must_use]
pub fn all_edges(most: usize) -> HashMap<Edge, Walk> {
    let mut all = HashMap::new();
    for config in configs() {
        for (edge, walk) in edges(config, most) {
            all.entry(edge).or_insert(walk);
        }
    }
    all
}

impl Walk {
    /// The edge at its end.
    ///
    /// # Panics
    /// If it has fewer than two faces.
    #[must_use]
    pub fn edge(&self) -> Edge {
        let [.., from, to] = self.faces[..] else { panic!("a walk ends with an edge") };
        (from, to)
    }
}
