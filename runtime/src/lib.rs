#![doc = include_str!("../README.md")]

mod api;
mod arch;
mod builder;
pub mod chan;
mod config;
mod dump;
mod facade;
mod g;
mod gfree;
mod lock;
mod m;
pub mod net;
mod netpoll;
mod p;
mod proc;
mod runq;
mod sched;
mod schedtrace;
pub mod select;
mod signal;
mod stack;
pub mod stacks;
mod stats;
mod status;
pub mod sync;
mod sys;
mod throw;
pub mod time;
mod timer;
mod trace;
mod wait;
mod waitreason;

facade::exports!();

pub use api::{
    GoBuilder, GoId, GoStatus, Goroutine, JoinHandle, Metrics, Preemptions, Scope, ScopedJoinHandle,
    blocking, current, go, gomaxprocs, join, lock_os_thread, metrics, pool, preempt_off, scope,
    set_gomaxprocs, try_current, unlock_os_thread, yield_now,
};
pub use builder::{BuildError, Builder, Runtime};
pub use chan::chan;
pub use config::BadVariable;
pub use dump::dump_goroutines;
