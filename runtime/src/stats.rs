//! What an M has done, counted: each M counts for itself, `metrics` adds up.

use crate::facade::atomic::AtomicU64;
use crate::facade::atomic::Ordering::Relaxed;
use crate::safepoint::Decline;

/// A count that one thread raises and others read.
pub(crate) struct Count(AtomicU64);

impl Count {
    const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// One more. Only the M that it belongs to.
    #[inline]
    pub(crate) fn bump(&self) {
        // Relaxed, and not an exchange: one writer; readers want a figure, not an order.
        self.0.store(self.0.load(Relaxed) + 1, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// See the module.
pub(crate) struct MStats {
    /// Successful steals, whatever their size.
    pub(crate) steals: Count,
    /// Ps given away.
    pub(crate) handoffs: Count,
    /// Goroutines created.
    pub(crate) spawned: Count,
    /// Goroutines that ended.
    pub(crate) ended: Count,
    /// Goroutines that parked.
    pub(crate) parks: Count,
    /// System calls, and `blocking` calls.
    pub(crate) syscalls: Count,
    /// Ps taken from a system call.
    pub(crate) retakes: Count,
    /// Goroutines preempted at a safe point.
    pub(crate) preempted_sync: Count,
    /// Goroutines parked in a signal handler.
    pub(crate) preempted_park: Count,
    /// Ps taken from foreign calls.
    pub(crate) adopted: Count,
    /// Goroutines stopped by an injected call.
    pub(crate) preempted_inject: Count,
    /// Injections that were declined, by reason.
    pub(crate) not_injected: [Count; Decline::ALL.len()],
    /// Stacks whose unused memory was given back on request.
    pub(crate) shrunk: Count,
    /// Signals that came when nothing could be done.
    pub(crate) declined: Count,
}

impl MStats {
    pub(crate) const fn new() -> Self {
        Self {
            steals: Count::new(),
            handoffs: Count::new(),
            spawned: Count::new(),
            ended: Count::new(),
            parks: Count::new(),
            syscalls: Count::new(),
            retakes: Count::new(),
            preempted_sync: Count::new(),
            preempted_park: Count::new(),
            adopted: Count::new(),
            preempted_inject: Count::new(),
            not_injected: [const { Count::new() }; Decline::ALL.len()],
            shrunk: Count::new(),
            declined: Count::new(),
        }
    }
}
