//! Both orders, on histories made at random: a legal history shuffled as far as its promises allow comes out legal
//! again, and one broken change is found and named.

use std::collections::HashMap;

use proptest::prelude::*;
use sigurg_traces::order::by_counter::{ByCounter, WINDOW};
use sigurg_traces::order::by_version::ByVersion;
use sigurg_traces::{
    Event, GStatus, Inconsistent, Kind, Object, OrderRule, PStatus, PutHow, Queue, Stack, TakeHow, Target,
    Via,
};

const MS: u64 = 5;

/// One step of a history: who does what, drawn as numbers.
fn history(longest: usize) -> impl Strategy<Value = Vec<Event>> {
    proptest::collection::vec((0..MS, 0u8..9, 0u32..3), 1..longest).prop_map(|steps| {
        let mut versions: HashMap<Object, u64> = HashMap::new();
        let mut events = Vec::new();
        for (m, what, which) in steps {
            let (p, target) = (which as i32, Some(Target { g: 1, gs: which + 1 }));
            let mut next = |object| {
                let version = versions.entry(object).or_insert(0);
                *version += 1;
                *version
            };
            let (kind, target, over) = match what {
                0 | 1 => (status(next(Object::G(which + 1))), target, 0),
                2 => {
                    let ver = versions.get(&Object::G(which + 1)).copied().unwrap_or(0);
                    (Kind::SuspendStep { sid: 1, iter: 0, saw: GStatus::Waiting, ver }, target, 0)
                }
                3 => {
                    let over = next(Object::RingTail(p));
                    (Kind::RunqPut { target_p: p, q: Queue::Local, how: PutHow::One }, target, over)
                }
                4 => {
                    // Takes only what is there.
                    let [head, tail] = [Object::RingHead(p), Object::RingTail(p)]
                        .map(|object| versions.get(&object).copied().unwrap_or(0));
                    if head == tail {
                        continue;
                    }
                    versions.insert(Object::RingHead(p), head + 1);
                    (Kind::RunqSteal { target_p: p, q: Queue::Local }, target, head + 1)
                }
                5 => {
                    let over = next(Object::Sched);
                    (Kind::RunqGet { target_p: -1, q: Queue::Global, how: TakeHow::Pop }, target, over)
                }
                6 => {
                    let over = next(Object::P(p));
                    (
                        Kind::PStatus { target_p: p, from: PStatus::Idle, to: PStatus::Running, cas: true },
                        None,
                        over,
                    )
                }
                7 => (Kind::PreemptM { target_m: p, sent: true }, None, next(Object::Signal(p))),
                _ => (Kind::Stopm, None, 0),
            };
            let seq = events.len() as u64;
            events.push(Event { m: m as i32, target, over, kind, ..Event::lost(seq) });
        }
        events
    })
}

fn status(ver: u64) -> Kind {
    let (from, to) = (GStatus::Idle, GStatus::Dead);
    Kind::GStatus { from, to, via: Via::Casgstatus, ver, reason: Default::default() }
}

/// Mixes the streams of `events` anew: at each step `choices` says which M's next event comes.
fn shuffle(events: &[Event], choices: &[u64]) -> Vec<Event> {
    let mut streams: Vec<Vec<Event>> = vec![Vec::new(); MS as usize];
    for event in events.iter().rev() {
        streams[event.m as usize].push(*event);
    }
    let mut mixed = Vec::new();
    for step in 0..events.len() {
        streams.retain(|stream| !stream.is_empty());
        let at = choices.get(step).copied().unwrap_or(0) % streams.len() as u64;
        mixed.extend(streams[at as usize].pop().map(|event| Event {
            seq: step as u64,
            lo: step as u64,
            ..event
        }));
    }
    mixed
}

