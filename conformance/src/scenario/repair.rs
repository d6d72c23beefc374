//! Makes a good scenario out of any, by leaving out what the rules of [`check`](super::check) refuse.
//!
//! 1. Nothing is added but names, and room in a channel; at most a number is changed. So what was good stays as it was, and repairing something smaller gives
//!    something smaller: generators draw what they like, and the shrinker cuts where it likes.
//! 2. It always ends: each round takes at least one step away.

use std::collections::{BTreeMap, BTreeSet};

use super::check::{
    MOST_BURST, MOST_CAPACITY, MOST_DEPTH, MOST_OBJECTS, MOST_PROCS, MOST_SIGNALS, MOST_STACK, MOST_TIMES,
    MOST_US, Place, check, is_word, may_hold,
};
use super::walk::{Around, remove, retain, steps};
use super::{Chan, Go, Op, Scenario};

/// A good scenario out of `scenario`.
#[must_use]
pub fn repair(mut scenario: Scenario) -> Scenario {
    declare(&mut scenario);
    clamp(&mut scenario);
    births(&mut scenario);
    channels(&mut scenario);
    loop {
        match check(&scenario) {
            Ok(_) => return scenario,
            Err(fault) => without(&mut scenario, &fault.place),
        }
    }
}

/// Takes away what is at fault.
fn without(s: &mut Scenario, place: &Place) {
    match place {
        Place::Step(go, path) => {
            let removed = remove(&mut s.goroutines[usize::from(*go)].body, path);
            assert!(removed, "a fault names a step that is there");
        }
        Place::Goroutine(go) => {
            let body = &mut s.goroutines[usize::from(*go)].body;
            retain(body, Around::default(), &mut |op, _| !matches!(op, Op::Spawn(_)));
            // It may be the one who is spawned by nobody that ever runs.
            let all = s.goroutines.iter_mut();
            all.for_each(|g| retain(&mut g.body, Around::default(), &mut |op, _| !about(op, *go)));
        }
        Place::Channel(chan) => {
            for goroutine in &mut s.goroutines {
                let uses = |op: &Op| matches!(op, Op::Send(c) | Op::Recv(c) if c == chan);
                retain(&mut goroutine.body, Around::default(), &mut |op, _| !uses(op));
            }
        }
        Place::Whole => {
            // Too long: half of the longest.
            let longest = s.goroutines.iter_mut().max_by_key(|g| weight(&g.body)).expect("there is one");
            retain(&mut longest.body, Around::default(), &mut |op, _| {
                halve(op);
                true
            });
            if weight(&longest.body) <= 1 {
                longest.body.clear();
            }
        }
    }
}

fn about(op: &Op, go: Go) -> bool {
    matches!(op, Op::Spawn(other) | Op::Join(other) if *other == go)
}

/// How long it is, roughly.
fn weight(body: &[Op]) -> u64 {
    let of = |op: &Op| match op {
        Op::Repeat(times, body) => u64::from(*times).saturating_mul(1 + weight(body)),
        Op::Lock(_, body) => 1 + weight(body),
        Op::Compute(us)
        | Op::Alloc(us)
        | Op::PreemptOff(us)
        | Op::Sleep(us)
        | Op::Syscall(us)
        | Op::Foreign(us) => 1 + u64::from(*us),
        Op::Forever(_) => 0,
        _ => 1,
    };
    body.iter().map(of).fold(0, u64::saturating_add)
}

/// Half as often, half as long.
pub(crate) fn halve(op: &mut Op) {
    match op {
        Op::Repeat(n, _)
        | Op::Call(n)
        | Op::Compute(n)
        | Op::Alloc(n)
        | Op::PreemptOff(n)
        | Op::Sleep(n)
        | Op::Syscall(n)
        | Op::Foreign(n) => *n /= 2,
        _ => {}
    }
}

/// W1, what is declared: at least one goroutine, not too much of anything, and names.
fn declare(s: &mut Scenario) {
    s.procs = s.procs.clamp(1, MOST_PROCS);
    if s.goroutines.is_empty() {
        s.goroutines.push(super::Goroutine { name: String::new(), daemon: false, body: Vec::new() });
    }
    s.goroutines.truncate(MOST_OBJECTS);
    s.channels.truncate(MOST_OBJECTS);
    s.mutexes.truncate(MOST_OBJECTS);
    s.flags.truncate(MOST_OBJECTS);
    if let Some(storm) = &mut s.storm {
        storm.every_us = storm.every_us.clamp(1, MOST_US);
        storm.signals = storm.signals.clamp(1, MOST_SIGNALS);
    }
    if !is_word(&s.name) {
        s.name = "scenario".into();
    }
    s.about.retain(|line| !line.contains('\n'));
    let mut taken = BTreeSet::new();
    let mut name = |name: &mut String, letter: char, index: usize| {
        if !is_word(name) || !taken.insert(name.clone()) {
            let free = (index..).map(|i| format!("{letter}{i}")).find(|name| !taken.contains(name));
            *name = free.expect("numbers do not end");
            taken.insert(name.clone());
        }
    };
    for (i, goroutine) in s.goroutines.iter_mut().enumerate() {
        name(&mut goroutine.name, 'g', i);
    }
    for (i, channel) in s.channels.iter_mut().enumerate() {
        channel.capacity = channel.capacity.min(MOST_CAPACITY);
        name(&mut channel.name, 'c', i);
    }
    s.mutexes.iter_mut().enumerate().for_each(|(i, mutex)| name(mutex, 'm', i));
    s.flags.iter_mut().enumerate().for_each(|(i, flag)| name(flag, 'f', i));
}

