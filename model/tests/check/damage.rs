//! One thing broken in a real recording.
//!
//! Invariants: a damage changes one event or one place in the order, and nothing before it; numbers and versions are
//! counted again, so that counting does not find it. The same seed gives the same damage.

use crate::random::Random;
use sigurg_traces::{Event, GStatus, Guard, Kind, PStatus, PutHow, Queue, Request, TakeHow, Target, Via};

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Damage {
    /// The event is gone.
    Dropped,
    /// The event is there twice.
    Twice,
    /// The event comes after the next one of its M.
    Later,
    /// Another M did it.
    OtherM,
    /// It happened to another G.
    OtherG,
    /// Its actor holds another P.
    OtherP,
    /// Another goroutine is attached to its actor.
    OtherBy,
    /// One of its own fields is another one.
    Field,
}

impl Damage {
    pub(crate) const ALL: &[Self] = &[
        Self::Dropped,
        Self::Twice,
        Self::Later,
        Self::OtherM,
        Self::OtherG,
        Self::OtherP,
        Self::OtherBy,
        Self::Field,
    ];
}

/// The events from `at` on, with the damage; at most `length` of them. `None` where it does not apply.
pub(crate) fn damaged(
    events: &[Event],
    at: usize,
    length: usize,
    damage: Damage,
    random: &mut Random,
) -> Option<(String, Vec<Event>)> {
    let event = events[at];
    if matches!(event.kind, Kind::Lost) {
        return None;
    }
    let mut tail: Vec<Event> = events[at..events.len().min(at + length)].to_vec();
    let mut field = String::new();
    match damage {
        Damage::Dropped => {
            tail.remove(0);
            renumber(&mut tail, event, -1);
        }
        Damage::Twice => {
            let mut rest = tail.split_off(1);
            renumber(&mut rest, event, 1);
            let mut copy = event;
            copy.seq += 1;
            copy.lo = copy.seq.min(copy.lo + 1);
            if let Kind::GStatus { ver, .. } = &mut copy.kind {
                *ver += 1;
            }
            tail.push(copy);
            tail.append(&mut rest);
        }
        Damage::Later => {
            let next = tail.iter().skip(1).position(|other| other.m == event.m)? + 1;
            // Two changes of one G that change places exchange their versions too.
            if let (Kind::GStatus { .. }, Kind::GStatus { .. }) = (event.kind, tail[next].kind)
                && event.target.map(|t| t.gs) == tail[next].target.map(|t| t.gs)
            {
                return None;
            }
            let moved = tail.remove(0);
            tail.insert(next, moved);
            for (index, event) in tail.iter_mut().enumerate().take(next + 1) {
                let interval = event.seq - event.lo;
                event.seq = events[at].seq + index as u64;
                event.lo = event.seq.saturating_sub(interval);
            }
        }
        Damage::OtherM => {
            let ms: Vec<i32> =
                events[at.saturating_sub(300)..at].iter().map(|e| e.m).filter(|m| *m >= 0).collect();
            let m = other(random, &ms, event.m);
            if m == event.m {
                return None;
            }
            tail[0].m = m;
        }
        Damage::OtherG => {
            let target = event.target?;
            let others: Vec<Target> = events[at.saturating_sub(300)..at]
                .iter()
                .filter_map(|e| e.target)
                .filter(|t| t.g != 0 && t.gs != target.gs)
                .collect();
            if others.is_empty() || matches!(event.kind, Kind::GStatus { ver: 1, .. }) {
                return None;
            }
            tail[0].target = Some(others[random.below(others.len())]);
            let gs = tail_gs(&tail[0]);
            if let Kind::GStatus { ver, .. } = &mut tail[0].kind {
                // It takes the version that the other G would have next; both Gs count on from there.
                let last = events[..at].iter().rev().find_map(|e| version(e).filter(|_| tail_gs(e) == gs));
                *ver = last? + 1;
                shift_versions(&mut tail[1..], gs, 1);
                shift_versions(&mut tail[1..], target.gs, -1);
            }
        }
        Damage::OtherP => tail[0].p = other(random, &[-1, 0, 1, 2], event.p),
        Damage::OtherBy => {
            let by: Vec<u64> = events[at.saturating_sub(300)..at].iter().map(|e| e.by).collect();
            tail[0].by = other(random, &by, event.by);
            if tail[0].by == event.by {
                return None;
            }
        }
        Damage::Field => {
            let mut others = fields(event.kind, random);
            if others.is_empty() {
                return None;
            }
            let (name, kind) = others.swap_remove(random.below(others.len()));
            field = format!(".{name}");
            tail[0].kind = kind;
        }
    }
    (tail.first() != Some(&event) || damage != Damage::Field).then_some((field, tail))
}

