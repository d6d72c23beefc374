//! The kernel's timer that a poll can wait for.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

/// A timer whose end is an edge for epoll: it is never read.
pub(super) struct TimerFd(OwnedFd);

impl TimerFd {
    pub(super) fn new() -> io::Result<Self> {
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
    pub(super) fn arm(&self, delay_ns: i64) {
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
