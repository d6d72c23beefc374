//! Graphs written out edge by edge, and what weak fairness makes of small ones.

use super::*;
use crate::explore::story::Story;

/// A graph of up to 2^16 nodes.
#[derive(Clone, Debug)]
pub(super) struct Graph {
    pub(super) initial: Vec<u16>,
    /// For each node its edges: who moves, and whereto.
    pub(super) edges: Vec<Vec<(Option<u8>, u16)>>,
    /// The finding that a node shows, as bits.
    pub(super) broken: Vec<u32>,
    /// Whether the waiter of the one promise waits at a node.
    pub(super) waits: Vec<bool>,
    pub(super) findings: Vec<Finding>,
    pub(super) promises: Vec<Promise>,
}

impl Graph {
    /// A graph that begins in node 0 and promises not to stay for ever in the nodes `waits`.
    pub(super) fn waiting(edges: &[&[(Option<u8>, u16)]], waits: &[u16]) -> Self {
        Self {
            initial: vec![0],
            edges: edges.iter().map(|edges| edges.to_vec()).collect(),
            broken: vec![0; edges.len()],
            waits: (0..edges.len()).map(|node| waits.contains(&(node as u16))).collect(),
            findings: Vec::new(),
            promises: vec![Promise { finding: finding("waits for ever", true), region: 0 }],
        }
    }

    /// In both halves, so that the whole of a slot counts; ordered as the nodes are.
    pub(super) fn state(node: u16) -> Packed {
        Packed(u128::from(node) << 100 | u128::from(node))
    }

    pub(super) fn node(state: Packed) -> usize {
        usize::from(state.0 as u16)
    }
}

impl Space for Graph {
    /// The edge's number.
    type Move = usize;

    fn initial(&self) -> Vec<Packed> {
        self.initial.iter().map(|&node| Self::state(node)).collect()
    }

    fn successors(&self, state: Packed, visit: &mut impl FnMut(usize, Packed)) {
        for (i, &(_, to)) in self.edges[Self::node(state)].iter().enumerate() {
            visit(i, Self::state(to));
        }
    }

    fn findings(&self) -> &[Finding] {
        &self.findings
    }

    fn broken(&self, state: Packed) -> u32 {
        self.broken[Self::node(state)]
    }

    fn promises(&self) -> &[Promise] {
        &self.promises
    }

    fn waits(&self, state: Packed, _: u8) -> bool {
        self.waits[Self::node(state)]
    }

    fn actor(&self, state: Packed, step: usize) -> Option<u8> {
        self.edges[Self::node(state)][step].0
    }

    fn narrate(&self, state: Packed, step: usize) -> String {
        match self.actor(state, step) {
            Some(actor) => format!("actor {actor} moves"),
            None => String::from("it happens"),
        }
    }

    fn describe(&self, state: Packed) -> String {
        format!("node {}", Self::node(state))
    }
}

const A: Option<u8> = Some(0);
const B: Option<u8> = Some(31);
const FREE: Option<u8> = None;

/// The nodes of the counterexample: of its stem and of its cycle, if it has one.
fn verdict(graph: &Graph) -> Option<(Vec<usize>, Option<Vec<usize>>)> {
    let report = run(graph);
    assert!(report.complete, "{report:?}");
    let found = report.found.first()?;
    assert_real(graph, found);
    let nodes = |steps: &[crate::explore::Step<usize>]| steps.iter().map(|s| Graph::node(s.state)).collect();
    let cycle = match &found.ending {
        Ending::Cycle(steps) => Some(nodes(steps)),
        Ending::Stuck => None,
        Ending::Broken => panic!("a promise is not a safety finding: {found:?}"),
    };
    Some((nodes(&found.stem), cycle))
}

#[test]
fn a_loop_that_starves_an_actor_is_no_counterexample() {
    // A could leave from both nodes; the loop is B's alone.
    let graph = Graph::waiting(&[&[(B, 1), (A, 2)], &[(B, 0), (A, 2)], &[]], &[0, 1]);
    assert_eq!(verdict(&graph), None);
}

