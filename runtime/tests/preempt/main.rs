//! Preemption as a user sees it: goroutines that compute, that block their thread and that hold foreign locks starve nobody,
//! and find everything as it was.
#![cfg(all(not(miri), target_os = "linux"))]

mod adopt;
mod blocked;
mod dump;
mod eintr;
mod handler_before;
mod kernels;
mod leaks;
mod malloc;
mod moving;
mod new_threads;
mod off;
#[cfg(target_arch = "x86_64")]
mod registers;
mod safe_points;
mod seed;
mod stage;
mod tier;
mod world;
