//! A poller without descriptors: it only waits, and can be woken.

use std::io;
use std::os::fd::RawFd;

use super::atomic::AtomicU32;
use super::atomic::Ordering::SeqCst;
use super::futex::{futex_wait, futex_wake};

/// What a poll found.
pub(crate) enum Polled {
    /// Somebody called [`Poller::wake`].
    Woken,
    /// The descriptor that was registered with that token can be used. Never here.
    Ready { token: usize, read: bool, write: bool },
}

/// See the module.
pub(crate) struct Poller {
    woken: AtomicU32,
}

impl Poller {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { woken: AtomicU32::new(0) })
    }

    /// Waits for at most `delay_ns` nanoseconds, for ever if that is negative, not at all if 0, and tells what there is.
    ///
    /// # Safety
    ///
    /// None here; natively one thread at a time.
    pub(crate) unsafe fn poll(&self, delay_ns: i64, mut each: impl FnMut(Polled)) -> io::Result<()> {
        if delay_ns != 0 {
            futex_wait(&self.woken, 0, delay_ns);
        }
        if self.woken.swap(0, SeqCst) != 0 {
            each(Polled::Woken);
        }
        Ok(())
    }

    pub(crate) fn wake(&self) -> io::Result<()> {
        self.woken.store(1, SeqCst);
        futex_wake(&raw const self.woken, 1);
        Ok(())
    }

    pub(crate) fn register(&self, _fd: RawFd, _token: usize) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "descriptors are not simulated"))
    }

    pub(crate) fn deregister(&self, _fd: RawFd) -> io::Result<()> {
        Ok(())
    }
}
