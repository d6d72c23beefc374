//! The set of reached states: exact, shared by the threads without locks, 18 bytes a slot.
//!
//! A slot is two words, the halves of a state, each with its spare bit 63 set once it is written; beside it
//! lies the state's depth. Four slots are a cache line, and a line is filled from its first slot on.
//! Invariants:
//! 1. While threads insert (see [`Shared`]) slots are only filled, never moved or emptied.
//! 2. A line with an empty slot ends every probe: what was not found up to there is not in the table.
//! 3. The home line is monotone in the hash, so growing copies one sequence into another instead of
//!    jumping about, and it goes shard by shard, so that old and new never stand side by side as a whole.
//! 4. No slot numbers survive growth. Parents are not stored: the depths suffice to find a shortest path
//!    again (see `path`), in half the memory and independently of which thread came first.

use std::io;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering::Relaxed};

use sigurg_model::space::Packed;

use super::pages::Pages;

/// Marks a written word. No state has this bit in either half.
const MARK: u64 = 1 << 63;
/// Slots of a line of 64 bytes.
const LINE: usize = 4;
/// Parts that grow one after the other; their number bounds the extra memory of growing.
const SHARDS: usize = 16;
/// Bytes of a slot: the state and its depth.
pub(super) const SLOT_BYTES: u64 = 18;
/// Slot numbers are `u32`.
const SLOTS_MAX: u64 = 1 << 32;

/// The greatest depth that a slot can remember: it stores one more, as 0 is the empty slot.
pub(super) const DEPTH_MAX: u32 = u16::MAX as u32 - 1;

type Line = [[u64; 2]; LINE];
type SharedLine = [[AtomicU64; 2]; LINE];

/// The table between rounds: one owner, plain reads.
pub(super) struct Table {
    shards: Vec<Shard>,
    /// Lines of the largest shard; slot numbers count as if all shards had as many.
    lines: usize,
}

struct Shard {
    words: Pages,
    depths: Pages,
    lines: usize,
}

/// The table during a round: many threads insert.
pub(super) struct Shared<'a> {
    shards: Vec<(&'a [SharedLine], &'a [AtomicU16])>,
}

/// Where a state was inserted.
pub(super) struct Place {
    shard: usize,
    at: usize,
}

/// Spreads a state over 64 bits: the top ones choose the line, the bottom ones the shard.
#[inline]
pub(super) fn hash(state: Packed) -> u64 {
    let (low, high) = halves(state);
    let fold = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        product as u64 ^ (product >> 64) as u64
    };
    // Any odd numbers without a pattern do: here fractions of the golden ratio and of square roots.
    fold(fold(low, 0x9e37_79b9_7f4a_7c15) ^ high, 0x6a09_e667_f3bc_c909)
}

#[inline]
fn halves(state: Packed) -> (u64, u64) {
    (state.0 as u64 | MARK, (state.0 >> 64) as u64 | MARK)
}

fn joined(low: u64, high: u64) -> Packed {
    Packed(u128::from(high & !MARK) << 64 | u128::from(low & !MARK))
}

#[inline]
fn shard_of(hash: u64) -> usize {
    hash as usize % SHARDS
}

/// The line of a shard with which a probe begins.
#[inline]
fn home(hash: u64, lines: usize) -> usize {
    ((u128::from(hash) * lines as u128) >> 64) as usize
}

/// The line with which a probe goes on.
#[inline]
fn next(line: usize, lines: usize) -> usize {
    if line + 1 == lines { 0 } else { line + 1 }
}

impl Shard {
    fn zeroed(lines: usize) -> io::Result<Self> {
        let words = Pages::zeroed::<Line>(lines)?;
        Ok(Self { words, depths: Pages::zeroed::<u16>(lines * LINE)?, lines })
    }

