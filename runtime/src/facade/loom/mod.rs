//! The facade inside a loom model: every atomic operation, lock and sleep is loom's, which explores all orders of
//! them and, for loads, every value that the memory model lets them see.
//!
//! 1. One OS thread runs a whole model: its threads take turns at operations of loom, so what is between two of
//!    these needs no protection (`execution.rs`).
//! 2. Outside a model all of it works natively, as well as needed to build what a model starts from.
//! 3. Stack switches, memory maps and the poller are the machine's: models do not reach them.
//!
//! What loom cannot show is said in `ORDERINGS.md` beside the models.

pub(crate) mod atomic;
mod clock;
mod execution;
mod futex;
mod lock;
#[path = "../../../loom/models/mod.rs"]
pub(crate) mod models;
mod tls;
mod weaken;

pub(crate) use atomic::add_local;
pub(crate) use clock::{be_punctual, cputicks, nanotime, osyield, procyield, sleep_exactly, usleep};
pub(crate) use futex::{futex_wait, futex_wake};
pub(crate) use lock::RawLock;
pub(crate) use tls::{getm, getm_here, setm};

// For the models only: the lock that the machine uses, built from a word and the kernel, is one of their subjects.
use super::lock::RawLock as FutexLock;
use clock::advance;
use execution::{Model, keep, spawn};

/// The size of something, or how often something is done: the least that still has every case.
pub(crate) const fn scaled(_real: usize, small: usize) -> usize {
    small
}

/// What this build of the sources has beside the runtime: the models.
macro_rules! exports {
    () => {
        #[doc(hidden)]
        pub use facade::models::ALL as MODELS;
    };
}
pub(crate) use exports;
