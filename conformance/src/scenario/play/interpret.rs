//! Goes through the steps of each goroutine of a scenario, and brings back what came out.
//!
//! 1. Nothing taken from a thread-local lives across a call of the runtime, so that whoever builds the runtime may say so.
//! 2. What goroutines report goes into slots of their own, each written once, at the end of its goroutine.
//! 3. It looks at no clock but the machine's, so that in simulation a run is a function of its schedule.
//! 4. The interpreter adds no synchronisation between goroutines but the one that the scenario asks for.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use super::compute::{Canary, grow};
use super::runtime::{Goroutines, Machine};
use crate::scenario::expect::{End, Kernel, Results, Traffic, message};
use crate::scenario::{Go, Op, Scenario};

/// What a run brought back.
#[derive(Clone, Debug, PartialEq)]
pub struct Played {
    /// What came out.
    pub results: Results,
    /// Canaries that died, sends and receives that failed: one line each.
    pub broken: Vec<String>,
    /// Goroutines, queued goroutines and timers that are left, beside the one that looks; zeros unless daemons run.
    pub left: [u64; 3],
    /// Goroutines that were stopped by `scan`.
    pub scanned: u64,
}

/// How a goroutine leaves its steps early; also what `panic` unwinds with.
struct Left(End);

/// What all goroutines share.
struct World<R: Goroutines> {
    scenario: Arc<Scenario>,
    channels: Vec<(R::Sender, R::Receiver)>,
    mutexes: Vec<R::Mutex>,
    flags: Vec<AtomicBool>,
    tokens: Vec<R::Semaphore>,
    reports: Vec<Mutex<Option<Report>>>,
}

/// What one goroutine brings back.
struct Report {
    end: End,
    kernel: Kernel,
    received: Vec<Traffic>,
    broken: Vec<String>,
    scanned: u64,
}

/// Runs `scenario` on the goroutine that calls, and waits for all that are no daemons.
pub fn play<R: Goroutines>(scenario: &Arc<Scenario>) -> Played {
    let world = Arc::new(World::<R>::new(scenario));
    let mut spawned = vec![false; scenario.goroutines.len()];
    for goroutine in &scenario.goroutines {
        crate::scenario::walk::steps(goroutine, |op, _, _| {
            if let Op::Spawn(go) = op {
                spawned[usize::from(*go)] = true;
            }
        });
    }
    let first = (0..scenario.goroutines.len() as Go).filter(|&go| !spawned[usize::from(go)]);
    let handles: Vec<_> = first.map(|go| (go, start(&world, go))).collect();
    let mut broken = Vec::new();
    for (go, handle) in handles {
        if !scenario.goroutines[usize::from(go)].daemon {
            joined::<R>(scenario, go, handle, &mut broken);
        }
    }
    // What was spawned and not joined.
    for (goroutine, report) in scenario.goroutines.iter().zip(&world.reports) {
        while !goroutine.daemon && lock(report).is_none() {
            R::sleep(50);
        }
    }
    let left = if scenario.goroutines.iter().any(|g| g.daemon) { [0; 3] } else { settle::<R>() };
    collect(&world, broken, left)
}

/// Long enough for what is going to go: time, and turns for the others, as virtual time may pass without any.
const SETTLED_US: u64 = 20_000_000;
const SETTLED_TURNS: u64 = 1_000;

/// What is left, once nothing is, or when it has not gone for long: a goroutine that was joined still has its last steps to do.
fn settle<R: Goroutines>() -> [u64; 3] {
    let start = R::Machine::now_us();
    for turn in 0u64.. {
        let [goroutines, queued, timers] = R::left();
        let left = [goroutines.saturating_sub(1), queued, timers];
        let over = turn > SETTLED_TURNS && R::Machine::now_us() - start > SETTLED_US;
        if left == [0; 3] || over {
            return left;
        }
        R::yield_now();
    }
    unreachable!("it gives up before")
}

