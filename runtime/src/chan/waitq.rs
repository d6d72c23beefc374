//! Who waits on a channel, in order of arrival. Go: `sudog`, `waitq`.
//!
//! 1. A node lies on its waiter's stack, is on at most one queue, and is off it before the waiter goes on.
//! 2. All of a node but its address belongs to the holder of the channel's lock; once its [`Wait`] is claimed, to the
//!    claimer, until `ready`.
//! 3. Several nodes share one `Wait` when it waits for several things (select). Who wins the `Wait` through one of
//!    them completes that one. The others stay on their queues, and those who meet them there throw them off.

use std::cell::Cell;
use std::ptr;

use crate::facade::atomic::AtomicPtr;
use crate::facade::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::wait::Wait;

/// What became of a waiting operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nothing yet.
    Waiting,
    /// The value has changed hands.
    Done,
    /// The channel was closed first.
    Closed,
}

/// One operation that waits on one channel.
pub(crate) struct Sudog {
    next: Cell<*const Sudog>,
    prev: Cell<*const Sudog>,
    wait: Cell<*const Wait>,
    /// Where the value lies (send) or goes to (receive).
    elem: Cell<*mut u8>,
    fate: Cell<Fate>,
    linked: Cell<bool>,
}

impl Sudog {
    /// A node for the value at `elem`.
    #[inline]
    pub(crate) const fn new(elem: *mut u8) -> Self {
        Self {
            next: Cell::new(ptr::null()),
            prev: Cell::new(ptr::null()),
            wait: Cell::new(ptr::null()),
            elem: Cell::new(elem),
            fate: Cell::new(Fate::Waiting),
            linked: Cell::new(false),
        }
    }

    #[inline]
    pub(crate) fn elem(&self) -> *mut u8 {
        self.elem.get()
    }

    /// Says where the value is. Before the node is on a queue.
    #[inline]
    pub(crate) fn set_elem(&self, elem: *mut u8) {
        self.elem.set(elem);
    }

    #[inline]
    pub(crate) fn fate(&self) -> Fate {
        self.fate.get()
    }

    #[inline]
    pub(crate) fn set_fate(&self, fate: Fate) {
        self.fate.set(fate);
    }
}

/// A node that its holder has taken off its queue and claimed: it is to complete the operation, and then to wake.
#[must_use]
#[derive(Clone, Copy)]
pub(crate) struct Claimed(*const Sudog);

impl Claimed {
    /// # Safety
    ///
    /// `ready` was not called yet.
    #[inline]
    pub(crate) unsafe fn sudog<'a>(self) -> &'a Sudog {
        // SAFETY: a claimed waiter, and so its node, stays until `ready`.
        unsafe { &*self.0 }
    }

    /// Wakes the waiter.
    ///
    /// # Safety
    ///
    /// Called once, after the operation is complete; the node is dangling afterwards.
    #[inline]
    pub(crate) unsafe fn ready(self) {
        // SAFETY: the `Wait` of this node was claimed when this `Claimed` was made, and it stays until `ready`.
        unsafe { Wait::ready((*self.0).wait.get()) };
    }
}

/// A queue of nodes, in order of arrival.
pub(crate) struct WaitQ {
    /// Atomic, because it is looked at without the lock to see whether anybody waits. Written under the lock.
    first: AtomicPtr<Sudog>,
    last: Cell<*const Sudog>,
}

impl WaitQ {
    pub(crate) const fn new() -> Self {
        Self { first: AtomicPtr::new(ptr::null_mut()), last: Cell::new(ptr::null()) }
    }

