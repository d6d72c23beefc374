//! Timers by time: a heap whose moves touch nothing but itself.
//!
//! 1. The time stands in the heap's entry, and the entry knows its timer by a slot: so neither a comparison nor a
//!    move touches a timer, each of which is a cache line of its own on some goroutine's stack.
//! 2. Every entry owns one slot, which holds its timer, or null: a zombie, stopped but not yet taken out. A slot without
//!    an entry holds null. So a timer stands in a slot exactly while it is armed here.
//! 3. The first entry is never a zombie: so `first` is exact. A stop also takes zombies off the end: so what was armed
//!    last and late, then stopped soon (the deadline of a network read, the timeout of a select), leaves at once.
//! 4. A stop leaves no more zombies than live timers: beyond that it sweeps all of them out, which costs what the stops
//!    since the last sweep have saved.
//! 5. Four children share a parent and, because the root stands at index 3 of a page, one cache line of 64 bytes.
//!
//! Not used: an index in the timer (or in the slot), which would let a stop take its entry out at once. Every move of
//! an entry, some eight for an expiry among 100,000, would then write to another cache line, all for a stop that may
//! never come.
//!
//! Go: `timers.heap`, `siftUp`, `siftDown`, `cleanHead`, `adjust` (time.go). Go marks a zombie in the timer, which its
//! collector keeps alive; ours is gone when its stop returns, so the mark is in the slot.

use std::{mem, ptr};

use super::Timer;
use crate::sys::PageVec;

/// Where the root stands; see invariant 5. The places before it hold nothing.
const ROOT: usize = 3;
const ARITY: usize = 4;

#[inline]
const fn parent(child: usize) -> usize {
    child / ARITY + ROOT - 1
}

#[inline]
const fn first_child(parent: usize) -> usize {
    (parent + 1 - ROOT) * ARITY
}

#[derive(Clone, Copy)]
struct Entry {
    when: i64,
    slot: usize,
}

/// See the module.
pub(super) struct Heap {
    entries: PageVec<Entry>,
    slots: PageVec<*const Timer>,
    /// Slots that no entry owns.
    free: PageVec<usize>,
    zombies: usize,
}

// SAFETY: the pointers are only handed out; who follows them is settled in `Timers`.
unsafe impl Send for Heap {}

impl Heap {
    pub(super) const fn new() -> Self {
        Self { entries: PageVec::new(), slots: PageVec::new(), free: PageVec::new(), zombies: 0 }
    }

    /// Live timers.
    pub(super) fn len(&self) -> usize {
        self.entries.len().saturating_sub(ROOT) - self.zombies
    }

    /// When the earliest live timer is due.
    #[inline]
    pub(super) fn first(&self) -> Option<i64> {
        self.entries.get(ROOT).map(|entry| entry.when)
    }

