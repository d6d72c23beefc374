//! Scenarios as bytes that an engine changes one at a time.
//!
//! Two bytes are a step: which, and how much or whose. What a byte means depends on nothing before it but the bodies that are
//! open, so a change stays where it is made, and parts of two inputs fit together. [`Arbitrary`](arbitrary::Arbitrary) for a scenario
//! draws from as few bytes, but nothing leads back from a scenario to them; here [`encode`] does, so that the
//! named ones are seeds.
//!
//! 1. Any bytes are a scenario, and end in a schedule that may be empty.
//! 2. What [`decode`] returns is good and small: [`Bounds`].

use crate::scenario::repair::{halve, repair};
use crate::scenario::walk::{Around, retain, steps};
use crate::scenario::{Channel, Goroutine, Op, Scenario, Storm};

/// How large a decoded scenario gets.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Steps together, those of loops once.
    pub steps: usize,
    /// Goroutines.
    pub goroutines: usize,
    /// Rounds of one loop.
    pub times: u32,
    /// Goroutines of a burst.
    pub burst: u16,
    /// Microseconds of one step.
    pub us: u32,
    /// Microseconds of all steps together, loops counted.
    pub us_together: u64,
    /// What takes far more than a step, all together, loops counted: goroutines of bursts, and three for each scan and each change
    /// of the number of Ps.
    pub heavy_together: u64,
    /// Signals of a storm; 0: no storms.
    pub signals: u32,
}

/// What begins or ends something. Steps have the numbers below.
const GOROUTINE: u8 = 0xf0;
const DAEMON: u8 = 0xf1;
const CHANNEL: u8 = 0xf2;
const PROCS: u8 = 0xf3;
const STORM: u8 = 0xf4;
const CLOSE: u8 = 0xf5;
/// What follows is the schedule.
const SCHEDULE: u8 = 0xff;

/// Steps, by their number modulo this.
const STEPS: u8 = 27;
/// Bodies in bodies.
const DEPTH: usize = 3;
/// Things of a kind.
const THINGS: u8 = 8;

/// 0 to 31, then in steps that grow, up to 4032.
fn amount(byte: u8) -> u32 {
    let (power, low) = (u32::from(byte >> 5), u32::from(byte & 31));
    if power == 0 { low } else { (32 + low) << (power - 1) }
}

/// The byte whose amount is the largest that is not more.
fn byte_of(value: u32) -> u8 {
    (0..=u8::MAX).rev().find(|&byte| amount(byte) <= value).unwrap_or(0)
}

/// The amount of a byte within a bound: one that has a byte.
fn amount_within(byte: u8, bound: u32) -> u32 {
    amount(byte.min(byte_of(bound)))
}

/// The scenario that `data` begins with, repaired, and the schedule after it.
#[must_use]
pub fn decode<'a>(data: &'a [u8], bounds: &Bounds) -> (Scenario, &'a [u8]) {
    let end = data.chunks(2).position(|pair| pair[0] == SCHEDULE).map_or(data.len(), |at| at * 2);
    let schedule = data.get(end + 1..).unwrap_or_default();
    (scenario(&data[..end], bounds), schedule)
}

/// The bytes before the schedule.
#[must_use]
pub fn program(data: &[u8]) -> &[u8] {
    &data[..data.chunks(2).position(|pair| pair[0] == SCHEDULE).map_or(data.len(), |at| at * 2)]
}

fn scenario(data: &[u8], bounds: &Bounds) -> Scenario {
    let mut s = Scenario { name: "fuzz".into(), procs: 2, ..Scenario::default() };
    // The bodies that are open, the goroutine's own first.
    let mut open: Vec<Vec<Op>> = Vec::new();
    let mut left = bounds.steps;
    for pair in data.chunks_exact(2) {
        let (code, value) = (pair[0], pair[1]);
        match code {
            GOROUTINE | DAEMON => {
                finish(&mut s, &mut open);
                if s.goroutines.len() == bounds.goroutines {
                    break;
                }
                let daemon = code == DAEMON;
                s.goroutines.push(Goroutine { name: String::new(), daemon, body: Vec::new() });
                open.push(Vec::new());
            }
            CHANNEL if s.channels.len() < THINGS.into() => {
                s.channels.push(Channel { name: String::new(), capacity: amount_within(value, 64) as u16 });
            }
            PROCS => s.procs = 1 + value % 4,
            STORM if bounds.signals > 0 => {
                let signals = 1u32 << u32::from(value >> 4).min(bounds.signals.ilog2());
                s.storm = Some(Storm { every_us: 20 << (value & 7), signals });
            }
            CLOSE if open.len() > 1 => close(&mut open),
            _ if code >= GOROUTINE || left == 0 => {}
            _ => {
                left -= 1;
                if open.is_empty() {
                    s.goroutines.push(Goroutine { name: String::new(), daemon: false, body: Vec::new() });
                    open.push(Vec::new());
                }
                let op = step(code % STEPS, value, bounds);
                let opens = op.body().is_some() && open.len() <= DEPTH;
                if opens || op.body().is_none() {
                    open.last_mut().expect("there is one").push(op);
                }
                if opens {
                    open.push(Vec::new());
                }
            }
        }
    }
    finish(&mut s, &mut open);
    (s.mutexes, s.flags) = (vec![String::new(); THINGS.into()], vec![String::new(); THINGS.into()]);
    // Before, too: names for those that nobody uses are most of what it takes.
    used(&mut s);
    short(&mut s, bounds);
    let mut s = repair(s);
    used(&mut s);
    s
}

