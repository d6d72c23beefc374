//! [`Semaphore`]: a number of permits, given out first come first served.
//!
//! 1. The word is the number of free permits and the bit `WAITING`, which is set exactly while somebody is on the list.
//!    While it is set the word is changed only under the lock: nobody overtakes the list.
//! 2. The first waiter wants more than there is: whoever changes either, looks.
//! 3. A waiter has its permits exactly if its `Wait` was claimed; they are taken off the word under the same lock.

use std::fmt;
use std::time::{Duration, Instant};

use super::list::{Claimed, List, Node};
use crate::facade::atomic::AtomicUsize;
use crate::facade::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::lock::{Guard, Lock};
use crate::proc::safe_point;
use crate::time;
use crate::waitreason::WaitReason;

/// Somebody is on the list.
const WAITING: usize = 1;
/// One free permit.
const ONE: usize = 2;

/// A weighted semaphore. Go: `golang.org/x/sync/semaphore`.
///
/// Strictly fair: a request for many permits is not overtaken by later ones for few, even when those could be served.
///
/// ```
/// use sigurg::sync::Semaphore;
///
/// let slots = Semaphore::new(3);
/// let two = slots.acquire(2);
/// assert!(slots.try_acquire(2).is_none());
/// drop(two);
/// assert_eq!(slots.available(), 3);
/// ```
pub struct Semaphore {
    state: AtomicUsize,
    waiters: Lock<List>,
}

impl Semaphore {
    /// The highest number of permits.
    pub const MAX_PERMITS: usize = usize::MAX / ONE;

    /// A semaphore with `permits` free permits.
    ///
    /// # Panics
    ///
    /// If that is more than [`Semaphore::MAX_PERMITS`].
    pub const fn new(permits: usize) -> Self {
        assert!(permits <= Self::MAX_PERMITS, "more permits than a semaphore can have");
        Self { state: AtomicUsize::new(permits * ONE), waiters: Lock::new(List::new()) }
    }

