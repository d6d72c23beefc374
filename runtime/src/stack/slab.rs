//! Where the slots are: numbers of Gs, chunks of address space, and the directory between them.
//!
//! 1. Numbers count up from 1. A chunk is an aligned range of [`CHUNK_NUMBERS`] and has one class; of a large class it
//!    holds fewer slots, and its other numbers are never used.
//! 2. Directory entries are written once, before the first number of their chunk is given out.
//! 3. `ready` has the bit of a number set when its G is complete. Who was handed a number needs not ask.

use std::iter;
use std::mem::size_of;
use std::ptr::NonNull;

use super::StackClass;
use crate::arch::prefetch;
use crate::facade::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::facade::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize};
use crate::facade::{begin_stack, scaled};
use crate::g::{AHEAD, G, Gs};
use crate::gfree::GFree;
use crate::lock::Lock;
use crate::sched::Sched;
use crate::sys::map;

/// Numbers of a chunk: `1 << SHIFT`. Where there are few Gs of several classes their numbers should be small, too.
const SHIFT: u32 = scaled(10, 5) as u32;
const CHUNK_NUMBERS: usize = 1 << SHIFT;
/// Chunks of a slab.
const CHUNKS: usize = scaled(1 << 16, 1 << 10);
/// Most bytes that a chunk of more than one slot may have.
const CHUNK_BYTES: usize = 256 << 20;
/// Most chunks that are mapped at once: 4.3 GiB of address space with the default class.
const MAX_RUN: u32 = 64;
/// Colours, and bytes between two of them: a cache line, which is also the alignment of a `G`.
const COLOURS: usize = 16;
const COLOUR_STEP: usize = 64;

const DIRECTORY_BYTES: usize = CHUNKS * size_of::<Chunk>();
const READY_BYTES: usize = CHUNKS * CHUNK_NUMBERS / 8;

/// One entry of the directory; all zero if there is no such chunk.
#[repr(C)]
struct Chunk {
    /// Where the G of its first slot would be with colour 0.
    origin: AtomicPtr<u8>,
    /// Bytes from slot to slot.
    stride: AtomicUsize,
}

/// What the next G of one class is made from.
struct Supply {
    /// Numbers that are mapped and not given out.
    next: u32,
    end: u32,
    /// Chunks to map when they run out.
    run: u32,
    /// Complete but for the guard, which the kernel had no room for.
    unguarded: GFree,
    /// Dead Gs: [`Slab::free`].
    free: GFree,
}

/// All of them, and the chunks in use.
struct Growth {
    supplies: [Supply; StackClass::COUNT],
    chunks: u32,
}

/// The stacks and `G`s of one runtime.
pub(crate) struct Slab {
    /// `CHUNKS` entries, then `READY_BYTES` of bits; mapped, touched as they are used.
    directory: NonNull<Chunk>,
    default: StackClass,
    page: usize,
    /// The highest number given out.
    count: AtomicU32,
    growth: Lock<Growth>,
}

// SAFETY: `directory` points to memory of atomics that the slab owns.
unsafe impl Send for Slab {}
// SAFETY: as above.
unsafe impl Sync for Slab {}

impl Slab {
    /// An empty slab whose stacks have `default_size` bytes, rounded up to a power of two, unless asked otherwise.
    /// `None` if there is no address space.
    ///
    /// # Safety
    ///
    /// When it is dropped nobody uses any of its Gs or their stacks any more: it hands them out as `&'static G`.
    pub(crate) unsafe fn new(default_size: usize) -> Option<Self> {
        let directory = map::reserve(DIRECTORY_BYTES + READY_BYTES)?.cast();
        let supplies = [const { Supply { next: 0, end: 0, run: 1, unguarded: GFree::new(), free: GFree::new() } };
            StackClass::COUNT];
        Some(Self {
            directory,
            default: StackClass::for_size(default_size),
            page: map::page_size(),
            count: AtomicU32::new(0),
            growth: Lock::new(Growth { supplies, chunks: 0 }),
        })
    }

    /// The class of stacks for which nothing was asked.
    pub(crate) fn default_class(&self) -> StackClass {
        self.default
    }

    #[inline]
    fn chunk(&self, index: usize) -> &Chunk {
        debug_assert!(index < CHUNKS);
        // SAFETY: a number has 26 bits (`Growth::map_chunks`), so its chunk is in the directory; zero is a valid entry.
        unsafe { self.directory.add(index).as_ref() }
    }

