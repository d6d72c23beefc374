//! The network poller: turns what the kernel says of file descriptors into goroutines that can run.
//!
//! Each runtime has one [`Netpoll`], an epoll instance through `mio`. A descriptor is registered when a goroutine first
//! has to wait for it, edge-triggered and for both directions at once, and stays so until it is closed ([`PollDesc`]).
//!
//! 1. One thread polls at a time; a second one returns at once. It allocates nothing and takes only the locks of
//!    the slots, so it may run on g0.
//! 2. Nothing is lost between polls. An event of a descriptor reaches a waiter or raises a count (`slot.rs`); a
//!    [`Netpoll::wake`] stays in `woken` until a poll that may block has seen it.
//! 3. Plain threads never come here: they use poll(2) on their descriptor (`thread.rs`), so sockets work without
//!    any runtime.
//!
//! Not used: epoll's own timeout, in milliseconds, rounded up by `mio`: a sleeper of 1 ms would be up to 1 ms late. A
//! timerfd in the same epoll is exact to some microseconds, for one more system call in polls that have a
//! deadline. epoll_pwait2 would be exact too, but has timer slack (50 us) and is not in `mio`.
//!
//! Go: netpoll.go, netpoll_epoll.go.

mod list;
mod poll_desc;
mod slab;
mod slot;
#[cfg(test)]
mod tests;
mod thread;
mod timerfd;

use std::cell::UnsafeCell;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token, Waker};

use crate::facade::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use crate::facade::atomic::{AtomicBool, AtomicU32};
use crate::facade::getm;
use crate::g::G;
use crate::throw::throw;
use slab::Slab;
use slot::Slot;
use timerfd::TimerFd;

pub(crate) use poll_desc::PollDesc;
pub(crate) use slot::Dir;

const WAKE: Token = Token(usize::MAX);
const TIMER: Token = Token(usize::MAX - 1);

/// Events taken from the kernel at once. Go's number.
const EVENTS: usize = 128;

/// See the module.
pub(crate) struct Netpoll {
    registry: Registry,
    waker: Waker,
    /// A wake-up that no poll has answered yet. Go: `netpollWakeSig`.
    woken: AtomicBool,
    /// Somebody has the poller.
    polling: AtomicBool,
    poller: UnsafeCell<Poller>,
    /// Goroutines that wait. Go: `netpollWaiters`.
    waiters: AtomicU32,
    slab: Slab,
}

/// What only the one who polls uses.
struct Poller {
    poll: Poll,
    events: Events,
    timer: TimerFd,
}

// SAFETY: `poller` is used only by who set `polling`.
unsafe impl Sync for Netpoll {}

impl Netpoll {
    /// A poller: three descriptors of the process.
    ///
    /// # Errors
    ///
    /// Those of epoll_create1(2), eventfd(2) and timerfd_create(2): too many open files, mostly.
    pub(crate) fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let registry = poll.registry().try_clone()?;
        let waker = Waker::new(&registry, WAKE)?;
        let timer = TimerFd::new()?;
        registry.register(&mut SourceFd(&timer.as_raw_fd()), TIMER, Interest::READABLE)?;
        Ok(Self {
            registry,
            waker,
            woken: AtomicBool::new(false),
            polling: AtomicBool::new(false),
            poller: UnsafeCell::new(Poller { poll, events: Events::with_capacity(EVENTS), timer }),
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
        // SAFETY: `polling` was ours to set.
        self.poll_alone(unsafe { &mut *self.poller.get() }, delay_ns, &mut each);
        // Release: see above.
        self.polling.store(false, Release);
    }

    fn poll_alone(&self, poller: &mut Poller, delay_ns: i64, each: &mut impl FnMut(&'static G)) {
        let Poller { poll, events, timer } = poller;
        // A poll without delay may have swallowed the event of a wake-up that was meant for one that blocks: this.
        // AcqRel pairs with the swap in `wake`: what was done before it is seen by whoever returns because of it.
        let block = delay_ns != 0 && !self.woken.swap(false, AcqRel);
        if block && delay_ns > 0 {
            timer.arm(delay_ns);
        }
        let timeout = (!block).then_some(std::time::Duration::ZERO);
        while let Err(error) = poll.poll(events, timeout) {
            // A preemption signal, say. The timer is still armed.
            if error.kind() != io::ErrorKind::Interrupted {
                throw!("epoll_wait failed: {error}");
            }
        }
        for event in &*events {
            match event.token() {
                WAKE if delay_ns != 0 => {
                    // AcqRel as above. May take a younger wake-up too: this poll returns, which is all that one wants.
                    self.woken.swap(false, AcqRel);
                }
                WAKE | TIMER => {}
                Token(token) => {
                    let Some(slot) = self.slab.get(token) else { continue };
                    let error = event.is_error();
                    if error || event.is_readable() || event.is_read_closed() {
                        slot.event(Dir::Read).map(&mut *each);
                    }
                    if error || event.is_writable() || event.is_write_closed() {
                        slot.event(Dir::Write).map(&mut *each);
                    }
                }
            }
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
            && let Err(error) = self.waker.wake()
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
        let both = Interest::READABLE | Interest::WRITABLE;
        self.registry.register(&mut SourceFd(&fd.as_raw_fd()), Token(Slab::token(slot)), both)
    }

    /// Ends a registration. Go: `netpollclose`.
    fn close(&self, fd: RawFd, slot: &'static Slot) {
        // The kernel forgets a closed descriptor only with its last duplicate. Fails if somebody else has closed it.
        let _ = self.registry.deregister(&mut SourceFd(&fd));
        self.slab.free(slot);
    }
}
