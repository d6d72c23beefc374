//! How the checker answers: "not yet" is accepted, what cannot be is malformed, what is wrong is explained.

#[path = "check/corpus.rs"]
mod corpus;
#[path = "check/random.rs"]
mod random;

use std::collections::{BTreeMap, VecDeque};

use corpus::Recording;
use random::Random;
use sigurg_model::check::{CheckOptions, Checker, Failure};
use sigurg_traces::order::by_counter::ByCounter;
use sigurg_traces::{Event, GStatus, Guard, Kind, Queue, Request};

fn judge(recording: &Recording, events: &[Event]) -> Result<(), Failure> {
    let mut checker = Checker::new(recording.profile(), &recording.options());
    for event in events {
        checker.event(event, &recording.symbols)?;
    }
    checker.finish().map(|_| ())
}

fn recording(name: &str) -> Recording {
    let path = corpus::folder("go").join(name);
    corpus::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Numbers the events as they stand. Only for traces in which no interval spans more than its event.
fn renumber(events: &mut [Event]) {
    for (seq, event) in events.iter_mut().enumerate() {
        event.seq = seq as u64;
        event.lo = event.seq;
    }
}

/// A ready is claimed before it takes effect, and may be claimed before the park that it answers.
#[test]
fn a_ready_claimed_before_the_park_is_not_wrong() {
    let mut moved = 0;
    for recording in corpus::recordings() {
        let events = &recording.events;
        for (ready, event) in events.iter().enumerate() {
            let (Kind::Ready { .. }, Some(target)) = (event.kind, event.target) else { continue };
            // The park of that G by another M lies between the last two steps of the readier.
            let before = |at: usize| events[..at].iter().rposition(|other| other.m == event.m);
            let Some(goready) = before(ready).filter(|at| matches!(events[*at].kind, Kind::Goready { .. }))
            else {
                continue;
            };
            let Some(earlier) = before(goready) else { continue };
            let park = (earlier..goready).rev().find(|at| {
                let of_target = events[*at].target.is_some_and(|other| other.gs == target.gs);
                of_target && matches!(events[*at].kind, Kind::GStatus { to, .. } if to == GStatus::Waiting)
            });
            let Some(park) = park.filter(|at| events[*at].m != event.m) else { continue };
            let mut changed = events[..events.len().min(ready + 2000)].to_vec();
            let moving: Vec<Event> = [goready, ready].map(|at| changed[at]).to_vec();
            changed.remove(ready);
            changed.remove(goready);
            changed.splice(park..park, moving);
            renumber(&mut changed);
            judge(&recording, &changed).unwrap_or_else(|e| panic!("{}, event {ready}:\n{e}", recording.name));
            moved += 1;
            if moved % 4 == 0 {
                break;
            }
        }
    }
    assert!(moved >= 5, "only {moved} recordings have such a place");
}

#[test]
fn what_cannot_be_is_malformed_where_it_stands() {
    let recording = recording("go1.27.3-w1-p2-s101.jsonl.gz");
    let at =
        recording.events.iter().rposition(|e| matches!(e.kind, Kind::Execute { .. })).expect("an execute");
    let put = recording.events.iter().rposition(|e| matches!(e.kind, Kind::RunqPut { .. })).expect("a put");
    type Change = fn(&mut Event);
    let changes: [(&str, usize, Change); 6] = [
        ("struct never created", at, |e| e.target.as_mut().expect("a target").gs = 4_000_000),
        ("struct zero", at, |e| e.target.as_mut().expect("a target").gs = 0),
        ("goroutine never created", at, |e| e.target.as_mut().expect("a target").g = 987_654),
        ("attached goroutine never created", at, |e| e.by = 987_654),
        ("M is no id", at, |e| e.m = i32::MAX),
        ("P never made", put, |e| {
            let Kind::RunqPut { target_p, .. } = &mut e.kind else { panic!("a put") };
            *target_p = 77;
        }),
    ];
    for (what, at, change) in changes {
        let mut events = recording.events.clone();
        change(&mut events[at]);
        match judge(&recording, &events) {
            Err(Failure::Malformed(malformed)) => {
                assert_eq!(malformed.seq, events[at].seq, "{what}: {malformed}")
            }
            other => panic!("{what}: {other:?}"),
        }
    }
}

#[test]
fn a_violation_names_rule_event_actor_history_and_what_is_legal() {
    let recording = recording("go1.27.3-w1-p2-s101.jsonl.gz");
    let mut events = recording.events.clone();
    let at = events
        .iter()
        .position(|e| matches!(e.kind, Kind::RunqGet { q: Queue::Local, .. }))
        .expect("a get from a ring");
    let Kind::RunqGet { q, .. } = &mut events[at].kind else { panic!("a get") };
    *q = Queue::Runnext;
    let failure = judge(&recording, &events).expect_err("the wrong queue");
    let text = failure.to_string();
    assert_eq!(failure.rule().map(|rule| rule.name()), Some("queue_take"), "{text}");
    for part in [
        "rejected by rule queue_take".to_owned(),
        format!("event {at}, M{}", events[at].m),
        "puts it on local".into(),
        "allowed: it is in the ring of P".into(),
        "INV-31".into(),
    ] {
        assert!(text.contains(&part), "{part} is not in\n{text}");
    }
}

/// What a refusal shows as a difference is one: nothing that is accepted has any.
#[test]
fn an_event_that_is_accepted_differs_in_nothing_from_what_is_known() {
    let mut compared = 0;
    for recording in corpus::recordings() {
        let mut checker = Checker::new(recording.profile(), &recording.options());
        for event in &recording.events {
            if event.seq % 11 == 0 {
                for known in checker.beside(event) {
                    assert!(!known.differs, "{}, event {}: {known:?}\n{event:?}", recording.name, event.seq);
                    compared += u64::from(known.said.is_some());
                }
            }
            checker.event(event, &recording.symbols).unwrap_or_else(|e| panic!("{}: {e}", recording.name));
        }
    }
    assert!(compared > 100_000, "only {compared} things were said");
}

#[test]
fn a_refusal_shows_what_is_known_beside_what_the_event_says() {
    let recording = recording("go1.27.3-w1-p2-s101.jsonl.gz");
    let is_ready: fn(&Event) -> bool = |e| matches!(e.kind, Kind::GStatus { from: GStatus::Waiting, .. });
    let is_get: fn(&Event) -> bool = |e| matches!(e.kind, Kind::RunqGet { q: Queue::Local, .. });
    type Find = fn(&Event) -> bool;
    type Change = fn(&mut Event);
    type Says = &'static [&'static str];
    let changes: [(&str, Find, Change, Says); 3] = [
        (
            "status",
            is_ready,
            |e| {
                let Kind::GStatus { from, .. } = &mut e.kind else { panic!("a change") };
                *from = GStatus::Syscall;
            },
            &["Gwaiting", "event: Gsyscall   <- differs"],
        ),
        (
            "queue",
            is_get,
            |e| {
                let Kind::RunqGet { q, .. } = &mut e.kind else { panic!("a get") };
                *q = Queue::Runnext;
            },
            &["in the ring of P", "event: in runnext of P"],
        ),
        ("holds", is_get, |e| e.p += 1, &["event: P"]),
    ];
    for (what, find, change, says) in changes {
        let mut events = recording.events.clone();
        let at = events.iter().position(find).expect("such an event");
        change(&mut events[at]);
        let failure = judge(&recording, &events).expect_err("that is wrong");
        let Failure::Violation(violation) = &failure else { panic!("{failure}") };
        let differs: Vec<_> =
            violation.state.iter().filter(|known| known.differs).map(|known| known.what).collect();
        assert_eq!(differs, [what], "{failure}");
        let text = failure.to_string();
        assert!(says.iter().all(|part| text.contains(part)), "{text}");
    }
}

