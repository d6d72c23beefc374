//! Where an M records its events: a chain of chunks that it fills and the writer reads.
//!
//! 1. Only the thread of the M pushes, and signal handlers on that thread, at any instruction of a push. One instruction
//!    gives out the slot, so each event has its own; a handler's events come before or after the interrupted one.
//! 2. A place that was got is filled, however late: the writer waits for it and reads in the order of places.
//! 3. A chunk is linked to the next one by the one call that went on to it, so the chain never forks.

use std::ptr;

use sigurg_traces::Event;

use super::chunk::{NONE, Pool, SLOTS, Slot};
use super::tracer::Shared;
use crate::facade::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::facade::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, AtomicU64};
use crate::facade::{add_local, usleep};

/// How long an M rests, microseconds, before it takes another chunk when the writer is far behind. Bounded, for it
/// must not wait for anybody: a signal handler may push while its thread holds any lock.
const REST_US: u32 = 500;

/// See the module.
pub(crate) struct TraceBuf {
    /// Number of the chunk being filled, and below it how many of its slots were given out, or more: then it is full.
    /// Own.
    place: AtomicU64,
    /// Number of the first chunk. Own, once.
    first: AtomicU32,
    /// Null before it is attached. Who attaches it.
    shared: AtomicPtr<Shared>,
    /// Next of those attached. Who attaches it.
    pub(super) link: AtomicPtr<Self>,
    /// The word that says whether its M records. Who attaches it.
    pub(super) on: AtomicPtr<AtomicBool>,
    /// Number of the M in the event that was read last: it changes when another thread becomes this M, whose first
    /// event has no target and so says it. Who attaches it, then the writer.
    pub(super) m: AtomicI32,
    /// Chunk and slot that are read next. Writer.
    reads: AtomicU32,
    at: AtomicU32,
}

const FULL: u64 = SLOTS as u64;

impl TraceBuf {
    pub(crate) const fn new() -> Self {
        Self {
            place: AtomicU64::new(FULL),
            first: AtomicU32::new(NONE),
            shared: AtomicPtr::new(ptr::null_mut()),
            link: AtomicPtr::new(ptr::null_mut()),
            on: AtomicPtr::new(ptr::null_mut()),
            m: AtomicI32::new(-1),
            reads: AtomicU32::new(NONE),
            at: AtomicU32::new(0),
        }
    }

    /// Makes `shared` the recording that it is part of; `false` if it was part of one before.
    pub(super) fn join(&self, shared: &'static Shared) -> bool {
        let shared = ptr::from_ref(shared).cast_mut();
        // Release pairs with the Acquire in `shared`.
        self.shared.compare_exchange(ptr::null_mut(), shared, Release, Relaxed).is_ok()
    }

