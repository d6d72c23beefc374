//! Damaged traces: a good one with some of its events changed, counted again and written in one of the forms.

use std::io::Write;

use sigurg_model::Profile;
use sigurg_traces::header::Ordering;
use sigurg_traces::{
    Event, GStatus, Guard, Kind, Options, PStatus, PutHow, Queue, Request, Stack, TakeHow, Via,
};

use super::super::dice::Dice;
use super::{MOST, Trace, binary, is_binary, json, read};

/// Changes that are made at once, at most.
const CHANGES: usize = 4;

/// The trace that `data` is, with a few changes that `seed` says; `None` if it is none, or what comes out cannot be written or is
/// longer than `most` bytes.
#[must_use]
pub fn mutate(data: &[u8], seed: u64, most: usize) -> Option<Vec<u8>> {
    let mut trace = read(data, Options::default()).ok().filter(|trace| trace.events.len() < MOST)?;
    let dice = &mut Dice::new(seed);
    for _ in 0..=dice.below(CHANGES) {
        change(&mut trace, dice);
    }
    for (event, seq) in trace.events.iter_mut().zip(0..) {
        // Intervals keep their length.
        event.lo = seq - event.seq.saturating_sub(event.lo).min(seq);
        event.seq = seq;
    }
    let events = trace.events.len() as u64;
    let lost = trace.events.iter().filter(|event| event.kind == Kind::Lost).count() as u64;
    trace.header.claimed = trace.header.claimed.max(events);
    (trace.header.events, trace.header.lost, trace.header.open) = (events, lost, false);
    let other = dice.one_in(8);
    let written = if is_binary(data) != other { binary(&trace) } else { json(&trace) }.ok()?;
    let written = if dice.one_in(32) { packed(&written) } else { written };
    (written.len() <= most).then_some(written)
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).and_then(|()| writer.finish()).expect("memory takes everything")
}

fn change(trace: &mut Trace, dice: &mut Dice) {
    let events = &mut trace.events;
    if events.is_empty() || dice.one_in(24) {
        return head(trace, dice);
    }
    let at = dice.below(events.len());
    let other = events[dice.below(events.len())];
    match dice.below(14) {
        0 => drop(events.remove(at)),
        1 => events.insert(at, events[at]),
        2 => {
            let to = dice.below(events.len());
            let event = events.remove(at);
            events.insert(to, event);
        }
        3 => {
            let next = (at + 1) % events.len();
            events.swap(at, next);
        }
        4 => {
            // What two threads did in another order.
            if let Some(next) = events[at..].iter().position(|event| event.m != events[at].m) {
                events[at..=at + next].rotate_left(next);
            }
        }
        5 => events.truncate(at + 1),
        6 => events[at].m = other.m,
        7 => events[at].p = other.p,
        8 => events[at].target = other.target,
        9 => events[at].by = other.by,
        10 => events[at].site = other.site,
        11 => events[at].kind = other.kind,
        12 => nudge(&mut events[at], dice),
        _ => field(&mut events[at], dice),
    }
}

/// The header says something else.
fn head(trace: &mut Trace, dice: &mut Dice) {
    let header = &mut trace.header;
    match dice.below(4) {
        0 => header.complete ^= true,
        1 => header.ordering = dice.pick(&[Ordering::Ver, Ordering::Stream]),
        2 => header.gomaxprocs = dice.below(6) as u32,
        _ => header.go_version = format!("{}.1", dice.pick(Profile::ALL).name),
    }
}

/// A number is one more, one less, or somebody else's.
fn nudge(event: &mut Event, dice: &mut Dice) {
    let by = dice.pick(&[1, -1, 2, i64::MAX]);
    match dice.below(4) {
        0 => event.over = event.over.wrapping_add_signed(by),
        1 => event.lo = event.lo.saturating_sub(by.unsigned_abs()),
        2 => event.on = dice.pick(Stack::ALL),
        _ => match &mut event.kind {
            Kind::GStatus { ver, .. } | Kind::GStatusFail { ver, .. } | Kind::SuspendStep { ver, .. } => {
                *ver = ver.wrapping_add_signed(by);
            }
            Kind::SigAck { generation } => *generation = generation.wrapping_add_signed(by),
            _ => event.t_ns = event.t_ns.wrapping_add_signed(by),
        },
    }
}

/// One of the event's own fields is another.
fn field(event: &mut Event, dice: &mut Dice) {
    match &mut event.kind {
        Kind::GStatus { from, to, via, .. } => match dice.below(3) {
            0 => *from = dice.pick(GStatus::ALL),
            1 => *to = dice.pick(GStatus::ALL),
            _ => *via = dice.pick(Via::ALL),
        },
        Kind::GStatusFail { saw, .. } | Kind::SuspendStep { saw, .. } => *saw = dice.pick(GStatus::ALL),
        Kind::SuspendEnd { dead, stopped, .. } | Kind::ResumeBegin { dead, stopped, .. } => {
            (*dead, *stopped) = (dice.one_in(2), dice.one_in(2));
        }
        Kind::GRequest { request } => {
            let value = dice.one_in(2);
            *request = dice.pick(&[
                Request::Preempt(value),
                Request::PreemptStop(value),
                Request::PreemptShrink(value),
                Request::Stackguard0(if value { Guard::ALL[0] } else { Guard::ALL[1] }),
            ]);
        }
        Kind::RunqPut { target_p, q, how } => match dice.below(3) {
            0 => *target_p = dice.below(4) as i32 - 1,
            1 => *q = dice.pick(Queue::ALL),
            _ => *how = dice.pick(PutHow::ALL),
        },
        Kind::RunqGet { target_p, q, how } => match dice.below(3) {
            0 => *target_p = dice.below(4) as i32 - 1,
            1 => *q = dice.pick(Queue::ALL),
            _ => *how = dice.pick(TakeHow::ALL),
        },
        Kind::RunqSteal { target_p, q } | Kind::RunqKick { target_p, q } => match dice.below(2) {
            0 => *target_p = dice.below(4) as i32 - 1,
            _ => *q = dice.pick(Queue::ALL),
        },
        Kind::PStatus { target_p, from, to, .. } => match dice.below(3) {
            0 => *target_p = dice.below(4) as i32 - 1,
            1 => *from = dice.pick(PStatus::ALL),
            _ => *to = dice.pick(PStatus::ALL),
        },
        Kind::SigPreempt { want, safe, .. } => (*want, *safe) = (dice.one_in(2), dice.one_in(2)),
        Kind::PreemptM { target_m, sent } => (*target_m, *sent) = (dice.below(5) as i32, dice.one_in(2)),
        Kind::PreemptPark { .. } => event.kind = Kind::PreemptYield { by_signal: dice.one_in(2) },
        Kind::PreemptYield { .. } => event.kind = Kind::PreemptPark { by_signal: dice.one_in(2) },
        Kind::Execute { inherit_time } => *inherit_time ^= true,
        _ => event.p = dice.below(4) as i32 - 1,
    }
}
