//! What a runtime is doing, in numbers.

use std::time::Duration;

/// A runtime at one moment: what [`metrics`](crate::metrics()) returns.
///
/// Each number is right for some moment during the call; they are not all of the same moment, because nothing is
/// stopped to count. Numbers that only grow are counted since the runtime was built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// Goroutines that have started and not ended. Go: `NumGoroutine`.
    pub goroutines: u64,
    /// Goroutines started. Only grows.
    pub goroutines_started: u64,
    /// Goroutines in the global run queue.
    pub runnable_global: u64,
    /// Goroutines in the run queues of the Ps, their `runnext` included.
    pub runnable_local: u64,
    /// OS threads (Ms) of the scheduler, sysmon not included.
    pub ms: u64,
    /// Ms that sleep for want of work.
    pub idle_ms: u64,
    /// Ms that look for work in the queues of others.
    pub spinning_ms: u64,
    /// The right to run, in number. Go: `GOMAXPROCS`.
    pub ps: u64,
    /// Ps that nobody holds.
    pub idle_ps: u64,
    /// Times a goroutine began a time slice. Only grows.
    pub schedules: u64,
    /// Times a goroutine parked. Only grows.
    pub parks: u64,
    /// Times an M took goroutines from another P. Only grows.
    pub steals: u64,
    /// System calls and `blocking` calls. Only grows.
    pub syscalls: u64,
    /// Times sysmon took the P of an M that blocked in one. Only grows.
    pub handoffs: u64,
    /// Times a goroutine was stopped, by kind.
    pub preemptions: Preemptions,
    /// Timers that are armed.
    pub timers: u64,
    /// Goroutines that wait for the network.
    pub netpoll_waiters: u64,
    /// Stacks made: of goroutines that have not ended, and those kept to be used again.
    pub stacks: u64,
    /// Since the runtime was built.
    pub uptime: Duration,
}

/// How often goroutines were stopped, by how. All only grow.
///
/// A goroutine that nobody can stop shows as `declined` that grows while others wait: it is inside
/// [`preempt_off`](crate::preempt_off), or there are too many threads. One that takes no signals shows in nothing here: its P's
/// `schedtick` stands still in `SIGURG_DEBUG=schedtrace=1000,scheddetail=1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Preemptions {
    /// At a call of the runtime.
    pub synchronous: u64,
    /// By signal: the goroutine was stopped in the handler, its thread with it.
    pub parked: u64,
    /// Without a signal: the goroutine's thread slept in a foreign call, and others got its processor meanwhile.
    pub adopted: u64,
    /// Signals that came at a moment when nothing could be done.
    pub declined: u64,
}
