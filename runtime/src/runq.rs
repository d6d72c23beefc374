//! The run queue of a P: a ring of 256 and one slot that goes first.
//!
//! 1. Only the owner of the P puts: it alone writes `tail` and sets `runnext` to something.
//! 2. Anybody takes: by a compare-and-swap that moves `head` forward, or empties `runnext`.
//! 3. `0 <= tail - head <= RING` in every state. Positions are never reduced: slot `i` is `ring[i % RING]`, and a
//!    position is the version of its end of the ring. `runnext` carries its version beside the G.
//! 4. A slot is read only between a look at `head` and the exchange that moves it; if the exchange fails, what was read
//!    may be garbage and is dropped.
//!
//! The queue knows numbers of Gs, not Gs: it dereferences nothing and needs no unsafe code.
//!
//! Go: section 8 of the state rules; `runqput`, `runqget`, `runqgrab` (`proc.go`).

use crate::facade::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use crate::facade::atomic::{AtomicU32, AtomicU64};
use crate::facade::{scaled, usleep};
use crate::g::Gs;

/// Slots of the ring. Go's number; four are enough for a full ring, half of it, and going round.
pub(crate) const RING: usize = scaled(256, 4);

/// How long a thief leaves the `runnext` of a running P alone, microseconds: what it just readied it is about to run.
const STEAL_BACKOFF_US: u32 = 3;

/// The one-slot queue: the G in the low half, the version in the high half.
struct Runnext(AtomicU64);

/// What a [`Runnext`] said at one moment.
#[derive(Clone, Copy)]
pub(crate) struct Next(u64);

impl Next {
    #[inline]
    pub(crate) fn gs(self) -> Gs {
        Gs(self.0 as u32)
    }
}

impl Runnext {
    #[inline]
    fn load(&self) -> Next {
        // SeqCst: the last look of an M that stops spinning (`Runq::is_empty`) is ordered after its own
        // decrement of nmspinning; pairs with the SeqCst exchange below and the load of nmspinning in `wakep`.
        Next(self.0.load(SeqCst))
    }

    /// Replaces what `seen` said by `gs`, which is `changes` changes at once; the version after the first of them.
    #[inline]
    fn swap(&self, seen: Next, gs: Gs, changes: u64) -> Option<u64> {
        let version = (seen.0 >> 32).wrapping_add(changes) & 0xffff_ffff;
        // SeqCst: a put here comes before the putter's load of nmspinning (`wakep`) in one order that the last
        // look of a thief takes part in. Also hands over the G: Release by the putter, Acquire by the taker.
        let swapped = self.0.compare_exchange(seen.0, version << 32 | u64::from(gs.0), SeqCst, Relaxed);
        swapped.is_ok().then_some(version + 1 - changes)
    }
}

/// A G taken from or put to a queue, and the version of the queue that this made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) gs: Gs,
    pub(crate) over: u64,
}

/// What became of a G that was to be put on the ring.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Put {
    /// It lies at the tail.
    Done(Moved),
    /// The ring is full: half of it and the G must go to the global queue. See [`Runq::spill`].
    Full,
}

/// Half of a full ring, taken out of it.
pub(crate) struct Spilled {
    pub(crate) gs: [Gs; RING / 2],
    /// Version of the head before the first of them.
    pub(crate) head: u64,
}

/// See the module.
pub(crate) struct Runq {
    pub(crate) head: AtomicU64,
    pub(crate) tail: AtomicU64,
    pub(crate) ring: [AtomicU32; RING],
    runnext: Runnext,
}

impl Runq {
    pub(crate) const fn new() -> Self {
        Self {
            head: AtomicU64::new(0),
            tail: AtomicU64::new(0),
            ring: [const { AtomicU32::new(0) }; RING],
            runnext: Runnext(AtomicU64::new(0)),
        }
    }

    #[inline]
    fn slot(&self, position: u64) -> &AtomicU32 {
        &self.ring[position as usize % RING]
    }

