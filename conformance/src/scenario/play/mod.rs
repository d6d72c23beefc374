//! Running a scenario: one interpreter for every build of the runtime.
//!
//! - [`runtime`]: what a goroutine can do, as a trait; [`goroutines_of!`](crate::goroutines_of) writes it down for a crate with the API
//!   of `sigurg`, so that the runtime on real threads and the same sources in simulation share the rest;
//! - [`interpret`]: goes through the steps of each goroutine, and brings back what came out;
//! - [`compute`]: computing on a real processor, with everything that preemption could spoil;
//! - [`native`]: real threads, real SIGURG, and a recorded trace;
//! - [`simulated`]: one execution of the simulator.

pub mod compute;
pub mod interpret;
pub mod native;
pub mod runtime;
pub mod simulated;
mod storm;
