//! Atomics that are loom's inside a model: see `execution.rs`.

use std::cell::UnsafeCell;
use std::rc::Rc;

pub(crate) use core::sync::atomic::{Ordering, compiler_fence};

pub(super) use ::loom::sync::atomic::{AtomicU8 as LoomU8, AtomicU32 as LoomU32, AtomicU64 as LoomU64};

use super::execution::{Made, before_load, before_write, forget, is_active, note, word};
use super::weaken::{Operation, asked};

/// A word of the machine: what atomics are made of.
pub(crate) trait Raw: Copy + Eq + Into<u64> {
    fn load(at: *mut Self, order: Ordering) -> Self;
    fn store(at: *mut Self, value: Self, order: Ordering);
    fn swap(at: *mut Self, value: Self, order: Ordering) -> Self;
    fn compare_exchange(
        at: *mut Self,
        old: Self,
        new: Self,
        ok: Ordering,
        err: Ordering,
    ) -> Result<Self, Self>;
    fn fetch_add(at: *mut Self, value: Self, order: Ordering) -> Self;
    fn fetch_sub(at: *mut Self, value: Self, order: Ordering) -> Self;
    fn forget(at: *mut Self);
}

/// Does it to loom's word for the one at `$at`, or to that one itself if no model runs.
macro_rules! on {
    ($before:ident, $raw:ident, $native:ident, $words:ident, $at:ident,
     |$word:ident, $start:ident| $loom:expr, |$it:ident| $machine:expr) => {
        if is_active() {
            // SAFETY: `at` is inside an `Atomic`; in a model nobody writes there.
            let start = unsafe { $at.read() };
            $before($at.addr());
            let ($word, $start): (Rc<_>, $raw) = word(|execution| &mut execution.$words, $at.addr(), start);
            $loom
        } else {
            // SAFETY: `at` is inside an `Atomic`, which is aligned and lives for the call.
            let $it = unsafe { core::sync::atomic::$native::from_ptr($at) };
            $machine
        }
    };
}
macro_rules! raw {
    ($raw:ident, $loom:ident, $native:ident, $words:ident) => {
        impl Made for $loom {
            fn made() -> Self {
                let word = Self::new(0);
                word.store(0, Ordering::SeqCst);
                word
            }

            fn end(&self) {
                // SAFETY: whoever drops it has it alone; loom reports stores that are not ordered before this.
                unsafe { self.unsync_load() };
            }
        }

        impl Raw for $raw {
            fn load(at: *mut Self, order: Ordering) -> Self {
                on!(
                    before_load,
                    $raw,
                    $native,
                    $words,
                    at,
                    |word, start| word.load(order).wrapping_add(start),
                    |native| { native.load(order) }
                )
            }
            fn store(at: *mut Self, value: Self, order: Ordering) {
                on!(
                    before_write,
                    $raw,
                    $native,
                    $words,
                    at,
                    |word, start| word.store(value.wrapping_sub(start), order),
                    |native| { native.store(value, order) }
                )
            }
            fn swap(at: *mut Self, value: Self, order: Ordering) -> Self {
                on!(
                    before_write,
                    $raw,
                    $native,
                    $words,
                    at,
                    |word, start| word.swap(value.wrapping_sub(start), order).wrapping_add(start),
                    |native| native.swap(value, order)
                )
            }
            fn compare_exchange(
                at: *mut Self,
                old: Self,
                new: Self,
                ok: Ordering,
                err: Ordering,
            ) -> Result<Self, Self> {
                on!(
                    before_write,
                    $raw,
                    $native,
                    $words,
                    at,
                    |word, start| word
                        .compare_exchange(old.wrapping_sub(start), new.wrapping_sub(start), ok, err)
                        .map(|seen| seen.wrapping_add(start))
                        .map_err(|seen| seen.wrapping_add(start)),
                    |native| native.compare_exchange(old, new, ok, err)
                )
            }
            fn fetch_add(at: *mut Self, value: Self, order: Ordering) -> Self {
                on!(
                    before_write,
                    $raw,
                    $native,
                    $words,
                    at,
                    |word, start| word.fetch_add(value, order).wrapping_add(start),
                    |native| native.fetch_add(value, order)
                )
            }
            fn fetch_sub(at: *mut Self, value: Self, order: Ordering) -> Self {
                on!(
                    before_write,
                    $raw,
                    $native,
                    $words,
                    at,
                    |word, start| word.fetch_sub(value, order).wrapping_add(start),
                    |native| native.fetch_sub(value, order)
                )
            }
            fn forget(at: *mut Self) {
                forget(|execution| &mut execution.$words, at.addr());
            }
        }
    };
}

