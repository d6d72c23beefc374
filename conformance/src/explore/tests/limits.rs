//! Growth, and what happens where it ends.

use std::collections::HashSet;

use super::counters::Counters;
use super::*;
use crate::explore::{Progress, Stop};

/// A space without structure: each state leads to three that look random.
struct Scattered {
    bits: u32,
}

fn scatter(seed: u64) -> u64 {
    let mixed = (seed ^ seed >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb) >> 20
}

impl Space for Scattered {
    type Move = u8;

    fn initial(&self) -> Vec<Packed> {
        vec![Packed(1), Packed(2), Packed(1)]
    }

    fn successors(&self, state: Packed, visit: &mut impl FnMut(u8, Packed)) {
        let number = (state.0 >> 60) as u64 | state.0 as u64;
        for step in 0..3 {
            let number = scatter(number << 2 | step) & ((1 << self.bits) - 1);
            // Only 16 low halves, so that neighbours in the table often differ in the high half alone.
            visit(step as u8, Packed(u128::from(number >> 4) << 64 | u128::from(number & 15)));
        }
    }

    fn findings(&self) -> &[Finding] {
        &[]
    }

    fn broken(&self, _: Packed) -> u32 {
        0
    }

    fn promises(&self) -> &[Promise] {
        &[]
    }

    fn waits(&self, _: Packed, _: u8) -> bool {
        false
    }

    fn actor(&self, _: Packed, _: u8) -> Option<u8> {
        None
    }

    fn narrate(&self, _: Packed, _: u8) -> String {
        String::new()
    }

    fn describe(&self, _: Packed) -> String {
        String::new()
    }
}

/// States of each level, by a search with the standard library's set.
fn naive_levels<S: Space>(space: &S) -> Vec<usize> {
    let mut known: HashSet<_> = space.initial().into_iter().collect();
    let mut level: Vec<_> = known.iter().copied().collect();
    let mut sizes = Vec::new();
    while !level.is_empty() {
        sizes.push(level.len());
        let mut next = Vec::new();
        for state in level {
            space.successors(state, &mut |_, to| {
                if known.insert(to) {
                    next.push(to);
                }
            });
        }
        level = next;
    }
    sizes
}

#[derive(Default)]
struct Levels(std::sync::Mutex<Vec<usize>>);

impl Progress for Levels {
    fn level(&self, depth: u32, _: u64, frontier: u64, _: u64) {
        let mut levels = self.0.lock().expect("nobody panicked");
        assert_eq!(levels.len(), depth as usize);
        levels.push(frontier as usize);
    }
}

#[test]
fn every_level_is_the_naive_one_while_the_table_grows() {
    // From the first slots to a hundred times as many.
    for (bits, threads) in [(4, 2), (14, 1), (20, 1), (20, 2), (20, 5)] {
        let space = Scattered { bits };
        let levels = Levels::default();
        let report = search(&space, &limits(threads), &levels);
        let naive = naive_levels(&space);
        assert_eq!(levels.0.into_inner().expect("nobody panicked"), naive, "{bits} bits");
        assert_eq!(report.states as usize, naive.iter().sum::<usize>());
        assert_eq!(report.transitions, 3 * report.states);
        assert_eq!(report.depth as usize, naive.len() - 1);
    }
}

#[test]
fn the_memory_limit_ends_a_search_with_a_reason() {
    let space = Counters { findings: vec![finding("early", true)], sums: vec![3], ..Counters::plain(6, 9) };
    let mut last = 0;
    for megabytes in [0, 1, 3, 8, 14] {
        let limits = Limits { memory_bytes: megabytes << 20, ..limits(2) };
        let report = search(&space, &limits, &Quiet);
        assert_eq!((report.complete, report.stopped), (false, Some(Stop::Memory)), "{megabytes} MiB");
        assert!(report.states < 1_000_000 && report.states >= last, "{megabytes} MiB: {report:?}");
        assert!(report.states as f64 * report.bytes_per_state <= limits.memory_bytes as f64);
        // A limit is to be used, too: a third of it and more for states, the rest being slots and frontiers.
        assert!(report.states * 16 >= limits.memory_bytes / 3, "{megabytes} MiB: {} states", report.states);
        report.found.iter().for_each(|found| assert_real(&space, found));
        assert_eq!(report.found.len(), usize::from(megabytes > 0));
        last = report.states;
    }
    let enough = Limits { memory_bytes: 40 << 20, ..limits(2) };
    assert!(search(&space, &enough, &Quiet).complete);
}

