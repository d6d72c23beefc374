//! The seam: everything that the scheduler takes from the machine.
//!
//! Atomics, locks that block a thread, threads, the clock, spin hints and the thread's own words come from here
//! and from nowhere else, so that the same sources can be built on simulated threads and atomics. This is the
//! only place that may choose by `cfg`; the rest of the crate says `use crate::facade::…`.
//!
//! Natively each name is std's or the kernel's and compiles to what hand-written code would.

mod lock;
mod note;
mod pages;

#[cfg(feature = "loom")]
mod loom;
#[cfg(not(any(feature = "shuttle", feature = "loom")))]
mod native;
#[cfg(not(feature = "shuttle"))]
mod os;
#[cfg(feature = "shuttle")]
pub(crate) mod shuttle;

#[cfg(feature = "loom")]
pub(crate) use loom::*;
#[cfg(not(any(feature = "shuttle", feature = "loom")))]
pub(crate) use native::*;
#[cfg(not(feature = "shuttle"))]
pub(crate) use os::*;
#[cfg(feature = "shuttle")]
pub(crate) use shuttle::*;

pub(crate) use note::Note;
pub(crate) use pages::reserve_pages;
