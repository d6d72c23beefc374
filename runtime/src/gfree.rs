//! Dead Gs, to be used again with their stacks.
//!
//! 1. A G is on one list at most, linked through its `schedlink`, last in first out: the warmest goes first.
//! 2. Each list has one owner, the M that holds its P or the holder of `sched.lock`. Fields are atomics only because
//!    a P is shared; all accesses are Relaxed, and the list changes hands with the P or the lock.
//! 3. Gs on the lists of the Ps and of the scheduler have stacks of the default class; others: `Slab::free`.
//!
//! Go: `gfput`, `gfget` (proc.go): a list of [`FULL`] gives [`BATCH`] to the global one, an empty one takes as many.

use crate::facade::atomic::AtomicU32;
use crate::facade::atomic::Ordering::Relaxed;
use crate::g::{AHEAD, G, Gs};
use crate::stack::Slab;

/// Gs on the list of a P at which it gives some away.
pub(crate) const FULL: u32 = 64;
/// How many Gs go from list to list at once.
pub(crate) const BATCH: u32 = 32;

/// See the module.
pub(crate) struct GFree {
    head: AtomicU32,
    /// The last one; means nothing while the list is empty.
    tail: AtomicU32,
    len: AtomicU32,
}

/// Gs on their way from one list to another. Dropping one leaks its Gs.
#[must_use]
pub(crate) struct Batch {
    head: Gs,
    tail: Gs,
    len: u32,
}

impl Batch {
    /// Notes in each what follows some places after it, for whoever takes them one by one when they are not in any cache.
    fn look_ahead(&self, slab: &Slab) {
        if AHEAD == 0 {
            return;
        }
        let next = |gs: Gs| Gs(slab.get(gs).schedlink.load(Relaxed));
        let distance = self.len.min(AHEAD as u32);
        let mut one = self.head;
        let mut ahead = (0..distance).fold(one, |gs, _| next(gs));
        for _ in distance..self.len {
            slab.get(one).ahead.store(ahead.0, Relaxed);
            (one, ahead) = (next(one), next(ahead));
        }
    }
}

impl GFree {
    pub(crate) const fn new() -> Self {
        Self { head: AtomicU32::new(0), tail: AtomicU32::new(0), len: AtomicU32::new(0) }
    }

    /// How many there are; a hint unless the owner asks.
    #[inline]
    pub(crate) fn len(&self) -> u32 {
        self.len.load(Relaxed)
    }

    /// Owner: puts `gp`, which is dead and on no list.
    #[inline]
    pub(crate) fn push(&self, gp: &'static G) {
        let len = self.len();
        if len == 0 {
            self.tail.store(gp.gs().0, Relaxed);
        }
        gp.schedlink.store(if len == 0 { 0 } else { self.head.load(Relaxed) }, Relaxed);
        self.head.store(gp.gs().0, Relaxed);
        self.len.store(len + 1, Relaxed);
    }

    /// Owner: takes the one that was put last.
    #[inline]
    pub(crate) fn pop(&self, slab: &Slab) -> Option<&'static G> {
        let len = self.len();
        if len == 0 {
            return None;
        }
        let gp = slab.get(Gs(self.head.load(Relaxed)));
        let next = Gs(gp.schedlink.load(Relaxed));
        self.head.store(next.0, Relaxed);
        slab.fetch(|| if len > 1 { next } else { Gs::NONE });
        gp.schedlink.store(0, Relaxed);
        self.len.store(len - 1, Relaxed);
        Some(gp)
    }

    /// Owner: takes the `n` that were put last, or all if there are no more. Looks at each unless it takes all.
    pub(crate) fn take_batch(&self, n: u32, slab: &Slab) -> Option<Batch> {
        let len = self.len();
        let head = Gs(self.head.load(Relaxed));
        if n == 0 || len == 0 {
            return None;
        }
        if n >= len {
            self.len.store(0, Relaxed);
            return Some(Batch { head, tail: Gs(self.tail.load(Relaxed)), len });
        }
        let last = (1..n).fold(slab.get(head), |gp, _| {
            slab.fetch(|| Gs(gp.ahead.load(Relaxed)));
            slab.get(Gs(gp.schedlink.load(Relaxed)))
        });
        self.head.store(last.schedlink.load(Relaxed), Relaxed);
        self.len.store(len - n, Relaxed);
        Some(Batch { head, tail: last.gs(), len: n })
    }

    /// Owner: takes all but the [`BATCH`] that were put last, to be given to the global list, if the list is full.
    #[inline]
    pub(crate) fn take_overflow(&self, slab: &Slab) -> Option<Batch> {
        if self.len() < FULL {
            return None;
        }
        let warm = self.take_batch(BATCH, slab)?;
        let cold = self.take_batch(u32::MAX, slab);
        self.give(warm, slab);
        if let Some(cold) = &cold {
            cold.look_ahead(slab);
        }
        cold
    }

    /// Owner: puts a batch before the rest, in its order.
    pub(crate) fn give(&self, batch: Batch, slab: &Slab) {
        let len = self.len();
        let tail = slab.get(batch.tail);
        if len == 0 {
            self.tail.store(batch.tail.0, Relaxed);
        }
        tail.schedlink.store(if len == 0 { 0 } else { self.head.load(Relaxed) }, Relaxed);
        self.head.store(batch.head.0, Relaxed);
        self.len.store(len + batch.len, Relaxed);
    }
}