/// A thread may have been stopped between any two events when a trace was cut.
#[test]
fn a_prefix_of_any_length_is_accepted() {
    for recording in corpus::recordings() {
        let mut checker = Checker::new(recording.profile(), &recording.options());
        for event in recording.events.iter().take(8000) {
            checker.event(event, &recording.symbols).unwrap_or_else(|e| panic!("{}: {e}", recording.name));
            if event.seq % 97 == 0 {
                checker
                    .clone()
                    .finish()
                    .unwrap_or_else(|e| panic!("{} at {}: {e}", recording.name, event.seq));
            }
        }
    }
}

/// Another order of the same events: each M's own order, and the order of the changes of each object, stay.
fn reordered(events: &[Event], random: &mut Random) -> Vec<Event> {
    let mut streams: BTreeMap<i32, VecDeque<usize>> = BTreeMap::new();
    let mut objects: BTreeMap<(u8, i64), VecDeque<usize>> = BTreeMap::new();
    for (at, event) in events.iter().enumerate() {
        streams.entry(event.m).or_default().push_back(at);
        if let Some(object) = object(event) {
            objects.entry(object).or_default().push_back(at);
        }
    }
    let mut versions: BTreeMap<i64, u64> = BTreeMap::new();
    let mut order = Vec::with_capacity(events.len());
    let mut ms: Vec<i32> = streams.keys().copied().collect();
    while !ms.is_empty() {
        let mut candidates = ms.clone();
        loop {
            let m = candidates.swap_remove(random.below(candidates.len()));
            let at = streams[&m][0];
            let event = events[at];
            let turn = object(&event).is_none_or(|object| objects[&object][0] == at);
            let gs = event.target.map_or(0, |target| i64::from(target.gs));
            let seen = match event.kind {
                Kind::GStatusFail { ver, .. } | Kind::SuspendStep { ver, .. } => {
                    ver <= versions.get(&gs).copied().unwrap_or(0)
                }
                _ => true,
            };
            if !turn || !seen {
                continue;
            }
            if let Some(object) = object(&event) {
                objects.get_mut(&object).expect("its object").pop_front();
            }
            if let Kind::GStatus { ver, .. } = event.kind {
                versions.insert(gs, ver);
            }
            let stream = streams.get_mut(&m).expect("its stream");
            stream.pop_front();
            if stream.is_empty() {
                ms.retain(|other| *other != m);
            }
            order.push(event);
            break;
        }
    }
    order
}