fn collect<R: Goroutines>(world: &World<R>, mut broken: Vec<String>, left: [u64; 3]) -> Played {
    let scenario = &world.scenario;
    let mut results = Results {
        ends: Vec::new(),
        kernels: Vec::new(),
        channels: vec![Traffic::NONE; scenario.channels.len()],
        locks: Vec::new(),
    };
    let mut scanned = 0;
    for (goroutine, report) in scenario.goroutines.iter().zip(&world.reports) {
        let mut report = lock(report).take();
        if let Some(report) = &mut report {
            broken.append(&mut report.broken);
        }
        let Some(report) = report.filter(|_| !goroutine.daemon) else {
            results.ends.push(None);
            results.kernels.push(Kernel::default());
            continue;
        };
        results.ends.push(Some(report.end));
        results.kernels.push(report.kernel);
        for (all, own) in results.channels.iter_mut().zip(report.received) {
            all.values += own.values;
            all.sum = all.sum.zip(own.sum).map(|(all, own)| all.wrapping_add(own));
        }
        scanned += report.scanned;
    }
    for mutex in &world.mutexes {
        R::lock(mutex, &mut |count| results.locks.push(*count));
    }
    Played { results, broken, left, scanned }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn joined<R: Goroutines>(scenario: &Scenario, go: Go, handle: R::Handle, broken: &mut Vec<String>) {
    if let Err(panic) = R::join(handle)
        && !panic.is::<Left>()
    {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|&said| said.into()));
        let name = &scenario.goroutines[usize::from(go)].name;
        broken.push(format!("{name}: panicked of itself: {}", said.unwrap_or_default()));
    }
}

impl<R: Goroutines> World<R> {
    fn new(scenario: &Arc<Scenario>) -> Self {
        let goroutines = || scenario.goroutines.iter();
        Self {
            scenario: Arc::clone(scenario),
            channels: scenario.channels.iter().map(|channel| R::chan(channel.capacity.into())).collect(),
            mutexes: scenario.mutexes.iter().map(|_| R::mutex()).collect(),
            flags: scenario.flags.iter().map(|_| AtomicBool::new(false)).collect(),
            tokens: goroutines().map(|_| R::semaphore()).collect(),
            reports: goroutines().map(|_| Mutex::new(None)).collect(),
        }
    }
}

/// Starts goroutine `go`.
fn start<R: Goroutines>(world: &Arc<World<R>>, go: Go) -> R::Handle {
    let goroutine = &world.scenario.goroutines[usize::from(go)];
    let mut deepest = 0;
    crate::scenario::walk::steps(goroutine, |op, _, _| {
        if let Op::Grow(kib) = op {
            deepest = deepest.max(*kib);
        }
    });
    // A frame of `grow` is somewhat larger than what it writes.
    let stack = R::Machine::stack(usize::from(deepest) * 1280);
    let world = Arc::clone(world);
    R::go(&goroutine.name, stack, move || run(&world, go))
}

/// The life of goroutine `go`.
fn run<R: Goroutines>(world: &Arc<World<R>>, go: Go) {
    let canary = Canary::new(go.into());
    let mut player = Player {
        world,
        go,
        kernel: Kernel::default(),
        sent: 0,
        received: vec![Traffic::NONE; world.channels.len()],
        children: Vec::new(),
        dummy: R::chan(0).0,
        broken: Vec::new(),
        scanned: 0,
        canary: &canary,
    };
    let end = match player.body(&world.scenario.goroutines[usize::from(go)].body) {
        Ok(()) => End::Returned,
        Err(Left(end)) => end,
    };
    let Player { kernel, received, broken, scanned, .. } = player;
    *lock(&world.reports[usize::from(go)]) = Some(Report { end, kernel, received, broken, scanned });
    if end == End::Panicked {
        // Without the hook, which would print.
        resume_unwind(Box::new(Left(end)));
    }
}

struct Player<'a, R: Goroutines> {
    world: &'a Arc<World<R>>,
    go: Go,
    kernel: Kernel,
    sent: u64,
    received: Vec<Traffic>,
    children: Vec<(Go, R::Handle)>,
    /// Of a channel from which nobody receives.
    dummy: R::Sender,
    broken: Vec<String>,
    scanned: u64,
    canary: &'a Canary,
}

