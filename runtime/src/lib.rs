//! Sigurg: goroutines for Rust that no busy loop can starve.

#![allow(dead_code, unused_imports, reason = "SKELETON: removed before the first complete commit")]

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