    /// Copies every state of `self` into `target`, which is empty and has room.
    fn copy_to(&self, target: &mut Self) {
        let lines = target.lines;
        let words = target.words.items_mut::<Line>();
        let depths = target.depths.items_mut::<u16>();
        let old_slots = self.words.items::<Line>().as_flattened();
        for (slot, depth) in old_slots.iter().zip(self.depths.items::<u16>()) {
            if slot[1] == 0 {
                continue;
            }
            let mut line = home(hash(joined(slot[0], slot[1])), lines);
            let free = loop {
                match words[line].iter().position(|s| s[0] == 0) {
                    Some(free) => break free,
                    None => line = next(line, lines),
                }
            };
            words[line][free] = *slot;
            depths[line * LINE + free] = *depth;
        }
    }
}

impl Table {
    /// The number of slots that a table asked for `slots` gets; at least that many.
    pub(super) fn rounded(slots: u64) -> u64 {
        slots.next_multiple_of((SHARDS * LINE) as u64).max((SHARDS * LINE) as u64)
    }

    /// A table without a slot: it must grow before the first insert.
    pub(super) fn empty() -> Self {
        Self { shards: Vec::new(), lines: 0 }
    }

    /// Makes room: the table then has [`Table::rounded`] slots, and every slot number has changed.
    ///
    /// # Errors
    /// The memory is refused, or slot numbers would not fit 32 bits. The table then still holds every
    /// state, with some shards grown.
    pub(super) fn grow(&mut self, slots: u64, threads: usize) -> io::Result<()> {
        let slots = Self::rounded(slots);
        if slots > SLOTS_MAX {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        let lines = slots as usize / (SHARDS * LINE);
        if self.shards.is_empty() {
            self.shards = (0..SHARDS).map(|_| Shard::zeroed(lines)).collect::<io::Result<_>>()?;
        }
        // First, so that slot numbers stay unambiguous if some shards cannot follow.
        self.lines = lines;
        let share = SHARDS.div_ceil(threads);
        std::thread::scope(|scope| {
            let grow = |shards: &mut [Shard]| {
                shards.iter_mut().filter(|shard| shard.lines < lines).try_for_each(|shard| {
                    let mut wider = Shard::zeroed(lines)?;
                    shard.copy_to(&mut wider);
                    *shard = wider;
                    Ok(())
                })
            };
            let workers: Vec<_> =
                self.shards.chunks_mut(share).map(|shards| scope.spawn(move || grow(shards))).collect();
            workers.into_iter().try_for_each(|worker| worker.join().expect("growing does not panic"))
        })
    }

    /// Bytes that exist twice while `threads` threads grow the table.
    pub(super) fn growing_bytes(&self, threads: usize) -> u64 {
        self.bytes() * threads.min(SHARDS) as u64 / SHARDS as u64
    }

    pub(super) fn slots(&self) -> u64 {
        self.shards.iter().map(|shard| (shard.lines * LINE) as u64).sum()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.slots() * SLOT_BYTES
    }

    pub(super) fn shared(&mut self) -> Shared<'_> {
        let shards = self.shards.iter_mut();
        let shards =
            shards.map(|s| (&*s.words.items_mut::<SharedLine>(), &*s.depths.items_mut::<AtomicU16>()));
        Shared { shards: shards.collect() }
    }

    /// The slot of a state that was reached.
    #[inline]
    pub(super) fn find(&self, state: Packed) -> Option<u32> {
        let (low, high) = halves(state);
        let hash = hash(state);
        let shard = shard_of(hash);
        let lines = self.shards[shard].words.items::<Line>();
        let mut line = home(hash, lines.len());
        loop {
            for (i, slot) in lines[line].iter().enumerate() {
                if *slot == [low, high] {
                    return Some(((shard * self.lines + line) * LINE + i) as u32);
                }
                if slot[0] == 0 {
                    return None;
                }
            }
            line = next(line, lines.len());
        }
    }

    /// Brings the home line of a state near, so that a later [`Table::find`] need not wait.
    #[inline]
    pub(super) fn touch(&self, state: Packed) {
        let hash = hash(state);
        let lines = self.shards[shard_of(hash)].words.items::<Line>();
        std::hint::black_box(lines[home(hash, lines.len())][0][0]);
    }