/// One of `all` that is not `than`; `than` if there is none.
fn other<T: Copy + PartialEq>(random: &mut Random, all: &[T], than: T) -> T {
    let others: Vec<T> = all.iter().copied().filter(|one| *one != than).collect();
    if others.is_empty() { than } else { others[random.below(others.len())] }
}

fn tail_gs(event: &Event) -> u32 {
    event.target.map_or(0, |target| target.gs)
}

fn version(event: &Event) -> Option<u64> {
    match event.kind {
        Kind::GStatus { ver, .. } => Some(ver),
        _ => None,
    }
}

/// Counts again after an event was taken out or put in.
fn renumber(tail: &mut [Event], changed: Event, by: i64) {
    for event in tail.iter_mut() {
        event.seq = event.seq.wrapping_add_signed(by);
        if event.lo > changed.seq {
            event.lo = event.lo.wrapping_add_signed(by);
        }
    }
    if matches!(changed.kind, Kind::GStatus { .. }) {
        shift_versions(tail, tail_gs(&changed), by);
    }
}

fn shift_versions(tail: &mut [Event], gs: u32, by: i64) {
    for event in tail.iter_mut().filter(|event| tail_gs(event) == gs) {
        match &mut event.kind {
            Kind::GStatus { ver, .. } | Kind::GStatusFail { ver, .. } | Kind::SuspendStep { ver, .. } => {
                *ver = ver.wrapping_add_signed(by);
            }
            _ => {}
        }
    }
}

