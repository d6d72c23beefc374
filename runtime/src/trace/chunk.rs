//! The memory that events are recorded in: chunks of one pool, which all runtimes of a process share.
//!
//! 1. A chunk belongs to the pool, then to one M that fills it, then to the writer that reads it, then again to the
//!    pool. It goes back when all its slots were filled and read, so nobody who got a slot finds it taken away.
//! 2. A slot is filled before its `ticks` are set, and read only then.
//! 3. Chunks are numbers, from 1, so that an M's place fits one word. The pool is one reservation of addresses; what it
//!    costs is what was ever in use at once.
//! 4. Taking and giving chunks never waits and never allocates: a handler may do it in the middle of it.

use std::cell::UnsafeCell;
use std::io;
use std::mem::size_of;
use std::ptr::NonNull;
use std::sync::OnceLock;

use sigurg_traces::{Event, Kind, Stack, Sym, Target};

use crate::facade::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use crate::facade::atomic::{AtomicU32, AtomicU64};
use crate::facade::{cputicks, reserve_pages};
use crate::trace::Site;

/// Events of a chunk. With its header a chunk is 64 KiB.
pub(super) const SLOTS: u32 = if cfg!(miri) { 15 } else { 1023 };
/// Chunks of a process: 1 GiB, some 16 million events that the writer has not come to.
const CHUNKS: u32 = if cfg!(miri) { 64 } else { 1 << 14 };

/// No chunk.
pub(super) const NONE: u32 = 0;

/// An event but for what the M and the writer know: one cache line.
#[repr(C, align(64))]
pub(super) struct Slot {
    /// When, in [`cputicks`]; 0: not filled.
    ticks: AtomicU64,
    record: UnsafeCell<Record>,
}

const _: () = assert!(size_of::<Slot>() == 64);
const _: () = assert!(Site::ALL.len() <= 1 << 8);

#[derive(Clone, Copy)]
struct Record {
    kind: Kind,
    by: u64,
    /// Goid of the target; without one, the number of the M.
    g: u64,
    over: u64,
    /// 0: no target.
    gs: u32,
    p: i16,
    site: u8,
    on: Stack,
}

impl Slot {
    /// Fills the slot, which the caller got and nobody else.
    #[inline]
    pub(super) fn fill(&self, event: &Event) {
        let (g, gs) = event.target.map_or((event.m as u64, 0), |target| (target.g, target.gs));
        let record = Record {
            kind: event.kind,
            by: event.by,
            g,
            over: event.over,
            gs,
            p: event.p as i16,
            site: event.site.0 as u8,
            on: event.on,
        };
        // SAFETY: the slot is the caller's alone until `ticks` says that it is filled.
        unsafe { *self.record.get() = record };
        // Release: the record comes first; pairs with the Acquire of `take`. Never 0: the lowest bit is worth nothing.
        self.ticks.store(cputicks() | 1, Release);
    }

    /// When it was filled, if it is.
    pub(super) fn ticks(&self) -> Option<u64> {
        // Relaxed: a figure; `take` orders.
        Some(self.ticks.load(Relaxed)).filter(|&ticks| ticks != 0)
    }

    /// Empties the slot if it is filled: when it was, and the event but for `seq` and times. `m` is -1 if there is a
    /// target: it is that of the events before. The reader of the chunk only.
    pub(super) fn take(&self) -> Option<(u64, Event)> {
        // Acquire pairs with the Release of `fill`.
        let ticks = self.ticks.load(Acquire);
        if ticks == 0 {
            return None;
        }
        // SAFETY: filled, and nobody fills it again before the chunk went through the pool.
        let record = unsafe { *self.record.get() };
        // Relaxed: the next who fills it gets the chunk through the pool.
        self.ticks.store(0, Relaxed);
        let Record { kind, by, g, over, gs, p, site, on } = record;
        let target = (gs != 0).then_some(Target { g, gs });
        let m = if target.is_some() { -1 } else { g as i32 };
        let (p, site) = (p.into(), Sym(site.into()));
        Some((ticks, Event { seq: 0, lo: 0, t_ns: 0, m, p, on, by, target, site, over, kind }))
    }
}

/// See the module.
#[repr(C, align(64))]
pub(super) struct Chunk {
    /// The chunk that its M went on to, once there is one. Who goes on; the reader, when the chunk goes back.
    pub(super) next: AtomicU32,
    /// The chunk below it in the pool.
    below: AtomicU32,
    slots: [Slot; SLOTS as usize],
}

