//! Goroutines that may be moved at any instruction: they are, and find everything as it was; where they may not, they stay.
#![cfg(all(not(miri), target_os = "linux", target_arch = "x86_64"))]

mod declined;
mod dump;
#[path = "../preempt/kernels.rs"]
mod kernels;
mod moved;
#[path = "../preempt/registers.rs"]
mod registers;
#[path = "../preempt/stage.rs"]
mod stage;
mod stripped;
mod thread_local;
mod tier;
