//! The kernel's poller: epoll through `mio`, a waker, and a timer that is exact.
//!
//! Not used: epoll's own timeout, in milliseconds, rounded up by `mio`: a sleeper of 1 ms would be up to 1 ms late. A
//! timerfd in the same epoll is exact to some microseconds, for one more system call in polls that have a
//! deadline. epoll_pwait2 would be exact too, but has timer slack (50 us) and is not in `mio`.

use std::cell::UnsafeCell;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token, Waker};

const WAKE: Token = Token(usize::MAX);
const TIMER: Token = Token(usize::MAX - 1);

/// Events taken from the kernel at once. Go's number.
const EVENTS: usize = 128;

/// What a poll found.
pub(crate) enum Polled {
    /// Somebody called [`Poller::wake`].
    Woken,
    /// The descriptor that was registered with that token can be used.
    Ready { token: usize, read: bool, write: bool },
}

/// See the module.
pub(crate) struct Poller {
    registry: Registry,
    waker: Waker,
    own: UnsafeCell<Own>,
}

/// What only the one who polls uses.
struct Own {
    poll: Poll,
    events: Events,
    timer: TimerFd,
}

// SAFETY: `own` is used only by `poll`, which one thread calls at a time.
unsafe impl Sync for Poller {}

impl Poller {
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
        let own = UnsafeCell::new(Own { poll, events: Events::with_capacity(EVENTS), timer });
        Ok(Self { registry, waker, own })
    }

    /// Waits for at most `delay_ns` nanoseconds, for ever if that is negative, not at all if 0, and tells what there is.
    ///
    /// # Errors
    ///
    /// Those of epoll_wait(2).
    ///
    /// # Safety
    ///
    /// One thread at a time.
    pub(crate) unsafe fn poll(&self, delay_ns: i64, mut each: impl FnMut(Polled)) -> io::Result<()> {
        // SAFETY: the caller's promise.
        let Own { poll, events, timer } = unsafe { &mut *self.own.get() };
        if delay_ns > 0 {
            timer.arm(delay_ns);
        }
        let timeout = (delay_ns == 0).then_some(std::time::Duration::ZERO);
        while let Err(error) = poll.poll(events, timeout) {
            // A preemption signal, say. The timer is still armed.
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
        for event in &*events {
            match event.token() {
                WAKE => each(Polled::Woken),
                TIMER => {}
                Token(token) => {
                    let error = event.is_error();
                    let read = error || event.is_readable() || event.is_read_closed();
                    let write = error || event.is_writable() || event.is_write_closed();
                    each(Polled::Ready { token, read, write });
                }
            }
        }
        Ok(())
    }

    /// Ends the poll that is under way, or the next one.
    ///
    /// # Errors
    ///
    /// Those of write(2).
    pub(crate) fn wake(&self) -> io::Result<()> {
        self.waker.wake()
    }

    /// Tells of both directions of `fd`, by edges, from now on.
    ///
    /// # Errors
    ///
    /// Those of epoll_ctl(2).
    pub(crate) fn register(&self, fd: RawFd, token: usize) -> io::Result<()> {
        let both = Interest::READABLE | Interest::WRITABLE;
        self.registry.register(&mut SourceFd(&fd), Token(token), both)
    }

    /// Tells no more of `fd`.
    ///
    /// # Errors
    ///
    /// If somebody else has closed it.
    pub(crate) fn deregister(&self, fd: RawFd) -> io::Result<()> {
        self.registry.deregister(&mut SourceFd(&fd))
    }
}

/// A timer whose end is an edge for epoll: it is never read.
struct TimerFd(OwnedFd);

impl TimerFd {
    fn new() -> io::Result<Self> {
        // SAFETY: takes no pointers.
        let fd =
            unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_CLOEXEC | libc::TFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: just made, owned by nobody else.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Ends in `delay_ns` nanoseconds, more than 0; an earlier setting is forgotten.
    fn arm(&self, delay_ns: i64) {
        let once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        let delay = libc::timespec { tv_sec: delay_ns / 1_000_000_000, tv_nsec: delay_ns % 1_000_000_000 };
        let spec = libc::itimerspec { it_interval: once, it_value: delay };
        // SAFETY: the descriptor is ours, `spec` is valid; the old setting is not wanted.
        let result = unsafe { libc::timerfd_settime(self.0.as_raw_fd(), 0, &spec, ptr::null_mut()) };
        debug_assert_eq!(result, 0, "every positive delay is valid");
    }
}

impl AsRawFd for TimerFd {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}