    /// Owner: makes `gs` the one that goes next. The version of that, and what it pushed out, which is a change of its
    /// own with the version after it.
    #[inline]
    pub(crate) fn put_next(&self, gs: Gs) -> (u64, Option<Gs>) {
        loop {
            let old = self.runnext.load();
            let kicked = (!old.gs().is_none()).then(|| old.gs());
            if let Some(over) = self.runnext.swap(old, gs, 1 + u64::from(kicked.is_some())) {
                return (over, kicked);
            }
        }
    }

    /// Owner: puts `gs` at the tail.
    #[inline]
    pub(crate) fn put_tail(&self, gs: Gs) -> Put {
        // Acquire pairs with the Release of a thief's exchange: its read of the slot is over before it is reused.
        let head = self.head.load(Acquire);
        // Relaxed: only the owner, who asks, writes it.
        let tail = self.tail.load(Relaxed);
        if tail - head >= RING as u64 {
            return Put::Full;
        }
        // Relaxed: published by the store of `tail`.
        self.slot(tail).store(gs.0, Relaxed);
        // Release publishes the slot, and the G; pairs with the Acquire load of `tail` in `grab`.
        self.tail.store(tail + 1, Release);
        Put::Done(Moved { gs, over: tail + 1 })
    }

    /// Owner, after [`Put::Full`]: takes half of the ring out. `None` if thieves were faster: there is room now. Go:
    /// `runqputslow`.
    pub(crate) fn spill(&self) -> Option<Spilled> {
        // Orderings as in `get`.
        let head = self.head.load(Relaxed);
        let tail = self.tail.load(Relaxed);
        if tail - head < RING as u64 {
            return None;
        }
        let gs = std::array::from_fn(|i| Gs(self.slot(head + i as u64).load(Relaxed)));
        let half = RING as u64 / 2;
        let swapped = self.head.compare_exchange(head, head + half, Relaxed, Relaxed);
        swapped.is_ok().then_some(Spilled { gs, head })
    }

    /// The one that goes next, as of some moment.
    #[inline]
    pub(crate) fn peek_next(&self) -> Gs {
        self.runnext.load().gs()
    }

    /// Owner: takes the one that goes next.
    #[inline]
    pub(crate) fn get_next(&self) -> Option<Moved> {
        let next = self.runnext.load();
        if next.gs().is_none() {
            return None;
        }
        // No second try: only a thief can have changed it, and then it is empty.
        self.runnext.swap(next, Gs::NONE, 1).map(|over| Moved { gs: next.gs(), over })
    }

    /// Owner: takes from the head.
    #[inline]
    pub(crate) fn get(&self) -> Option<Moved> {
        loop {
            // Relaxed: only a guess for the exchange. What the owner reads there it has written itself.
            let head = self.head.load(Relaxed);
            // Relaxed: only the owner, who asks, writes it.
            let tail = self.tail.load(Relaxed);
            if tail == head {
                return None;
            }
            let gs = Gs(self.slot(head).load(Relaxed));
            // Relaxed: only the owner will use the slot again; an exchange passes on what thieves have released.
            if self.head.compare_exchange(head, head + 1, Relaxed, Relaxed).is_ok() {
                return Some(Moved { gs, over: head + 1 });
            }
        }
    }

    /// Owner: what stands, or stood, at a position of the ring: a hint.
    #[inline]
    pub(crate) fn peek(&self, position: u64) -> Gs {
        Gs(self.slot(position).load(Relaxed))
    }

    /// Owner: takes everything, `runnext` first. For a P that goes away, or a worker that wants quiet.
    pub(crate) fn drain(&self, mut each: impl FnMut(Moved, bool)) {
        if let Some(next) = self.get_next() {
            each(next, true);
        }
        while let Some(moved) = self.get() {
            each(moved, false);
        }
    }

