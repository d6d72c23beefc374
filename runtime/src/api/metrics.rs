//! What a runtime is doing, in numbers.

use std::time::Duration;

use crate::safepoint::Decline;

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
    /// Times the unused memory of a stack was given back by [`stacks::shrink`](crate::stacks::shrink()). Only grows.
    pub stacks_shrunk: u64,
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
    /// By signal: a call was injected, and the goroutine may go on in another thread; see
    /// [`GoBuilder::injectable`](crate::GoBuilder::injectable).
    pub injected: u64,
    /// Signals at which a call was to be injected and was not, by reason. The goroutine was then parked in the handler, or asked again soon.
    pub not_injected: NotInjected,
    /// Signals that came at a moment when nothing could be done, or was better done a little later.
    pub declined: u64,
}

/// How often which reason kept a call from being injected. Only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotInjected([u64; Decline::ALL.len()]);

impl NotInjected {
    pub(crate) fn new(count: impl Fn(Decline) -> u64) -> Self {
        Self(std::array::from_fn(|i| count(Decline::ALL[i])))
    }

    /// How often for that reason.
    pub fn get(&self, reason: Decline) -> u64 {
        self.0[reason as usize]
    }

    /// How often for any.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The reasons that there were, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (Decline, u64)> {
        Decline::ALL.iter().copied().zip(self.0).filter(|(_, count)| *count > 0)
    }
}