    /// Whether nobody waits. Needs no lock.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        // Acquire pairs with the Release of `set_first`: who sees the queue empty sees what emptied it.
        self.first.load(Acquire).is_null()
    }

    #[inline]
    fn first(&self) -> *const Sudog {
        // Relaxed: the lock orders it.
        self.first.load(Relaxed)
    }

    #[inline]
    fn set_first(&self, sg: *const Sudog) {
        // Release pairs with the Acquire of `is_empty`.
        self.first.store(sg.cast_mut(), Release);
    }

    /// Adds `sg`, an operation of who waits in `wait`, at the end.
    ///
    /// # Safety
    ///
    /// The caller holds the channel's lock; `sg` is on no queue; `sg` and `wait` stay in place until `sg` is off the queue
    /// and, if claimed, until `wait` is over.
    #[inline]
    pub(crate) unsafe fn enqueue(&self, sg: &Sudog, wait: &Wait) {
        let last = self.last.get();
        sg.wait.set(wait);
        sg.fate.set(Fate::Waiting);
        sg.linked.set(true);
        sg.next.set(ptr::null());
        sg.prev.set(last);
        // SAFETY: null or a node on this queue, which is alive (1).
        match unsafe { last.as_ref() } {
            None => self.set_first(sg),
            Some(last) => last.next.set(sg),
        }
        self.last.set(sg);
    }

    /// Takes the first node off whose waiter can still be won, and claims it.
    ///
    /// # Safety
    ///
    /// The caller holds the channel's lock.
    #[inline]
    pub(crate) unsafe fn dequeue(&self) -> Option<Claimed> {
        loop {
            // SAFETY: null or a node on this queue, which is alive (1).
            let sg = unsafe { self.first().as_ref() }?;
            // SAFETY: `sg` is on this queue, and the caller holds the lock.
            unsafe { self.unlink(sg) };
            // SAFETY: the waiter cannot leave before it has taken this lock to see whether `sg` is off the queue.
            if unsafe { &*sg.wait.get() }.claim() {
                return Some(Claimed(sg));
            }
        }
    }

    /// Takes `sg` off, if it is still on this queue. Go: `dequeueSudoG`.
    ///
    /// # Safety
    ///
    /// The caller holds the channel's lock; `sg` was put on this queue or on none.
    #[inline]
    pub(crate) unsafe fn remove(&self, sg: &Sudog) {
        if sg.linked.get() {
            // SAFETY: it is on this queue, and the caller holds the lock.
            unsafe { self.unlink(sg) };
        }
    }

    /// # Safety
    ///
    /// The caller holds the channel's lock; `sg` is on this queue.
    #[inline]
    unsafe fn unlink(&self, sg: &Sudog) {
        let (prev, next) = (sg.prev.get(), sg.next.get());
        // SAFETY: null or a node on this queue, which is alive (1).
        match unsafe { prev.as_ref() } {
            None => self.set_first(next),
            Some(prev) => prev.next.set(next),
        }
        // SAFETY: as above.
        match unsafe { next.as_ref() } {
            None => self.last.set(prev),
            Some(next) => next.prev.set(prev),
        }
        sg.linked.set(false);
    }

    /// # Safety
    ///
    /// The caller holds the channel's lock.
    #[cfg(test)]
    pub(crate) unsafe fn len(&self) -> usize {
        // SAFETY: null or a node on this queue, which is alive (1).
        std::iter::successors(unsafe { self.first().as_ref() }, |sg| unsafe { sg.next.get().as_ref() })
            .count()
    }
}

/// Claimed nodes that wait for their `ready` until the lock is given back: linked through `next`, in order.
pub(crate) struct ClaimedList {
    first: *const Sudog,
    last: *const Sudog,
}

impl ClaimedList {
    pub(crate) const fn new() -> Self {
        Self { first: ptr::null(), last: ptr::null() }
    }

    pub(crate) fn push(&mut self, claimed: Claimed) {
        let sg = claimed.0;
        // SAFETY: claimed, and not yet readied; the node before likewise.
        unsafe {
            (*sg).next.set(ptr::null());
            match self.last.as_ref() {
                None => self.first = sg,
                Some(last) => last.next.set(sg),
            }
        }
        self.last = sg;
    }

    /// Wakes them all.
    pub(crate) fn ready(self) {
        let mut sg = self.first;
        while !sg.is_null() {
            // SAFETY: claimed and not yet readied; the link is read before the node is let go.
            unsafe {
                let next = (*sg).next.get();
                Claimed(sg).ready();
                sg = next;
            }
        }
    }
}