    /// The word of `ready` that has the bit of `gs`, and the bit.
    fn ready(&self, gs: u32) -> (&AtomicU64, u64) {
        let word = (gs / 64) as usize;
        debug_assert!(word * 8 < READY_BYTES);
        // SAFETY: the bits begin where the directory ends and there is one for every number; zero is valid.
        let word = unsafe { self.directory.byte_add(DIRECTORY_BYTES).cast::<AtomicU64>().add(word).as_ref() };
        (word, 1 << (gs % 64))
    }

    /// Where the G with that number is.
    #[inline]
    fn place(&self, gs: u32) -> NonNull<G> {
        let chunk = self.chunk((gs >> SHIFT) as usize);
        let slot = gs as usize % CHUNK_NUMBERS;
        // Relaxed: written before the number was handed to anybody, and whoever handed it over did so in order.
        let (origin, stride) = (chunk.origin.load(Relaxed), chunk.stride.load(Relaxed));
        debug_assert!(!origin.is_null(), "no G has number {gs}");
        // SAFETY: inside the chunk: its slots are `stride` long, and the colour is less than a page of the slot.
        unsafe { NonNull::new_unchecked(origin.add(slot * stride).sub(slot % COLOURS * COLOUR_STEP)).cast() }
    }

    /// The G with that number, which this slab gave out: numbers come from nowhere else.
    #[inline]
    pub(crate) fn get(&self, gs: Gs) -> &'static G {
        // SAFETY: it was written before its number was handed out; who made the slab promised that it stays.
        unsafe { self.place(gs.0).as_ref() }
    }

    /// Has the processor fetch what a switch to the G of that number, if there is one, touches first: the struct and the top of
    /// its stack.
    #[inline]
    pub(crate) fn fetch(&self, hint: impl FnOnce() -> Gs) {
        if AHEAD == 0 {
            return;
        }
        let gs = hint();
        if !gs.is_none() {
            let at = self.place(gs.0).addr().get();
            (-3..=1).for_each(|line| prefetch(at.wrapping_add_signed(64 * line)));
        }
    }

    /// An upper bound for numbers: all complete Gs, and perhaps others, are among `1..=count()`.
    pub(crate) fn count(&self) -> u32 {
        // Relaxed: a bound for loops; completeness is in the bits.
        self.count.load(Relaxed)
    }

    /// Every complete G, in the order of their numbers. Any thread; those that come meanwhile may be missing.
    pub(crate) fn all(&self) -> impl Iterator<Item = &'static G> + '_ {
        // By words: most numbers of large classes are never used.
        (0..=self.count() / 64).flat_map(move |word| {
            // Acquire pairs with the Release in `complete`: the Gs are seen complete.
            let mut bits = self.ready(word * 64).0.load(Acquire);
            iter::from_fn(move || {
                let bit = (bits != 0).then(|| bits.trailing_zeros())?;
                bits &= bits - 1;
                Some(self.get(Gs(word * 64 + bit)))
            })
        })
    }

    /// A G with a stack of `class`: one given back by [`Slab::free`], or a new one in status `Idle`. `None` if the
    /// kernel gives no more address space or guards.
    pub(crate) fn alloc(&self, sched: &'static Sched, class: StackClass) -> Option<&'static G> {
        let mut growth = self.growth.lock();
        if let Some(gp) = growth.supplies[class.index()].free.pop(self) {
            return Some(gp);
        }
        let gp = match growth.supplies[class.index()].unguarded.pop(self) {
            Some(gp) => gp,
            None => {
                let gs = self.next_number(&mut growth, class)?;
                // The first touch of the page costs microseconds: not under the lock.
                drop(growth);
                self.create(gs, sched, class)
            }
        };
        self.complete(gp, class)
    }

    fn next_number(&self, growth: &mut Growth, class: StackClass) -> Option<Gs> {
        if growth.supplies[class.index()].next == growth.supplies[class.index()].end {
            self.map_chunks(growth, class)?;
        }
        let supply = &mut growth.supplies[class.index()];
        let gs = supply.next;
        supply.next += 1;
        // Relaxed: see `count`. Its writers hold the lock.
        self.count.store(self.count().max(gs), Relaxed);
        Some(Gs(gs))
    }

    /// Maps the next chunks for `class`: each time twice as many.
    fn map_chunks(&self, growth: &mut Growth, class: StackClass) -> Option<()> {
        let stride = self.span(class) + self.page;
        let slots = Self::slots(stride);
        let first = growth.chunks as usize;
        let supply = &mut growth.supplies[class.index()];
        // Numbers of one run must have no gaps.
        let mut run = if slots == CHUNK_NUMBERS { supply.run as usize } else { 1 }.min(CHUNKS - first);
        let base = loop {
            if run == 0 {
                return None;
            }
            match map::reserve_dirty(run * slots * stride) {
                Some(base) => break base,
                None => run /= 2,
            }
        };
        for i in 0..run {
            let chunk = self.chunk(first + i);
            // SAFETY: the last bytes of the first slot of the chunk, which lies in the mapping.
            let origin = unsafe { base.add(i * slots * stride + stride - size_of::<G>()) };
            // Relaxed: see `place`.
            chunk.stride.store(stride, Relaxed);
            chunk.origin.store(origin.as_ptr(), Relaxed);
        }
        growth.chunks += run as u32;
        supply.run = (supply.run * 2).min(MAX_RUN);
        supply.next = (first * CHUNK_NUMBERS) as u32;
        supply.end = supply.next + (run * slots) as u32;
        // Number 0 is none.
        supply.next = supply.next.max(1);
        // Only a chunk of one slot can have lost it to number 0: the next chunk has one.
        if supply.next == supply.end { self.map_chunks(growth, class) } else { Some(()) }
    }

    /// Bytes of a slot without its guard: whole pages, also where those are larger than the smallest class.
    fn span(&self, class: StackClass) -> usize {
        class.size().next_multiple_of(self.page)
    }

    /// Slots of a chunk.
    fn slots(stride: usize) -> usize {
        (CHUNK_BYTES / stride).clamp(1, CHUNK_NUMBERS)
    }

    /// Writes the G of a number that nobody else has yet.
    fn create(&self, gs: Gs, sched: &'static Sched, class: StackClass) -> &'static G {
        let place = self.place(gs.0);
        let colour = gs.0 as usize % COLOURS * COLOUR_STEP;
        let end = place.addr().get() + size_of::<G>() + colour;
        let lo = end - self.span(class);
        begin_stack(lo, self.span(class));
        // SAFETY: `place` is aligned (a page end minus multiples of 64), inside the slot, and nobody else's.
        unsafe {
            place.write(G::new(gs, lo, place.addr().get(), sched));
            place.as_ref()
        }
    }

    /// Installs the guard and makes the G known.
    fn complete(&self, gp: &'static G, class: StackClass) -> Option<&'static G> {
        // SAFETY: the page below `stack_lo` is the guard of this slot, which nobody uses.
        let guarded = unsafe { map::guard(gp.stack_lo() - self.page, self.page) };
        if !guarded {
            self.growth.lock().supplies[class.index()].unguarded.push(gp);
            return None;
        }
        let (word, bit) = self.ready(gp.gs().0);
        // Release publishes the G; pairs with the Acquire in `all`.
        word.fetch_or(bit, Release);
        Some(gp)
    }

    /// Takes back a dead G whose stack is not of the default class (those go to the lists of the Ps).
    pub(crate) fn free(&self, gp: &'static G) {
        release_unused(gp, gp.stack_hi());
        self.growth.lock().supplies[StackClass::of(gp).index()].free.push(gp);
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        // Not by the lock: a simulated execution that failed may have ended while it was held.
        let chunks = self.growth.get_mut().chunks as usize;
        for i in 0..chunks {
            let chunk = self.chunk(i);
            // Relaxed: nobody else uses the slab.
            let (origin, stride) = (chunk.origin.load(Relaxed), chunk.stride.load(Relaxed));
            // SAFETY: undoes `map_chunks`; no G is used any more, by the contract of `new`.
            unsafe {
                let base = NonNull::new_unchecked(origin.sub(stride - size_of::<G>()));
                map::unmap(base, Self::slots(stride) * stride);
            }
        }
        // SAFETY: made in `new`, and used by this slab alone.
        unsafe { map::unmap(self.directory.cast(), DIRECTORY_BYTES + READY_BYTES) };
    }
}

/// Gives the memory of the stack of `gp` below `sp` back to the kernel; whole pages, so what is on the page of `sp`
/// stays. One system call, and each page faults when it is used again.
///
/// The caller owns the stack (it runs on it above `sp`, holds the scan bit, or took a dead G off its list), and
/// nothing below `sp` is live: no red zone either.
pub(crate) fn release_unused(gp: &'static G, sp: usize) {
    let page = map::page_size();
    debug_assert!((gp.stack_lo()..=gp.stack_hi()).contains(&sp));
    // The page that has the G stays in any case.
    let end = sp.min(gp.stack_hi() - 1) & !(page - 1);
    let len = end.saturating_sub(gp.stack_lo());
    if len > 0 {
        // SAFETY: whole pages of the stack of `gp`, which the caller owns.
        unsafe { map::discard(gp.stack_lo(), len) };
    }
}
