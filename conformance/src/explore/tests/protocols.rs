//! Textbook systems with textbook answers.

use super::*;

/// A system of a small integer state, given by plain functions.
struct Textbook {
    /// Successors: who moves, and the state after.
    moves: fn(u32) -> Vec<(Option<u8>, u32)>,
    broken: fn(u32) -> bool,
    /// One region for each promise.
    waits: fn(u32, u8) -> bool,
    findings: [Finding; 1],
    promises: Vec<Promise>,
}

impl Textbook {
    fn new(
        moves: fn(u32) -> Vec<(Option<u8>, u32)>,
        broken: fn(u32) -> bool,
        waits: fn(u32, u8) -> bool,
        promises: u8,
    ) -> Self {
        let promise =
            |region| Promise { finding: finding(["first", "second"][region as usize], true), region };
        let promises = (0..promises).map(promise).collect();
        Self { moves, broken, waits, findings: [finding("safety", true)], promises }
    }
}

impl Space for Textbook {
    type Move = u32;

    fn initial(&self) -> Vec<Packed> {
        vec![Packed(0)]
    }

    fn successors(&self, state: Packed, visit: &mut impl FnMut(u32, Packed)) {
        for (i, (_, to)) in (0..).zip((self.moves)(state.0 as u32)) {
            visit(i, Packed(to.into()));
        }
    }

    fn findings(&self) -> &[Finding] {
        &self.findings
    }

    fn broken(&self, state: Packed) -> u32 {
        (self.broken)(state.0 as u32).into()
    }

    fn promises(&self) -> &[Promise] {
        &self.promises
    }

    fn waits(&self, state: Packed, region: u8) -> bool {
        (self.waits)(state.0 as u32, region)
    }

    fn actor(&self, state: Packed, step: u32) -> Option<u8> {
        (self.moves)(state.0 as u32)[step as usize].0
    }

    fn narrate(&self, _: Packed, step: u32) -> String {
        format!("move {step}")
    }

    fn describe(&self, state: Packed) -> String {
        format!("{:#x}", state.0)
    }
}

/// The digit (base 16) at place `i`.
fn get(state: u32, i: u8) -> u32 {
    state >> (4 * i) & 0xf
}

fn set(state: u32, i: u8, value: u32) -> u32 {
    state & !(0xf << (4 * i)) | value << (4 * i)
}

/// Jugs of three and five litres: digits are their contents.
fn pour(state: u32) -> Vec<(Option<u8>, u32)> {
    let (a, b) = (get(state, 0), get(state, 1));
    let (to_b, to_a) = (a.min(5 - b), b.min(3 - a));
    let results = [(3, b), (a, 5), (0, b), (a, 0), (a - to_b, b + to_b), (a + to_a, b - to_a)];
    results.map(|(a, b)| (None, a | b << 4)).into()
}

#[test]
fn four_litres_are_measured_in_six_moves() {
    let space = Textbook::new(pour, |state| get(state, 1) == 4, |_, _| false, 0);
    let report = run(&space);
    assert_eq!(report.states, 16, "all with a jug empty or full");
    assert_eq!(report.found[0].moves(), 6);
    assert_real(&space, &report.found[0]);
}

const THINKS: u32 = 0;
const HUNGRY: u32 = 1;
const HAS_ONE: u32 = 2;
const EATS: u32 = 3;