    #[inline]
    fn shared(&self) -> Option<&'static Shared> {
        // SAFETY: null, or a recording, which is never freed. Acquire pairs with the Release in `join`.
        unsafe { self.shared.load(Acquire).as_ref() }
    }

    /// Records one event. Only the thread of the M, or a signal handler on it.
    ///
    /// Of `event`, `seq`, `lo` and `t_ns` are made up when it is written.
    #[inline]
    pub(crate) fn push(&self, event: Event) {
        let Some(shared) = self.shared() else { return };
        loop {
            let place = add_local(&self.place, 1);
            let (chunk, at) = ((place >> 32) as u32, place as u32);
            if at < SLOTS {
                if let Some(slot) = shared.pool.chunk(chunk).slot(at) {
                    slot.fill(&event);
                }
                return;
            }
            if !self.go_on(chunk, shared) {
                return;
            }
        }
    }

    /// Goes on from the full `chunk` to another; `false` if there is nothing to record any more.
    #[cold]
    #[inline(never)]
    fn go_on(&self, chunk: u32, shared: &'static Shared) -> bool {
        let pool = shared.pool;
        if pool.is_short() {
            usleep(REST_US);
        }
        let new = if shared.is_off() { None } else { pool.take() };
        let (to, goes_on) = match new {
            Some(new) => (u64::from(new) << 32, true),
            None => {
                shared.overflow();
                // So that the count of places never runs over into the number of the chunk.
                (u64::from(chunk) << 32 | FULL, false)
            }
        };
        // Relaxed: the word is of one thread.
        let mut seen = self.place.load(Relaxed);
        // Handlers may have gone on so far that `chunk` was read, given back, and is now being filled again.
        while (seen >> 32) as u32 == chunk && seen as u32 >= SLOTS {
            match self.place.compare_exchange(seen, to, Relaxed, Relaxed) {
                Ok(_) => {
                    if let Some(new) = new {
                        self.link_to(chunk, new, pool);
                        shared.wake();
                    }
                    return goes_on;
                }
                Err(found) => seen = found,
            }
        }
        // A handler went on meanwhile.
        if let Some(new) = new {
            pool.give(new);
        }
        true
    }

    fn link_to(&self, chunk: u32, new: u32, pool: &Pool) {
        let link = if chunk == NONE { &self.first } else { &pool.chunk(chunk).next };
        // Release: an empty chunk, as `take` gave it; pairs with the Acquire in `read`.
        link.store(new, Release);
    }

    /// When the next event to be read happened, if there is one. The writer only.
    pub(super) fn front(&self, pool: &Pool) -> Option<u64> {
        // Orderings as in `read`.
        let (mut chunk, mut at) = (self.reads.load(Relaxed), self.at.load(Relaxed));
        if chunk == NONE || at == SLOTS {
            let link = if chunk == NONE { &self.first } else { &pool.chunk(chunk).next };
            (chunk, at) = (link.load(Acquire), 0);
        }
        if chunk == NONE { None } else { pool.chunk(chunk).slot(at).and_then(Slot::ticks) }
    }

    /// Gives the events that were filled, oldest first, to `each`, up to the end of the chunk at hand; whether there
    /// were any. The writer only.
    pub(super) fn read(&self, pool: &Pool, mut each: impl FnMut(u64, Event)) -> bool {
        // Relaxed: `reads`, `at` and `m` are the writer's own.
        let mut chunk = self.reads.load(Relaxed);
        let mut at = self.at.load(Relaxed);
        if chunk == NONE || at == SLOTS {
            let link = if chunk == NONE { &self.first } else { &pool.chunk(chunk).next };
            // Acquire pairs with the Release in `link_to`.
            let next = link.load(Acquire);
            if next == NONE {
                return false;
            }
            if chunk != NONE {
                pool.give(chunk);
            }
            (chunk, at) = (next, 0);
        }
        let from = at;
        let mut m = self.m.load(Relaxed);
        while let Some((ticks, mut event)) = pool.chunk(chunk).slot(at).and_then(Slot::take) {
            if event.target.is_none() {
                m = event.m;
            }
            event.m = m;
            each(ticks, event);
            at += 1;
        }
        self.m.store(m, Relaxed);
        self.reads.store(chunk, Relaxed);
        self.at.store(at, Relaxed);
        at > from
    }

    /// Gives back what its M took last: nobody records any more, and all was read. The writer only, once, at its end.
    pub(super) fn give_back(&self, pool: &Pool) {
        // Relaxed, all: nobody else uses it.
        self.place.store(FULL, Relaxed);
        self.first.store(NONE, Relaxed);
        let chunk = self.reads.swap(NONE, Relaxed);
        if chunk != NONE {
            pool.give(chunk);
        }
    }

    /// Number of the chunk being filled.
    #[cfg(test)]
    pub(super) fn chunk(&self) -> u32 {
        (self.place.load(Relaxed) >> 32) as u32 // own
    }

    /// The step from the full `chunk`, resumed after whatever handlers did in the middle of it.
    #[cfg(test)]
    pub(super) fn go_on_late(&self, chunk: u32) {
        self.go_on(chunk, self.shared().unwrap());
    }
}