impl<R: Goroutines> Player<'_, R> {
    fn body(&mut self, ops: &[Op]) -> Result<(), Left> {
        ops.iter().try_for_each(|op| {
            self.step(op)?;
            if !self.canary.lives(self.go.into()) {
                self.complain(&format!("its stack was overwritten during {op:?}"));
                return Err(Left(End::Returned));
            }
            Ok(())
        })
    }

    fn complain(&mut self, what: &str) {
        self.broken.push(format!("{}: {what}", self.world.scenario.goroutines[usize::from(self.go)].name));
    }

    fn step(&mut self, op: &Op) -> Result<(), Left> {
        let world = self.world;
        match *op {
            Op::Compute(us) => R::Machine::compute(&mut self.kernel, us),
            Op::Alloc(us) => R::Machine::alloc(&mut self.kernel, us),
            Op::Call(times) => (0..times).for_each(|_| R::safe_point(&self.dummy)),
            Op::Yield => R::yield_now(),
            Op::Send(chan) => {
                let value = message(self.go, self.sent);
                self.sent += 1;
                if !R::send(&world.channels[usize::from(chan)].0, value) {
                    self.complain("a send failed although there are receivers");
                }
            }
            Op::Recv(chan) => match R::recv(&world.channels[usize::from(chan)].1) {
                Some(value) => self.received[usize::from(chan)].add(value),
                None => self.complain("a receive failed although there are senders"),
            },
            Op::Lock(mutex, ref body) => {
                let mut done = Ok(());
                // Daemons do not count: nobody knows how often they come by.
                let one = u64::from(!world.scenario.goroutines[usize::from(self.go)].daemon);
                R::lock(&world.mutexes[usize::from(mutex)], &mut |count| {
                    // Two steps, so that another holder in between would be lost.
                    let before = *count;
                    done = self.body(body);
                    *count = before + one;
                });
                done?;
            }
            // Relaxed, both: who sees it goes on; nothing is handed over with it.
            Op::Set(flag) => world.flags[usize::from(flag)].store(true, Relaxed),
            Op::Await(flag) => {
                while !world.flags[usize::from(flag)].load(Relaxed) {
                    R::Machine::spin();
                }
            }
            Op::Park => R::acquire(&world.tokens[usize::from(self.go)]),
            Op::Ready(other) => R::release(&world.tokens[usize::from(other)]),
            Op::Sleep(us) => R::sleep(us),
            Op::Syscall(us) => R::blocking(&mut || R::Machine::block(us)),
            Op::Foreign(us) => R::Machine::block(us),
            Op::Spawn(other) => self.children.push((other, start(world, other))),
            Op::Join(other) => {
                if let Some(at) = self.children.iter().position(|(child, _)| *child == other) {
                    let (_, handle) = self.children.swap_remove(at);
                    joined::<R>(&world.scenario, other, handle, &mut self.broken);
                }
            }
            Op::Burst(count) => {
                let all: Vec<_> = (0..count).map(|_| R::go("burst", R::Machine::stack(0), || ())).collect();
                all.into_iter()
                    .for_each(|handle| joined::<R>(&world.scenario, self.go, handle, &mut self.broken));
            }
            Op::LockThread => R::lock_thread(),
            Op::UnlockThread => R::unlock_thread(),
            Op::PreemptOff(us) => R::preempt_off(&mut || R::Machine::compute(&mut self.kernel, us)),
            Op::Panic => return Err(Left(End::Panicked)),
            Op::Exit => return Err(Left(End::Returned)),
            Op::Grow(kib) => {
                if !grow(kib) {
                    self.complain("words deep on its stack were overwritten");
                }
            }
            Op::Scan => self.scanned += R::scan() as u64,
            Op::Shrink => R::shrink(),
            Op::Procs(procs) => R::set_procs(procs.into()),
            Op::Repeat(times, ref body) => (0..times).try_for_each(|_| self.body(body))?,
            Op::Forever(ref body) => loop {
                self.body(body)?;
                R::Machine::round();
            },
        }
        Ok(())
    }
}
