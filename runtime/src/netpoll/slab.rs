//! Memory of the slots, and the tokens that the kernel keeps for us.
//!
//! 1. Slots lie in chunks that double in size and are never freed: a token turns into its slot without a lock.
//! 2. A token names a slot and the generation of its use; giving a slot back begins a new generation. So an event of a
//!    descriptor that is gone names nobody.
//! 3. Chunks are allocated by whoever needs a slot, before the lock is taken; nothing here allocates while polling.

use std::ptr;

use crate::facade::atomic::AtomicPtr;
use crate::facade::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use crate::lock::Lock;
use crate::netpoll::slot::Slot;

/// Slots of the first chunk, as a power of two.
const FIRST_LOG2: u32 = 6;
const CHUNKS: usize = 24;

const _: () = assert!(usize::BITS == 64, "a token holds an index and a generation");

/// Free slots, last in, first out: a warm one is used again first.
struct Free {
    /// Index of the first, plus one; 0 is none.
    head: u32,
    /// Chunks in use.
    chunks: usize,
}

/// See the module.
pub(super) struct Slab {
    chunks: [AtomicPtr<Slot>; CHUNKS],
    free: Lock<Free>,
}

impl Slab {
    pub(super) const fn new() -> Self {
        Self {
            chunks: [const { AtomicPtr::new(ptr::null_mut()) }; CHUNKS],
            free: Lock::new(Free { head: 0, chunks: 0 }),
        }
    }

    /// A slot that looks new. `None`: hundreds of millions are in use.
    pub(super) fn alloc(&self) -> Option<&'static Slot> {
        loop {
            let chunks = {
                let mut free = self.free.lock();
                if let Some(index) = free.head.checked_sub(1) {
                    let slot = self.slot(index).expect("a free slot is in a chunk");
                    // Relaxed: the link is under the lock.
                    free.head = slot.next_free.load(Relaxed);
                    drop(free);
                    slot.reset();
                    return Some(slot);
                }
                free.chunks
            };
            if chunks == CHUNKS {
                return None;
            }
            self.grow(chunks);
        }
    }

    /// Adds chunk number `chunk`, unless somebody else just did.
    fn grow(&self, chunk: usize) {
        let len = 1u32 << (FIRST_LOG2 + chunk as u32);
        let first = len - (1 << FIRST_LOG2);
        let slots: Box<[Slot]> = (first..first + len).map(Slot::new).collect();
        // Each leads to the one behind it: the slot `index` to `index + 1`, which is written plus one.
        for slot in &slots[..slots.len() - 1] {
            // Relaxed: published with the chunk.
            slot.next_free.store(slot.index() + 2, Relaxed);
        }
        let mut free = self.free.lock();
        if free.chunks != chunk {
            drop(free);
            return;
        }
        let slots = Box::leak(slots);
        // Relaxed: as above.
        slots[len as usize - 1].next_free.store(free.head, Relaxed);
        // Release publishes the slots; pairs with the Acquire of `slot`.
        self.chunks[chunk].store(slots.as_mut_ptr(), Release);
        free.chunks += 1;
        free.head = first + 1;
    }

    /// Gives a slot back: from now on its tokens name nobody.
    pub(super) fn free(&self, slot: &'static Slot) {
        // AcqRel: a late event that still sees the old generation may touch the slot, which is harmless (`slot.rs`, 1);
        // one that sees the new one does not. The count itself needs no more than the atomic step.
        slot.generation.fetch_add(1, AcqRel);
        let mut free = self.free.lock();
        // Relaxed: the link is under the lock.
        slot.next_free.store(free.head, Relaxed);
        free.head = slot.index() + 1;
    }

    /// The token of this use of the slot.
    pub(super) fn token(slot: &Slot) -> usize {
        // Relaxed: only changes when its user gives it back.
        (slot.generation.load(Relaxed) as usize) << 32 | slot.index() as usize
    }

    /// The slot of a token, if that use of it has not ended.
    #[inline]
    pub(super) fn get(&self, token: usize) -> Option<&'static Slot> {
        let slot = self.slot(token as u32)?;
        // Acquire pairs with the AcqRel of `free`.
        (slot.generation.load(Acquire) == (token >> 32) as u32).then_some(slot)
    }

    #[inline]
    fn slot(&self, index: u32) -> Option<&'static Slot> {
        let at = u64::from(index) + (1 << FIRST_LOG2);
        let log2 = at.ilog2();
        // Acquire pairs with the Release of `grow`.
        let chunk = self.chunks.get((log2 - FIRST_LOG2) as usize)?.load(Acquire);
        if chunk.is_null() {
            return None;
        }
        // SAFETY: the chunk has 2^log2 slots, is never freed, and `at` lies in 2^log2 .. 2^(log2 + 1).
        Some(unsafe { &*chunk.add((at - (1 << log2)) as usize) })
    }
}
