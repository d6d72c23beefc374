//! How much of what can be wrong with one event does the checker see?

#[path = "check/corpus.rs"]
mod corpus;
#[path = "check/damage.rs"]
mod damage;
#[path = "check/random.rs"]
mod random;

use std::collections::BTreeMap;

use damage::{Damage, damaged};
use random::Random;
use sigurg_model::check::{Checker, Failure};
use sigurg_traces::Event;

/// Events after the damage in which it has to show.
const WINDOW: usize = 6000;
/// Events between two states of the checker that are kept.
const STRIDE: usize = 500;

/// How often a class of damage was tried, and seen.
#[derive(Clone, Copy, Default)]
struct Rate {
    tried: u32,
    seen: u32,
}

/// The checker's states along a recording, so that a damage is judged from near its place.
fn states(recording: &corpus::Recording) -> Vec<Checker> {
    let mut checker = Checker::new(recording.profile(), &recording.options());
    let mut states = Vec::new();
    for (index, event) in recording.events.iter().enumerate() {
        if index % STRIDE == 0 {
            states.push(checker.clone());
        }
        checker.event(event, &recording.symbols).unwrap_or_else(|e| panic!("{}: {e}", recording.name));
    }
    states
}

fn judge(recording: &corpus::Recording, states: &[Checker], at: usize, tail: &[Event]) -> Option<Failure> {
    let mut checker = states[at / STRIDE].clone();
    let lead = &recording.events[at / STRIDE * STRIDE..at];
    for event in lead.iter().chain(tail) {
        if let Err(failure) = checker.event(event, &recording.symbols) {
            return Some(failure);
        }
    }
    checker.finish().err()
}

/// Classes of damage that the checker sees seldom, the least part of them that it must see, and why not all.
///
/// What is listed here either leaves a trace that could have been recorded, or needs knowledge that no event gives.
const LOOSE: &[(&str, f64, &str)] = &[
    ("g_status_fail Dropped", 0.0, "an attempt that failed leaves no other mark"),
    ("g_status_fail Twice", 0.6, "setBlockOnExitSyscall may fail as often as it likes"),
    ("g_status_fail OtherG", 0.6, "the monitor looks at any G"),
    ("g_status_fail Later", 0.7, "as above"),
    ("g_status_fail Field.want_to", 0.8, "the first attempt of a fast path may want what the second does"),
    ("g_status_fail OtherP", 0.75, "inside a system call the P of an event may be stale"),
    (
        "newstack Field.can_preempt",
        0.35,
        "m.locks is in no event; without a poisoned guard nothing follows from it",
    ),
    ("newstack Dropped", 0.8, "a preemption by prologue minus its trap is one by nobody's order"),
    ("stw_started Later", 0.4, "what follows on the scheduler stack may as well be part of the start"),
    ("stw_stopped Later", 0.8, "until 1.23 nothing is promised after it"),
    ("stopm Dropped", 0.5, "an M may also take an idle P again without stopping"),
    ("startm Dropped", 0.55, "the start of the world hands out Ps without startm"),
    ("startm Later", 0.75, "wakep may come before or after what made work"),
    ("startm OtherM", 0.75, "any M in the scheduler may start another"),
    ("gc_phase Later", 0.55, "the place of the switch inside the stop is free"),
    (
        "m_start Dropped",
        0.7,
        "the first M may end before it schedules; an M started for nothing does nothing",
    ),
    ("m_start Later", 0.8, "the first M boots before it starts"),
    ("sig_preempt OtherP", 0.55, "in the scheduler the P changes between two events"),
    ("sig_preempt OtherG", 0.65, "as above, for the G"),
    ("sig_preempt OtherBy", 0.75, "as above, for the attached G"),
    ("sig_ack OtherP", 0.55, "as sig_preempt"),
    ("sig_ack OtherG", 0.65, "as sig_preempt"),
    ("sig_ack OtherBy", 0.75, "as sig_preempt"),
    ("runq_steal Later", 0.65, "thieves of different Ps race; wakep may come before"),
    ("p_status Later", 0.8, "idle Ps are given up in any order"),
];

/// What every other class must reach.
const TIGHT: f64 = 0.9;

/// Which damages are seen; `DAMAGE_SHOW=1` prints every class that is not seen whole.
#[test]
fn damage_to_one_event_is_seen() {
    let show = std::env::var_os("DAMAGE_SHOW").is_some();
    let mut rates: BTreeMap<String, Rate> = BTreeMap::new();
    let mut missed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (number, recording) in corpus::recordings().iter().enumerate() {
        let states = states(recording);
        let mut random = Random::new(number as u64 + 1);
        let mut by_kind: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, event) in recording.events.iter().enumerate() {
            by_kind.entry(event.kind.tag().to_string()).or_default().push(index);
        }
        for (kind, places) in &by_kind {
            for &damage in Damage::ALL {
                let tries = if damage == Damage::Field { 12 } else { 3 };
                for _ in 0..tries {
                    let at = places[random.below(places.len())];
                    // Too near the end of a trace nothing need show any more.
                    if at + WINDOW / 10 > recording.events.len() {
                        continue;
                    }
                    let Some((field, tail)) = damaged(&recording.events, at, WINDOW, damage, &mut random)
                    else {
                        continue;
                    };
                    let class = format!("{kind} {damage:?}{field}");
                    let rate = rates.entry(class.clone()).or_default();
                    rate.tried += 1;
                    match judge(recording, &states, at, &tail) {
                        Some(_) => rate.seen += 1,
                        None => missed.entry(class).or_default().push(format!("{}:{at}", recording.name)),
                    }
                }
            }
        }
    }
    let (mut tried, mut seen, mut wrong) = (0, 0, Vec::new());
    for (class, rate) in &rates {
        tried += rate.tried;
        seen += rate.seen;
        let part = f64::from(rate.seen) / f64::from(rate.tried);
        let example = missed.get(class).and_then(|places| places.first());
        if show && rate.seen < rate.tried {
            println!("{class}: {} of {}, missed at {example:?}", rate.seen, rate.tried);
        }
        let floor = LOOSE.iter().find(|(loose, ..)| loose == class).map_or(TIGHT, |(_, floor, _)| *floor);
        if rate.tried >= 20 && part < floor {
            wrong.push(format!("{class}: {} of {}, missed at {example:?}", rate.seen, rate.tried));
        }
    }
    println!("{seen} of {tried} damages seen, {} classes", rates.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(tried > 30_000 && f64::from(seen) >= 0.975 * f64::from(tried), "{seen} of {tried}");
    for (loose, ..) in LOOSE {
        assert!(rates.contains_key(*loose), "{loose} is no class of damage");
    }
}
