//! What users call: starting goroutines, waiting for them, asking about them.
//!
//! Everything here runs on goroutines and on plain threads; nothing runs on a scheduler's stack but the few words in
//! which a waiter publishes itself. A panic of a user's function never leaves the goroutine that ran it.

mod goroutine;
mod join;
mod metrics;
pub(crate) mod names;
mod packet;
pub mod pool;
mod preempt_off;
mod runtime;
mod scope;
mod spawn;

pub use goroutine::{
    GoId, GoStatus, Goroutine, blocking, current, lock_os_thread, try_current, unlock_os_thread, yield_now,
};
pub use join::join;
pub use metrics::{Metrics, NotInjected, Preemptions};
pub use preempt_off::preempt_off;
pub use runtime::{gomaxprocs, metrics, set_gomaxprocs, stop_the_world};
pub use scope::{Scope, ScopedJoinHandle, scope};
pub use spawn::{GoBuilder, JoinHandle, go};