/// The innermost body is at its end.
fn close(open: &mut Vec<Vec<Op>>) {
    let body = open.pop().expect("one that is open");
    let around = open.last_mut().and_then(|ops| ops.last_mut()).and_then(Op::body_mut);
    *around.expect("the step that opened it") = body;
}

/// The goroutine is at its end.
fn finish(s: &mut Scenario, open: &mut Vec<Vec<Op>>) {
    while open.len() > 1 {
        close(open);
    }
    if let (Some(body), Some(goroutine)) = (open.pop(), s.goroutines.last_mut()) {
        goroutine.body = body;
    }
}

/// Leaves out the names that nobody uses any more.
fn used(s: &mut Scenario) {
    let (mut mutexes, mut flags) = (0, 0);
    for goroutine in &s.goroutines {
        steps(goroutine, |op, _, _| match *op {
            Op::Lock(mutex, _) => mutexes = mutexes.max(mutex + 1),
            Op::Set(flag) | Op::Await(flag) => flags = flags.max(flag + 1),
            _ => {}
        });
    }
    s.mutexes.truncate(mutexes.into());
    s.flags.truncate(flags.into());
}

/// Makes loops and times shorter until all of it together is within bounds. Heavy steps that are too many without any loop are left out,
/// the last ones first.
fn short(s: &mut Scenario, bounds: &Bounds) {
    while heavy(s) > bounds.heavy_together && rounds(s) > 1 {
        change(s, |op, _| {
            if let Op::Repeat(times, _) = op {
                *times = times.div_ceil(2);
            }
            true
        });
    }
    let mut left = bounds.heavy_together;
    change(s, |op, around| match left.checked_sub(weight(op, around)) {
        Some(less) => {
            left = less;
            true
        }
        None => false,
    });
    // More halves are left of nothing.
    for _ in 0..u32::BITS {
        if together(s) <= bounds.us_together {
            return;
        }
        change(s, |op, _| {
            halve(op);
            true
        });
    }
}

/// Calls `keep` for every step, which may be changed, and is left out if it says so.
fn change(s: &mut Scenario, mut keep: impl FnMut(&mut Op, Around) -> bool) {
    for goroutine in &mut s.goroutines {
        retain(&mut goroutine.body, Around { times: 1, ..Around::default() }, &mut keep);
    }
}

/// Rounds of the longest loop.
fn rounds(s: &Scenario) -> u32 {
    let mut most = 0;
    for goroutine in &s.goroutines {
        steps(goroutine, |op, _, _| {
            if let Op::Repeat(times, _) = op {
                most = most.max(*times);
            }
        });
    }
    most
}

/// Rounds that count of a loop that never ends.
const ROUNDS_OF_FOREVER: u64 = 4;

/// What a step adds to [`Bounds::heavy_together`].
fn weight(op: &Op, around: Around) -> u64 {
    let once = match *op {
        Op::Burst(count) => count.into(),
        Op::Scan | Op::Procs(_) => 3,
        _ => 0,
    };
    let rounds = if around.forever { ROUNDS_OF_FOREVER } else { 1 };
    around.times.saturating_mul(rounds).saturating_mul(once)
}

fn heavy(s: &Scenario) -> u64 {
    let mut sum = 0u64;
    for goroutine in &s.goroutines {
        steps(goroutine, |op, _, around| sum = sum.saturating_add(weight(op, around)));
    }
    sum
}