/// W1, W5 and W6, for the steps.
fn clamp(s: &mut Scenario) {
    let counts = [s.channels.len(), s.mutexes.len(), s.flags.len(), s.goroutines.len()];
    let fits = |index: &mut u8, kind: usize| {
        let count = counts[kind];
        if count > 0 {
            *index = (usize::from(*index) % count) as u8;
        }
        count > 0
    };
    for goroutine in &mut s.goroutines {
        let daemon = goroutine.daemon;
        retain(&mut goroutine.body, Around::default(), &mut |op, around| {
            let there = match op {
                Op::Compute(us)
                | Op::Alloc(us)
                | Op::PreemptOff(us)
                | Op::Sleep(us)
                | Op::Syscall(us)
                | Op::Foreign(us) => {
                    *us = (*us).min(MOST_US);
                    true
                }
                Op::Call(times) | Op::Repeat(times, _) => {
                    *times = (*times).min(MOST_TIMES);
                    true
                }
                Op::Grow(kib) => {
                    *kib = (*kib).min(MOST_STACK);
                    true
                }
                Op::Burst(count) => {
                    *count = (*count).min(MOST_BURST);
                    true
                }
                Op::Procs(procs) => {
                    *procs = (*procs).clamp(1, MOST_PROCS);
                    true
                }
                Op::Send(chan) | Op::Recv(chan) => fits(chan, 0),
                Op::Lock(mutex, _) => fits(mutex, 1) && around.holds.is_none_or(|held| *mutex > held),
                Op::Set(flag) | Op::Await(flag) => fits(flag, 2),
                Op::Ready(go) | Op::Spawn(go) | Op::Join(go) => fits(go, 3),
                _ => true,
            };
            there
                && around.depth <= MOST_DEPTH
                && (around.holds.is_none() || may_hold(op))
                && !(daemon && (op.gives() || op.takes() || *op == Op::Panic))
        });
        let last = goroutine.body.len().saturating_sub(1);
        let mut at = 0;
        retain(&mut goroutine.body, Around::default(), &mut |op, around| {
            let index = at;
            at += usize::from(around.depth == 0);
            let forever = matches!(op, Op::Forever(_));
            !forever
                || (daemon && around.depth == 0 && index == last && op.body().is_some_and(|b| !b.is_empty()))
        });
    }
}

/// W2 and W3: the first place that spawns a later goroutine is the one; who joins somebody else joins its own eldest.
fn births(s: &mut Scenario) {
    let mut parents: BTreeMap<Go, Go> = BTreeMap::new();
    let mut joined = BTreeSet::new();
    let daemons: Vec<_> = s.goroutines.iter().map(|goroutine| goroutine.daemon).collect();
    for (goroutine, go) in s.goroutines.iter_mut().zip(0..) {
        retain(&mut goroutine.body, Around { times: 1, ..Around::default() }, &mut |op, around| {
            let once = around.times == 1 && !around.forever;
            match op {
                Op::Spawn(child) => {
                    let first = once && *child > go && !parents.contains_key(child);
                    if first {
                        parents.insert(*child, go);
                    }
                    first
                }
                Op::Join(child) => {
                    let is_own = |child: &Go| {
                        parents.get(child) == Some(&go)
                            && !daemons[usize::from(*child)]
                            && !joined.contains(child)
                    };
                    if once && !is_own(child) {
                        *child = parents.keys().copied().find(is_own).unwrap_or(*child);
                    }
                    once && is_own(child) && joined.insert(*child)
                }
                _ => true,
            }
        });
    }
}

/// W4, where more room is enough.
fn channels(s: &mut Scenario) {
    let mut sent = vec![(BTreeSet::new(), 0u64); s.channels.len()];
    for (goroutine, go) in s.goroutines.iter().zip(0..) {
        let go: Go = go;
        steps(goroutine, |op, _, around| {
            if let Op::Send(chan) = op {
                let (senders, values) = &mut sent[usize::from(*chan)];
                senders.insert(go);
                *values = values.saturating_add(around.times);
            }
        });
    }
    for (chan, (senders, values)) in sent.iter().enumerate() {
        let channel = &mut s.channels[chan];
        if senders.len() > 1 && *values > channel.capacity.into() {
            match u16::try_from(*values) {
                Ok(values) if values <= MOST_CAPACITY => channel.capacity = values,
                _ => without(s, &Place::Channel(chan as Chan)),
            }
        }
    }
}