/// Three philosophers, each taking first the left fork, then the right one; if `polite`, the last one the
/// other way round. Fork `i` lies left of philosopher `i`. Hunger comes as it likes, or, to `gluttons`, always
/// again.
fn dine(state: u32, polite: bool, gluttons: bool) -> Vec<(Option<u8>, u32)> {
    let forks = |i: u8| if polite && i == 2 { [(i + 1) % 3, i] } else { [i, (i + 1) % 3] };
    let held = |fork: u8| {
        (0..3).any(|i| match get(state, i) {
            HAS_ONE => forks(i)[0] == fork,
            EATS => forks(i).contains(&fork),
            _ => false,
        })
    };
    let mut moves = Vec::new();
    for i in 0..3 {
        let mut go = |actor, to| moves.push((actor, set(state, i, to)));
        match get(state, i) {
            THINKS => go(gluttons.then_some(i), HUNGRY),
            HUNGRY if !held(forks(i)[0]) => go(Some(i), HAS_ONE),
            HAS_ONE if !held(forks(i)[1]) => go(Some(i), EATS),
            EATS => go(Some(i), THINKS),
            _ => {}
        }
    }
    moves
}

/// Region 0: nobody eats and somebody would like to.
fn famine(state: u32, _: u8) -> bool {
    let all = [0, 1, 2].map(|i| get(state, i));
    !all.contains(&EATS) && all.iter().any(|&s| s == HUNGRY || s == HAS_ONE)
}

#[test]
fn philosophers_with_a_fork_each_are_stuck() {
    let space = Textbook::new(|s| dine(s, false, false), |_| false, famine, 1);
    let report = run(&space);
    let found = &report.found[0];
    assert_eq!((found.moves(), &found.ending), (6, &Ending::Stuck));
    assert_eq!(found.stem[6].state, Packed(0x222));
    assert_real(&space, found);
}

#[test]
fn a_polite_philosopher_ends_the_famine_but_not_the_envy() {
    let space = Textbook::new(|s| dine(s, true, false), |_| false, famine, 1);
    assert_eq!(run(&space).found, []);
    // Weak fairness does not feed a single one: the forks are free only now and then.
    let envy = |state, _| (HUNGRY..EATS).contains(&get(state, 0));
    let space = Textbook::new(|s| dine(s, true, true), |_| false, envy, 1);
    let report = run(&space);
    assert!(matches!(report.found[0].ending, Ending::Cycle(_)), "{report:?}");
    assert_real(&space, &report.found[0]);
}

/// Digits: program counters of the two, then their flags, then whose turn it is not. Counters: 0 outside,
/// 1 raises its flag, 2 lets the other go first, 3 waits, 4 inside. A waiting process spins: looking and
/// not getting in is a move.
fn peterson(state: u32, turn_counts: bool) -> Vec<(Option<u8>, u32)> {
    let mut moves = Vec::new();
    for me in 0..2u8 {
        let other = 1 - me;
        let at = |to| set(state, me, to);
        let closed = get(state, 2 + other) == 1 && (!turn_counts || get(state, 4) == u32::from(me));
        moves.push(match get(state, me) {
            0 => (None, at(1)),
            1 => (Some(me), set(at(2), 2 + me, 1)),
            2 => (Some(me), set(at(3), 4, me.into())),
            3 if closed => (Some(me), state),
            3 => (Some(me), at(4)),
            _ => (Some(me), set(at(0), 2 + me, 0)),
        });
    }
    moves
}

fn both_inside(state: u32) -> bool {
    get(state, 0) == 4 && get(state, 1) == 4
}

fn wants_in(state: u32, me: u8) -> bool {
    (1..4).contains(&get(state, me))
}

#[test]
fn peterson_lets_one_in_and_each_in_the_end() {
    let space = Textbook::new(|s| peterson(s, true), both_inside, wants_in, 2);
    let report = run(&space);
    assert!(report.complete);
    assert_eq!(report.found, []);
}

#[test]
fn without_the_turn_both_spin_for_ever() {
    let space = Textbook::new(|s| peterson(s, false), both_inside, wants_in, 2);
    let report = run(&space);
    let ids: Vec<_> = report.found.iter().map(|found| found.finding.id).collect();
    assert_eq!(ids, ["first", "second"], "still never two inside");
    for found in &report.found {
        assert!(matches!(found.ending, Ending::Cycle(_)), "{found:?}");
        assert_real(&space, found);
    }
}
