//! How much of what can be wrong with one event does the checker see?

#[path = "check/corpus.rs"]
mod corpus;
#[path = "check/damage.rs"]
mod damage;

use std::collections::BTreeMap;

use damage::{Damage, Random, damaged};
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

#[test]
fn damage_to_one_event_is_seen() {
    let only: Option<String> = std::env::var("DAMAGE").ok();
    let per_class: usize = std::env::var("DAMAGE_TRIES").ok().and_then(|n| n.parse().ok()).unwrap_or(3);
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
                let tries = if damage == Damage::Field { 4 * per_class } else { per_class };
                for _ in 0..tries {
                    let at = places[random.below(places.len())];
                    if at + WINDOW / 10 > recording.events.len() {
                        continue;
                    }
                    let Some((field, tail)) = damaged(&recording.events, at, WINDOW, damage, &mut random) else {
                        continue;
                    };
                    let class = format!("{kind} {damage:?}{field}");
                    let rate = rates.entry(class.clone()).or_default();
                    rate.tried += 1;
                    match judge(recording, &states, at, &tail) {
                        Some(failure) => {
                            rate.seen += 1;
                            if only.as_deref() == Some("malformed") && failure.rule().is_none() {
                                println!("{class}: {failure}");
                            }
                        }
                        None => missed.entry(class).or_default().push(format!("{}:{at}", recording.name)),
                    }
                }
            }
        }
    }
    let (mut tried, mut seen) = (0, 0);
    for (class, rate) in &rates {
        tried += rate.tried;
        seen += rate.seen;
        if rate.seen < rate.tried && only.is_some() {
            println!("{class}: {}/{} e.g. {:?}", rate.seen, rate.tried, &missed[class][..missed[class].len().min(3)]);
        }
    }
    println!("{seen} of {tried} seen");
}
