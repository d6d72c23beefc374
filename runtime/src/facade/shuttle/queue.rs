//! The run queue of a P by itself: for whoever compares it with another queue, or lets simulated threads race for it.
//!
//! 1. Outside of an execution every operation is one step; in a simulated thread it is as many as it has operations on
//!    atomics, and the turn may end at each.
//! 2. The rules of `Runq` are the caller's: one thread is the owner, and only a thief whose own ring is empty steals.

use crate::g::Gs;
use crate::runq::{self, Put, RING, Runq};

/// A run queue. Its ring has [`sim::RING`](super::sim::RING) slots. Goroutines are numbers from 1.
pub struct Queue(Runq);

/// A goroutine that left a queue, and the version of that end of the queue that its leaving made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The goroutine.
    pub g: u32,
    /// The version.
    pub over: u64,
}

/// What [`Queue::steal_into`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loot {
    /// What left the victim, with versions of its head; of its `runnext` if `next`.
    pub taken: Vec<Taken>,
    /// The `runnext` was taken.
    pub next: bool,
    /// What the thief's ring has now, with versions of its tail.
    pub kept: Vec<Taken>,
    /// What the thief is to run.
    pub run: u32,
}

impl Default for Queue {
    fn default() -> Self {
        Self::new()
    }
}

impl Queue {
    /// An empty queue.
    pub const fn new() -> Self {
        Self(Runq::new())
    }

    /// Owner: `g` goes next. The version of that, and what it pushed out, which is one more change of the `runnext`.
    pub fn put_next(&self, g: u32) -> (u64, Option<u32>) {
        let (over, kicked) = self.0.put_next(Gs(g));
        (over, kicked.map(|gs| gs.0))
    }

    /// Owner: `g` at the tail, and the version of the tail; `None` if the ring is full.
    pub fn put_tail(&self, g: u32) -> Option<u64> {
        match self.0.put_tail(Gs(g)) {
            Put::Done(moved) => Some(moved.over),
            Put::Full => None,
        }
    }

    /// Owner: takes half of a full ring out; `None` if there is room by now.
    pub fn spill(&self) -> Option<[Taken; RING / 2]> {
        let spilled = self.0.spill()?;
        Some(std::array::from_fn(|i| Taken { g: spilled.gs[i].0, over: spilled.head + i as u64 + 1 }))
    }

    /// Owner: takes the one that goes next.
    pub fn get_next(&self) -> Option<Taken> {
        self.0.get_next().map(taken)
    }

    /// Owner: takes from the head.
    pub fn get(&self) -> Option<Taken> {
        self.0.get().map(taken)
    }

    /// Anybody: whether it was empty at some moment of the call.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Anybody: how many there are, more or less.
    pub fn len_hint(&self) -> usize {
        self.0.len_hint()
    }

    /// The owner of `thief`, whose ring is empty, takes half of the ring of `self`; of an empty ring the `runnext`, if `next`.
    pub fn steal_into(&self, thief: &Self, next: bool) -> Option<Loot> {
        let (mut gone, mut kept, mut runnext) = (Vec::new(), Vec::new(), false);
        let run = self.0.steal_into(
            &thief.0,
            next,
            || true,
            |moved, next| {
                gone.push(taken(moved));
                runnext |= next;
            },
            |moved| kept.push(taken(moved)),
        )?;
        Some(Loot { taken: gone, next: runnext, kept, run: run.0 })
    }
}

fn taken(moved: runq::Moved) -> Taken {
    Taken { g: moved.gs.0, over: moved.over }
}