    /// Anybody: whether it was empty at some moment of the call. Never falsely true while a G moves from `runnext`
    /// to the ring. Go: `runqempty`.
    pub(crate) fn is_empty(&self) -> bool {
        loop {
            // Acquire: in this order. The last look before an M stops comes after a fence (`find_runnable`).
            let head = self.head.load(Acquire);
            let tail = self.tail.load(Acquire);
            let next = self.runnext.load();
            // Relaxed: after the load of `runnext`, which acquires.
            if tail == self.tail.load(Relaxed) {
                return head == tail && next.gs().is_none();
            }
        }
    }

    /// How many there are, more or less: for metrics and dumps.
    pub(crate) fn len_hint(&self) -> usize {
        // Relaxed: a figure for people.
        let ring = self.tail.load(Relaxed).wrapping_sub(self.head.load(Relaxed)).min(RING as u64);
        ring as usize + usize::from(!self.runnext.load().gs().is_none())
    }

    /// Anybody: whether there is one that `is_it`, as of some moment: a hint.
    pub(crate) fn has(&self, is_it: impl Fn(Gs) -> bool) -> bool {
        // Relaxed, all: what is read may have left, and its slot been used again.
        let (head, tail) = (self.head.load(Relaxed), self.tail.load(Relaxed));
        let ring = (head..tail).take(RING).map(|position| Gs(self.slot(position).load(Relaxed)));
        ring.chain([self.peek_next()]).any(|gs| !gs.is_none() && is_it(gs))
    }

    /// Moves half of the Gs of `self`, rounded up, to the ring of `thief`, or the `runnext` if the ring is empty and
    /// `next` allows. Called by the owner of `thief`, whose ring is empty. The last one is not put but returned;
    /// `taken` sees every G with the version of the head (or `runnext`) that its leaving made, and whether it was
    /// the `runnext`; then `kept` those that stay, with the version of the tail.
    ///
    /// `running` says whether the victim is running a goroutine, which then gets a moment for its `runnext`.
    ///
    /// Go: `runqgrab`, `runqsteal`.
    pub(crate) fn steal_into(
        &self,
        thief: &Self,
        next: bool,
        running: impl Fn() -> bool,
        mut taken: impl FnMut(Moved, bool),
        mut kept: impl FnMut(Moved),
    ) -> Option<Gs> {
        // Relaxed: the caller owns `thief`.
        let base = thief.tail.load(Relaxed);
        let (count, head) = loop {
            // Acquire: pairs with the exchange of other takers.
            let head = self.head.load(Acquire);
            // Acquire pairs with the Release of `put_tail`: the slots below it are written.
            let tail = self.tail.load(Acquire);
            let len = tail.wrapping_sub(head);
            if len > RING as u64 {
                continue; // head and tail were not read together
            }
            let count = len - len / 2;
            if count == 0 {
                if !next {
                    return None;
                }
                let seen = self.runnext.load();
                if seen.gs().is_none() {
                    return None;
                }
                if running() {
                    usleep(STEAL_BACKOFF_US);
                }
                match self.runnext.swap(seen, Gs::NONE, 1) {
                    Some(over) => {
                        taken(Moved { gs: seen.gs(), over }, true);
                        return Some(seen.gs());
                    }
                    None => continue,
                }
            }
            for i in 0..count {
                let gs = self.slot(head + i).load(Relaxed);
                thief.slot(base + i).store(gs, Relaxed);
            }
            // Release: the reads of the slots come before their reuse; pairs with the Acquire load in `put_tail`. The Gs are
            // seen as their putters left them by the load of `tail`.
            if self.head.compare_exchange(head, head + count, Release, Relaxed).is_ok() {
                break (count, head);
            }
        };
        let stolen = |i| Gs(thief.slot(base + i).load(Relaxed));
        for i in 0..count {
            taken(Moved { gs: stolen(i), over: head + i + 1 }, false);
        }
        for i in 0..count - 1 {
            kept(Moved { gs: stolen(i), over: base + i + 1 });
        }
        let last = stolen(count - 1);
        // Release publishes the slots of the rest; pairs with the Acquire load of `tail` above.
        thief.tail.store(base + count - 1, Release);
        Some(last)
    }
}

#[cfg(test)]
mod tests;
