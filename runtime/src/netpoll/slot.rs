//! What the poller knows of one file descriptor: who waits for it to become readable, and who for writable.
//!
//! 1. The memory of a slot is never freed, so an event that comes late finds a slot, perhaps another descriptor's by
//!    now: `Slab::get` tells by the generation. One that slips through wakes somebody for no reason, and no more.
//! 2. `seq` of a side goes up with each event. Whoever is about to wait says which `seq` it had seen *before* its last
//!    attempt failed; if there were events since, it tries again. So an event between attempt and wait is not lost,
//!    and no event has to be kept.
//! 3. An event wakes one waiter. One that was woken and then succeeded passes the wake-up on, since one event
//!    may stand for many datagrams or connections (they come edge-triggered). Whoever tried after that event needs no
//!    wake-up; whoever tried before has seen another `seq`.
//! 4. Waiters are claimed under the lock of their side and readied after it is given back (`wait.rs`).
//!
//! Not used: Go's one word per direction (nil, ready, wait, G). It holds one waiter, which Go's `fdMutex` sees to; here
//! any number of goroutines may read through a shared reference. Go: `pollDesc` (netpoll.go).

use crate::facade::atomic::AtomicU32;
use crate::facade::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::g::G;
use crate::lock::Lock;
use crate::netpoll::list::{List, Node};
use crate::proc;
use crate::wait::Wait;
use crate::waitreason::WaitReason;

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dir {
    /// Data, a connection, the end of the stream, or an error.
    Read = 0,
    /// Room, the end of a connect, or an error.
    Write = 1,
}

/// How a [`Slot::wait`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Waited {
    /// There were events since `seen`: try again.
    Missed,
    /// Woken, by an event or because a deadline changed: try again.
    Woken,
    /// The deadline has passed.
    TimedOut,
}

/// A goroutine that waits.
struct Waiter {
    wait: Wait,
    gp: &'static G,
}

/// One direction.
struct Side {
    waiters: Lock<List<Waiter>>,
    seq: AtomicU32,
}

/// See the module.
#[repr(align(64))]
pub(crate) struct Slot {
    sides: [Side; 2],
    /// Which use of the slot this is: `slab.rs`.
    pub(super) generation: AtomicU32,
    /// Next free slot, plus one; 0 is none. Under the lock of the slab.
    pub(super) next_free: AtomicU32,
    index: u32,
}

impl Side {
    const fn new() -> Self {
        Self { waiters: Lock::new(List::new()), seq: AtomicU32::new(0) }
    }

    /// Claims the first waiter that still waits.
    fn claim(waiters: &mut List<Waiter>) -> Option<&'static G> {
        while let Some(waiter) = waiters.pop() {
            // SAFETY: it was on the list, so its owner still waits, or waits for the lock that the caller holds.
            let waiter = unsafe { (*waiter).value() };
            if waiter.wait.claim() {
                return Some(waiter.gp);
            }
        }
        None
    }
}

impl Slot {
    pub(super) fn new(index: u32) -> Self {
        Self {
            sides: [Side::new(), Side::new()],
            generation: AtomicU32::new(0),
            next_free: AtomicU32::new(0),
            index,
        }
    }

    #[inline]
    pub(super) fn index(&self) -> u32 {
        self.index
    }

    #[inline]
    fn side(&self, dir: Dir) -> &Side {
        &self.sides[dir as usize]
    }

    /// How many events there were; to be asked before an attempt.
    #[inline]
    pub(super) fn seq(&self, dir: Dir) -> u32 {
        // Acquire keeps the attempt after this load; pairs with the Release in `event`. An older value is harmless: it
        // costs an attempt.
        self.side(dir).seq.load(Acquire)
    }

    /// Makes a slot that nobody uses look new: no event was seen.
    pub(super) fn reset(&self) {
        for side in &self.sides {
            // Under the lock, as in `event`: a late event must not bring the old count back.
            let waiters = side.waiters.lock();
            debug_assert!(waiters.is_empty(), "a descriptor is closed by its last user");
            // Relaxed: published with the slot.
            side.seq.store(0, Relaxed);
        }
    }

    /// Notes an event; the goroutine that it woke, still `Waiting`, for the caller to ready.
    pub(super) fn event(&self, dir: Dir) -> Option<&'static G> {
        let side = self.side(dir);
        let mut waiters = side.waiters.lock();
        // Relaxed load: only written under the lock. Release pairs with the Acquire of `seq`.
        side.seq.store(side.seq.load(Relaxed).wrapping_add(1), Release);
        Side::claim(&mut waiters)
    }

    /// Passes a wake-up on (3).
    pub(super) fn pass_on(&self, dir: Dir) {
        let next = Side::claim(&mut self.side(dir).waiters.lock());
        if let Some(gp) = next {
            proc::ready_from_anywhere(gp);
        }
    }

    /// Wakes all waiters: something else than the descriptor has changed.
    pub(super) fn wake_all(&self, dir: Dir) {
        let mut claimed = List::new();
        let mut waiters = self.side(dir).waiters.lock();
        while let Some(waiter) = waiters.pop() {
            // SAFETY: as in `claim`; whoever was claimed stays parked, with its node, until it is readied below.
            unsafe {
                if (*waiter).value().wait.claim() {
                    claimed.push(&*waiter);
                }
            }
        }
        drop(waiters);
        while let Some(waiter) = claimed.pop() {
            // SAFETY: as above. The node is off the list and not used again before its goroutine can run.
            let gp = unsafe { (*waiter).value().gp };
            proc::ready_from_anywhere(gp);
        }
    }

    /// Parks the goroutine `gp`, which calls, until an event, [`Slot::wake_all`] or the deadline that `deadline` gives.
    /// `seen`: see the module. `deadline` is asked under the lock of the side, so that whoever changes it, and then
    /// wakes all, is never too early.
    pub(super) fn wait<E>(
        &self,
        dir: Dir,
        gp: &'static G,
        seen: u32,
        deadline: impl FnOnce() -> Result<Option<i64>, E>,
    ) -> Result<Waited, E> {
        let side = self.side(dir);
        let waiter = Node::new(Waiter { wait: Wait::new(), gp });
        let mut waiters = side.waiters.lock();
        let deadline = deadline()?;
        // Relaxed: only written under the lock.
        if side.seq.load(Relaxed) != seen {
            return Ok(Waited::Missed);
        }
        // SAFETY: popped by who wakes it, or removed below.
        unsafe { waiters.push(&waiter) };
        if waiter.value().wait.block_until(deadline, WaitReason::IoWait, move || drop(waiters)) {
            return Ok(Waited::Woken);
        }
        side.waiters.lock().remove(&waiter);
        Ok(Waited::TimedOut)
    }
}

// SAFETY: the lists are under locks; nodes are only reached under them or by their owner, and a `Wait` may be claimed
// from any thread.
unsafe impl Sync for Slot {}
// SAFETY: as above.
unsafe impl Send for Slot {}
