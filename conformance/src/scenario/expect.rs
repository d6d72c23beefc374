//! What a scenario must come to: it is run once, sequentially, without a runtime.
//!
//! By the determinacy that [`check`](super::check) establishes, every run of every driver must come to the same; and if
//! this one does not come to its end, none does.

use std::collections::VecDeque;
use std::fmt;

use super::walk::Path;
use super::{Chan, Go, Op, Scenario};

/// More steps than this are not followed: the scenario is too long.
pub const MOST_STEPS: u64 = 2_000_000;

/// How a goroutine ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It returned.
    Returned,
    /// By `panic`.
    Panicked,
}

/// What a goroutine computes in its registers, and what a run is compared by: a chain that every step changes.
///
/// The sums stay below 2^53, so that adding is exact and the order of nothing can be hidden by rounding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kernel {
    /// A linear congruence: one wrong register, and everything after it is wrong.
    pub word: u64,
    /// The same for vector registers.
    pub lanes: [f64; 4],
}

/// Iterations that take about a microsecond.
pub const PER_US: u64 = 600;
const MUL: u64 = 6_364_136_223_846_793_005;
const ADD: u64 = 1_442_695_040_888_963_407;
/// What each lane adds.
const STEPS: [f64; 4] = [1.0, 2.0, 3.0, 5.0];

impl Default for Kernel {
    fn default() -> Self {
        Self { word: 1, lanes: [0.0; 4] }
    }
}

impl Kernel {
    /// Computes `iterations` rounds, one after the other.
    pub fn run(&mut self, iterations: u64) {
        for _ in 0..iterations {
            self.word = self.word.wrapping_mul(MUL).wrapping_add(ADD);
            for (lane, step) in self.lanes.iter_mut().zip(STEPS) {
                *lane += step;
            }
        }
    }

    /// What `run` comes to, in a number of steps that grows with the digits of `iterations` only.
    pub fn jump(&mut self, iterations: u64) {
        // x -> mul * x + add, squared again and again.
        let (mut mul, mut add, mut left) = (MUL, ADD, iterations);
        while left > 0 {
            if left & 1 == 1 {
                self.word = self.word.wrapping_mul(mul).wrapping_add(add);
            }
            add = add.wrapping_mul(mul).wrapping_add(add);
            mul = mul.wrapping_mul(mul);
            left >>= 1;
        }
        for (lane, step) in self.lanes.iter_mut().zip(STEPS) {
            *lane += step * iterations as f64;
        }
    }
}

/// What went through a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// Values received.
    pub values: u64,
    /// Their sum; unknown where several send and not all that they send is received.
    pub sum: Option<u64>,
}

impl Traffic {
    /// Nothing yet.
    pub const NONE: Self = Self { values: 0, sum: Some(0) };

    /// One more value.
    pub fn add(&mut self, value: u64) {
        self.values += 1;
        self.sum = self.sum.map(|sum| sum.wrapping_add(value));
    }
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Results {
    /// Of each goroutine that is no daemon.
    pub ends: Vec<Option<End>>,
    /// What each of them computed.
    pub kernels: Vec<Kernel>,
    /// Of each channel.
    pub channels: Vec<Traffic>,
    /// How often each mutex was taken by those who are no daemons.
    pub locks: Vec<u64>,
}

impl Results {
    /// In which points `self`, what came out, differs from what was expected.
    #[must_use]
    pub fn differences(&self, expected: &Self, scenario: &Scenario) -> Vec<String> {
        let mut all = Vec::new();
        for (i, goroutine) in scenario.goroutines.iter().enumerate() {
            if self.ends[i] != expected.ends[i] {
                all.push(format!("{}: ended {:?}, not {:?}", goroutine.name, self.ends[i], expected.ends[i]));
            }
            if self.kernels[i] != expected.kernels[i] {
                let (is, should) = (&self.kernels[i], &expected.kernels[i]);
                all.push(format!("{}: computed {is:?}, not {should:?}", goroutine.name));
            }
        }
        for (i, channel) in scenario.channels.iter().enumerate() {
            let (is, should) = (self.channels[i], expected.channels[i]);
            if is.values != should.values || should.sum.is_some() && is.sum != should.sum {
                all.push(format!("channel {}: {is:?}, not {should:?}", channel.name));
            }
        }
        for (i, mutex) in scenario.mutexes.iter().enumerate() {
            let (is, should) = (self.locks[i], expected.locks[i]);
            if is != should {
                all.push(format!("mutex {mutex}: {is} times, not {should}"));
            }
        }
        all
    }
}

/// The number that goroutine `go` sends as its `count`th, from 0.
#[must_use]
pub fn message(go: Go, count: u64) -> u64 {
    (u64::from(go) + 1) * 1_000_003 + count
}

/// Why a scenario does not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stuck {
    /// These goroutines wait for ever, each at that step.
    Waits(Vec<(Go, Path)>),
    /// It takes more than [`MOST_STEPS`].
    TooLong,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waits(all) => write!(f, "{} goroutines wait for ever", all.len()),
            Self::TooLong => write!(f, "more than {MOST_STEPS} steps"),
        }
    }
}