fn merge(events: &[Event]) -> Result<Vec<Event>, Box<Inconsistent>> {
    let mut order = ByVersion::new();
    // Something before, which leaves nothing.
    for event in &events[events.len() / 3..] {
        let _ = order.admit(event);
        while let Ok(Some(_)) = order.pop() {}
    }
    order.clear();
    let mut out = Vec::new();
    for &event in events {
        if order.admit(&event)? {
            out.push(event);
        }
        while let Some(event) = order.pop()? {
            out.push(event);
        }
    }
    order.end(false);
    while let Some(event) = order.pop()? {
        out.push(event);
    }
    assert_eq!(order.finish(false)?, 0);
    Ok(out)
}

/// Checks that `out` is a legal order of `events`.
fn legal(events: &[Event], out: &[Event]) -> Result<(), TestCaseError> {
    prop_assert_eq!(out.len(), events.len());
    let mut last: HashMap<i32, u64> = HashMap::new();
    let mut versions: HashMap<Object, u64> = HashMap::new();
    for event in out {
        prop_assert_eq!(events[event.seq as usize], *event);
        prop_assert!(
            last.insert(event.m, event.seq).is_none_or(|before| before < event.seq),
            "order of M{}",
            event.m
        );
        if let Kind::RunqSteal { target_p, .. } = event.kind {
            let tail = versions.get(&Object::RingTail(target_p)).copied().unwrap_or(0);
            prop_assert!(
                event.over <= tail,
                "position {} of P{target_p} taken before it was put",
                event.over
            );
        }
        if let Some((object, seen)) = event.reads() {
            prop_assert!(versions.get(&object).copied().unwrap_or(0) >= seen, "{} too early", event.seq);
        }
        if let Some((object, version)) = event.changes() {
            prop_assert_eq!(versions.insert(object, version).unwrap_or(0) + 1, version, "{}", object);
        }
    }
    Ok(())
}

/// The place of one change in `events`, chosen by `choice`.
fn change(events: &[Event], choice: usize) -> Option<(usize, Object, u64)> {
    let changes: Vec<_> =
        events.iter().enumerate().filter_map(|(at, e)| e.changes().map(|(o, v)| (at, o, v))).collect();
    changes.get(choice % changes.len().max(1)).copied()
}

proptest! {
    #[test]
    fn prop_streams_merge_to_a_legal_order(
        events in history(200), choices in proptest::collection::vec(any::<u64>(), 0..200),
    ) {
        let mixed = shuffle(&events, &choices);
        let out = merge(&mixed).map_err(|e| TestCaseError::fail(e.to_string()))?;
        legal(&mixed, &out)?;
        prop_assert_eq!(merge(&mixed).unwrap(), out, "the same file, the same order");
    }

    #[test]
    fn prop_a_missing_change_is_named(
        events in history(100), choices in proptest::collection::vec(any::<u64>(), 0..100), choice in any::<usize>(),
    ) {
        let Some((at, object, version)) = change(&events, choice) else { return Ok(()) };
        let followed = events[at + 1..].iter().any(|e| {
            e.changes().is_some_and(|(o, _)| o == object) || e.reads().is_some_and(|(o, v)| o == object && v >= version)
        });
        let mut events = events;
        events.remove(at);
        match merge(&shuffle(&events, &choices)) {
            Ok(_) => prop_assert!(!followed, "version {version} of {object} is missing and nobody minds"),
            Err(error) => {
                prop_assert!(followed);
                prop_assert_eq!((error.rule, error.object, error.expected), (OrderRule::VerChain, object, version));
            }
        }
    }

    #[test]
    fn prop_a_doubled_change_is_named(
        events in history(100), choices in proptest::collection::vec(any::<u64>(), 0..100), choice in any::<usize>(),
        m in 0..MS,
    ) {
        let Some((at, object, version)) = change(&events, choice) else { return Ok(()) };
        let mut events = events;
        let double = Event { m: m as i32, ..events[at] };
        events.insert(at + 1, double);
        let error = merge(&shuffle(&events, &choices)).expect_err("a version comes twice");
        prop_assert_eq!((error.rule, error.object, error.found), (OrderRule::VerChain, object, version));
    }

    #[test]
    fn prop_changes_claimed_late_are_put_back(
        steps in proptest::collection::vec((0u32..3, 0u64..6), 1..80),
    ) {
        // The change of step i happens at time i and is claimed up to five steps later.
        let mut versions = [0u64; 3];
        let mut events: Vec<(u64, usize, Event)> = Vec::new();
        for (at, &(which, delay)) in steps.iter().enumerate() {
            versions[which as usize] += 1;
            let kind = status(versions[which as usize]);
            let target = Some(Target { g: 1, gs: which + 1 });
            events.push((at as u64 + delay, at, Event { target, kind, ..Event::lost(0) }));
        }
        events.sort_by_key(|&(claimed, at, _)| (claimed, at));
        // An event began before the claims that follow its action: `lo` counts those that came before it.
        let claims: Vec<u64> = events.iter().map(|&(claimed, ..)| claimed).collect();
        let numbered: Vec<Event> = events.iter().zip(0..).map(|(&(_, at, event), seq)| {
            let lo = claims.iter().filter(|&&claimed| claimed < at as u64).count() as u64;
            Event { seq, lo: lo.min(seq), ..event }
        }).collect();
        let mut order = ByCounter::new();
        let mut out = Vec::new();
        for &event in &numbered {
            out.extend(order.admit(&event).map_err(|e| TestCaseError::fail(e.to_string()))?.then_some(event));
            while let Some(event) = order.pop().map_err(|e| TestCaseError::fail(e.to_string()))? {
                out.push(event);
            }
        }
        prop_assert_eq!(order.finish(false), Ok(0));
        prop_assert_eq!(out.len(), numbered.len());
        let mut versions: HashMap<Object, u64> = HashMap::new();
        let mut latest = 0;
        for event in &out {
            let (object, version) = event.changes().unwrap();
            prop_assert_eq!(versions.insert(object, version).unwrap_or(0) + 1, version);
            prop_assert!(event.lo <= latest || event.seq >= latest, "seq {} passed too far", event.seq);
            latest = latest.max(event.seq);
        }
    }
}

