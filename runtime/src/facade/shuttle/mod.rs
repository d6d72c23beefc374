//! The facade in simulation: threads, time and signals are made up, and a schedule decides who goes on.
//!
//! 1. All simulated threads of an execution share one thread of the process and take turns. Each operation of this facade
//!    is a place where the turn may end; nothing else is. So an execution is a function of its schedule alone.
//! 2. Time passes when nothing else can run, or when the schedule says so. No operation looks at the real clock.
//! 3. A signal that was sent is pending until the schedule delivers it, at whatever operation its thread stands; the
//!    handler runs on the stack that it interrupted. Whether a call may be injected there says the body: only at its
//!    `sim::point`.
//! 4. Stacks are switched by the runtime's own assembly: goroutines have their real stacks, threads have others.
//! 5. What natively lives for ever lives as long as its execution.
//!
//! The method is that of the Shuttle library (one real thread, a scheduler that is asked at operations), the engine is
//! its own ([`machine`]): an execution of this runtime is some ten thousand operations, and one costs 330 ns in Shuttle 0.9,
//! for there each asks the scheduler. Here the scheduler says beforehand after how many operations it wants to be asked
//! again. It also chooses signals and time as it chooses threads, and a failed execution leaks no stacks.
//!
//! Not simulated: orderings weaker than sequential consistency (loom and Miri look at those), descriptors, and what
//! runs between two operations.

pub(crate) mod atomic;
mod clock;
mod end;
mod futex;
mod global;
mod machine;
mod memory;
mod order;
mod places;
mod poller;
pub mod queue;
mod signal;
pub mod sim;
mod stacks;
mod thread;
mod watch;

pub(crate) use super::lock::RawLock;
pub(crate) use clock::{be_punctual, cputicks, nanotime, osyield, procyield, sleep_exactly, usleep};
pub(crate) use end::{abort, exit, last_task, write_stderr};
pub(crate) use futex::{futex_wait, futex_wake};
pub(crate) use global::{Global, global};
pub(crate) use memory::{
    discard_pages, give_table, guard_once, immortal, map_pages, take_table, unmap_pages,
};
pub(crate) use order::Order;
pub(crate) use places::Places;
pub(crate) use poller::{Polled, Poller};
pub(crate) use signal::{block_sigurg, install_handlers, send_sigurg, signal_stack};
pub(crate) use stacks::begin_stack;
pub(crate) use thread::{
    add_local, getm, getm_here, setm, sleeps_in_call, spawn, thread_cputime, thread_id, threads,
};
pub(crate) use watch::{WATCHED, aside, end_watch, seen};

/// The size of something, or how often something is done: `small`, the least that still has every case.
pub(crate) const fn scaled(_real: usize, small: usize) -> usize {
    small
}

/// What this build of the sources has beside the runtime.
macro_rules! exports {
    () => {
        pub use facade::shuttle::{queue, sim};
    };
}
pub(crate) use exports;