/// The same event with one field another.
fn fields(kind: Kind, random: &mut Random) -> Vec<(&'static str, Kind)> {
    use Kind::*;
    let r = random;
    match kind {
        GStatus { from, to, via, ver, reason } => vec![
            ("to", GStatus { from, to: other(r, self::GStatus::ALL, to), via, ver, reason }),
            ("from", GStatus { from: other(r, self::GStatus::ALL, from), to, via, ver, reason }),
            ("via", GStatus { from, to, via: other(r, Via::ALL, via), ver, reason }),
            ("ver", GStatus { from, to, via, ver: ver + 1, reason }),
        ],
        GStatusFail { want_from, want_to, saw, via, ver } => vec![
            ("saw", GStatusFail { want_from, want_to, saw: other(r, self::GStatus::ALL, saw), via, ver }),
            (
                "want_to",
                GStatusFail { want_from, want_to: other(r, self::GStatus::ALL, want_to), saw, via, ver },
            ),
        ],
        SuspendBegin { sid } => vec![("sid", SuspendBegin { sid: sid + 1_000_000 })],
        SuspendStep { sid, iter, saw, ver } => vec![
            ("sid", SuspendStep { sid: sid + 1_000_000, iter, saw, ver }),
            ("saw", SuspendStep { sid, iter, saw: other(r, self::GStatus::ALL, saw), ver }),
        ],
        SuspendEnd { sid, dead, stopped } => vec![
            ("sid", SuspendEnd { sid: sid + 1_000_000, dead, stopped }),
            ("dead", SuspendEnd { sid, dead: !dead, stopped }),
            ("stopped", SuspendEnd { sid, dead, stopped: !stopped }),
        ],
        ResumeBegin { sid, dead, stopped } => vec![
            ("sid", ResumeBegin { sid: sid + 1_000_000, dead, stopped }),
            ("dead", ResumeBegin { sid, dead: !dead, stopped }),
            ("stopped", ResumeBegin { sid, dead, stopped: !stopped }),
        ],
        ResumeEnd { sid, stopped } => vec![
            ("sid", ResumeEnd { sid: sid + 1_000_000, stopped }),
            ("stopped", ResumeEnd { sid, stopped: !stopped }),
        ],
        GRequest { request } => vec![(
            "value",
            GRequest {
                request: match request {
                    Request::Preempt(value) => Request::Preempt(!value),
                    Request::PreemptStop(value) => Request::PreemptStop(!value),
                    Request::PreemptShrink(value) => Request::PreemptShrink(!value),
                    Request::Stackguard0(guard) => Request::Stackguard0(other(r, Guard::ALL, guard)),
                },
            },
        )],
        PRequest { target_p, preempt } => vec![
            ("value", PRequest { target_p, preempt: !preempt }),
            ("target_p", PRequest { target_p: (target_p + 1) % 2, preempt }),
        ],
        PreemptM { target_m, sent } => vec![
            ("sent", PreemptM { target_m, sent: !sent }),
            ("target_m", PreemptM { target_m: if target_m == 0 { 3 } else { 0 }, sent }),
        ],
        PreemptOne { target_p, target_m } => {
            vec![("target_m", PreemptOne { target_p, target_m: if target_m == 0 { 3 } else { 0 } })]
        }
        SigPreempt { want, safe, reject } => vec![
            ("want", SigPreempt { want: !want, safe, reject }),
            ("safe", SigPreempt { want, safe: !safe, reject }),
        ],
        SigAck { generation } => vec![("generation", SigAck { generation: generation + 1 })],
        Newstack { preempt, preempt_stop, preempt_shrink, can_preempt } => vec![
            ("preempt", Newstack { preempt: !preempt, preempt_stop, preempt_shrink, can_preempt }),
            ("preempt_stop", Newstack { preempt, preempt_stop: !preempt_stop, preempt_shrink, can_preempt }),
            (
                "preempt_shrink",
                Newstack { preempt, preempt_stop, preempt_shrink: !preempt_shrink, can_preempt },
            ),
            ("can_preempt", Newstack { preempt, preempt_stop, preempt_shrink, can_preempt: !can_preempt }),
        ],
        PreemptPark { by_signal } => {
            vec![("async", PreemptPark { by_signal: !by_signal }), ("kind", PreemptYield { by_signal })]
        }
        PreemptYield { by_signal } => {
            vec![("async", PreemptYield { by_signal: !by_signal }), ("kind", PreemptPark { by_signal })]
        }
        GoschedImpl { preempted: Some(preempted) } => {
            vec![("preempted", GoschedImpl { preempted: Some(!preempted) })]
        }
        StackCopy { old_size, .. } => vec![("new_size", StackCopy { old_size, new_size: old_size })],
        RunqPut { target_p, q, how } => vec![
            (
                "q",
                RunqPut {
                    target_p: if q == Queue::Global { 0 } else { target_p },
                    q: other(r, &[Queue::Runnext, Queue::Local], q),
                    how,
                },
            ),
            ("q=global", RunqPut { target_p: -1, q: Queue::Global, how }),
            ("target_p", RunqPut { target_p: (target_p + 1) % 2, q, how }),
            ("how", RunqPut { target_p, q, how: other(r, PutHow::ALL, how) }),
        ],
        RunqGet { target_p, q, how } => vec![
            (
                "q",
                RunqGet { target_p: target_p.max(0), q: other(r, &[Queue::Runnext, Queue::Local], q), how },
            ),
            ("target_p", RunqGet { target_p: (target_p + 1) % 2, q, how }),
            ("how", RunqGet { target_p, q, how: other(r, TakeHow::ALL, how) }),
        ],
        RunqKick { target_p, q } => vec![("target_p", RunqKick { target_p: (target_p + 1) % 2, q })],
        RunqSteal { target_p, q } => vec![
            ("target_p", RunqSteal { target_p: (target_p + 1) % 2, q }),
            ("q", RunqSteal { target_p, q: other(r, &[Queue::Runnext, Queue::Local], q) }),
        ],
        Execute { inherit_time } => vec![("inherit_time", Execute { inherit_time: !inherit_time })],
        Newproc { entry, parent, parked } => vec![
            ("parked", Newproc { entry, parent, parked: !parked }),
            ("parent", Newproc { entry, parent: parent + 1, parked }),
        ],
        Ready { next } => vec![("next", Ready { next: !next })],
        Gfput { target_p } => vec![("target_p", Gfput { target_p: target_p + 1 })],
        CoroFrom { exit } => vec![("exit", CoroFrom { exit: !exit })],
        Startlockedm { target_m } => {
            vec![("target_m", Startlockedm { target_m: if target_m == 0 { 3 } else { 0 } })]
        }
        PStatus { target_p, from, to, cas } => vec![
            ("to", PStatus { target_p, from, to: other(r, self::PStatus::ALL, to), cas }),
            ("from", PStatus { target_p, from: other(r, self::PStatus::ALL, from), to, cas }),
            ("cas", PStatus { target_p, from, to, cas: !cas }),
            ("target_p", PStatus { target_p: (target_p + 1) % 2, from, to, cas }),
        ],
        Handoffp { target_p } => vec![("target_p", Handoffp { target_p: (target_p + 1) % 2 })],
        RetakeSyscall { target_p } => vec![("target_p", RetakeSyscall { target_p: (target_p + 1) % 2 })],
        SyscallBlock { target_p, target_m } => vec![
            ("target_p", SyscallBlock { target_p: (target_p + 1) % 2, target_m }),
            ("target_m", SyscallBlock { target_p, target_m: target_m + 1 }),
        ],
        Procresize { old, new } => vec![("new", Procresize { old, new: new + 1 })],
        ForEachPBegin { procs } => vec![("procs", ForEachPBegin { procs: procs + 1 })],
        SafePointFn { target_p } => vec![("target_p", SafePointFn { target_p: target_p + 1 })],
        StwStarted { procs } => vec![("procs", StwStarted { procs: procs + 1 })],
        _ => Vec::new(),
    }
}
