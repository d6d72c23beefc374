//! A channel without its element type: the algorithm of Go's chan.go.
//!
//! 1. At least one of `recvq` and `sendq` is empty, but for nodes of one select that waits for both.
//! 2. `qcount > 0` implies that nobody who can be won waits in `recvq`; `qcount < dataqsiz` implies the same of `sendq`.
//! 3. A closed channel has empty queues, and stays closed. Its buffer only drains.
//! 4. Values are moved as bytes: the old place is dead from then on. The lock is never held while anything is dropped,
//!    allocated or woken.
//!
//! Every operation takes the size of an element as an argument, so that the typed callers, into which it is inlined, move
//! values by instructions for just that size.

use std::alloc::{self, Layout};
use std::cell::Cell;
use std::ptr::{self, NonNull};
use std::time::{Duration, Instant};

use super::waitq::{Claimed, ClaimedList, Fate, Sudog, WaitQ};
use crate::facade::Order;
use crate::facade::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use crate::facade::atomic::{AtomicBool, AtomicUsize};
use crate::facade::nanotime;
use crate::lock::{Guard, Lock};
use crate::proc::safe_point;
use crate::time;
use crate::wait::Wait;
use crate::waitreason::WaitReason;

/// What the lock guards. Never `&mut`: parts are read without the lock.
struct State {
    /// Values in the buffer. Written under the lock, read without.
    qcount: AtomicUsize,
    /// Slots to send to and to receive from next.
    sendx: Cell<usize>,
    recvx: Cell<usize>,
    recvq: WaitQ,
    sendq: WaitQ,
}

// SAFETY: the pointers in it lead to nodes of waiters, which are made to be reached by other threads under the lock.
unsafe impl Send for State {}

/// See the module. The buffer follows it in the same allocation.
#[repr(C, align(64))]
pub(crate) struct Hchan {
    /// All that changes with each operation: one cache line.
    state: Lock<State>,
    /// Number of slots, and where they are.
    dataqsiz: usize,
    buf: *mut u8,
    elemsize: usize,
    /// Written once, under the lock.
    closed: AtomicBool,
    /// Set by the first side of which no handle is left; the second frees.
    one_side_left: AtomicBool,
    pub(super) senders: AtomicUsize,
    pub(super) receivers: AtomicUsize,
    layout: Layout,
    order: Order,
}

const _: () = assert!(size_of::<Lock<State>>() == 64, "the hot part of a channel is one cache line");

// SAFETY: the state is under its lock; the rest is atomic or never written. The typed handles answer for the values.
unsafe impl Sync for Hchan {}

/// How long an operation may wait.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// Not at all.
    Now,
    /// As long as it takes.
    Forever,
    /// For that long.
    For(Duration),
    /// Until then.
    At(Instant),
}

impl Until {
    /// The deadline in nanoseconds of the monotonic clock; `None` is never.
    pub(crate) fn deadline(self) -> Option<i64> {
        let deadline = match self {
            Self::Now => nanotime(),
            Self::Forever => i64::MAX,
            Self::For(duration) => time::after(duration),
            Self::At(instant) => time::at(instant),
        };
        // A time beyond the clock's 292 years is never, too.
        (deadline != i64::MAX).then_some(deadline)
    }
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Outcome {
    Done,
    Closed,
    /// It would have to wait longer than it may.
    NotReady,
}

/// What an operation found under the lock.
#[must_use]
pub(crate) enum Step {
    /// It is complete; that waiter, if any, is to be readied once the lock is given back.
    Done(Option<Claimed>),
    Closed,
    NotReady,
}

/// Which of the two operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dir {
    Send,
    Recv,
}

impl Hchan {
    /// The locks of several channels are taken in the order of these.
    #[inline]
    pub(crate) fn order(&self) -> usize {
        self.order.key((&raw const *self).addr())
    }