    /// The state in a filled slot.
    pub(super) fn state(&self, slot: u32) -> Packed {
        let (shard, at) = self.place(slot);
        let [low, high] = self.shards[shard].words.items::<Line>()[at / LINE][at % LINE];
        joined(low, high)
    }

    /// The depth of the state in a filled slot.
    pub(super) fn depth(&self, slot: u32) -> u32 {
        let (shard, at) = self.place(slot);
        u32::from(self.shards[shard].depths.items::<u16>()[at]) - 1
    }

    fn place(&self, slot: u32) -> (usize, usize) {
        let per_shard = self.lines * LINE;
        (slot as usize / per_shard, slot as usize % per_shard)
    }

    /// The filled slots' depth marks, in pieces of a shard each: the first slot number of the piece, and
    /// per slot 0 if empty, else the depth plus one.
    pub(super) fn marks(&self) -> impl Iterator<Item = (u32, &[u16])> {
        let per_shard = self.lines * LINE;
        let shards = self.shards.iter().enumerate();
        shards.map(move |(i, shard)| ((i * per_shard) as u32, shard.depths.items::<u16>()))
    }
}

impl Shared<'_> {
    /// Brings the home lines of states near, so that inserting them need not wait for memory.
    ///
    /// Nothing here needs what it loads, so the processor waits for dozens of lines at once.
    #[inline]
    pub(super) fn touch(&self, hashes: impl Iterator<Item = u64>) {
        let near = hashes.fold(0, |near, hash| {
            let (lines, _) = self.shards[shard_of(hash)];
            // Relaxed: the value is thrown away.
            near ^ lines[home(hash, lines.len())][0][0].load(Relaxed)
        });
        std::hint::black_box(near);
    }

    /// Adds a state, unless it is there already; the place of a new one, whose depth is still to be set.
    ///
    /// The caller makes sure of an empty slot.
    ///
    /// All orderings are relaxed: each word says everything about itself (0 or its final value), the mark
    /// tells one from the other, and what lies beside the words is read only after the threads are joined.
    #[inline]
    pub(super) fn insert(&self, state: Packed, hash: u64) -> Option<Place> {
        let (low, high) = halves(state);
        let (lines, _) = self.shards[shard_of(hash)];
        let mut line = home(hash, lines.len());
        loop {
            for (i, [low_word, high_word]) in lines[line].iter().enumerate() {
                let mut seen = low_word.load(Relaxed);
                if seen == 0 {
                    // Claims the slot; coherence of this one word decides between two claimants.
                    match low_word.compare_exchange(0, low, Relaxed, Relaxed) {
                        Ok(_) => {
                            high_word.store(high, Relaxed);
                            return Some(Place { shard: shard_of(hash), at: line * LINE + i });
                        }
                        Err(other) => seen = other,
                    }
                }
                if seen == low && written(high_word) == high {
                    return None;
                }
            }
            line = next(line, lines.len());
        }
    }

    /// Sets the depth, at most [`DEPTH_MAX`], of states that this thread inserted.
    ///
    /// Apart from the inserts, because each claim waits until all stores before it have found their lines.
    pub(super) fn set_depths(&self, places: &[Place], depth: u32) {
        let depth_of = |place: &Place| &self.shards[place.shard].1[place.at];
        // Relaxed, here and below: only the inserting thread writes it, and it is read after the join.
        std::hint::black_box(places.iter().fold(0, |near, place| near ^ depth_of(place).load(Relaxed)));
        places.iter().for_each(|place| depth_of(place).store(depth as u16 + 1, Relaxed));
    }
}

/// The high word of a claimed slot: its claimant is about to store it.
#[inline]
fn written(word: &AtomicU64) -> u64 {
    let mut spins = 0u32;
    loop {
        // Relaxed: the word alone is wanted; see `Shared::insert`.
        let value = word.load(Relaxed);
        if value != 0 {
            return value;
        }
        spins += 1;
        // The claimant may have lost its processor between its two stores.
        if spins.is_multiple_of(64) {
            std::thread::yield_now();
        }
        std::hint::spin_loop();
    }
}
