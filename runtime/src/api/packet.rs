//! One result, handed from who makes it to at most one who waits for it.
//!
//! 1. `state` says all: `EMPTY`, `DONE` (the result is there), `DROPPED` (one of the two sides is gone), or the address
//!    of the [`Wait`] of whoever waits. Each side changes it by one atomic operation when it is through.
//! 2. After that operation a side touches the packet no more, unless it found the other side gone: then the packet,
//!    and the result if there is one, are its own.
//! 3. The waiter puts its address there only when it can be woken already (`Wait`, 3), on g0, and stays until woken.
//!
//! A packet on the heap has two owners, [`Producer`] and [`Consumer`]; one word tells who frees it, so that a spawn
//! costs one allocation and no reference count. A fork-join keeps its packet on the stack of who forks.

use std::cell::UnsafeCell;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};
use std::thread;

use crate::facade::atomic::AtomicPtr;
use crate::facade::atomic::Ordering::{AcqRel, Acquire, Release};
use crate::proc::body;
use crate::wait::Wait;
use crate::waitreason::WaitReason;

const EMPTY: *mut Wait = ptr::null_mut();
const DONE: *mut Wait = ptr::without_provenance_mut(1);
const DROPPED: *mut Wait = ptr::without_provenance_mut(2);

/// See the module.
pub(crate) struct Packet<R> {
    state: AtomicPtr<Wait>,
    result: UnsafeCell<MaybeUninit<R>>,
}

impl<R> Packet<R> {
    pub(crate) const fn new() -> Self {
        Self { state: AtomicPtr::new(EMPTY), result: UnsafeCell::new(MaybeUninit::uninit()) }
    }

    /// Whether the result is there.
    #[inline]
    pub(crate) fn is_done(&self) -> bool {
        // Acquire pairs with the Release half of the swap in `finish`.
        self.state.load(Acquire) == DONE
    }

    /// Waits until the result is there.
    #[inline]
    pub(crate) fn wait(&self, reason: WaitReason) {
        if self.is_done() {
            return;
        }
        let wait = Wait::new();
        wait.block(reason, || {
            let me = (&raw const wait).cast_mut();
            // Release publishes `wait` to the Acquire half of the swap in `finish`. Failure: the result came first;
            // Acquire pairs with that swap's Release half.
            if self.state.compare_exchange(EMPTY, me, Release, Acquire).is_err() {
                // SAFETY: nobody else has seen `wait`, nor will.
                unsafe { Wait::ready(me) };
            }
        });
    }

    /// Takes the result.
    ///
    /// # Safety
    ///
    /// It is there (`is_done`, or `wait` has returned), and nobody takes it twice.
    #[inline]
    pub(crate) unsafe fn take(&self) -> R {
        // SAFETY: the result was written before `DONE`, and the caller is the only one to read it.
        unsafe { (*self.result.get()).assume_init_read() }
    }

    /// Says that the result is written, and wakes who waits for it. `true`: nobody will ever ask, and the packet is
    /// the caller's.
    ///
    /// # Safety
    ///
    /// `this` is alive, its result is written, and this is called once.
    #[inline]
    unsafe fn finish(this: *const Self) -> bool {
        // AcqRel: Release hands the result to the Acquire in `is_done`, `wait` and `release`; Acquire sees the
        // `Wait` of who waits, or what the other side did before it left.
        // SAFETY: alive, says the caller.
        let before = unsafe { (*this).state.swap(DONE, AcqRel) };
        if before == DROPPED {
            return true;
        }
        if before != EMPTY {
            // SAFETY: whoever put its address here stays in `wait` until woken, and the swap, made once, gave it to
            // this call alone.
            unsafe { Wait::ready(before) };
        }
        false
    }

    /// One side leaves without having done its part. `Some`: the other side was through, and the packet is the
    /// caller's; the inner value says whether there is a result in it.
    #[inline]
    fn release(&self) -> Option<bool> {
        // AcqRel: what this side did is seen by the other one when it frees the packet, and the other way round.
        let before = self.state.swap(DROPPED, AcqRel);
        debug_assert!(
            before == EMPTY || before == DONE || before == DROPPED,
            "left behind by who makes the result"
        );
        (before != EMPTY).then_some(before == DONE)
    }
}

impl<T> Packet<thread::Result<T>> {
    /// Runs `f` and writes what it returns, or its panic, straight into the packet. As [`Packet::finish`].
    ///
    /// # Safety
    ///
    /// `this` is alive until its result is there, and this is called once.
    #[inline]
    pub(crate) unsafe fn run(this: *const Self, f: impl FnOnce() -> T) -> bool {
        // SAFETY: alive, says the caller.
        let slot = unsafe { (*this).result.get() };
        // SAFETY: nobody reads the slot before `finish`.
        let outcome = catch_unwind(AssertUnwindSafe(|| unsafe { slot.write(MaybeUninit::new(Ok(body(f)))) }));
        if let Err(panic) = outcome {
            // SAFETY: as above; `f` unwound, so that nothing was written.
            unsafe { slot.write(MaybeUninit::new(Err(panic))) };
        }
        // SAFETY: written just now; alive and once, says the caller.
        unsafe { Self::finish(this) }
    }
}

/// A packet on the heap with its two owners.
#[inline]
pub(crate) fn packet<R>() -> (Producer<R>, Consumer<R>) {
    let packet = NonNull::from(Box::leak(Box::new(Packet::new())));
    (Producer { packet }, Consumer { packet })
}

/// Takes the result out of a packet whose other side is gone, and frees the packet.
///
/// # Safety
///
/// The caller is the packet's only owner, and the result is there.
unsafe fn reclaim<R>(packet: NonNull<Packet<R>>) -> R {
    // SAFETY: from `packet()`; the only owner, with its result, says the caller.
    unsafe { Box::from_raw(packet.as_ptr()).take() }
}