    /// A channel for `capacity` elements of that layout, with one handle on each side. Go: `makechan`.
    pub(super) fn make(element: Layout, capacity: usize) -> NonNull<Self> {
        let layout = Layout::from_size_align(element.size().saturating_mul(capacity), element.align())
            .and_then(|buffer| Layout::new::<Self>().extend(buffer));
        let Ok((layout, offset)) = layout else {
            panic!("a channel of capacity {capacity} is larger than the address space");
        };
        // SAFETY: the layout is not of size zero.
        let Some(base) = NonNull::new(unsafe { alloc::alloc(layout) }) else {
            alloc::handle_alloc_error(layout)
        };
        let hchan = base.cast::<Self>();
        // SAFETY: the allocation has room for the header at its start, and for the buffer at `offset`.
        unsafe {
            hchan.write(Self {
                state: Lock::new(State {
                    qcount: AtomicUsize::new(0),
                    sendx: Cell::new(0),
                    recvx: Cell::new(0),
                    recvq: WaitQ::new(),
                    sendq: WaitQ::new(),
                }),
                dataqsiz: capacity,
                buf: base.as_ptr().add(offset),
                elemsize: element.size(),
                closed: AtomicBool::new(false),
                one_side_left: AtomicBool::new(false),
                senders: AtomicUsize::new(1),
                receivers: AtomicUsize::new(1),
                layout,
                order: Order::new(),
            });
        }
        hchan
    }

    /// Says that one side has no handle left; the second call frees the channel.
    ///
    /// # Safety
    ///
    /// Called once per side, with nothing in the buffer that is to be dropped when the second does; the caller does not use
    /// `this` afterwards.
    pub(super) unsafe fn release_side(this: NonNull<Self>) {
        // SAFETY: the side of the caller still keeps it alive.
        let hchan = unsafe { this.as_ref() };
        // AcqRel: what the first side did comes before what the second frees.
        if hchan.one_side_left.swap(true, AcqRel) {
            let layout = hchan.layout;
            // SAFETY: no handle is left, so nobody uses it; it was allocated with this layout.
            unsafe {
                this.drop_in_place();
                alloc::dealloc(this.as_ptr().cast(), layout);
            }
        }
    }

    /// The state for looks without the lock, or under it with its guard forgotten.
    #[inline]
    fn state(&self) -> &State {
        // SAFETY: nobody makes a `&mut State`; callers use only atomics unless they hold the lock.
        unsafe { self.state.unguarded() }
    }

    #[inline]
    pub(crate) fn elemsize(&self) -> usize {
        self.elemsize
    }

    #[inline]
    pub(super) fn capacity(&self) -> usize {
        self.dataqsiz
    }

