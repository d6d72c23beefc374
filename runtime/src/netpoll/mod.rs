//! The network poller: turns what the kernel says of file descriptors into goroutines that can run.
//!
//! Each runtime has one [`Netpoll`], an epoll instance (`facade::Poller`). A descriptor is registered when a goroutine first
//! has to wait for it, edge-triggered and for both directions at once, and stays so until it is closed ([`PollDesc`]).
//!
//! 1. One thread polls at a time; a second one returns at once. It allocates nothing and takes only the locks of
//!    the slots, so it may run on g0.
//! 2. Nothing is lost between polls. An event of a descriptor reaches a waiter or raises a count (`slot.rs`); a
//!    [`Netpoll::wake`] stays in `woken` until a poll that may block has seen it.
//! 3. Plain threads never come here: they use poll(2) on their descriptor (`thread.rs`), so sockets work without
//!    any runtime.
//!
//! Go: netpoll.go, netpoll_epoll.go.

mod list;
mod poll_desc;
mod slab;
mod slot;
#[cfg(test)]
mod tests;
mod thread;

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use crate::facade::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use crate::facade::atomic::{AtomicBool, AtomicU32};
use crate::facade::{Polled, Poller, getm};
use crate::g::G;
use crate::throw::throw;
use slab::Slab;
use slot::Slot;

pub(crate) use poll_desc::PollDesc;
pub(crate) use slot::Dir;

/// See the module.
pub(crate) struct Netpoll {
    poller: Poller,
    /// A wake-up that no poll has answered yet. Go: `netpollWakeSig`.
    woken: AtomicBool,
    /// Somebody has the poller.
    polling: AtomicBool,
    /// Goroutines that wait. Go: `netpollWaiters`.
    waiters: AtomicU32,
    slab: Slab,
}

impl Netpoll {
    /// A poller.
    ///
    /// # Errors
    ///
    /// If the system has none to give: too many open files, mostly.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            poller: Poller::new()?,
            woken: AtomicBool::new(false),
            polling: AtomicBool::new(false),
            waiters: AtomicU32::new(0),
            slab: Slab::new(),
        })
    }

    /// Calls `each` with every goroutine that became ready; it is `Waiting` and the caller's to ready.
    ///
    /// Waits for events, or for a [`Netpoll::wake`], for at most `delay_ns` nanoseconds, for ever if that is negative, not
    /// at all if 0. May return early with nothing; returns at once if another thread polls. Go: `netpoll`.
    pub(crate) fn poll(&self, delay_ns: i64, mut each: impl FnMut(&'static G)) {
        // Acquire pairs with the Release below: one poller's use of `poller` comes after the other's.
        if self.polling.swap(true, Acquire) {
            return;
        }
        self.poll_alone(delay_ns, &mut each);
        // Release: see above.
        self.polling.store(false, Release);
    }

    /// `polling` is the caller's.
    fn poll_alone(&self, delay_ns: i64, each: &mut impl FnMut(&'static G)) {
        // A poll without delay may have swallowed the event of a wake-up that was meant for one that blocks: this.
        // AcqRel pairs with the swap in `wake`: what was done before it is seen by whoever returns because of it.
        let block = delay_ns != 0 && !self.woken.swap(false, AcqRel);
        let found = |found| match found {
            Polled::Woken if delay_ns != 0 => {
                // AcqRel as above. May take a younger wake-up too: this poll returns, which is all that one wants.
                self.woken.swap(false, AcqRel);
            }
            Polled::Woken => {}
            Polled::Ready { token, read, write } => {
                let Some(slot) = self.slab.get(token) else { return };
                if read {
                    slot.event(Dir::Read).map(&mut *each);
                }
                if write {
                    slot.event(Dir::Write).map(&mut *each);
                }
            }
        };
        // SAFETY: who set `polling` is alone.
        if let Err(error) = unsafe { self.poller.poll(if block { delay_ns } else { 0 }, found) } {
            throw!("epoll_wait failed: {error}");
        }
    }

    /// Makes a poll that may block return: the one that is under way, or else the next. Go: `netpollBreak`.
    pub(crate) fn wake(&self) {
        // Whoever sets `woken` must get to the write: others rely on it. So nobody preempts us in between.
        let mp = getm();
        if let Some(mp) = mp {
            mp.acquire();
        }
        // AcqRel: Release hands over what was done before, pairs with the swaps in `poll_alone`.
        if !self.woken.swap(true, AcqRel)
            && let Err(error) = self.poller.wake()
        {
            // It resets a full count itself, and a write that does not block is not interrupted.
            throw!("write to eventfd failed: {error}");
        }
        if let Some(mp) = mp {
            mp.release();
        }
    }

    /// How many goroutines wait for descriptors: as long as there are some, one M should poll. Go: `netpollAnyWaiters`.
    #[inline]
    pub(crate) fn waiters(&self) -> u32 {
        // Relaxed: whoever decides to sleep because of it took sched.lock after the last M that parked one gave it back.
        self.waiters.load(Relaxed)
    }

    /// Registers a descriptor for both directions. Go: `netpollopen`.
    fn open(&self, fd: BorrowedFd<'_>, slot: &'static Slot) -> io::Result<()> {
        self.poller.register(fd.as_raw_fd(), Slab::token(slot))
    }

    /// Ends a registration. Go: `netpollclose`.
    fn close(&self, fd: RawFd, slot: &'static Slot) {
        // The kernel forgets a closed descriptor only with its last duplicate. Fails if somebody else has closed it.
        let _ = self.poller.deregister(fd);
        self.slab.free(slot);
    }
}