/// What `scenario` comes to. Its indices must be in range.
///
/// # Errors
/// Who waits for ever, or that it is too long.
pub fn results(scenario: &Scenario) -> Result<Results, Stuck> {
    let mut world = World::new(scenario);
    loop {
        let mut moved = false;
        for go in 0..world.gs.len() {
            while world.step(go) {
                moved = true;
                world.steps += 1;
                if world.steps > MOST_STEPS {
                    return Err(Stuck::TooLong);
                }
            }
        }
        if !moved {
            break;
        }
    }
    let stuck: Vec<_> =
        world.gs.iter().zip(0..).filter(|(g, _)| g.end.is_none()).map(|(g, i)| (i, g.path())).collect();
    let daemon = |go: &Go| scenario.goroutines[usize::from(*go)].daemon;
    if stuck.iter().any(|(go, _)| !daemon(go)) {
        return Err(Stuck::Waits(stuck.into_iter().filter(|(go, _)| !daemon(go)).collect()));
    }
    Ok(Results {
        ends: world.gs.iter().map(|g| if g.daemon { None } else { g.end }).collect(),
        kernels: world.gs.iter().map(|g| g.kernel).collect(),
        channels: world.channels.iter().map(Pipe::traffic).collect(),
        locks: world.locks,
    })
}

/// A body, where in it one is, and how often it is still to be done.
struct Frame<'a> {
    ops: &'a [Op],
    next: usize,
    again: u32,
}

struct G<'a> {
    frames: Vec<Frame<'a>>,
    daemon: bool,
    started: bool,
    end: Option<End>,
    kernel: Kernel,
    sent: u64,
    tokens: u64,
    /// Waits until the value that it put into a channel without a buffer is taken.
    offers: Option<Chan>,
}

impl G<'_> {
    /// Where it is; nowhere before it is started.
    fn path(&self) -> Path {
        if self.started { self.frames.iter().map(|frame| frame.next).collect() } else { Path::new() }
    }
}

struct Pipe {
    capacity: usize,
    values: VecDeque<u64>,
    traffic: Traffic,
    sender: Option<usize>,
    several_send: bool,
}

impl Pipe {
    /// What came through, as far as it does not depend on the order of the senders.
    fn traffic(&self) -> Traffic {
        let open = self.several_send && !self.values.is_empty();
        Traffic { sum: self.traffic.sum.filter(|_| !open), ..self.traffic }
    }
}

struct World<'a> {
    gs: Vec<G<'a>>,
    channels: Vec<Pipe>,
    locks: Vec<u64>,
    flags: Vec<bool>,
    steps: u64,
}

