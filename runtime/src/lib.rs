//! Sigurg: goroutines for Rust that no busy loop can starve.

#![allow(dead_code, unused_imports, reason = "SKELETON: removed before the first complete commit")]

mod api;
mod facade;
mod g;
mod gfree;
mod lock;
mod m;
mod p;
mod proc;
mod runq;
mod sched;
mod stack;
mod status;
mod sys;
pub mod time;
pub mod sync;
mod timer;
mod trace;
mod wait;
mod waitreason;

pub use api::{
    GoBuilder, GoId, GoStatus, Goroutine, JoinHandle, Metrics, Preemptions, Scope, ScopedJoinHandle,
    blocking, current, go, join, lock_os_thread, pool, scope, try_current, unlock_os_thread, yield_now,
};
