//! What a pool knows under its lock.
//!
//! 1. If a thread waits for a job, the queue is empty: jobs are handed to waiting threads directly.
//! 2. Whoever waits has a node on its own stack in one of the two lists. Who takes a node off, under the lock, wakes its
//!    owner, or learns that its time is up; the owner leaves only when its node is off.

use std::ptr;

use super::queue::{Queue, Work};
use crate::wait::Wait;

/// A pool in numbers: what [`BlockingPool::metrics`](super::BlockingPool::metrics) returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolMetrics {
    /// Threads.
    pub threads: usize,
    /// Threads that run a job.
    pub active: usize,
    /// Jobs that wait for a thread.
    pub queued: usize,
    /// The greatest number of threads there ever was.
    pub largest: usize,
    /// Jobs that ran to their end, or panicked. Those that callers ran for themselves are not counted.
    pub completed: u64,
    /// Jobs that were thrown away before they began.
    pub discarded: u64,
}

/// Whoever waits, on its own stack.
pub(super) struct Waiter {
    pub(super) wait: Wait,
    /// Set by who wakes a thread: what it is to run.
    pub(super) task: Option<Box<dyn Work>>,
    next: *mut Waiter,
}

impl Waiter {
    pub(super) fn new() -> Self {
        Self { wait: Wait::new(), task: None, next: ptr::null_mut() }
    }
}

/// A list of waiters, last in, first out: the thread that slept least has the warmest caches.
pub(super) struct Waiters(*mut Waiter);

// SAFETY: the waiters are reached only under the lock that this list is under.
unsafe impl Send for Waiters {}

impl Waiters {
    pub(super) const fn new() -> Self {
        Self(ptr::null_mut())
    }

    /// # Safety
    ///
    /// `waiter` stays in place until it is off the list.
    pub(super) unsafe fn push(&mut self, waiter: *mut Waiter) {
        // SAFETY: alive, says the caller.
        unsafe { (*waiter).next = self.0 };
        self.0 = waiter;
    }

    /// Takes one off. It is alive as long as the lock is held, and until it is woken.
    pub(super) fn pop(&mut self) -> Option<*mut Waiter> {
        let waiter = self.0;
        if waiter.is_null() {
            return None;
        }
        // SAFETY: what is on the list is alive (`push`).
        self.0 = unsafe { (*waiter).next };
        Some(waiter)
    }

    /// Takes `waiter` off, if nobody has yet.
    pub(super) fn remove(&mut self, waiter: *mut Waiter) {
        let mut link = &raw mut self.0;
        // SAFETY: what is on the list is alive (`push`).
        unsafe {
            while !(*link).is_null() {
                if *link == waiter {
                    *link = (*waiter).next;
                    return;
                }
                link = &raw mut (**link).next;
            }
        }
    }

    /// Wakes all.
    pub(super) fn wake_all(&mut self) {
        while let Some(waiter) = self.pop() {
            // SAFETY: as `pop` says. Whoever's time is up comes for its node under this lock.
            unsafe {
                if (*waiter).wait.claim() {
                    Wait::ready(&raw const (*waiter).wait);
                }
            }
        }
    }
}

/// See the module.
pub(super) struct State {
    pub(super) queue: Queue,
    /// Threads that wait for a job.
    pub(super) idle: Waiters,
    /// Who waits in `await_termination`.
    pub(super) enders: Waiters,
    pub(super) threads: usize,
    pub(super) active: usize,
    pub(super) largest: usize,
    pub(super) completed: u64,
    pub(super) discarded: u64,
    pub(super) shut_down: bool,
}

impl State {
    pub(super) const fn new() -> Self {
        Self {
            queue: Queue::new(),
            idle: Waiters::new(),
            enders: Waiters::new(),
            threads: 0,
            active: 0,
            largest: 0,
            completed: 0,
            discarded: 0,
            shut_down: false,
        }
    }

    /// Hands `task` to a thread that waits for one; back it comes if there is none.
    pub(super) fn hand_over(&mut self, task: Box<dyn Work>) -> Option<Box<dyn Work>> {
        let mut task = Some(task);
        while let Some(waiter) = self.idle.pop() {
            // SAFETY: as `Waiters::pop` says; `task` is read by its owner under this lock or after it was woken.
            unsafe {
                (*waiter).task = task.take();
                if (*waiter).wait.claim() {
                    self.active += 1;
                    Wait::ready(&raw const (*waiter).wait);
                    return None;
                }
                // Its time was up; it comes for its node, which is off already.
                task = (*waiter).task.take();
            }
        }
        task
    }

    pub(super) fn is_terminated(&self) -> bool {
        self.shut_down && self.threads == 0
    }

    pub(super) fn metrics(&self) -> PoolMetrics {
        PoolMetrics {
            threads: self.threads,
            active: self.active,
            queued: self.queue.len(),
            largest: self.largest,
            completed: self.completed,
            discarded: self.discarded,
        }
    }
}