/// The object that an event changes: its kind and number.
fn object(event: &Event) -> Option<(u8, i64)> {
    let gs = event.target.map_or(0, |target| i64::from(target.gs));
    Some(match event.kind {
        Kind::GStatus { .. } => (0, gs),
        Kind::RunqPut { .. } | Kind::RunqGet { .. } | Kind::RunqKick { .. } | Kind::RunqSteal { .. } => {
            (1, 0)
        }
        Kind::PStatus { target_p, .. } => (2, i64::from(target_p)),
        Kind::PreemptM { target_m, sent: true } => (3, i64::from(target_m)),
        Kind::SigAck { .. } => (3, i64::from(event.m)),
        _ => return None,
    })
}

/// Without claims only the programs of the Ms and the versions of the objects are in order.
#[test]
fn any_order_that_keeps_programs_and_versions_is_accepted_without_claims() {
    for (seed, recording) in corpus::recordings().iter().enumerate() {
        let events = &recording.events[..recording.events.len().min(20_000)];
        let mut random = Random::new(seed as u64 + 1);
        for _ in 0..2 {
            let order = reordered(events, &mut random);
            let options = CheckOptions { claims: false, ..recording.options() };
            let mut checker = Checker::new(recording.profile(), &options);
            for event in &order {
                checker
                    .event(event, &recording.symbols)
                    .unwrap_or_else(|e| panic!("{}:\n{e}", recording.name));
            }
            checker.finish().unwrap_or_else(|e| panic!("{}:\n{e}", recording.name));
        }
    }
}

