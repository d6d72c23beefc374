//! Whole runtimes in simulation: every thread, signal and the clock move by a schedule that can be recorded and replayed.
//!
//! A [`Simulator`] runs a closure as the main thread of a simulated machine, as often as wanted. The closure builds a
//! runtime as any program does; threads, time and SIGURG are simulated, stacks and the switches between them are
//! real. Whose turn it is says a [`Strategy`]: [`Random`], [`Pct`], [`Urw`], [`Dfs`], or [`Bytes`]. Each execution gives its
//! [`Schedule`], which [`Replay`] repeats exactly.
//!
//! ```
//! use sigurg_shuttle::sim::{self, Limits, Random, Simulator};
//!
//! let mut simulator = Simulator::new(Limits::default());
//! for seed in 0..10 {
//!     let outcome = simulator.run(&mut Random::new(seed), &mut |_, _| Ok(()), || {
//!         let runtime = sim::runtime(2);
//!         let answer = runtime.run(|| sigurg_shuttle::go(|| 6 * 7).join().unwrap());
//!         assert_eq!(answer, 42);
//!     });
//!     assert!(outcome.is_ok(), "{outcome}");
//! }
//! ```
//!
//! What a closure may do: anything of the runtime but sockets. It must not block its thread by other means (a
//! `std::sync::Mutex` that is held over an operation of the runtime, a thread of std): all simulated threads share one
//! real thread. It must be a function of the schedule alone: no real clock (so no `Instant`), no addresses, no randomness.

mod bytes;
mod damage;
mod dfs;
mod fair;
mod outcome;
mod pct;
mod random;
mod replay;
mod schedule;
mod strategy;
mod thread;
mod urw;

use sigurg_traces::{Event, Symbols};

pub use bytes::Bytes;
#[doc(hidden)]
pub use damage::Damage;
pub use dfs::Dfs;
pub use outcome::{Failure, Outcome};
pub use pct::Pct;
pub use random::Random;
pub use replay::Replay;
pub use schedule::{Actor, End, ParseScheduleError, Schedule, Slice};
pub use strategy::{Bound, Choice, Strategy, View};
pub use thread::{
    JoinHandle, interrupt, now, point, sleep, spawn, spin, thread_number, threads, unsafe_point,
};
pub use urw::Urw;

pub use super::stacks::on_new_stack;

use super::machine::Engine;

/// Hears every event of an execution as it happens, with the names that its symbols stand for; an error ends the execution.
pub type Listener<'a> = dyn FnMut(&Event, &Symbols) -> Result<(), String> + 'a;

/// How long an execution may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Operations of all threads.
    pub ops: u64,
    /// Virtual time, nanoseconds: a runtime in which only sysmon ever does something has lost a wake-up.
    pub virtual_ns: u64,
}

impl Default for Limits {
    /// A million operations, a thousand seconds.
    fn default() -> Self {
        Self { ops: 1_000_000, virtual_ns: 1_000_000_000_000 }
    }
}

/// Slots of the ring of a P in this build, which is small so that it is often full.
pub const RING: u32 = crate::runq::RING as u32;

/// Runs executions, one after the other, on the thread that calls.
pub struct Simulator {
    engine: Engine,
    limits: Limits,
}

impl Simulator {
    /// A simulator. The memory of an execution is used again for the next.
    pub fn new(limits: Limits) -> Self {
        Self { engine: Engine::new(), limits }
    }

    /// From now on executions may be so long.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// One execution of `main`, which is over when `main` has returned.
    ///
    /// What `main` left running is let end; what does not end soon is forgotten, with what its stack owns.
    ///
    /// # Panics
    ///
    /// If it is called inside an execution.
    pub fn run<'a>(
        &mut self,
        strategy: &mut dyn Strategy,
        listener: &mut Listener<'_>,
        main: impl FnOnce() + 'a,
    ) -> Outcome {
        self.engine.run(&self.limits, strategy, listener, Box::new(main))
    }
}

/// A runtime with so many Ps, for the closure that is simulated.
///
/// # Panics
///
/// If there is no memory, or `procs` is none that the build allows.
pub fn runtime(procs: u32) -> crate::Runtime {
    // SAFETY: simulated threads share one real thread, and so its thread-locals: whichever of them a goroutine wakes on,
    // it finds the same.
    unsafe { crate::Builder::new().gomaxprocs(procs).build() }.expect("a simulated runtime")
}
