//! [`Barrier`]: nobody goes on before all are there.

use std::fmt;

use super::list::{Claimed, List, Node};
use crate::lock::Lock;
use crate::proc::safe_point;
use crate::waitreason::WaitReason;

/// Lets a fixed number go on together, again and again. As `std::sync::Barrier`; Go has no counterpart.
///
/// ```
/// use sigurg::sync::Barrier;
///
/// let barrier = Barrier::new(2);
/// std::thread::scope(|s| {
///     s.spawn(|| barrier.wait());
///     barrier.wait();
/// });
/// ```
pub struct Barrier {
    parties: usize,
    waiting: Lock<Waiting>,
}

/// The round that is not full yet.
struct Waiting {
    count: usize,
    list: List,
}

/// How [`Barrier::wait`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarrierWaitResult(bool);

impl BarrierWaitResult {
    /// Whether the caller came last; exactly one in each round did.
    pub fn is_leader(self) -> bool {
        self.0
    }
}

impl Barrier {
    /// A barrier for `parties`; 0 is as 1.
    pub const fn new(parties: usize) -> Self {
        Self { parties, waiting: Lock::new(Waiting { count: 0, list: List::new() }) }
    }

    /// Waits until `parties` callers are here, and begins the next round.
    pub fn wait(&self) -> BarrierWaitResult {
        safe_point();
        let node = Node::new(0);
        let mut claimed = Claimed::new();
        let mut waiting = self.waiting.lock();
        if waiting.count + 1 < self.parties {
            waiting.count += 1;
            // SAFETY: only the last caller of the round ends this wait, and takes the node off the list before.
            unsafe { waiting.list.push_back(&node) };
            node.wait.block(WaitReason::SyncCondWait, || drop(waiting));
            return BarrierWaitResult(false);
        }
        waiting.count = 0;
        waiting.list.claim_all(&mut claimed);
        drop(waiting);
        claimed.ready();
        BarrierWaitResult(true)
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").field("parties", &self.parties).finish_non_exhaustive()
    }
}
