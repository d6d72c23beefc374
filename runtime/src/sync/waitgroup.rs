//! [`WaitGroup`]: waits until a number of things is done.
//!
//! 1. The word is the count and the bit `WAITING`; the bit is set exactly while somebody is on the list. It is changed
//!    only under the lock.
//! 2. Whoever brings the count to zero with the bit set takes the whole list off under the lock, in the same
//!    critical section. So a waiter of the next round, which may begin at once, is never woken by this one.

use std::fmt;

use super::list::{Claimed, List, Node};
use crate::facade::atomic::AtomicU64;
use crate::facade::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use crate::lock::Lock;
use crate::proc::safe_point;
use crate::waitreason::WaitReason;

/// Somebody is on the list.
const WAITING: u64 = 1;
/// One in the count, which is a 32-bit number as Go's.
const ONE: u64 = 2;
/// The highest count.
const MAX: u64 = i32::MAX as u64;

/// A counter that can be waited for to be zero. Go: `sync.WaitGroup`.
///
/// Call [`add`](WaitGroup::add) before starting what is to be waited for, not inside it: a `wait` that comes first finds
/// zero and returns. The group can be used again as soon as its count is zero: those who still wake from the round
/// before are not touched by the next (Go forbids that).
///
/// ```
/// use sigurg::sync::WaitGroup;
///
/// let group = WaitGroup::new();
/// group.add(2);
/// std::thread::scope(|s| {
///     s.spawn(|| group.done());
///     s.spawn(|| group.done());
///     group.wait();
/// });
/// ```
pub struct WaitGroup {
    state: AtomicU64,
    waiters: Lock<List>,
}

impl WaitGroup {
    /// A group whose count is zero.
    pub const fn new() -> Self {
        Self { state: AtomicU64::new(0), waiters: Lock::new(List::new()) }
    }

    /// Adds `delta`, which may be negative, to the count; wakes all who wait if it becomes zero.
    ///
    /// What was done before is seen by those who are woken.
    ///
    /// # Panics
    ///
    /// If the count would be negative or more than `i32::MAX`. It is unchanged then.
    pub fn add(&self, delta: i32) {
        safe_point();
        // Relaxed: a guess that the exchange confirms.
        let mut old = self.state.load(Relaxed);
        loop {
            let count = i64::from(delta) + (old / ONE) as i64;
            assert!(count >= 0, "sync: negative WaitGroup counter");
            assert!(count <= MAX as i64, "sync: WaitGroup counter overflow");
            if count == 0 && old & WAITING != 0 {
                match self.finish(old) {
                    Ok(()) => return,
                    Err(now) => old = now,
                }
                continue;
            }
            let new = (count as u64 * ONE) | (old & WAITING);
            // AcqRel: Release pairs with the Acquire of `wait` and `finish`. Acquire: whoever wakes the waiters has seen
            // what all the others did, and hands it on.
            match self.state.compare_exchange_weak(old, new, AcqRel, Relaxed) {
                Ok(_) => return,
                Err(now) => old = now,
            }
        }
    }

    /// Takes one off the count. Go: `Done`.
    ///
    /// # Panics
    ///
    /// If the count is zero.
    #[inline]
    pub fn done(&self) {
        self.add(-1);
    }

    /// Waits until the count is zero. Go: `Wait`.
    pub fn wait(&self) {
        safe_point();
        // Acquire pairs with the Release of `add`.
        if self.state.load(Acquire) < ONE {
            return;
        }
        let node = Node::new(0);
        let mut waiters = self.waiters.lock();
        // Relaxed on success: this shows nothing to anybody. Acquire on zero as above.
        if self
            .state
            .fetch_update(Relaxed, Acquire, |state| (state >= ONE).then_some(state | WAITING))
            .is_err()
        {
            return;
        }
        // SAFETY: only `finish` ends this wait, and takes the node off the list before.
        unsafe { waiters.push_back(&node) };
        node.wait.block(WaitReason::SyncWaitGroupWait, || drop(waiters));
    }

    /// The count. Out of date at once: for reports, not for decisions.
    pub fn count(&self) -> u32 {
        safe_point();
        // Relaxed: a hint that guards nothing.
        (self.state.load(Relaxed) / ONE) as u32
    }

    /// Brings the count from that of `old`, which has `WAITING` set, to zero and wakes everybody.
    #[cold]
    fn finish(&self, old: u64) -> Result<(), u64> {
        let mut claimed = Claimed::new();
        let mut waiters = self.waiters.lock();
        // AcqRel as in `add`.
        self.state.compare_exchange(old, 0, AcqRel, Relaxed)?;
        waiters.claim_all(&mut claimed);
        drop(waiters);
        claimed.ready();
        Ok(())
    }
}

impl Default for WaitGroup {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for WaitGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitGroup").field("count", &self.count()).finish_non_exhaustive()
    }
}