/// A change of G `gs` to version `ver` at `seq`, begun at `lo`.
fn at(seq: u64, lo: u64, gs: u32, ver: u64) -> Event {
    Event { lo, target: Some(Target { g: 1, gs }), kind: status(ver), ..Event::lost(seq) }
}

fn count(
    events: impl IntoIterator<Item = Event>,
    prefix: bool,
) -> Result<(Vec<u64>, u64), Box<Inconsistent>> {
    let mut order = ByCounter::new();
    let mut out = Vec::new();
    for event in events {
        out.extend(order.admit(&event)?.then_some(event.seq));
        while let Some(event) = order.pop()? {
            out.push(event.seq);
        }
    }
    let cut = order.finish(prefix)?;
    Ok((out, cut))
}

#[test]
fn a_late_change_goes_in_front_of_the_one_that_waits_for_it() {
    let stop = |seq| Event { kind: Kind::Stopm, ..Event::lost(seq) };
    // 2 waits for 4, which waits for 5; 3 and 6 keep their places behind them.
    let events = [at(0, 0, 1, 1), stop(1), at(2, 2, 1, 4), stop(3), at(4, 1, 1, 3), at(5, 0, 1, 2), stop(6)];
    assert_eq!(count(events, false), Ok((vec![0, 1, 5, 4, 2, 3, 6], 0)));
}

