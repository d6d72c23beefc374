//! Counters that each go up to a limit: every figure is a formula.

use super::*;
use crate::explore::story::Story;

/// `counters` counters, each from 0 to `top`, counted up one at a time; shows its findings where their sum
/// is that of the entry in `sums`.
pub(super) struct Counters {
    pub(super) counters: u32,
    pub(super) top: u32,
    pub(super) folded: bool,
    pub(super) findings: Vec<Finding>,
    pub(super) sums: Vec<u32>,
}

impl Counters {
    pub(super) fn plain(counters: u32, top: u32) -> Self {
        Self { counters, top, folded: false, findings: Vec::new(), sums: Vec::new() }
    }

    fn values(&self, state: Packed) -> impl Iterator<Item = u32> {
        (0..self.counters).map(move |i| (state.0 >> (6 * i) & 0x3f) as u32)
    }

    fn sum(&self, state: Packed) -> u32 {
        self.values(state).sum()
    }
}

impl Space for Counters {
    type Move = u32;

    fn initial(&self) -> Vec<Packed> {
        vec![Packed(0)]
    }

    fn successors(&self, state: Packed, visit: &mut impl FnMut(u32, Packed)) {
        for (i, value) in (0..).zip(self.values(state)) {
            if value < self.top {
                visit(i, Packed(state.0 + (1 << (6 * i))));
            }
        }
    }

    fn canonical(&self, state: Packed) -> Packed {
        if !self.folded {
            return state;
        }
        let mut values: Vec<_> = self.values(state).collect();
        values.sort_unstable_by(|a, b| b.cmp(a));
        Packed(values.into_iter().rev().fold(0, |sum, value| sum << 6 | u128::from(value)))
    }

    fn findings(&self) -> &[Finding] {
        &self.findings
    }

    fn broken(&self, state: Packed) -> u32 {
        let sum = self.sum(state);
        (0..).zip(&self.sums).filter(|(_, s)| **s == sum).fold(0, |bits, (i, _)| bits | 1 << i)
    }

    fn promises(&self) -> &[Promise] {
        &[]
    }

    fn waits(&self, _: Packed, _: u8) -> bool {
        false
    }

    fn actor(&self, _: Packed, _: u32) -> Option<u8> {
        None
    }

    fn narrate(&self, _: Packed, step: u32) -> String {
        format!("counter {step} goes up")
    }

    fn describe(&self, state: Packed) -> String {
        format!("{:?}", self.values(state).collect::<Vec<_>>())
    }
}

#[test]
fn states_transitions_and_depth_are_the_known_ones() {
    for (counters, top) in [(1, 50), (3, 9), (5, 6), (6, 7)] {
        let report = run(&Counters::plain(counters, top));
        let (n, k) = (u64::from(counters), u64::from(top));
        assert_eq!(report.states, (k + 1).pow(counters), "{counters} up to {top}");
        // Each counter can go up in all states but those where it is at its top.
        assert_eq!(report.transitions, n * k * (k + 1).pow(counters - 1), "{counters} up to {top}");
        assert_eq!(u64::from(report.depth), n * k, "{counters} up to {top}");
        assert!(report.complete && report.found.is_empty(), "{report:?}");
    }
}

#[test]
fn symmetry_folds_to_the_number_of_multisets_and_keeps_the_findings() {
    let space = |folded| Counters {
        findings: vec![finding("seventeen", true), finding("never", true), finding("thirty", true)],
        sums: vec![17, 99, 30],
        folded,
        ..Counters::plain(5, 6)
    };
    let (plain, folded) = (run(&space(false)), run(&space(true)));
    assert_eq!(plain.states, 7u64.pow(5));
    assert_eq!(folded.states, 11 * 10 * 9 * 8 * 7 / 120, "5 of 7 values, repetition allowed");
    assert_eq!(plain.depth, folded.depth);
    for report in [&plain, &folded] {
        let found: Vec<_> = report.found.iter().map(|f| (f.finding.id, f.moves())).collect();
        assert_eq!(found, [("seventeen", 17), ("thirty", 30)]);
        report.found.iter().for_each(|found| assert_real(&space(false), found));
    }
}

#[test]
fn an_unexpected_finding_ends_the_search_after_its_level() {
    let space = Counters {
        findings: vec![finding("expected", true), finding("broken rule", false)],
        sums: vec![2, 4],
        ..Counters::plain(3, 9)
    };
    let report = run(&space);
    assert_eq!((report.depth, report.complete), (4, false));
    assert_eq!(report.stopped, Some(crate::explore::Stop::Broken));
    // All multisets of up to four increments of three counters.
    assert_eq!(report.states, 1 + 3 + 6 + 10 + 15);
    let found: Vec<_> = report.found.iter().map(|f| (f.finding.id, f.moves())).collect();
    assert_eq!(found, [("expected", 2), ("broken rule", 4)]);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    for folded in [false, true] {
        let space = Counters {
            findings: vec![finding("a", true), finding("b", true)],
            sums: vec![20, 40],
            folded,
            ..Counters::plain(6, 8)
        };
        let reports: Vec<_> = [1, 2, 3, 8].map(|n| search(&space, &limits(n), &Quiet)).into();
        assert_eq!(reports[0].found.len(), 2);
        for report in &reports[1..] {
            assert_eq!(essence(report), essence(&reports[0]));
        }
    }
}

#[test]
fn a_story_numbers_its_moves() {
    let space = Counters { findings: vec![finding("two", true)], sums: vec![2], ..Counters::plain(2, 3) };
    let report = run(&space);
    assert_eq!(
        Story::new(&space, &report.found[0]).to_string(),
        "two: what it says\n   \
            0. at first | [0, 0]\n   \
            1. counter 0 goes up | [1, 0]\n   \
            2. counter 0 goes up | [2, 0]\n"
    );
}
