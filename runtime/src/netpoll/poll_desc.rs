//! One descriptor's side of waiting: whom to wait with, deadlines, and the end.
//!
//! 1. A goroutine waits in the poller of its runtime, in a slot that the first wait registers. A plain thread waits in
//!    poll(2), and so does, as a system call, a goroutine of another runtime than the one that registered it.
//! 2. Deadlines and `closed` change first, then all waiters are woken; a waiter reads them under the lock under
//!    which it would be found, and registers under the lock under which they look for its slot. So it sees the change
//!    or is woken by it.
//! 3. The slot is given back when the descriptor is about to be closed. Waiters borrow the `PollDesc`, so there are none.
//!
//! Go: `pollDesc`, `poll_runtime_poll*` (netpoll.go).

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use crate::facade::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::facade::atomic::{AtomicBool, AtomicI32, AtomicI64, AtomicPtr};
use crate::facade::nanotime;
use crate::lock::Lock;
use crate::netpoll::Netpoll;
use crate::netpoll::slot::{Dir, Slot, Waited};
use crate::netpoll::thread::Threads;
use crate::proc;

/// No deadline.
const NEVER: i64 = 0;

/// See the module. Dropped before its descriptor is closed.
pub(crate) struct PollDesc {
    /// Null until a goroutine first waits.
    slot: AtomicPtr<Slot>,
    /// The poller of that slot, and the number that the descriptor is registered under. Written before `slot`.
    netpoll: AtomicPtr<Netpoll>,
    fd: AtomicI32,
    /// Held while the slot is registered, or looked for by who must not miss it.
    registering: Lock<()>,
    threads: Threads,
    /// When reads and writes fail, nanoseconds of the monotonic clock, or [`NEVER`].
    deadlines: [AtomicI64; 2],
    closed: AtomicBool,
}

/// What [`PollDesc::wait`] has to know of the time before the attempt.
#[derive(Clone, Copy)]
pub(crate) struct Seen(u32);

impl PollDesc {
    pub(crate) const fn new() -> Self {
        Self {
            slot: AtomicPtr::new(ptr::null_mut()),
            netpoll: AtomicPtr::new(ptr::null_mut()),
            fd: AtomicI32::new(-1),
            registering: Lock::new(()),
            threads: Threads::new(),
            deadlines: [AtomicI64::new(NEVER), AtomicI64::new(NEVER)],
            closed: AtomicBool::new(false),
        }
    }