impl<'a> World<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        let mut spawned = vec![false; scenario.goroutines.len()];
        for goroutine in &scenario.goroutines {
            super::walk::steps(goroutine, |op, _, _| {
                if let Op::Spawn(go) = op {
                    spawned[usize::from(*go)] = true;
                }
            });
        }
        let gs = scenario.goroutines.iter().zip(spawned).map(|(goroutine, spawned)| G {
            frames: vec![Frame { ops: &goroutine.body, next: 0, again: 0 }],
            daemon: goroutine.daemon,
            // A daemon gives nothing and changes nothing that is compared.
            started: !spawned && !goroutine.daemon,
            end: None,
            kernel: Kernel::default(),
            sent: 0,
            tokens: 0,
            offers: None,
        });
        let pipe = |capacity: u16| Pipe {
            capacity: capacity.into(),
            values: VecDeque::new(),
            traffic: Traffic::NONE,
            sender: None,
            several_send: false,
        };
        Self {
            gs: gs.collect(),
            channels: scenario.channels.iter().map(|channel| pipe(channel.capacity)).collect(),
            locks: vec![0; scenario.mutexes.len()],
            flags: vec![false; scenario.flags.len()],
            steps: 0,
        }
    }

    /// One step of goroutine `go`; false if it cannot do one.
    fn step(&mut self, go: usize) -> bool {
        let g = &mut self.gs[go];
        if !g.started || g.end.is_some() {
            return false;
        }
        let Some(frame) = g.frames.last_mut() else {
            g.end = Some(End::Returned);
            return true;
        };
        let Some(op) = frame.ops.get(frame.next) else {
            if frame.again > 0 {
                frame.again -= 1;
                frame.next = 0;
                return true;
            }
            g.frames.pop();
            if let Some(frame) = g.frames.last_mut() {
                frame.next += 1;
            }
            return true;
        };
        if let Op::Lock(mutex, _) = op {
            self.locks[usize::from(*mutex)] += 1;
        }
        if let Some(ops) = op.body() {
            match op {
                Op::Repeat(0, _) => g.frames.last_mut().expect("there").next += 1,
                Op::Repeat(times, _) => g.frames.push(Frame { ops, next: 0, again: times - 1 }),
                _ => g.frames.push(Frame { ops, next: 0, again: 0 }),
            }
            return true;
        }
        if !self.acts(go, op) {
            return false;
        }
        let g = &mut self.gs[go];
        if g.end.is_none() {
            g.frames.last_mut().expect("there").next += 1;
        }
        true
    }

    /// Does `op`, which has nothing inside; false if it must wait.
    fn acts(&mut self, go: usize, op: &Op) -> bool {
        let g = &mut self.gs[go];
        match *op {
            Op::Compute(us) | Op::Alloc(us) | Op::PreemptOff(us) => {
                g.kernel.jump(u64::from(us) * PER_US);
            }
            Op::Panic => g.end = Some(End::Panicked),
            Op::Exit => g.end = Some(End::Returned),
            Op::Send(chan) => {
                let pipe = &mut self.channels[usize::from(chan)];
                if g.offers.is_none() {
                    if pipe.values.len() >= pipe.capacity.max(1) {
                        return false;
                    }
                    pipe.values.push_back(message(go as Go, g.sent));
                    let first = *pipe.sender.get_or_insert(go);
                    pipe.several_send |= first != go;
                    g.sent += 1;
                    g.offers = Some(chan);
                }
                if pipe.capacity == 0 && !pipe.values.is_empty() {
                    return false;
                }
                g.offers = None;
            }
            Op::Recv(chan) => {
                let pipe = &mut self.channels[usize::from(chan)];
                let Some(value) = pipe.values.pop_front() else { return false };
                pipe.traffic.add(value);
            }
            Op::Set(flag) => self.flags[usize::from(flag)] = true,
            Op::Await(flag) => return self.flags[usize::from(flag)],
            Op::Park => {
                if g.tokens == 0 {
                    return false;
                }
                g.tokens -= 1;
            }
            Op::Ready(other) => self.gs[usize::from(other)].tokens += 1,
            Op::Spawn(other) => {
                let other = &mut self.gs[usize::from(other)];
                other.started = !other.daemon;
            }
            Op::Join(other) => return self.gs[usize::from(other)].end.is_some(),
            Op::Call(_)
            | Op::Yield
            | Op::Sleep(_)
            | Op::Syscall(_)
            | Op::Foreign(_)
            | Op::LockThread
            | Op::UnlockThread
            | Op::Grow(_)
            | Op::Scan
            | Op::Shrink
            | Op::Burst(_)
            | Op::Procs(_) => {}
            Op::Lock(..) | Op::Repeat(..) | Op::Forever(_) => unreachable!("they have something inside"),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_jump_is_so_many_rounds(first in 0u64..5_000, second in 0u64..5_000) {
            let (mut run, mut jump) = (Kernel::default(), Kernel::default());
            for n in [first, second] {
                run.run(n);
                jump.jump(n);
            }
            prop_assert_eq!(run, jump);
        }
    }
}