#[test]
fn each_broken_promise_has_its_rule() {
    let ok = at(0, 0, 1, 1);
    for (events, rule, seq, expected, found) in [
        (vec![ok, at(1, 1, 1, 1)], OrderRule::VerChain, 1, 2, 1),
        (vec![at(0, 0, 1, 0)], OrderRule::VerChain, 0, 1, 0),
        (vec![ok, at(1, 1, 1, 3)], OrderRule::VerChain, 1, 2, 3),
        (vec![ok, at(1, 1, 1, 3), at(2, 2, 1, 3)], OrderRule::VerChain, 2, 4, 3),
        (vec![at(0, 1, 1, 1)], OrderRule::Interval, 0, 1, 1),
        (vec![ok, at(1, 1, 70_000, u64::MAX)], OrderRule::VerChain, 1, 1, u64::MAX),
    ] {
        let error = count(events.clone(), false).expect_err("a broken promise");
        assert_eq!(
            (error.rule, error.seq, error.expected, error.found),
            (rule, seq, expected, found),
            "{error}"
        );
    }
    // Too late by its interval: begun after the claim of the one that has to follow it.
    let dead = Kind::GStatus {
        from: GStatus::Dead,
        to: GStatus::Dead,
        via: Via::Casgstatus,
        ver: 2,
        reason: Default::default(),
    };
    let late = Event { kind: dead, ..at(2, 2, 1, 2) };
    let error = count([ok, at(1, 1, 1, 3), late], false).expect_err("a broken promise");
    assert_eq!((error.rule, error.seq, error.others), (OrderRule::Interval, 1, vec![2]));
    // The same, and the statuses do not fit either.
    let error = count([ok, at(1, 1, 1, 3), at(2, 2, 1, 2)], false).expect_err("a broken promise");
    assert_eq!((error.rule, error.seq, error.others), (OrderRule::StatusChain, 1, vec![2]));
}

#[test]
fn a_hole_is_forgiven_only_where_a_cut_explains_it() {
    // M0 makes ver 1, M1 makes ver 3; ver 2 never comes.
    let holed = [Event { m: 0, ..at(0, 0, 1, 1) }, Event { m: 1, ..at(1, 1, 1, 3) }];
    let later = |seq, m, kind| Event { m, kind, ..Event::lost(seq) };
    let with = |more: &[Event]| holed.into_iter().chain(more.to_vec());
    // M0 has been silent: its claim of ver 2 was cut off.
    assert_eq!(count(with(&[]), true), Ok((vec![0], 1)));
    assert_eq!(count(with(&[later(2, 1, Kind::Goyield)]), true), Ok((vec![0], 2)));
    assert!(count(with(&[]), false).is_err(), "nothing was cut off");
    // M0 has claimed something since: it is not in the middle of a change.
    assert!(count(with(&[later(2, 0, Kind::Goyield)]), true).is_err());
    // Its signal handler has: that tells nothing.
    let in_handler = Event { on: Stack::Gsignal, ..later(2, 0, Kind::SigAck { generation: 1 }) };
    assert_eq!(count(with(&[in_handler]), true), Ok((vec![0], 2)));
    // It sleeps, so it changes nothing.
    let asleep =
        [Event { m: 0, ..at(0, 0, 1, 1) }, later(1, 0, Kind::Stopm), Event { m: 1, ..at(2, 2, 1, 3) }];
    assert!(count(asleep, true).is_err());

    let many = (2..3 + WINDOW as u64).map(|seq| later(seq, 1, Kind::Goyield));
    let error = count(holed.into_iter().chain(many), true).expect_err("a hole that is never filled");
    assert!(error.reason.contains(&format!("{WINDOW} events later")), "{error}");
}

#[test]
fn streams_that_wait_for_each_other_are_a_cycle() {
    // M0 does A2 then B1, M1 does B2 then A1: each change comes after the one that needs it.
    let by = |seq, m, gs, ver| Event { m, ..at(seq, seq, gs, ver) };
    let error =
        merge(&[by(0, 0, 1, 2), by(1, 1, 2, 2), by(2, 0, 2, 1), by(3, 1, 1, 1)]).expect_err("a cycle");
    assert_eq!((error.rule, error.seq, &error.others), (OrderRule::Cycle, 0, &vec![1]));
    for part in [
        "M0 (seq 0) waits for version 1 of status of gs 1, now 0",
        "M1 (seq 1) waits for version 1 of status of gs 2",
    ] {
        assert!(error.reason.contains(part), "{error}");
    }
}