    /// Puts `timer` in; its slot.
    #[inline]
    pub(super) fn push(&mut self, timer: *const Timer, when: i64) -> usize {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot] = timer;
                slot
            }
            None => {
                self.slots.push(timer);
                self.slots.len() - 1
            }
        };
        let entry = Entry { when, slot };
        while self.entries.len() < ROOT {
            self.entries.push(entry);
        }
        self.entries.push(entry);
        let last = self.entries.len() - 1;
        sift_up(&mut self.entries, last, entry);
        slot
    }

    /// Takes the earliest timer out if it is due at `now`.
    #[inline]
    pub(super) fn pop_due(&mut self, now: i64) -> Option<*const Timer> {
        let first = *self.entries.get(ROOT).filter(|first| first.when <= now)?;
        let timer = mem::replace(&mut self.slots[first.slot], ptr::null());
        self.pop_first();
        self.clean_head();
        Some(timer)
    }

    /// Stops `timer`, which was put in under `slot`; `false` if it is not here any more.
    #[inline]
    pub(super) fn remove(&mut self, slot: usize, timer: *const Timer) -> bool {
        // A timer that came from another heap meanwhile may bring any number.
        match self.slots.get_mut(slot) {
            Some(it) if *it == timer => *it = ptr::null(),
            _ => return false,
        }
        self.zombies += 1;
        self.clean_tail();
        self.clean_head();
        if self.zombies > self.len() {
            self.sweep();
        }
        true
    }

    /// Takes all live timers out, in no order.
    pub(super) fn drain(&mut self, mut each: impl FnMut(*const Timer, i64)) {
        for entry in self.entries.iter().skip(ROOT) {
            let timer = self.slots[entry.slot];
            if !timer.is_null() {
                each(timer, entry.when);
            }
        }
        *self = Self::new();
    }

    fn is_zombie(&self, entry: Entry) -> bool {
        self.slots[entry.slot].is_null()
    }

    /// Takes zombies from the end: nothing moves.
    fn clean_tail(&mut self) {
        while self.entries.len() > ROOT
            && let Some(&last) = self.entries.last()
            && self.is_zombie(last)
        {
            self.entries.pop();
            self.free.push(last.slot);
            self.zombies -= 1;
        }
    }

    /// Keeps the first entry live. Go: `cleanHead`.
    #[inline]
    fn clean_head(&mut self) {
        while self.zombies > 0
            && let Some(&first) = self.entries.get(ROOT)
            && self.is_zombie(first)
        {
            self.zombies -= 1;
            self.pop_first();
        }
    }

    /// Takes the first entry out; the last one goes down from its place.
    #[inline]
    fn pop_first(&mut self) {
        let first = self.entries[ROOT];
        self.free.push(first.slot);
        if let Some(last) = self.entries.pop()
            && self.entries.len() > ROOT
        {
            sift_down(&mut self.entries, ROOT, last);
        }
    }

    /// Takes all zombies out and orders the rest anew. Go: `adjust`.
    #[cold]
    fn sweep(&mut self) {
        let mut kept = ROOT;
        for at in ROOT..self.entries.len() {
            let entry = self.entries[at];
            if self.is_zombie(entry) {
                self.free.push(entry.slot);
            } else {
                self.entries[kept] = entry;
                kept += 1;
            }
        }
        self.entries.truncate(kept);
        self.zombies = 0;
        // All but the first: it is live (3), and so the least before and after.
        for at in (ROOT + 1..=parent(kept - 1)).rev() {
            let entry = self.entries[at];
            sift_down(&mut self.entries, at, entry);
        }
    }

    #[cfg(test)]
    pub(super) fn zombies(&self) -> usize {
        self.zombies
    }

    /// Panics unless the invariants hold; the fourth holds after a stop only.
    #[cfg(test)]
    pub(super) fn verify(&self) {
        for at in ROOT + 1..self.entries.len() {
            let (child, parent) = (self.entries[at].when, self.entries[parent(at)].when);
            assert!(parent <= child, "entry {at} is due at {child}, its parent at {parent}");
        }
        assert!(self.entries.get(ROOT).is_none_or(|&first| !self.is_zombie(first)), "the first is a zombie");
        let entries = self.entries.iter().skip(ROOT);
        assert_eq!(self.zombies, entries.clone().filter(|&&entry| self.is_zombie(entry)).count());
        assert!(self.free.iter().all(|&slot| self.slots[slot].is_null()), "a timer without an entry");
        let mut slots: Vec<_> = entries.map(|entry| entry.slot).chain(self.free.iter().copied()).collect();
        slots.sort_unstable();
        assert!(slots.into_iter().eq(0..self.slots.len()), "each slot has one owner");
    }
}

/// Puts `entry` where it belongs between the hole `at` and the root.
#[inline]
fn sift_up(entries: &mut [Entry], mut at: usize, entry: Entry) {
    while at > ROOT {
        let above = parent(at);
        if entries[above].when <= entry.when {
            break;
        }
        entries[at] = entries[above];
        at = above;
    }
    entries[at] = entry;
}

/// Puts `entry` where it belongs below the hole `at`.
#[inline]
fn sift_down(entries: &mut [Entry], mut at: usize, entry: Entry) {
    loop {
        let child = first_child(at);
        let end = entries.len().min(child + ARITY);
        let Some(least) = (child..end).min_by_key(|&child| entries[child].when) else { break };
        if entry.when <= entries[least].when {
            break;
        }
        entries[at] = entries[least];
        at = least;
    }
    entries[at] = entry;
}