    /// Waits until `n` permits are free and everybody who came before is served, and takes them.
    ///
    /// A request for more permits than there will ever be waits for ever, and everybody behind it.
    pub fn acquire(&self, n: usize) -> SemaphorePermit<'_> {
        safe_point();
        let permits = self.acquire_until_ns(n, None);
        permits.expect("a wait without a limit ends with its permits")
    }

    /// Takes `n` permits if that needs no waiting.
    pub fn try_acquire(&self, n: usize) -> Option<SemaphorePermit<'_>> {
        safe_point();
        self.take(n).then(|| SemaphorePermit { semaphore: self, permits: n })
    }

    /// As [`Semaphore::acquire`], but waits no longer than `timeout`; `None` if the time was up.
    pub fn acquire_timeout(&self, n: usize, timeout: Duration) -> Option<SemaphorePermit<'_>> {
        safe_point();
        self.acquire_until_ns(n, Some(time::after(timeout)))
    }

    /// As [`Semaphore::acquire`], but waits no longer than until `instant`; `None` if the time was up.
    pub fn acquire_until(&self, n: usize, instant: Instant) -> Option<SemaphorePermit<'_>> {
        safe_point();
        self.acquire_until_ns(n, Some(time::at(instant)))
    }

    /// Adds `n` permits, which need not have been taken here: to give back what [`SemaphorePermit::forget`] kept, or
    /// to have more of them.
    ///
    /// # Panics
    ///
    /// If there would be more than [`Semaphore::MAX_PERMITS`]. Their number is unchanged then.
    pub fn release(&self, n: usize) {
        safe_point();
        // Release pairs with the Acquire of whoever takes these permits. Relaxed: a guess that the exchange confirms.
        let nobody_waits = |state| if state & WAITING == 0 { Self::plus(state, n) } else { None };
        let added = self.state.fetch_update(Release, Relaxed, nobody_waits).is_ok() || self.release_slow(n);
        assert!(added, "more permits than a semaphore can have");
    }

    /// How many permits are free. Out of date at once: for reports, not for decisions.
    pub fn available(&self) -> usize {
        safe_point();
        // Relaxed: a hint that guards nothing.
        self.state.load(Relaxed) / ONE
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.waiters.lock().len()
    }

    /// The word with `n` permits more; `None` if they are too many.
    fn plus(state: usize, n: usize) -> Option<usize> {
        state.checked_add(n.checked_mul(ONE)?)
    }

    /// Takes `n` permits if they are free and nobody waits.
    fn take(&self, n: usize) -> bool {
        let Some(wanted) = n.checked_mul(ONE) else { return false };
        let free = |state: usize| (state & WAITING == 0 && state >= wanted).then(|| state - wanted);
        // Acquire pairs with the Release of `release`. Relaxed: a guess that the exchange confirms.
        self.state.fetch_update(Acquire, Relaxed, free).is_ok()
    }

    fn acquire_until_ns(&self, n: usize, deadline: Option<i64>) -> Option<SemaphorePermit<'_>> {
        (self.take(n) || self.acquire_slow(n, deadline))
            .then(|| SemaphorePermit { semaphore: self, permits: n })
    }

    #[cold]
    fn acquire_slow(&self, n: usize, deadline: Option<i64>) -> bool {
        let node = Node::new(n);
        let mut waiters = self.waiters.lock();
        // Relaxed: the lock orders the changes of those who set the bit; nothing is taken here.
        let old = self.state.fetch_or(WAITING, Relaxed);
        // The permits may have come meanwhile.
        if waiters.is_empty() && old / ONE >= n {
            // Acquire pairs with the Release of `release`. The bit keeps all others off the word.
            self.state.fetch_sub(n * ONE + WAITING, Acquire);
            return true;
        }
        // SAFETY: the node leaves the list before this function returns: by `serve`, or below.
        unsafe { waiters.push_back(&node) };
        if node.wait.block_until(deadline, WaitReason::Semacquire, || drop(waiters)) {
            return true;
        }
        let mut waiters = self.waiters.lock();
        if node.is_linked() {
            waiters.remove(&node);
            // It may have stood before others who want less.
            self.serve(waiters);
        }
        false
    }

    #[cold]
    fn release_slow(&self, n: usize) -> bool {
        let waiters = self.waiters.lock();
        // Release as in `release`.
        let added = self.state.fetch_update(Release, Relaxed, |state| Self::plus(state, n)).is_ok();
        self.serve(waiters);
        added
    }

    /// Gives permits to waiters in order, as far as they go, and readies them.
    fn serve(&self, mut waiters: Guard<'_, List>) {
        let mut claimed = Claimed::new();
        // Acquire pairs with the Release of `release`; the claim hands it on to the waiter.
        let old = self.state.load(Acquire);
        if old & WAITING == 0 {
            return;
        }
        let mut free = old / ONE;
        while let Some(first) = waiters.first()
            && first.note.get() <= free
        {
            let wanted = first.note.get();
            if waiters.take_first(&mut claimed) {
                free -= wanted;
            }
        }
        let waiting = if waiters.is_empty() { 0 } else { WAITING };
        // Release: if the bit is cleared, whoever takes the rest must see what its givers did.
        self.state.store((free * ONE) | waiting, Release);
        drop(waiters);
        claimed.ready();
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore").field("available", &self.available()).finish_non_exhaustive()
    }
}

/// Permits taken from a [`Semaphore`]; gives them back when dropped, on any thread.
#[derive(Debug)]
#[must_use = "the permits are given back at once if this is not kept"]
pub struct SemaphorePermit<'a> {
    semaphore: &'a Semaphore,
    permits: usize,
}

impl SemaphorePermit<'_> {
    /// How many permits these are.
    pub fn permits(&self) -> usize {
        self.permits
    }

    /// Keeps the permits for good; [`Semaphore::release`] can give them back.
    pub fn forget(mut self) {
        self.permits = 0;
    }
}

impl Drop for SemaphorePermit<'_> {
    fn drop(&mut self) {
        if self.permits > 0 {
            self.semaphore.release(self.permits);
        }
    }
}
