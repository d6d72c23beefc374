//! The scheduler as its user sees it: Go's own behaviours, one property each.
//!
//! No test here decides by time: what must happen is waited for, and a run that waits for ever is ended by the runner.
#![cfg(not(miri))]

mod stage;

mod deadlock;
mod environment;
mod fairness;
mod handoff;
mod identity;
mod locked;
mod lost_wakeups;
mod panics;
mod procs;
mod run;
mod scale;
mod unwinding;
