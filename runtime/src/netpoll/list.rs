//! A queue through nodes that live on their owners' stacks: nothing is allocated.
//!
//! 1. Whoever reaches a list or the links of a node holds the lock of that list.
//! 2. A node stays in place, and alive, while it is on a list.

use std::cell::Cell;
use std::marker::PhantomPinned;
use std::ptr;

/// A value that can be on one [`List`].
pub(crate) struct Node<T> {
    value: T,
    prev: Cell<*const Self>,
    next: Cell<*const Self>,
    listed: Cell<bool>,
    _pinned: PhantomPinned,
}

impl<T> Node<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self {
            value,
            prev: Cell::new(ptr::null()),
            next: Cell::new(ptr::null()),
            listed: Cell::new(false),
            _pinned: PhantomPinned,
        }
    }

    #[inline]
    pub(crate) fn value(&self) -> &T {
        &self.value
    }
}

/// See the module. First in, first out.
pub(crate) struct List<T> {
    head: *const Node<T>,
    tail: *const Node<T>,
}

// SAFETY: by 1 one thread at a time uses the list and the links; it only lends values by `&`.
unsafe impl<T: Sync> Send for List<T> {}

impl<T> List<T> {
    pub(crate) const fn new() -> Self {
        Self { head: ptr::null(), tail: ptr::null() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.head.is_null()
    }

    /// Puts `node`, which is on no list, at the end.
    ///
    /// # Safety
    ///
    /// Invariant 2 until the node has been popped or removed.
    #[inline]
    pub(crate) unsafe fn push(&mut self, node: &Node<T>) {
        debug_assert!(!node.listed.get(), "a node is on one list at most");
        let at = ptr::from_ref(node);
        node.prev.set(self.tail);
        node.next.set(ptr::null());
        node.listed.set(true);
        // SAFETY: null, or the last node of this list (2).
        match unsafe { self.tail.as_ref() } {
            Some(last) => last.next.set(at),
            None => self.head = at,
        }
        self.tail = at;
    }

    /// Takes the first node off. It is alive as long as its owner, who waits for the lock or to be woken, is held there.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<*const Node<T>> {
        // SAFETY: null, or the first node of this list (2).
        let node = unsafe { self.head.as_ref() }?;
        self.remove(node);
        Some(ptr::from_ref(node))
    }

    /// Takes `node` off if it is still on: it is on this list or none.
    #[inline]
    pub(crate) fn remove(&mut self, node: &Node<T>) {
        if !node.listed.replace(false) {
            return;
        }
        let (prev, next) = (node.prev.get(), node.next.get());
        // SAFETY: null, or a node of this list (2).
        match unsafe { prev.as_ref() } {
            Some(prev) => prev.next.set(next),
            None => self.head = next,
        }
        // SAFETY: as above.
        match unsafe { next.as_ref() } {
            Some(next) => next.prev.set(prev),
            None => self.tail = prev,
        }
    }

    /// Calls `f` with each value, first to last.
    pub(crate) fn for_each(&self, mut f: impl FnMut(&T)) {
        let mut at = self.head;
        // SAFETY: null, or a node of this list (2).
        while let Some(node) = unsafe { at.as_ref() } {
            f(&node.value);
            at = node.next.get();
        }
    }
}
