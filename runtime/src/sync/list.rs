//! A queue of waiters whose nodes lie on the waiters' own stacks.
//!
//! 1. Whoever holds the lock around a [`List`] may touch its nodes; nobody else does.
//! 2. A node leaves its list before its waiter returns: a waker takes it off before it readies the waiter, and a
//!    waiter whose time is up takes it off itself. So every node on a list is alive.
//! 3. A waker takes a node off and claims it under the lock, and readies it after giving the lock back: waking costs
//!    a system call or a scheduler's queue, and must not be paid by those who wait for the lock.
//!
//! Circular, so that one word is a queue with two ends: a lock is to stay small.
//!
//! Not used: a global table keyed by address (Go's `semaRoot`, parking_lot). It would make a `Mutex<()>` 8 bytes
//! instead of 20, and pay for it with locks that share a bucket disturbing each other and a search on every slow path.

use std::cell::Cell;
use std::marker::PhantomPinned;
use std::ptr;

use crate::wait::Wait;

/// A waiter's place in a list. Go: `sudog`.
pub(super) struct Node {
    pub(super) wait: Wait,
    /// Both null while it is on no list.
    next: Cell<*const Self>,
    prev: Cell<*const Self>,
    /// What the owner of the list keeps about this waiter.
    pub(super) note: Cell<usize>,
    _pinned: PhantomPinned,
}

impl Node {
    #[inline]
    pub(super) fn new(note: usize) -> Self {
        Self {
            wait: Wait::new(),
            next: Cell::new(ptr::null()),
            prev: Cell::new(ptr::null()),
            note: Cell::new(note),
            _pinned: PhantomPinned,
        }
    }

    /// Whether it is on a list. Under the list's lock.
    #[inline]
    pub(super) fn is_linked(&self) -> bool {
        !self.next.get().is_null()
    }
}

/// See the module. Packed, to lie beside the one word of a lock without a gap.
#[repr(C, packed(4))]
pub(super) struct List {
    head: *const Node,
}

// SAFETY: its nodes may be touched by any thread that owns the list or holds the lock around it.
unsafe impl Send for List {}

impl List {
    pub(super) const fn new() -> Self {
        Self { head: ptr::null() }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.head.is_null()
    }

    /// The node that is next to leave.
    #[inline]
    pub(super) fn first(&self) -> Option<&Node> {
        // SAFETY: null, or a node on the list, which is alive.
        unsafe { self.head.as_ref() }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let mut len = 0;
        let mut next = self.head;
        while !next.is_null() {
            len += 1;
            // SAFETY: on the list, so alive.
            next = unsafe { (*next).next.get() };
            if ptr::eq(next, self.head) {
                break;
            }
        }
        len
    }

    /// Adds `node` behind all others.
    ///
    /// # Safety
    ///
    /// The node is on no list, and stays where it is until it has left this one.
    pub(super) unsafe fn push_back(&mut self, node: &Node) {
        match self.first() {
            None => {
                node.next.set(node);
                node.prev.set(node);
                self.head = node;
            }
            Some(first) => {
                let last = first.prev.get();
                node.next.set(first);
                node.prev.set(last);
                first.prev.set(node);
                // SAFETY: the last node is on the list, so alive.
                unsafe { (*last).next.set(node) };
            }
        }
    }

    /// Adds `node` before all others.
    ///
    /// # Safety
    ///
    /// As [`List::push_back`].
    pub(super) unsafe fn push_front(&mut self, node: &Node) {
        // SAFETY: the caller's promise. On a circle the first place is the last one, seen from the next node.
        unsafe { self.push_back(node) };
        self.head = node;
    }

    /// Takes `node` off, which is on this list.
    pub(super) fn remove(&mut self, node: &Node) {
        let (next, prev) = (node.next.replace(ptr::null()), node.prev.replace(ptr::null()));
        if ptr::eq(next, node) {
            self.head = ptr::null();
            return;
        }
        // SAFETY: both are on the list, so alive.
        unsafe {
            (*next).prev.set(prev);
            (*prev).next.set(next);
        }
        if ptr::eq(self.head, node) {
            self.head = next;
        }
    }

    /// Takes the first waiter off and claims it, which moves it to `claimed`; `false` if that failed: there was none, or its
    /// time was up, and it finds itself off the list.
    pub(super) fn take_first(&mut self, claimed: &mut Claimed) -> bool {
        let Some(node) = self.first().map(ptr::from_ref) else { return false };
        // SAFETY: on the list, so alive; off it, it stays alive while its waiter needs this lock or is claimed.
        let node = unsafe { &*node };
        self.remove(node);
        let won = node.wait.claim();
        if won {
            // SAFETY: just taken off, and it stays until it is readied.
            unsafe { claimed.0.push_back(node) };
        }
        won
    }

    /// Takes the first waiter off without waking it.
    pub(super) fn drop_first(&mut self) {
        if let Some(node) = self.first().map(ptr::from_ref) {
            // SAFETY: on the list, so alive, at least until this lock is given back.
            self.remove(unsafe { &*node });
        }
    }

    /// Takes waiters off until it has claimed one; `false` if there was none.
    pub(super) fn claim_first(&mut self, claimed: &mut Claimed) -> bool {
        while !self.is_empty() {
            if self.take_first(claimed) {
                return true;
            }
        }
        false
    }

    /// Claims all waiters.
    pub(super) fn claim_all(&mut self, claimed: &mut Claimed) {
        while self.claim_first(claimed) {}
    }
}

/// Waiters that were claimed under a lock and are to be readied without it.
#[must_use = "a claimed waiter sleeps until it is readied"]
pub(super) struct Claimed(List);

impl Claimed {
    pub(super) const fn new() -> Self {
        Self(List::new())
    }

    /// Wakes them, first come first. The lock they were claimed under must have been given back.
    pub(super) fn ready(mut self) {
        while let Some(node) = self.0.first().map(ptr::from_ref) {
            // SAFETY: a claimed node is alive until the `ready` below, and this list is the only one it is on.
            unsafe {
                self.0.remove(&*node);
                Wait::ready(&raw const (*node).wait);
            }
        }
    }
}
