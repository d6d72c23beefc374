//! [`Condvar`]: waits for what the holder of a mutex will bring about.
//!
//! 1. A waiter is on the list before it gives its mutex back. So a notification that follows a change made under the
//!    mutex cannot come too early; Go takes a ticket for the same end.
//! 2. It parks only later, when it has given the mutex back (that may wake somebody, and must not be done under the
//!    list's lock). The node's note says which: a waiter that is notified `AWAKE` needs no waking and finds itself
//!    off the list.
//! 3. Notifications go down the list in order, and to a waiter on it only: those that come later get none, and one that goes
//!    to a waiter whose time is up goes on to the next.

use std::fmt;
use std::time::{Duration, Instant};

use super::list::{Claimed, List, Node};
use super::mutex::MutexGuard;
use crate::facade::atomic::AtomicU32;
use crate::facade::atomic::Ordering::Relaxed;
use crate::lock::Lock;
use crate::proc::safe_point;
use crate::time;
use crate::waitreason::WaitReason;

/// Node's note: on its way to the park.
const AWAKE: usize = 0;
/// Node's note: parked, or about to be under the list's lock.
const PARKED: usize = 1;

/// A condition variable. Go: `sync.Cond`.
///
/// A waiter returns only when it was notified, or its time is up; but another may have changed the condition
/// before it had the mutex again, so ask in a loop, or let [`Condvar::wait_while`] do it.
///
/// ```
/// use sigurg::sync::{Condvar, Mutex};
///
/// let (ready, changed) = (Mutex::new(false), Condvar::new());
/// std::thread::scope(|s| {
///     s.spawn(|| {
///         *ready.lock() = true;
///         changed.notify_one();
///     });
///     let guard = changed.wait_while(ready.lock(), |ready| !*ready);
///     assert!(*guard);
/// });
/// ```
pub struct Condvar {
    /// Length of the list, changed under its lock: a notification for nobody costs one load.
    len: AtomicU32,
    waiters: Lock<List>,
}

/// Whether a wait ended because its time was up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the time was up before a notification came.
    pub fn timed_out(self) -> bool {
        self.0
    }
}

impl Condvar {
    /// A condition variable that nobody waits for.
    pub const fn new() -> Self {
        Self { len: AtomicU32::new(0), waiters: Lock::new(List::new()) }
    }

    /// Gives the mutex back, waits for a notification, and takes the mutex again. Go: `Wait`.
    pub fn wait<'a, T: ?Sized>(&self, mut guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.wait_until_ns(&mut guard, None);
        guard
    }

    /// Waits until `condition`, which is asked while the mutex is held, is false.
    pub fn wait_while<'a, T: ?Sized>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> MutexGuard<'a, T> {
        while condition(&mut *guard) {
            guard = self.wait(guard);
        }
        guard
    }

    /// As [`Condvar::wait`], but waits no longer than `timeout` for the notification.
    pub fn wait_timeout<'a, T: ?Sized>(
        &self,
        mut guard: MutexGuard<'a, T>,
        timeout: Duration,
    ) -> (MutexGuard<'a, T>, WaitTimeoutResult) {
        let notified = self.wait_until_ns(&mut guard, Some(time::after(timeout)));
        (guard, WaitTimeoutResult(!notified))
    }

    /// As [`Condvar::wait`], but waits no longer than until `instant` for the notification.
    pub fn wait_until<'a, T: ?Sized>(
        &self,
        mut guard: MutexGuard<'a, T>,
        instant: Instant,
    ) -> (MutexGuard<'a, T>, WaitTimeoutResult) {
        let notified = self.wait_until_ns(&mut guard, Some(time::at(instant)));
        (guard, WaitTimeoutResult(!notified))
    }

    /// As [`Condvar::wait_while`], but waits no longer than `timeout` in all. The result says whether the condition
    /// still held when the time was up.
    pub fn wait_timeout_while<'a, T: ?Sized>(
        &self,
        mut guard: MutexGuard<'a, T>,
        timeout: Duration,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> (MutexGuard<'a, T>, WaitTimeoutResult) {
        let deadline = time::after(timeout);
        let mut in_time = true;
        loop {
            if !condition(&mut *guard) {
                return (guard, WaitTimeoutResult(false));
            }
            if !in_time {
                return (guard, WaitTimeoutResult(true));
            }
            in_time = self.wait_until_ns(&mut guard, Some(deadline));
        }
    }

    /// Wakes the waiter that has waited longest, if there is one. Go: `Signal`.
    ///
    /// The caller need not hold the mutex.
    pub fn notify_one(&self) {
        self.notify(1);
    }

    /// Wakes all who wait now. Go: `Broadcast`.
    ///
    /// The caller need not hold the mutex.
    pub fn notify_all(&self) {
        self.notify(usize::MAX);
    }

    fn notify(&self, mut limit: usize) {
        safe_point();
        // Relaxed: a waiter that gave its mutex back before the caller changed anything under it is seen because of
        // that mutex; whether others count as waiting already is nobody's to say.
        if self.len.load(Relaxed) == 0 {
            return;
        }
        let mut claimed = Claimed::new();
        let mut waiters = self.waiters.lock();
        while limit > 0
            && let Some(first) = waiters.first()
        {
            let notified = if first.note.get() == AWAKE {
                waiters.drop_first();
                true
            } else {
                waiters.take_first(&mut claimed)
            };
            // Relaxed: under the lock.
            self.len.fetch_sub(1, Relaxed);
            limit -= usize::from(notified);
        }
        drop(waiters);
        claimed.ready();
    }

    /// Whether a notification ended the wait.
    fn wait_until_ns<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>, deadline: Option<i64>) -> bool {
        safe_point();
        let node = Node::new(AWAKE);
        let mut waiters = self.waiters.lock();
        // SAFETY: `park` returns only when the node is off the list, and nothing before it unwinds.
        unsafe { waiters.push_back(&node) };
        // Relaxed: under the lock.
        self.len.fetch_add(1, Relaxed);
        drop(waiters);
        MutexGuard::unlocked(guard, || self.park(&node, deadline))
    }

    fn park(&self, node: &Node, deadline: Option<i64>) -> bool {
        let waiters = self.waiters.lock();
        if !node.is_linked() {
            return true;
        }
        node.note.set(PARKED);
        if node.wait.block_until(deadline, WaitReason::SyncCondWait, || drop(waiters)) {
            return true;
        }
        let mut waiters = self.waiters.lock();
        if node.is_linked() {
            waiters.remove(node);
            // Relaxed: under the lock.
            self.len.fetch_sub(1, Relaxed);
        }
        false
    }
}

impl Default for Condvar {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar").finish_non_exhaustive()
    }
}