/// Who makes the result. Dropped without one, it leaves a packet that nobody may wait for.
pub(crate) struct Producer<R> {
    packet: NonNull<Packet<R>>,
}

// SAFETY: a result is handed from thread to thread through the packet, and only so.
unsafe impl<R: Send> Send for Producer<R> {}

impl<R> Producer<R> {
    /// Hands `result` over; back it comes if nobody will ever ask.
    pub(crate) fn complete(self, result: R) -> Option<R> {
        let packet = ManuallyDrop::new(self).packet;
        // SAFETY: this side owns the packet until `finish`, and `self` is gone: once.
        unsafe {
            (*packet.as_ref().result.get()).write(result);
            Packet::finish(packet.as_ptr()).then(|| reclaim(packet))
        }
    }
}

impl<T> Producer<thread::Result<T>> {
    /// Hands over what `f` returns, or its panic; back it comes if nobody will ever ask.
    #[inline]
    pub(crate) fn run(self, f: impl FnOnce() -> T) -> Option<thread::Result<T>> {
        let packet = ManuallyDrop::new(self).packet;
        // SAFETY: as in `complete`.
        unsafe { Packet::run(packet.as_ptr(), f).then(|| reclaim(packet)) }
    }
}

impl<R> Drop for Producer<R> {
    fn drop(&mut self) {
        // SAFETY: this side owns the packet until `release`.
        if unsafe { self.packet.as_ref() }.release().is_some() {
            // SAFETY: the other side is gone; it cannot have left a result.
            drop(unsafe { Box::from_raw(self.packet.as_ptr()) });
        }
    }
}

/// Who may ask for the result.
pub(crate) struct Consumer<R> {
    packet: NonNull<Packet<R>>,
}

// SAFETY: as for `Producer`.
unsafe impl<R: Send> Send for Consumer<R> {}
// SAFETY: through a shared reference one can only ask whether the result is there.
unsafe impl<R: Send> Sync for Consumer<R> {}

impl<R> Consumer<R> {
    #[inline]
    pub(crate) fn is_done(&self) -> bool {
        // SAFETY: this side owns the packet as long as it lives.
        unsafe { self.packet.as_ref() }.is_done()
    }

    /// Waits for the result.
    #[inline]
    pub(crate) fn join(self, reason: WaitReason) -> R {
        let packet = ManuallyDrop::new(self).packet;
        // SAFETY: as in `is_done`; when `wait` returns the other side is through, and the result is there.
        unsafe {
            packet.as_ref().wait(reason);
            reclaim(packet)
        }
    }

    /// Gives up; the result if it came already and nobody asked.
    pub(crate) fn abandon(self) -> Option<R> {
        let packet = ManuallyDrop::new(self).packet;
        // SAFETY: as in `is_done`.
        let left = unsafe { packet.as_ref() }.release()?;
        if left {
            // SAFETY: `release` said that the other side is gone, and that it left a result.
            return Some(unsafe { reclaim(packet) });
        }
        // SAFETY: the other side is gone.
        drop(unsafe { Box::from_raw(packet.as_ptr()) });
        None
    }
}

impl<R> Drop for Consumer<R> {
    fn drop(&mut self) {
        let this = Self { packet: self.packet };
        drop_result(this.abandon());
    }
}

/// Drops a result that nobody asked for. A panic of its destructor has nowhere to go: as with std's threads it
/// ends the process.
#[inline]
pub(crate) fn drop_result<R>(result: Option<R>) {
    if let Some(result) = result
        && catch_unwind(AssertUnwindSafe(|| drop(result))).is_err()
    {
        eprintln!("fatal: the result of a goroutine panicked when it was dropped");
        std::process::abort();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    const ROUNDS: usize = if cfg!(miri) { 20 } else { 5_000 };

    #[test]
    fn a_result_reaches_whoever_waits_however_the_two_meet() {
        for round in 0..ROUNDS {
            let (producer, consumer) = packet();
            let other = thread::spawn(move || producer.complete(Box::new(round)).is_none());
            // Every other round gives the result time to come first.
            while round % 2 == 0 && !consumer.is_done() {
                thread::yield_now();
            }
            assert_eq!(*consumer.join(WaitReason::Join), round);
            assert!(other.join().unwrap(), "round {round}: the result came back although somebody asked");
        }
    }

    #[test]
    fn a_result_that_nobody_asks_for_is_dropped_once_by_whoever_comes_last() {
        for round in 0..ROUNDS {
            let value = Arc::new(round);
            let (producer, consumer) = packet();
            let result = Arc::clone(&value);
            let other = thread::spawn(move || producer.complete(result).is_some());
            let here = consumer.abandon().is_some();
            let there = other.join().unwrap();
            assert!(here != there, "round {round}: kept here {here}, there {there}");
            assert_eq!(Arc::strong_count(&value), 1, "round {round}");
        }
    }

    #[test]
    fn a_packet_whose_maker_gave_up_is_freed_with_nothing_in_it() {
        for consumer_first in [false, true] {
            let (producer, consumer) = packet::<String>();
            if consumer_first {
                assert!(consumer.abandon().is_none());
                drop(producer);
            } else {
                drop(producer);
                assert!(!consumer.is_done());
                assert!(consumer.abandon().is_none());
            }
        }
    }

    #[test]
    fn a_panic_is_the_result() {
        let (producer, consumer) = packet::<thread::Result<()>>();
        assert!(producer.run(|| std::panic::panic_any(7)).is_none());
        assert_eq!(*consumer.join(WaitReason::Join).unwrap_err().downcast::<i32>().unwrap(), 7);
    }
}