    #[inline]
    fn slot(&self) -> Option<&'static Slot> {
        // SAFETY: null, or a slot, which is never freed. Acquire pairs with the Release in `register`.
        unsafe { self.slot.load(Acquire).as_ref() }
    }

    /// Whether an attempt may be made now. Go: `netpollcheckerr`.
    ///
    /// # Errors
    ///
    /// `ConnectionAborted` after [`PollDesc::evict`], `TimedOut` after the deadline.
    #[inline]
    pub(crate) fn check(&self, dir: Dir) -> io::Result<()> {
        self.check_open()?;
        match self.deadline(dir) {
            Some(deadline) if deadline <= nanotime() => Err(io::ErrorKind::TimedOut.into()),
            _ => Ok(()),
        }
    }

    #[inline]
    fn check_open(&self) -> io::Result<()> {
        // Acquire pairs with the Release in `evict`: an operation after a close that it can know of fails.
        if self.closed.load(Acquire) {
            // A bare kind: no allocation, this may run under a lock.
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(())
    }

    fn deadline(&self, dir: Dir) -> Option<i64> {
        // Acquire as in `check`.
        Some(self.deadlines[dir as usize].load(Acquire)).filter(|&deadline| deadline != NEVER)
    }

    /// To be asked before the attempt that [`PollDesc::wait`] may have to follow.
    #[inline]
    pub(crate) fn seen(&self, dir: Dir) -> Seen {
        // Not registered: any event will be one since then.
        Seen(self.slot().map_or(0, |slot| slot.seq(dir)))
    }

    /// Waits until an operation that failed with `WouldBlock` is worth another attempt. `seen` is from before that
    /// attempt, `limit` the time after which this operation is to fail, besides the deadline. Whether
    /// [`PollDesc::pass_on`] is due once the operation has succeeded.
    ///
    /// # Errors
    ///
    /// Those of [`PollDesc::check`], of epoll_ctl(2), and of poll(2) and eventfd(2) on a plain thread.
    pub(crate) fn wait(
        &self,
        fd: BorrowedFd<'_>,
        dir: Dir,
        seen: Seen,
        limit: Option<i64>,
    ) -> io::Result<bool> {
        let deadline = || {
            self.check(dir)?;
            let deadline = self.deadline(dir);
            Ok(deadline.into_iter().chain(limit).min())
        };
        // A goroutine in a system call, which is where the closure of `blocking` runs, cannot park.
        let (waited, parked) = match proc::current_g_with_p() {
            None => (self.threads.wait(fd, dir, deadline)?, false),
            Some(gp) => {
                let netpoll = &gp.sched().netpoll;
                let slot = match self.slot() {
                    Some(slot) => slot,
                    None => self.register(fd, netpoll)?,
                };
                // Relaxed: published with the slot.
                if ptr::eq(self.netpoll.load(Relaxed), netpoll) {
                    // Relaxed, both: see `Netpoll::waiters`. Down only after the goroutine runs again, so that nobody
                    // finds neither a waiter nor a runnable goroutine.
                    netpoll.waiters.fetch_add(1, Relaxed);
                    let waited = slot.wait(dir, gp, seen.0, deadline);
                    netpoll.waiters.fetch_sub(1, Relaxed);
                    (waited?, true)
                } else {
                    (proc::blocking(|| self.threads.wait(fd, dir, deadline))?, false)
                }
            }
        };
        // Not the end of the stream, which the kernel would report.
        self.check_open()?;
        match waited {
            Waited::TimedOut => Err(io::ErrorKind::TimedOut.into()),
            Waited::Missed => Ok(false),
            // What one thread leaves, poll(2) reports to the next.
            Waited::Woken => Ok(parked),
        }
    }

    /// After an operation that had to wait: there may be more for the next waiter.
    pub(crate) fn pass_on(&self, dir: Dir) {
        if let Some(slot) = self.slot() {
            slot.pass_on(dir);
        }
    }

    /// Registers the descriptor with a runtime's poller. Go: `poll_runtime_pollOpen`.
    #[cold]
    fn register(&self, fd: BorrowedFd<'_>, netpoll: &'static Netpoll) -> io::Result<&'static Slot> {
        let slot = netpoll.slab.alloc().ok_or(io::ErrorKind::OutOfMemory)?;
        let registered = {
            let _registering = self.registering.lock();
            match self.slot() {
                Some(other) => Ok(other),
                None => netpoll.open(fd, slot).map(|()| {
                    // Relaxed, both: published with the slot.
                    self.netpoll.store(ptr::from_ref(netpoll).cast_mut(), Relaxed);
                    self.fd.store(fd.as_raw_fd(), Relaxed);
                    // Release pairs with the Acquire of `slot`.
                    self.slot.store(ptr::from_ref(slot).cast_mut(), Release);
                    slot
                }),
            }
        };
        if !registered.as_ref().is_ok_and(|&registered| ptr::eq(registered, slot)) {
            netpoll.slab.free(slot);
        }
        registered
    }

    /// Sets or (`None`) lifts the deadline of one direction, and wakes whoever waits with the old one. Go:
    /// `poll_runtime_pollSetDeadline`.
    pub(crate) fn set_deadline(&self, dir: Dir, deadline: Option<i64>) {
        // Release pairs with the Acquire of `deadline`; for those that wait the lock in `wake` does (2).
        self.deadlines[dir as usize].store(deadline.unwrap_or(NEVER), Release);
        self.wake(dir);
    }

    /// From now on all operations fail, and those that wait wake up and fail. Go: `poll_runtime_pollUnblock`.
    pub(crate) fn evict(&self) {
        // Release pairs with the Acquire of `check`; for those that wait the locks in `wake` do (2).
        self.closed.store(true, Release);
        self.wake(Dir::Read);
        self.wake(Dir::Write);
    }

    fn wake(&self, dir: Dir) {
        // Who registers later got this lock from us, and sees the change.
        let slot = {
            let _registering = self.registering.lock();
            self.slot()
        };
        if let Some(slot) = slot {
            slot.wake_all(dir);
        }
        self.threads.wake_all();
    }
}

impl Drop for PollDesc {
    fn drop(&mut self) {
        if let Some(slot) = self.slot() {
            // SAFETY: written before the slot, from a reference that is valid for ever. Relaxed: `&mut self`.
            let netpoll = unsafe { &*self.netpoll.load(Relaxed) };
            netpoll.close(self.fd.load(Relaxed), slot);
        }
    }
}