raw!(u8, LoomU8, AtomicU8, bytes);
raw!(u32, LoomU32, AtomicU32, halves);
raw!(u64, LoomU64, AtomicU64, words);

/// What can be in an atomic.
pub(crate) trait Value: Copy {
    type Raw: Raw;
    fn raw(self) -> Self::Raw;
    fn of(raw: Self::Raw) -> Self;
}

macro_rules! value {
    ($($value:ident: $raw:ident),+) => {
        $(impl Value for $value {
            type Raw = $raw;
            fn raw(self) -> $raw {
                self as $raw
            }
            fn of(raw: $raw) -> Self {
                raw as Self
            }
        })+
    };
}
value!(u8: u8, u32: u32, i32: u32, u64: u64, i64: u64, usize: u64);

impl Value for bool {
    type Raw = u8;
    fn raw(self) -> u8 {
        self.into()
    }
    fn of(raw: u8) -> Self {
        raw != 0
    }
}

impl<T> Value for *mut T {
    type Raw = u64;
    fn raw(self) -> u64 {
        self.expose_provenance() as u64
    }
    fn of(raw: u64) -> Self {
        std::ptr::with_exposed_provenance_mut(raw as usize)
    }
}

/// Of the size of its value, and all zeros for a zero, as the machine's are: memory that the kernel gives may hold some.
#[repr(transparent)]
pub(crate) struct Atomic<T: Value>(UnsafeCell<T>);

pub(crate) type AtomicBool = Atomic<bool>;
pub(crate) type AtomicU8 = Atomic<u8>;
pub(crate) type AtomicU32 = Atomic<u32>;
pub(crate) type AtomicI32 = Atomic<i32>;
pub(crate) type AtomicU64 = Atomic<u64>;
pub(crate) type AtomicI64 = Atomic<i64>;
pub(crate) type AtomicUsize = Atomic<usize>;
pub(crate) type AtomicPtr<T> = Atomic<*mut T>;

// SAFETY: shared only by atomic operations, the machine's or loom's.
unsafe impl<T: Value> Sync for Atomic<T> {}
// SAFETY: belongs to no thread; as std's, a pointer is only a number here.
unsafe impl<T: Value> Send for Atomic<T> {}