#[test]
fn the_liveness_search_keeps_to_the_memory_limit() {
    let ring: Vec<_> = (0..30_000u16).map(|node| vec![(Some(0), (node + 1) % 30_000)]).collect();
    let ring: Vec<_> = ring.iter().map(Vec::as_slice).collect();
    let graph = graph::Graph::waiting(&ring, &(0..30_000).collect::<Vec<_>>());
    let table_only = search(&graph, &Limits { promises: false, ..limits(1) }, &Quiet);
    assert!(table_only.complete && table_only.found.is_empty());
    let table_bytes = (table_only.states as f64 * table_only.bytes_per_state) as u64;
    for (extra, stopped) in [(1 << 10, Some(Stop::Memory)), (300 << 10, Some(Stop::Memory)), (2 << 20, None)]
    {
        let limits = Limits { memory_bytes: table_bytes + extra, ..limits(1) };
        let report = search(&graph, &limits, &Quiet);
        assert_eq!(report.states, table_only.states);
        assert_eq!(
            (report.stopped, report.found.len()),
            (stopped, usize::from(stopped.is_none())),
            "{extra}"
        );
    }
}

#[test]
fn the_depth_limit_ends_a_search_with_a_reason() {
    let space = Counters::plain(3, 9);
    let report = search(&space, &Limits { max_depth: Some(4), ..limits(2) }, &Quiet);
    assert_eq!((report.depth, report.stopped), (4, Some(Stop::Depth)));
    assert_eq!(report.states, 1 + 3 + 6 + 10 + 15);
    let report = search(&space, &Limits { max_depth: Some(28), ..limits(2) }, &Quiet);
    assert_eq!((report.states, report.complete), (1000, true));
}

#[test]
fn promises_are_refused_where_states_are_folded() {
    /// Folded counters that promise something.
    struct Promising(Counters, [Promise; 1]);
    impl Space for Promising {
        type Move = u32;
        fn initial(&self) -> Vec<Packed> {
            self.0.initial()
        }
        fn successors(&self, state: Packed, visit: &mut impl FnMut(u32, Packed)) {
            self.0.successors(state, visit);
        }
        fn canonical(&self, state: Packed) -> Packed {
            self.0.canonical(state)
        }
        fn findings(&self) -> &[Finding] {
            &[]
        }
        fn broken(&self, _: Packed) -> u32 {
            0
        }
        fn promises(&self) -> &[Promise] {
            &self.1
        }
        fn waits(&self, _: Packed, _: u8) -> bool {
            true
        }
        fn actor(&self, _: Packed, _: u32) -> Option<u8> {
            Some(0)
        }
        fn narrate(&self, _: Packed, _: u32) -> String {
            String::new()
        }
        fn describe(&self, _: Packed) -> String {
            String::new()
        }
    }
    let promise = [Promise { finding: finding("counts", true), region: 0 }];
    let report = run(&Promising(Counters { folded: true, ..Counters::plain(2, 3) }, promise));
    assert_eq!((report.states, report.stopped), (10, Some(Stop::Symmetry)));
    let report = run(&Promising(Counters::plain(2, 3), promise));
    assert_eq!((report.states, report.complete, report.found.len()), (16, true, 1));
    assert_eq!(report.found[0].ending, Ending::Stuck, "at the top nobody counts");
    assert_eq!(report.found[0].moves(), 6);
}