#[test]
fn a_loop_in_which_the_actor_is_now_and_then_disabled_is_fair() {
    let graph = Graph::waiting(&[&[(B, 1), (A, 2)], &[(B, 0)], &[]], &[0, 1]);
    assert_eq!(verdict(&graph), Some((vec![0], Some(vec![1, 0]))));
}

#[test]
fn a_loop_in_which_everybody_moves_is_fair_although_each_could_leave() {
    let graph = Graph::waiting(&[&[(B, 1), (A, 2)], &[(A, 0), (B, 2)], &[]], &[0, 1]);
    assert_eq!(verdict(&graph), Some((vec![0], Some(vec![1, 0]))));
}

#[test]
fn a_fair_cycle_visits_both_lobes_of_a_component() {
    // From 0, A and B both can always move and each has a loop of its own.
    let graph = Graph::waiting(
        &[&[(A, 1), (B, 2), (FREE, 3)], &[(A, 0), (B, 3)], &[(B, 0), (A, 3)], &[]],
        &[0, 1, 2],
    );
    assert_eq!(verdict(&graph), Some((vec![0], Some(vec![1, 0, 2, 0]))));
}

#[test]
fn a_state_where_only_the_environment_can_move_is_stuck() {
    let graph = Graph::waiting(&[&[(A, 1)], &[(FREE, 2)], &[]], &[0, 1]);
    assert_eq!(verdict(&graph), Some((vec![0, 1], None)));
}

#[test]
fn an_enabled_way_out_keeps_a_promise() {
    let graph = Graph::waiting(&[&[(A, 1)], &[(A, 2), (FREE, 1)], &[]], &[0, 1]);
    assert_eq!(verdict(&graph), None);
}

#[test]
fn spinning_by_oneself_is_fair() {
    let graph = Graph::waiting(&[&[(FREE, 1)], &[(A, 1), (B, 1), (B, 2)], &[]], &[1]);
    assert_eq!(verdict(&graph), Some((vec![0, 1], Some(vec![1, 1]))));
}

#[test]
fn what_waits_elsewhere_does_not_count() {
    // The loop 1-2 leaves the region at 2 each time.
    let graph = Graph::waiting(&[&[(A, 1)], &[(A, 2)], &[(A, 1)]], &[0, 1]);
    assert_eq!(verdict(&graph), None);
}

#[test]
fn a_lasso_is_told_with_its_turn() {
    let graph = Graph::waiting(&[&[(FREE, 1)], &[(A, 2)], &[(B, 1)]], &[1, 2]);
    let report = run(&graph);
    assert_eq!(
        Story::new(&graph, &report.found[0]).to_string(),
        "waits for ever: what it says\n   \
            0. at first | node 0\n   \
            1. it happens | node 1\n\
            and from here round and round:\n   \
            2. actor 0 moves | node 2\n   \
            3. actor 31 moves | node 1\n"
    );
}

#[test]
fn a_way_of_thousands_of_moves_is_found_and_nothing_recurses() {
    let length = 20_000;
    let mut edges: Vec<_> = (0..length).map(|node| vec![(A, node + 1)]).collect();
    edges.push(vec![(A, 0)]);
    let edges: Vec<_> = edges.iter().map(Vec::as_slice).collect();
    let mut graph = Graph::waiting(&edges, &(0..=length).collect::<Vec<_>>());
    graph.findings = vec![finding("the end", true)];
    graph.broken[usize::from(length)] = 1;
    let report = run(&graph);
    assert_eq!((report.states, report.depth), (u64::from(length) + 1, u32::from(length)));
    assert_eq!(report.found[0].moves(), usize::from(length));
    assert_real(&graph, &report.found[0]);
    assert_eq!(report.found[1].moves(), 1 + usize::from(length), "a turn through all nodes");
    assert_real(&graph, &report.found[1]);
}
