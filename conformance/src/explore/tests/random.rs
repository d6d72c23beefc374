//! Random small graphs, engine against brute force.

use proptest::prelude::*;

use super::graph::Graph;
use super::*;

const NODES: u16 = 9;

fn graphs() -> impl Strategy<Value = Graph> {
    let actor = prop_oneof![Just(None), Just(Some(0)), Just(Some(1)), Just(Some(31))];
    let edges = prop::collection::vec((actor, 0..NODES), 0..4);
    let nodes = usize::from(NODES);
    (
        prop::collection::vec(0..NODES, 1..3),
        prop::collection::vec(edges, nodes),
        prop::collection::vec(prop_oneof![4 => Just(0), 1 => 1..4u32], nodes),
        prop::collection::vec(prop::bool::weighted(0.7), nodes),
    )
        .prop_map(|(initial, edges, broken, waits)| Graph {
            initial,
            edges,
            broken,
            waits,
            findings: vec![finding("one", true), finding("two", true)],
            promises: vec![Promise { finding: finding("waits for ever", true), region: 0 }],
        })
}

/// The distance of each node from the initial ones, by relaxing every edge as often as there are nodes.
fn distances(graph: &Graph) -> Vec<Option<usize>> {
    let mut distance = vec![None; graph.edges.len()];
    graph.initial.iter().for_each(|&node| distance[usize::from(node)] = Some(0));
    for _ in &graph.edges {
        for (node, edges) in graph.edges.iter().enumerate() {
            let Some(d) = distance[node] else { continue };
            for &(_, to) in edges {
                let to = &mut distance[usize::from(to)];
                *to = Some(to.map_or(d + 1, |old: usize| old.min(d + 1)));
            }
        }
    }
    distance
}

/// Whether a run can visit exactly the nodes of the set for ever, fairly and without a free choice.
fn can_stay(graph: &Graph, set: u32) -> bool {
    let inside = |node: usize| set >> node & 1 != 0;
    let members = || (0..graph.edges.len()).filter(|&node| inside(node));
    let edges = |node: usize| graph.edges[node].iter().map(|&(actor, to)| (actor, usize::from(to)));
    let enabled = |node, actor| edges(node).any(|(a, _)| a == Some(actor));
    let actors = [0, 1, 31];
    if set.count_ones() == 1 && members().all(|node| actors.iter().all(|&actor| !enabled(node, actor))) {
        return true;
    }
    // From each member every member, itself included, can be reached by at least one edge.
    let connected = members().all(|from| {
        let mut reached = 0u32;
        for _ in 0..=set.count_ones() {
            let known = reached | 1 << from;
            for node in members().filter(|&node| known >> node & 1 != 0) {
                for (_, to) in edges(node).filter(|&(actor, to)| actor.is_some() && inside(to)) {
                    reached |= 1 << to;
                }
            }
        }
        reached == set
    });
    connected
        && actors.iter().all(|&actor| {
            members().any(|node| {
                !enabled(node, actor) || edges(node).any(|(a, to)| a == Some(actor) && inside(to))
            })
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn the_engine_agrees_with_brute_force(graph in graphs()) {
        let report = search(&graph, &limits(1), &Quiet);
        report.found.iter().for_each(|found| assert_real(&graph, found));
        let distance = distances(&graph);
        let reached: Vec<_> = (0..graph.edges.len()).filter(|&node| distance[node].is_some()).collect();

        prop_assert!(report.complete);
        prop_assert_eq!(report.states as usize, reached.len());
        prop_assert_eq!(report.transitions as usize, reached.iter().map(|&n| graph.edges[n].len()).sum::<usize>());
        prop_assert_eq!(report.depth as usize, reached.iter().filter_map(|&n| distance[n]).max().unwrap());

        let nearest = |nodes: &mut dyn Iterator<Item = usize>| nodes.map(|n| (distance[n].unwrap(), n)).min();
        let mut expected = Vec::new();
        for bit in 0..2 {
            expected.extend(nearest(&mut reached.iter().copied().filter(|&n| graph.broken[n] >> bit & 1 != 0)));
        }
        let region = reached.iter().filter(|&&n| graph.waits[n]).fold(0u32, |set, &n| set | 1 << n);
        let sets = (1..1 << NODES).filter(|set| set & !region == 0 && can_stay(&graph, *set));
        let stuck = sets.fold(0, |all, set| all | set);
        expected.extend(nearest(&mut (0..graph.edges.len()).filter(|&n| stuck >> n & 1 != 0)));

        let found: Vec<_> = (report.found.iter())
            .map(|found| (found.stem.len() - 1, Graph::node(found.stem.last().unwrap().state)))
            .collect();
        prop_assert_eq!(found, expected);
    }
}
