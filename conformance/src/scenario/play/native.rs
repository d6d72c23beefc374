//! The driver on real threads: real time, real SIGURG, and a trace of every event.
//!
//! 1. A run that does not come to its end ends its process, by the death that prints all goroutines (SIGQUIT), after it has
//!    told `stuck`: nothing can be taken back from a runtime that hangs.
//! 2. The storm is over before what is left is counted, so that liveness is asked for without faults.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, raise};

use super::compute::Processor;
use super::interpret::{Played, play};
use super::storm::{Blowing, Threads};
use crate::goroutines_of;
use crate::scenario::Scenario;

goroutines_of! {
    /// The runtime on real threads.
    Native, sigurg, Processor
}

/// Builds a runtime. Whoever builds one says that no goroutine keeps anything of a thread-local across a blocking call; here
/// that is so by the first invariant of [`interpret`](super::interpret).
pub type Build = fn(sigurg::Builder) -> Result<sigurg::Runtime, sigurg::BuildError>;

/// How to run.
#[derive(Clone, Copy)]
pub struct How<'a> {
    /// Makes the runtime.
    pub build: Build,
    /// Where to record the trace.
    pub trace: &'a Path,
    /// How long the run may take from its beginning.
    pub within: Duration,
    /// Is told that it took longer, before the process ends.
    pub stuck: &'a (dyn Fn() + Sync),
}

impl std::fmt::Debug for How<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("How")
            .field("trace", &self.trace)
            .field("within", &self.within)
            .finish_non_exhaustive()
    }
}

/// Runs `scenario` once, on a runtime of its own.
///
/// # Errors
/// That the runtime cannot be built.
pub fn run(scenario: &Arc<Scenario>, how: &How<'_>) -> Result<Played, sigurg::BuildError> {
    let threads = Threads::default();
    let (enter, leave) = (threads.clone(), threads.clone());
    let builder = sigurg::Builder::new()
        .gomaxprocs(scenario.procs.into())
        .on_thread_start(move || enter.enter())
        .on_thread_stop(move || leave.leave())
        .trace(how.trace);
    let runtime = (how.build)(builder)?;
    let (done, ended) = channel::<()>();
    Ok(thread::scope(|scope| {
        scope.spawn(move || {
            if ended.recv_timeout(how.within) == Err(RecvTimeoutError::Timeout) {
                (how.stuck)();
                let _ = raise(Signal::SIGQUIT);
            }
        });
        let storm = scenario.storm.map(|storm| Blowing::new(storm, threads));
        let played = runtime.run(|| {
            let played = play::<Native>(scenario);
            // Ends on this goroutine, so that what the storm left undone shows as a run that hangs.
            sigurg::blocking(|| drop(storm));
            played
        });
        drop(done);
        played
    }))
}