/// Whether the event may be claimed earlier or later than it was, as its class says; the neighbours of its own M
/// bound it. Left out are kinds that another M's step causes or waits for.
fn may_move(event: &Event) -> Option<bool> {
    const EARLIER: Option<bool> = Some(false);
    const LATER: Option<bool> = Some(true);
    match event.kind {
        Kind::RunqPut { .. } | Kind::Execute { .. } | Kind::Gopark { .. } | Kind::GoschedImpl { .. } => {
            EARLIER
        }
        Kind::SuspendBegin { .. } | Kind::ResumeBegin { .. } | Kind::Goexit | Kind::StwStart => EARLIER,
        Kind::GRequest { request } => Some(!matches!(
            request,
            Request::Preempt(true)
                | Request::PreemptStop(true)
                | Request::PreemptShrink(true)
                | Request::Stackguard0(Guard::Preempt | Guard::Fork | Guard::ForceMove)
        )),
        Kind::RunqGet { .. } | Kind::RunqSteal { .. } | Kind::SuspendEnd { .. } | Kind::ResumeEnd { .. } => {
            LATER
        }
        Kind::Newstack { .. } | Kind::StwStopped { .. } | Kind::StwStarted { .. } | Kind::GStatus { .. } => {
            LATER
        }
        Kind::GStatusFail { .. } | Kind::SuspendStep { .. } => LATER,
        _ => None,
    }
}

/// The same run, claimed otherwise: some events earlier or later, within what their class allows.
fn claimed_otherwise(events: &[Event], random: &mut Random, moves: usize) -> Vec<Event> {
    let mut order: Vec<usize> = (0..events.len()).collect();
    let (mut previous, mut next) = (vec![0; events.len()], vec![events.len(); events.len()]);
    let mut last: BTreeMap<i32, usize> = BTreeMap::new();
    for (at, event) in events.iter().enumerate() {
        if let Some(before) = last.insert(event.m, at) {
            previous[at] = before;
            next[before] = at;
        }
    }
    for _ in 0..moves {
        let at = random.below(order.len());
        let event = &events[order[at]];
        let Some(later) = may_move(event) else { continue };
        // The next action of its M came before that one's own claim, and the last one after its claim.
        let (from, to) = (previous[order[at]], next[order[at]]);
        let other_m =
            |place: &usize| events[order[*place]].m != event.m && (from..to).contains(&order[*place]);
        let reach = 1 + random.below(40);
        let room = if later {
            (at + 1..order.len().min(at + reach)).take_while(other_m).count()
        } else {
            (at.saturating_sub(reach)..at).rev().take_while(other_m).count()
        };
        let moved = order.remove(at);
        order.insert(if later { at + room } else { at - room }, moved);
    }
    let mut place = vec![0; events.len()];
    for (new, old) in order.iter().enumerate() {
        place[*old] = new;
    }
    // A number that was read before an action bounds it by what was claimed before in either order.
    let mut first_from = place.clone();
    for old in (0..place.len().saturating_sub(1)).rev() {
        first_from[old] = first_from[old].min(first_from[old + 1]);
    }
    let mut claimed: Vec<Event> = order.iter().map(|old| events[*old]).collect();
    for (seq, event) in claimed.iter_mut().enumerate() {
        let interval = event.lo != event.seq
            || matches!(
                event.kind,
                Kind::GStatus { .. } | Kind::GStatusFail { .. } | Kind::SuspendStep { .. }
            );
        event.lo = if interval { (first_from[event.lo as usize] as u64).min(seq as u64) } else { seq as u64 };
        event.seq = seq as u64;
    }
    claimed
}

/// Threads are stopped between an action and its claim; what a trace shows of one run is one of many.
#[test]
fn the_same_run_claimed_in_another_order_is_accepted() {
    for (seed, recording) in corpus::recordings().iter().enumerate() {
        let events = &recording.events[..recording.events.len().min(20_000)];
        if events.iter().enumerate().any(|(at, event)| event.seq != at as u64) {
            continue; // Three recordings hold changes that were claimed out of order already.
        }
        let mut random = Random::new(seed as u64 + 100);
        for moves in [events.len() / 50, events.len() / 2] {
            let claimed = claimed_otherwise(events, &mut random, moves);
            let mut order = ByCounter::new();
            let mut checker = Checker::new(recording.profile(), &recording.options());
            let mut judge = |event: &Event| {
                checker
                    .event(event, &recording.symbols)
                    .unwrap_or_else(|e| panic!("{}, {moves} moves:\n{e}", recording.name));
            };
            for event in claimed {
                let refused = |e| format!("{}, {moves} moves: {e:?}", recording.name);
                if order.admit(&event).map_err(refused).unwrap() {
                    judge(&event);
                }
                while let Some(event) = order.pop().map_err(refused).unwrap() {
                    judge(&event);
                }
            }
        }
    }
}