/// The monitor's stream may stand first in the file, and who was adopted has done this and that of which no version tells.
#[test]
fn a_goroutine_is_adopted_after_all_that_it_did_and_before_it_comes_back() {
    use GStatus::{Runnable, Running, Scansyscall, Syscall};
    let status = |seq, m, gs, (from, to), ver| {
        let kind = Kind::GStatus { from, to, via: Via::Direct, ver, reason: Default::default() };
        Event { m, kind, ..at(seq, seq, gs, ver) }
    };
    let does = |seq, m| Event { m, kind: Kind::Stopm, ..Event::lost(seq) };
    let monitor = [
        status(10, 1, 1, (Running, Scansyscall), 2),
        does(11, 1),
        status(12, 1, 1, (Scansyscall, Syscall), 3),
    ];
    let before = [status(20, 2, 1, (Runnable, Running), 1), does(21, 2), does(22, 2)];
    let after = [status(23, 2, 1, (Syscall, Running), 4), does(24, 2)];
    let order = |events: &[&[Event]]| {
        let out = merge(&events.concat()).expect("an order");
        out.iter().map(|event| event.seq).collect::<Vec<_>>()
    };
    let all = [20, 21, 22, 10, 11, 12, 23, 24];
    assert_eq!(order(&[&monitor, &before, &after]), all);
    assert_eq!(order(&[&before[..2], &monitor, &before[2..], &after]), all);
    assert_eq!(order(&[&before, &after, &monitor]), all);
    // It never comes back; another M looks at it meanwhile.
    let looks = [status(30, 3, 1, (Syscall, Scansyscall), 4)];
    assert_eq!(order(&[&looks, &monitor, &before]), [20, 21, 22, 10, 11, 12, 30]);
}

/// Who took something from a P, before that P went away, and has to say so only by the status of the P of its own.
#[test]
fn the_world_has_stopped_after_all_that_was_done_with_its_ps() {
    use PStatus::{Dead, Gcstop, Idle, Running};
    let p = |seq, m, target_p, (from, to), over| {
        let kind = Kind::PStatus { target_p, from, to, cas: false };
        Event { m, kind, over, ..Event::lost(seq) }
    };
    let stopped =
        |seq| Event { m: 1, kind: Kind::StwStopped { reason: Default::default() }, ..Event::lost(seq) };
    let stopper = [
        p(10, 1, 1, (Idle, Running), 1),
        p(11, 1, 1, (Running, Gcstop), 2),
        stopped(12),
        p(13, 1, 0, (Gcstop, Dead), 3),
    ];
    let steals = Kind::RunqSteal { target_p: 1, q: Queue::Runnext };
    let thief = [
        p(20, 2, 0, (Idle, Running), 1),
        Event { m: 2, kind: steals, over: 1, ..Event::lost(21) },
        p(22, 2, 0, (Running, Gcstop), 2),
    ];
    let order = |events: &[&[Event]]| {
        merge(&events.concat()).map(|out| out.iter().map(|event| event.seq).collect::<Vec<_>>())
    };
    let all = [10, 11, 20, 21, 22, 12, 13];
    assert_eq!(order(&[&stopper[..2], &thief[..1], &stopper[2..], &thief[1..]]), Ok(all.into()));
    // It has not: it is not for the order to say so.
    assert_eq!(order(&[&thief[..1], &stopper[..3], &thief[1..2]]), Ok(vec![20, 10, 11, 21, 12]));
    // Unless what came before may have been cut off.
    let mut prefix = ByVersion::new();
    let mut out = Vec::new();
    for event in [&thief[..2], &stopper[..3]].concat() {
        out.extend(prefix.admit(&event).expect("an order").then_some(event));
        out.extend(std::iter::from_fn(|| prefix.pop().expect("an order")));
    }
    prefix.end(true);
    assert_eq!((prefix.pop(), prefix.finish(true)), (Ok(None), Ok(1)));
    assert_eq!(out.iter().map(|event| event.seq).collect::<Vec<_>>(), [20, 21, 10, 11]);
}