// SAFETY: invariants 1 and 2 say who touches a record, and atomics hand it over.
unsafe impl Sync for Chunk {}

impl Chunk {
    #[inline]
    pub(super) fn slot(&self, at: u32) -> Option<&Slot> {
        self.slots.get(at as usize)
    }
}

/// See the module.
pub(super) struct Pool {
    chunks: NonNull<Chunk>,
    /// How many chunks were ever in use; they are the first ones.
    fresh: AtomicU32,
    /// Chunk on the top of those given back, and above it a count of changes, so that a top which comes back is not
    /// taken for one that stayed.
    top: AtomicU64,
    /// How many are with an M or the writer.
    out: AtomicU32,
}

// SAFETY: the pointer is to memory that is never given back, and holds only `Chunk`s, which are `Sync`.
unsafe impl Sync for Pool {}
// SAFETY: as above; it belongs to no thread.
unsafe impl Send for Pool {}

static POOL: OnceLock<Pool> = OnceLock::new();

impl Pool {
    /// The pool of the process. Allocates the first time.
    pub(super) fn get() -> io::Result<&'static Self> {
        if let Some(pool) = POOL.get() {
            return Ok(pool);
        }
        let pool = Self::new()?;
        Ok(POOL.get_or_init(|| pool))
    }

    fn new() -> io::Result<Self> {
        let chunks = reserve_pages(CHUNKS as usize * size_of::<Chunk>())?.cast();
        let [fresh, out] = [const { AtomicU32::new(0) }; 2];
        Ok(Self { chunks, fresh, top: AtomicU64::new(0), out })
    }

    /// The chunk of that number, which `take` gave.
    #[inline]
    pub(super) fn chunk(&self, number: u32) -> &Chunk {
        debug_assert!((1..=CHUNKS).contains(&number), "chunk {number}");
        // SAFETY: numbers are those that `take` gives, so within the reservation. All zeros are a chunk with empty
        // slots, as pages are at first. The reservation is aligned to pages.
        unsafe { self.chunks.add(number as usize - 1).as_ref() }
    }

    /// An empty chunk; `None` if all are in use.
    pub(super) fn take(&self) -> Option<u32> {
        // Acquire pairs with the Release of `give`: its slots are seen empty, and `below` as written.
        let mut seen = self.top.load(Acquire);
        while seen as u32 != NONE {
            let number = seen as u32;
            // Relaxed: garbage if somebody else took the chunk, and then the exchange fails.
            let below = self.chunk(number).below.load(Relaxed);
            let new = ((seen >> 32) + 1) << 32 | u64::from(below);
            // Acquire as above. Release is not needed for the chunk below: its own Release goes on in the sequence.
            match self.top.compare_exchange_weak(seen, new, AcqRel, Acquire) {
                Ok(_) => {
                    self.out.fetch_add(1, Relaxed); // a figure
                    return Some(number);
                }
                Err(found) => seen = found,
            }
        }
        // Relaxed: who gets a number that nobody had needs nothing from others.
        let fresh = self.fresh.load(Relaxed);
        if fresh >= CHUNKS {
            return None;
        }
        let number = self.fresh.fetch_add(1, Relaxed) + 1;
        if number > CHUNKS {
            // As many threads as there are can go beyond it at once, and nobody after.
            return None;
        }
        self.out.fetch_add(1, Relaxed); // a figure
        Some(number)
    }

    /// Gives a chunk back whose slots are empty.
    pub(super) fn give(&self, number: u32) {
        let chunk = self.chunk(number);
        // Relaxed: published by the exchange.
        chunk.next.store(NONE, Relaxed);
        let mut seen = self.top.load(Relaxed);
        loop {
            // Relaxed: published by the exchange.
            chunk.below.store(seen as u32, Relaxed);
            let new = ((seen >> 32) + 1) << 32 | u64::from(number);
            // Release publishes the empty chunk; pairs with the Acquire of `take`. AcqRel keeps what others gave before.
            match self.top.compare_exchange_weak(seen, new, AcqRel, Relaxed) {
                Ok(_) => break,
                Err(found) => seen = found,
            }
        }
        self.out.fetch_sub(1, Relaxed); // a figure
    }

    /// Whether the writer is so far behind that Ms must slow down.
    pub(super) fn is_short(&self) -> bool {
        // Relaxed: a figure.
        self.out.load(Relaxed) > CHUNKS / 4
    }
}
