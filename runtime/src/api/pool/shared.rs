//! The pool itself: taking jobs in, and the life of its threads.

use std::sync::Arc;
use std::time::Duration;

use super::builder::{Config, RejectionPolicy};
use super::handle::Reason;
use super::queue::Work;
use super::state::{State, Waiter};
use crate::facade::{nanotime, spawn};
use crate::lock::Lock;
use crate::waitreason::WaitReason;

/// See the module.
pub(super) struct Shared {
    pub(super) config: Config,
    pub(super) state: Lock<State>,
}

/// The time `after` from now, nanoseconds of the monotonic clock; the end of time if it is later.
fn deadline(after: Duration) -> i64 {
    nanotime().saturating_add(i64::try_from(after.as_nanos()).unwrap_or(i64::MAX))
}

impl Shared {
    pub(super) fn new(config: Config) -> Self {
        Self { config, state: Lock::new(State::new()) }
    }

    /// Takes `task` in, or gives it back with the reason.
    pub(super) fn offer(self: &Arc<Self>, task: Box<dyn Work>) -> Result<(), (Box<dyn Work>, Reason)> {
        let mut oldest = None;
        let mut state = self.state.lock();
        if state.shut_down {
            drop(state);
            return Err((task, Reason::ShutDown));
        }
        let Some(task) = state.hand_over(task) else {
            return Ok(());
        };
        let has_room = state.queue.len() < self.config.capacity;
        // At least one thread, even if the core is none: somebody must look into the queue.
        if state.threads < self.config.core.max(1) || (!has_room && state.threads < self.config.max) {
            state.threads += 1;
            state.active += 1;
            state.largest = state.largest.max(state.threads);
            drop(state);
            return self.start_thread(task);
        }
        if has_room {
            state.queue.push(task);
            return Ok(());
        }
        let refused = match self.config.rejection {
            RejectionPolicy::DiscardOldest if state.queue.len() > 0 => {
                oldest = state.queue.pop();
                state.queue.push(task);
                state.discarded += 1;
                None
            }
            RejectionPolicy::Discard => {
                state.discarded += 1;
                Some(task)
            }
            _ => Some(task),
        };
        drop(state);
        // Users' values, and so dropped only now.
        drop(oldest);
        refused.map_or(Ok(()), |task| Err((task, Reason::Full)))
    }

    /// Starts a thread, counted already, that begins with `task`. If the kernel refuses, the threads that there
    /// are take it over.
    fn start_thread(self: &Arc<Self>, task: Box<dyn Work>) -> Result<(), (Box<dyn Work>, Reason)> {
        // Through the heap, because `spawn` does not give back what it could not run.
        let first = Arc::new(Lock::new(Some(task)));
        let (shared, taken) = (Arc::clone(self), Arc::clone(&first));
        let body = move || {
            let task = taken.lock().take();
            drop(taken);
            shared.work(task);
        };
        let Err(error) = spawn(self.config.name.to_string(), None, body) else {
            return Ok(());
        };
        let task = first.lock().take().expect("no thread has run");
        let mut state = self.state.lock();
        state.threads -= 1;
        state.active -= 1;
        if state.threads > 0 && state.queue.len() < self.config.capacity {
            let task = state.hand_over(task);
            if let Some(task) = task {
                state.queue.push(task);
            }
            return Ok(());
        }
        if state.is_terminated() {
            state.enders.wake_all();
        }
        drop(state);
        Err((task, Reason::NoThread(error)))
    }

    /// The life of one thread.
    fn work(&self, first: Option<Box<dyn Work>>) {
        let mut task = first;
        while let Some(current) = task {
            current.run();
            task = self.next_task();
        }
    }

    /// What a thread that has finished a job does next; `None`: it ends, and is counted no more.
    fn next_task(&self) -> Option<Box<dyn Work>> {
        let mut state = self.state.lock();
        state.completed += 1;
        state.active -= 1;
        let mut in_time = true;
        loop {
            if let Some(task) = state.queue.pop() {
                state.active += 1;
                return Some(task);
            }
            let surplus = state.threads > self.config.core;
            if state.shut_down || (surplus && !in_time) {
                break;
            }
            let mut waiter = Waiter::new();
            let waiter = &raw mut waiter;
            // SAFETY: it stays here until it is off the list: taken off by who wakes it, or below.
            unsafe { state.idle.push(waiter) };
            let until = surplus.then(|| deadline(self.config.keep_alive));
            // SAFETY: it is this thread's own; others write only `task`, under the lock and before they wake it.
            in_time = unsafe { (*waiter).wait.block_until(until, WaitReason::Pool, || drop(state)) };
            if in_time {
                // SAFETY: as above. Nothing there: the pool was shut down.
                if let Some(task) = unsafe { (*waiter).task.take() } {
                    return Some(task);
                }
                state = self.state.lock();
            } else {
                state = self.state.lock();
                state.idle.remove(waiter);
            }
        }
        state.threads -= 1;
        if state.is_terminated() {
            state.enders.wake_all();
        }
        None
    }

    pub(super) fn shut_down(&self) {
        let mut state = self.state.lock();
        state.shut_down = true;
        state.idle.wake_all();
        if state.is_terminated() {
            state.enders.wake_all();
        }
    }

    /// Throws away what is queued: how many jobs.
    pub(super) fn discard_queued(&self) -> usize {
        let mut state = self.state.lock();
        let queue = state.queue.take();
        state.discarded += queue.len() as u64;
        drop(state);
        queue.len()
    }

    pub(super) fn await_termination(&self, timeout: Duration) -> bool {
        let until = deadline(timeout);
        let mut state = self.state.lock();
        if state.is_terminated() {
            return true;
        }
        let mut waiter = Waiter::new();
        let waiter = &raw mut waiter;
        // SAFETY: as in `next_task`.
        unsafe { state.enders.push(waiter) };
        // SAFETY: as in `next_task`.
        if unsafe { (*waiter).wait.block_until(Some(until), WaitReason::Pool, || drop(state)) } {
            return true;
        }
        let mut state = self.state.lock();
        state.enders.remove(waiter);
        state.is_terminated()
    }
}