/// Steps, as often as they are done, and microseconds.
fn together(s: &Scenario) -> u64 {
    let mut sum = 0u64;
    for goroutine in &s.goroutines {
        steps(goroutine, |op, _, around| {
            let us = match *op {
                Op::Compute(us)
                | Op::Alloc(us)
                | Op::Sleep(us)
                | Op::Syscall(us)
                | Op::Foreign(us)
                | Op::PreemptOff(us) => us,
                Op::Call(times) => times,
                _ => 0,
            };
            sum = sum.saturating_add(around.times.saturating_mul(1 + u64::from(us)));
        });
    }
    sum
}

fn step(code: u8, value: u8, bounds: &Bounds) -> Op {
    let us = amount_within(value, bounds.us);
    let thing = value % THINGS;
    match code {
        0 => Op::Yield,
        1 => Op::Send(thing),
        2 => Op::Recv(thing),
        3 => Op::Set(thing),
        4 => Op::Await(thing),
        5 => Op::Park,
        6 => Op::Ready(value),
        7 => Op::Spawn(value),
        8 => Op::Join(value),
        9 => Op::LockThread,
        10 => Op::UnlockThread,
        11 => Op::Panic,
        12 => Op::Exit,
        13 => Op::Burst(amount_within(value, bounds.burst.into()).max(1) as u16),
        14 if value % 2 == 1 => Op::Shrink,
        14 => Op::Scan,
        15 => Op::Procs(1 + value % 4),
        16 => Op::Grow(amount_within(value, 64).max(1) as u16),
        17 => Op::Call(amount_within(value, bounds.times)),
        18 => Op::Compute(us),
        19 => Op::Alloc(us),
        20 => Op::Sleep(us),
        21 => Op::Syscall(us),
        22 => Op::Foreign(us),
        23 => Op::PreemptOff(us),
        24 => Op::Lock(thing, Vec::new()),
        25 => Op::Repeat(amount_within(value, bounds.times), Vec::new()),
        _ => Op::Forever(Vec::new()),
    }
}

/// Bytes from which [`decode`] makes `scenario` again, as far as it is within bounds, and then `schedule`.
#[must_use]
pub fn encode(scenario: &Scenario, schedule: &[u8]) -> Vec<u8> {
    let mut out = vec![PROCS, scenario.procs.clamp(1, 4) - 1];
    for channel in &scenario.channels {
        out.extend([CHANNEL, byte_of(channel.capacity.into())]);
    }
    if let Some(storm) = scenario.storm {
        let every = (0..8).rev().find(|power| 20 << power <= storm.every_us).unwrap_or(0u8);
        let signals = storm.signals.ilog2().min(15) as u8;
        out.extend([STORM, signals << 4 | every]);
    }
    for goroutine in &scenario.goroutines {
        out.extend([if goroutine.daemon { DAEMON } else { GOROUTINE }, 0]);
        goroutine.body.iter().for_each(|op| put(op, &mut out));
    }
    out.extend([SCHEDULE]);
    out.extend_from_slice(schedule);
    out
}

fn put(op: &Op, out: &mut Vec<u8>) {
    let (code, value) = match *op {
        Op::Yield => (0, 0),
        Op::Send(chan) => (1, chan),
        Op::Recv(chan) => (2, chan),
        Op::Set(flag) => (3, flag),
        Op::Await(flag) => (4, flag),
        Op::Park => (5, 0),
        Op::Ready(go) => (6, go),
        Op::Spawn(go) => (7, go),
        Op::Join(go) => (8, go),
        Op::LockThread => (9, 0),
        Op::UnlockThread => (10, 0),
        Op::Panic => (11, 0),
        Op::Exit => (12, 0),
        Op::Burst(count) => (13, byte_of(count.into())),
        Op::Scan => (14, 0),
        Op::Shrink => (14, 1),
        Op::Procs(procs) => (15, procs.clamp(1, 4) - 1),
        Op::Grow(kib) => (16, byte_of(kib.into())),
        Op::Call(times) => (17, byte_of(times)),
        Op::Compute(us) => (18, byte_of(us)),
        Op::Alloc(us) => (19, byte_of(us)),
        Op::Sleep(us) => (20, byte_of(us)),
        Op::Syscall(us) => (21, byte_of(us)),
        Op::Foreign(us) => (22, byte_of(us)),
        Op::PreemptOff(us) => (23, byte_of(us)),
        Op::Lock(mutex, _) => (24, mutex),
        Op::Repeat(times, _) => (25, byte_of(times)),
        Op::Forever(_) => (26, 0),
    };
    out.extend([code, value]);
    if let Some(body) = op.body() {
        body.iter().for_each(|op| put(op, out));
        out.extend([CLOSE, 0]);
    }
}