impl<T: Value> Atomic<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// Where the machine's word is: for code that switches stacks, which no model reaches.
    pub(crate) const fn as_ptr(&self) -> *mut T {
        self.0.get()
    }

    fn at(&self) -> *mut T::Raw {
        self.0.get().cast()
    }

    /// Notes an operation for the report of a failure.
    #[track_caller]
    fn note(&self, what: &'static str, order: Ordering, value: T) {
        if is_active() {
            note(what, Some(order), self.at().addr(), Some(value.raw().into()));
        }
    }

    #[track_caller]
    pub(crate) fn load(&self, order: Ordering) -> T {
        let order = asked(Operation::Load, order);
        let value = T::of(Raw::load(self.at(), order));
        self.note("load", order, value);
        value
    }

    #[track_caller]
    pub(crate) fn store(&self, value: T, order: Ordering) {
        let order = asked(Operation::Store, order);
        Raw::store(self.at(), value.raw(), order);
        self.note("store", order, value);
    }

    #[track_caller]
    pub(crate) fn swap(&self, value: T, order: Ordering) -> T {
        let order = asked(Operation::Exchange, order);
        let before = T::of(Raw::swap(self.at(), value.raw(), order));
        self.note("swap in", order, value);
        before
    }

    #[track_caller]
    pub(crate) fn compare_exchange(&self, old: T, new: T, ok: Ordering, err: Ordering) -> Result<T, T> {
        let (ok, err) = (asked(Operation::Exchange, ok), asked(Operation::Failure, err));
        let result =
            Raw::compare_exchange(self.at(), old.raw(), new.raw(), ok, err).map(T::of).map_err(T::of);
        match result {
            Ok(_) => self.note("exchange for", ok, new),
            Err(seen) => self.note("fail to exchange", err, seen),
        }
        result
    }

    /// Does not fail for no reason: its callers go round a loop, and would do the same again.
    #[track_caller]
    pub(crate) fn compare_exchange_weak(&self, old: T, new: T, ok: Ordering, err: Ordering) -> Result<T, T> {
        self.compare_exchange(old, new, ok, err)
    }

    #[track_caller]
    pub(crate) fn fetch_add(&self, value: T, order: Ordering) -> T {
        let order = asked(Operation::Exchange, order);
        let before = T::of(Raw::fetch_add(self.at(), value.raw(), order));
        self.note("add to", order, before);
        before
    }

    #[track_caller]
    pub(crate) fn fetch_sub(&self, value: T, order: Ordering) -> T {
        let order = asked(Operation::Exchange, order);
        let before = T::of(Raw::fetch_sub(self.at(), value.raw(), order));
        self.note("subtract from", order, before);
        before
    }

    #[track_caller]
    pub(crate) fn fetch_update(
        &self,
        ok: Ordering,
        err: Ordering,
        mut f: impl FnMut(T) -> Option<T>,
    ) -> Result<T, T> {
        let mut seen = self.load(err);
        while let Some(next) = f(seen) {
            match self.compare_exchange(seen, next, ok, err) {
                Ok(before) => return Ok(before),
                Err(now) => seen = now,
            }
        }
        Err(seen)
    }
}

/// Bits: loom's word holds a difference, so by exchange.
impl<T: Value + std::ops::BitOr<Output = T> + std::ops::BitAnd<Output = T>> Atomic<T> {
    #[track_caller]
    pub(crate) fn fetch_or(&self, bits: T, order: Ordering) -> T {
        self.bits(order, |seen| seen | bits)
    }

    #[track_caller]
    pub(crate) fn fetch_and(&self, bits: T, order: Ordering) -> T {
        self.bits(order, |seen| seen & bits)
    }

    #[track_caller]
    fn bits(&self, order: Ordering, f: impl Fn(T) -> T) -> T {
        match self.fetch_update(order, Ordering::Relaxed, |seen| Some(f(seen))) {
            Ok(before) | Err(before) => before,
        }
    }
}

impl<T: Value + Default> Default for Atomic<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: Value> Drop for Atomic<T> {
    fn drop(&mut self) {
        Raw::forget(self.at());
    }
}

impl<T: Value + std::fmt::Debug> std::fmt::Debug for Atomic<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.load(Ordering::Relaxed).fmt(f)
    }
}

/// As of the machine.
#[track_caller]
pub(crate) fn fence(order: Ordering) {
    if is_active() {
        let order = asked(Operation::Fence, order);
        note("fence", Some(order), 0, None);
        ::loom::sync::atomic::fence(order);
    } else {
        core::sync::atomic::fence(order);
    }
}

/// Adds to a word that only this thread writes, and its signal handlers; the value before.
pub(crate) fn add_local(word: &AtomicU64, add: u64) -> u64 {
    // Relaxed: other threads take nothing from this word.
    word.fetch_add(add, Ordering::Relaxed)
}