#[test]
fn a_prefix_may_lack_the_last_events_of_every_stream_and_nothing_else() {
    let by = |seq, m, gs, ver| Event { m, ..at(seq, seq, gs, ver) };
    let finish = |events: &[Event], prefix| {
        let mut order = ByVersion::new();
        let mut out = 0u64;
        for event in events {
            out += u64::from(order.admit(event)?);
            while order.pop()?.is_some() {
                out += 1;
            }
        }
        Ok::<_, Box<Inconsistent>>((out, order.finish(prefix)?))
    };
    // M0 makes ver 1 and was to make ver 2; M1 goes on from there for long, and M2 waits for M1.
    let mut events = vec![by(0, 0, 1, 1)];
    events.extend((1..1001).map(|seq| by(seq, 1, 1, seq + 2)));
    events.push(by(1001, 2, 1, 1003));
    assert_eq!(finish(&events, true), Ok((1, 1001)));
    let error = finish(&events, false).expect_err("nothing was cut off");
    assert_eq!((error.rule, error.seq, error.expected), (OrderRule::VerChain, 1, 2));
    // Two that wait for each other do not wait for what was cut off.
    events.extend([by(1002, 3, 7, 2), by(1003, 3, 8, 1), by(1004, 4, 8, 2), by(1005, 4, 7, 1)]);
    let error = finish(&events, true).expect_err("a cycle");
    assert_eq!((error.rule, error.seq, &error.others), (OrderRule::Cycle, 1002, &vec![1004]));
}

#[test]
fn a_g_struct_is_born_again_after_whoever_ended_its_last_life_is_done_with_it() {
    let target = Some(Target { g: 1, gs: 1 });
    let change = |m, from, to, ver| Event {
        m,
        target,
        kind: Kind::GStatus { from, to, via: Via::Casgstatus, ver, reason: Default::default() },
        ..Event::lost(0)
    };
    let newproc = Kind::Newproc { entry: Default::default(), parent: 1, parked: false };
    let events = [
        change(0, GStatus::Runnable, GStatus::Running, 1),
        change(0, GStatus::Running, GStatus::Dead, 2),
        Event { m: 1, target, over: 2, kind: newproc, ..Event::lost(0) },
        change(1, GStatus::Dead, GStatus::Runnable, 3),
        Event { m: 0, target, kind: Kind::Gfput { target_p: 0 }, ..Event::lost(0) },
    ];
    let numbered: Vec<Event> =
        events.iter().zip(0..).map(|(&event, seq)| Event { seq, lo: seq, ..event }).collect();
    let order: Vec<u64> = merge(&numbered).unwrap().iter().map(|event| event.seq).collect();
    assert_eq!(order, [0, 1, 4, 2, 3]);
    let error = merge(&numbered[..4]).expect_err("it was never given back");
    assert_eq!((error.rule, error.object, error.seq), (OrderRule::VerChain, Object::Freed(1), 2));
}

/// M1's change waits for M2's, which is told of later. What M1's handler looked at meanwhile came after that change; what it saw between
/// another change and its event comes when it can.
#[test]
fn a_handler_comes_after_what_its_m_had_told_and_before_what_it_had_not() {
    let looks = |seq, over| {
        let kind = Kind::SigPreempt { want: false, safe: false, reject: None };
        Event { seq, lo: seq, m: 1, over, kind, ..Event::lost(seq) }
    };
    let of = |m, event: Event| Event { m, ..event };
    let signals = |seq, m, over| {
        let kind = Kind::PreemptM { target_m: 1, sent: true };
        Event { seq, lo: seq, m, over, kind, ..Event::lost(seq) }
    };
    let held = [of(1, at(0, 0, 1, 2)), looks(1, 0), of(2, at(2, 2, 1, 1))];
    let order = |events: &[Event]| merge(events).unwrap().iter().map(|event| event.seq).collect::<Vec<_>>();
    assert_eq!(order(&held), [2, 0, 1]);
    // The signal was sent after the change that M1 has yet to tell of.
    let between = [looks(0, 1), of(1, at(1, 1, 1, 1)), of(2, at(2, 2, 1, 2)), signals(3, 2, 1)];
    assert_eq!(order(&between), [1, 2, 3, 0]);
}