    /// Values in the buffer, at one moment.
    #[inline]
    pub(super) fn len(&self) -> usize {
        // Acquire pairs with the Release of `set_qcount`: who sees the buffer empty sees what came before, as a close.
        self.state().qcount.load(Acquire)
    }

    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        // Acquire pairs with the Release of `close`: who sees it closed sees what was sent before.
        self.closed.load(Acquire)
    }

    /// Whether a receive would have to wait, at one moment: looked at without the lock. Go: `empty`.
    #[inline]
    fn is_unready_to_recv(&self) -> bool {
        // The queue or count first, `closed` second: both only fit a moment, that of the first look, because a closed
        // channel stays closed, and whoever emptied it after the close published the close with that.
        (if self.dataqsiz == 0 { self.state().sendq.is_empty() } else { self.len() == 0 })
            && !self.is_closed()
    }

    /// Whether a send would have to wait, at one moment. Go: `full`.
    #[inline]
    fn is_unready_to_send(&self) -> bool {
        // Order as in `is_unready_to_recv`; the close empties `recvq` after it has said so.
        (if self.dataqsiz == 0 { self.state().recvq.is_empty() } else { self.len() == self.dataqsiz })
            && !self.is_closed()
    }

    /// Whether an operation would have to wait, at one moment; without the lock.
    #[inline]
    pub(crate) fn is_unready(&self, dir: Dir) -> bool {
        match dir {
            Dir::Send => self.is_unready_to_send(),
            Dir::Recv => self.is_unready_to_recv(),
        }
    }

    /// Takes the lock; the guard is forgotten. For select, which holds many.
    #[inline]
    pub(crate) fn lock(&self) {
        std::mem::forget(self.state.lock());
    }

    /// # Safety
    ///
    /// The calling thread took the lock by [`Hchan::lock`].
    #[inline]
    pub(crate) unsafe fn unlock(&self) {
        // SAFETY: as the caller promises.
        unsafe { self.state.unlock() };
    }

    #[inline]
    fn queue(&self, dir: Dir) -> &WaitQ {
        match dir {
            Dir::Send => &self.state().sendq,
            Dir::Recv => &self.state().recvq,
        }
    }

    /// Puts a waiting operation on its queue.
    ///
    /// # Safety
    ///
    /// As of [`WaitQ::enqueue`].
    #[inline]
    pub(crate) unsafe fn enqueue(&self, dir: Dir, sg: &Sudog, wait: &Wait) {
        // SAFETY: the caller's promise.
        unsafe { self.queue(dir).enqueue(sg, wait) };
    }

    /// Takes the lock and an operation that waits no more off its queue, if nobody else did.
    ///
    /// # Safety
    ///
    /// `sg` was put on the queue of this channel for `dir`.
    pub(crate) unsafe fn cancel(&self, dir: Dir, sg: &Sudog) {
        let _guard = self.state.lock();
        // SAFETY: the lock is held.
        unsafe { self.queue(dir).remove(sg) };
    }

    #[inline]
    fn slot(&self, index: usize, size: usize) -> *mut u8 {
        // SAFETY: `index < dataqsiz`, for which the allocation has room.
        unsafe { self.buf.add(index * size) }
    }

    #[inline]
    fn after(&self, index: usize) -> usize {
        if index + 1 == self.dataqsiz { 0 } else { index + 1 }
    }

    #[inline]
    fn set_qcount(&self, st: &State, qcount: usize) {
        // Release pairs with the Acquire of `len`.
        st.qcount.store(qcount, Release);
    }

    /// Sends the value at `ep` if that needs no waiting.
    ///
    /// # Safety
    ///
    /// The caller holds the lock. `ep` points to a value of `size` bytes, the channel's element size; if the answer is `Done`
    /// it has been moved from there.
    #[inline(always)]
    pub(crate) unsafe fn send_locked(&self, ep: *const u8, size: usize) -> Step {
        let st = self.state();
        // Relaxed: written under the lock.
        if self.closed.load(Relaxed) {
            return Step::Closed;
        }
        // SAFETY: the lock is held.
        if let Some(claimed) = unsafe { st.recvq.dequeue() } {
            // SAFETY: a claimed waiter's place for its value is valid until `ready`.
            unsafe {
                let sg = claimed.sudog();
                ptr::copy_nonoverlapping(ep, sg.elem(), size);
                sg.set_fate(Fate::Done);
            }
            return Step::Done(Some(claimed));
        }
        // Relaxed: as above.
        let qcount = st.qcount.load(Relaxed);
        if qcount == self.dataqsiz {
            return Step::NotReady;
        }
        let sendx = st.sendx.get();
        // SAFETY: `ep` by contract; the slot is free, as `qcount` says.
        unsafe { ptr::copy_nonoverlapping(ep, self.slot(sendx, size), size) };
        st.sendx.set(self.after(sendx));
        self.set_qcount(st, qcount + 1);
        Step::Done(None)
    }

    /// Receives into `ep` if that needs no waiting.
    ///
    /// # Safety
    ///
    /// The caller holds the lock. `ep` is a place for `size` bytes, the channel's element size; if the answer is `Done` it
    /// holds a value.
    #[inline(always)]
    pub(crate) unsafe fn recv_locked(&self, ep: *mut u8, size: usize) -> Step {
        let st = self.state();
        // Relaxed: written under the lock.
        let qcount = st.qcount.load(Relaxed);
        // SAFETY: the lock is held; a claimed waiter's value stays in its place until `ready`; slots as `qcount` says.
        unsafe {
            if let Some(claimed) = st.sendq.dequeue() {
                let sg = claimed.sudog();
                if self.dataqsiz == 0 {
                    ptr::copy_nonoverlapping(sg.elem().cast_const(), ep, size);
                } else {
                    // The buffer is full: the first slot is also the one after the last.
                    let recvx = st.recvx.get();
                    ptr::copy_nonoverlapping(self.slot(recvx, size).cast_const(), ep, size);
                    ptr::copy_nonoverlapping(sg.elem().cast_const(), self.slot(recvx, size), size);
                    st.recvx.set(self.after(recvx));
                    st.sendx.set(st.recvx.get());
                }
                sg.set_fate(Fate::Done);
                return Step::Done(Some(claimed));
            }
            if qcount > 0 {
                let recvx = st.recvx.get();
                ptr::copy_nonoverlapping(self.slot(recvx, size).cast_const(), ep, size);
                st.recvx.set(self.after(recvx));
                self.set_qcount(st, qcount - 1);
                return Step::Done(None);
            }
        }
        // Relaxed: as above.
        if self.closed.load(Relaxed) { Step::Closed } else { Step::NotReady }
    }

    /// Sends the value at `ep`. Go: `chansend`.
    ///
    /// # Safety
    ///
    /// `ep` points to a value of `size` bytes, the channel's element size; it has been moved away if the answer is `Done`,
    /// and only then.
    #[inline(always)]
    pub(super) unsafe fn send(&self, ep: *mut u8, size: usize, until: Until) -> Outcome {
        // Two goroutines that keep waking each other share one time slice: here it can end.
        safe_point();
        if matches!(until, Until::Now) && self.is_unready_to_send() {
            return Outcome::NotReady;
        }
        let guard = self.state.lock();
        // SAFETY: the caller's promise, and the lock.
        let step = unsafe { self.send_locked(ep, size) };
        self.finish(Dir::Send, guard, step, ep, until)
    }

    /// Receives into `ep`. Go: `chanrecv`.
    ///
    /// # Safety
    ///
    /// `ep` is a place for `size` bytes, the channel's element size; it holds a value if the answer is `Done`, and only then.
    #[inline(always)]
    pub(super) unsafe fn recv(&self, ep: *mut u8, size: usize, until: Until) -> Outcome {
        // Two goroutines that keep waking each other share one time slice: here it can end.
        safe_point();
        if matches!(until, Until::Now) && self.is_unready_to_recv() {
            return Outcome::NotReady;
        }
        let guard = self.state.lock();
        // SAFETY: the caller's promise, and the lock.
        let step = unsafe { self.recv_locked(ep, size) };
        self.finish(Dir::Recv, guard, step, ep, until)
    }

    /// Gives the lock back and wakes, or waits.
    #[inline(always)]
    fn finish(&self, dir: Dir, guard: Guard<'_, State>, step: Step, ep: *mut u8, until: Until) -> Outcome {
        match step {
            Step::Done(None) => Outcome::Done,
            Step::Done(Some(claimed)) => {
                // SAFETY: the operation is complete, and this is the one call.
                guard.unlock_then(|| unsafe { claimed.ready() });
                Outcome::Done
            }
            Step::Closed => Outcome::Closed,
            Step::NotReady if matches!(until, Until::Now) => Outcome::NotReady,
            Step::NotReady => self.park(dir, guard, ep, until),
        }
    }

    /// Waits until another thread or goroutine completes the operation.
    #[inline(never)]
    fn park(&self, dir: Dir, guard: Guard<'_, State>, ep: *mut u8, until: Until) -> Outcome {
        let reason = match dir {
            Dir::Send => WaitReason::ChanSend,
            Dir::Recv => WaitReason::ChanReceive,
        };
        let deadline = until.deadline();
        let wait = Wait::new();
        let sg = Sudog::new(ep);
        // SAFETY: the lock is held; both stay in place until the operation is over or `cancel` has returned.
        unsafe { self.enqueue(dir, &sg, &wait) };
        if !wait.block_until(deadline, reason, || drop(guard)) {
            // SAFETY: it was put on this very queue.
            unsafe { self.cancel(dir, &sg) };
            return Outcome::NotReady;
        }
        match sg.fate() {
            Fate::Done => Outcome::Done,
            Fate::Closed => Outcome::Closed,
            Fate::Waiting => unreachable!("a waiter of a channel was woken without a reason"),
        }
    }

    /// Closes the channel; whether this call did. Go: `closechan`.
    pub(super) fn close(&self) -> bool {
        let guard = self.state.lock();
        // Relaxed: under the lock.
        if self.closed.load(Relaxed) {
            return false;
        }
        // Release pairs with the Acquire of `is_closed`.
        self.closed.store(true, Release);
        let mut woken = ClaimedList::new();
        for queue in [&guard.recvq, &guard.sendq] {
            // SAFETY: the lock is held.
            while let Some(claimed) = unsafe { queue.dequeue() } {
                // SAFETY: it is not readied yet.
                unsafe { claimed.sudog() }.set_fate(Fate::Closed);
                woken.push(claimed);
            }
        }
        drop(guard);
        woken.ready();
        true
    }

    /// Number of operations on the queues.
    #[cfg(test)]
    pub(crate) fn waiters(&self) -> usize {
        let guard = self.state.lock();
        // SAFETY: the lock is held.
        unsafe { guard.recvq.len() + guard.sendq.len() }
    }
}
