//! Sleep and wake-up in pairs: each `acquire` ends with one `release`, whichever comes first.
//!
//! 1. A permit exists only while nobody waits: `release` gives it to the first waiter, directly. Nobody barges in
//!    between, so a waiter never has to sleep again. (Go's woken waiter must compete unless it got a ticket.)
//! 2. A waiter is given a permit exactly if its `Wait` was claimed; a waiter whose time was up has none. The two
//!    exclude each other, so no permit is lost or doubled.
//!
//! Go: `semacquire1`, `semrelease1` (sema.go).

use super::list::{Claimed, List, Node};
use crate::lock::Lock;
use crate::waitreason::WaitReason;

/// See the module.
pub(super) struct Sema {
    queue: Lock<Queue>,
}

struct Queue {
    permits: u32,
    waiters: List,
}

/// How an `acquire` ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Acquired {
    /// With a permit.
    InTime,
    /// With a permit, which came when the time was up.
    Late,
    /// Without a permit: the time was up.
    Never,
}

/// Where a waiter enters the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Enter {
    /// It has just come.
    Back,
    /// It has waited already. Go: `lifo`.
    Front,
}

impl Sema {
    pub(super) const fn new() -> Self {
        Self { queue: Lock::new(Queue { permits: 0, waiters: List::new() }) }
    }

    /// Takes a permit, or waits for one until `deadline` (`None`: for ever).
    ///
    /// When the time is up `leave` is asked, under the lock, whether the waiter may go without a permit. If not, a permit
    /// is on its way to it, and it waits for that one before all others.
    pub(super) fn acquire(
        &self,
        enter: Enter,
        deadline: Option<i64>,
        reason: WaitReason,
        leave: impl FnOnce() -> bool,
    ) -> Acquired {
        let node = Node::new(0);
        let mut queue = self.queue.lock();
        if queue.permits > 0 {
            queue.permits -= 1;
            return Acquired::InTime;
        }
        // SAFETY: the node leaves the list before this function returns: by `release`, or below.
        unsafe {
            match enter {
                Enter::Back => queue.waiters.push_back(&node),
                Enter::Front => queue.waiters.push_front(&node),
            }
        }
        if node.wait.block_until(deadline, reason, || drop(queue)) {
            return Acquired::InTime;
        }
        let late = Node::new(0);
        let mut queue = self.queue.lock();
        if node.is_linked() {
            queue.waiters.remove(&node);
        }
        if leave() {
            return Acquired::Never;
        }
        if queue.permits > 0 {
            queue.permits -= 1;
        } else {
            // SAFETY: only `release` ends this wait, and takes the node off the list before.
            unsafe { queue.waiters.push_front(&late) };
            late.wait.block(reason, || drop(queue));
        }
        Acquired::Late
    }

    /// Gives a permit to the first waiter, or to whoever comes next. Whether somebody waited.
    pub(super) fn release(&self) -> bool {
        let mut claimed = Claimed::new();
        let mut queue = self.queue.lock();
        let found = queue.waiters.claim_first(&mut claimed);
        if !found {
            queue.permits += 1;
        }
        drop(queue);
        claimed.ready();
        found
    }
}
