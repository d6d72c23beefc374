//! Sigurg: goroutines for Rust that no busy loop can starve.

#![allow(dead_code, unused_imports, reason = "SKELETON: removed before the first complete commit")]

pub mod chan;
mod facade;
mod g;
mod gfree;
mod lock;
mod m;
mod p;
mod proc;
mod runq;
mod sched;
pub mod select;
mod status;
mod timer;
mod trace;
mod wait;
mod waitreason;

pub use chan::chan;
