//! The driver in simulation: what one execution does, whatever schedule it runs under.
//!
//! 1. An execution is a function of the scenario and the schedule: no clock but the virtual one, nothing drawn.
//! 2. A microsecond of computing is one point of the simulator: a place where others may go on and a signal may land. It takes
//!    no virtual time; how much passes meanwhile is a choice of the schedule.
//! 3. A storm sends from a thread of its own; when each of its signals lands is a choice of the schedule, too. It is over before what
//!    is left is judged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use sigurg_shuttle::sim;

use super::interpret::{Played, play};
use super::runtime::Machine;
use crate::goroutines_of;
use crate::scenario::expect::{Kernel, PER_US};
use crate::scenario::{Op, Scenario, Storm, walk};

/// The simulated machine.
#[derive(Clone, Copy, Debug)]
pub struct Simulated;

impl Machine for Simulated {
    fn compute(kernel: &mut Kernel, us: u32) {
        for _ in 0..us {
            sim::point();
            kernel.jump(PER_US);
        }
    }

    /// The libraries of the process are not simulated.
    fn alloc(kernel: &mut Kernel, us: u32) {
        Self::compute(kernel, us);
    }

    fn block(us: u32) {
        let until = sim::now() + u64::from(us) * 1_000;
        loop {
            let left = until.saturating_sub(sim::now());
            if left == 0 {
                return;
            }
            // A signal ends it early, as in the kernel.
            sim::sleep(u32::try_from(left).unwrap_or(u32::MAX));
        }
    }

    fn now_us() -> u64 {
        sim::now() / 1_000
    }

    fn spin() {
        sim::spin();
    }

    fn round() {
        sim::point();
    }

    fn stack(bytes: usize) -> usize {
        // Frames of a build without optimisation, and those of a signal handler, which runs on the same stack.
        bytes + (128 << 10)
    }
}

goroutines_of! {
    /// The runtime in simulation.
    Simulation, sigurg_shuttle, Simulated
}

/// Runs `scenario` once, on a runtime of its own; to be called in an execution of the simulator.
#[must_use]
pub fn run(scenario: &Arc<Scenario>) -> Played {
    sim::runtime(scenario.procs.into()).run(|| {
        let storm = scenario.storm.map(Blowing::new);
        let played = play::<Simulation>(scenario);
        // Ends on this goroutine, so that what the storm left undone shows as a run that hangs.
        sigurg_shuttle::blocking(|| storm.map(Blowing::end));
        played
    })
}

/// A storm that blows until its signals are sent, or until it is ended.
struct Blowing {
    calm: Arc<AtomicBool>,
    thread: sim::JoinHandle<()>,
}

impl Blowing {
    fn new(storm: Storm) -> Self {
        let calm = Arc::new(AtomicBool::new(false));
        let thread = sim::spawn({
            let calm = Arc::clone(&calm);
            move || blow(storm, &calm)
        });
        Self { calm, thread }
    }

    fn end(self) {
        // Relaxed, here and below: one real thread runs all.
        self.calm.store(true, Relaxed);
        self.thread.join();
    }
}

fn blow(storm: Storm, calm: &AtomicBool) {
    for turn in 0..storm.signals {
        if calm.load(Relaxed) {
            return;
        }
        // One that has ended gets none.
        sim::interrupt((turn % u32::from(sim::threads())) as u16);
        sim::sleep(storm.every_us * 1_000);
    }
}

/// More operations than a run of `scenario` takes under a schedule that gives everybody turns.
#[must_use]
pub fn most_ops(scenario: &Scenario) -> u64 {
    let mut weight = u64::from(scenario.storm.map_or(0, |storm| storm.signals));
    for goroutine in &scenario.goroutines {
        walk::steps(goroutine, |op, _, around| {
            let each = match *op {
                Op::Compute(us) | Op::Alloc(us) | Op::PreemptOff(us) => 1 + u64::from(us) / 100,
                Op::Call(times) => 1 + u64::from(times) / 10,
                Op::Burst(count) => 1 + u64::from(count),
                _ => 1,
            };
            weight = weight.saturating_add(around.times.saturating_mul(each));
        });
    }
    LEAST_OPS.saturating_add(weight.saturating_mul(OPS_OF_STEP))
}

/// The least that a run may take, and what each of its steps may add.
const LEAST_OPS: u64 = 1_000_000;
const OPS_OF_STEP: u64 = 10_000;
