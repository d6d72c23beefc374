//! A descriptor in non-blocking mode, and how every operation on one is done.

use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use socket2::SockRef;

use crate::facade::atomic::AtomicI64;
use crate::facade::atomic::Ordering::Relaxed;
use crate::facade::nanotime;
use crate::netpoll::{Dir, PollDesc};
use crate::proc::safe_point;
use crate::time;

/// A socket of std's and what is needed to wait for it. Handles of one socket share it.
pub(super) struct Fd<S> {
    // Dropped in this order: the registration ends before the descriptor is closed.
    pd: PollDesc,
    io: S,
    /// How long reads and writes may wait, in nanoseconds; 0 for ever.
    timeouts: [AtomicI64; 2],
}

impl<S: AsFd> Fd<S> {
    /// `io` must be in non-blocking mode.
    pub(super) fn new(io: S) -> Self {
        Self { pd: PollDesc::new(), io, timeouts: [AtomicI64::new(0), AtomicI64::new(0)] }
    }

    /// The socket. Its operations may fail with `WouldBlock`: see [`Fd::io`].
    #[inline]
    pub(super) fn socket(&self) -> &S {
        &self.io
    }

    /// Does `op`, as often as it is interrupted or would block, waiting in between.
    #[inline]
    pub(super) fn io<T>(&self, dir: Dir, mut op: impl FnMut(&S) -> io::Result<T>) -> io::Result<T> {
        safe_point();
        self.pd.check(dir)?;
        let mut seen = self.pd.seen(dir);
        match retry(|| op(&self.io)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return done,
        }
        let limit = self.limit(dir);
        loop {
            let woken = self.pd.wait(self.io.as_fd(), dir, seen, limit)?;
            seen = self.pd.seen(dir);
            let done = retry(|| op(&self.io));
            if done.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
                continue;
            }
            if woken {
                self.pd.pass_on(dir);
            }
            return done;
        }
    }

    /// When an operation that begins now and has to wait fails.
    fn limit(&self, dir: Dir) -> Option<i64> {
        // Relaxed: a number of its own.
        let timeout = self.timeouts[dir as usize].load(Relaxed);
        (timeout != 0).then(|| nanotime().saturating_add(timeout))
    }

    pub(super) fn timeout(&self, dir: Dir) -> Option<Duration> {
        // Relaxed as in `limit`.
        let timeout = self.timeouts[dir as usize].load(Relaxed);
        (timeout != 0).then(|| Duration::from_nanos(timeout as u64))
    }

    pub(super) fn set_timeout(&self, dir: Dir, timeout: Option<Duration>) -> io::Result<()> {
        if timeout == Some(Duration::ZERO) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "cannot set a 0 duration timeout"));
        }
        // Relaxed as in `limit`.
        self.timeouts[dir as usize].store(timeout.map_or(0, nanos), Relaxed);
        Ok(())
    }

    pub(super) fn set_deadline(&self, dir: Dir, deadline: Option<Instant>) {
        // Zero would be no deadline.
        self.pd.set_deadline(dir, deadline.map(|instant| time::at(instant).max(1)));
    }

    /// Fails everything, now and from now on, and tells the kernel, and so the other side.
    pub(super) fn close(&self) {
        self.pd.evict();
        // Fails if it is not connected, or no longer: then there is nobody to tell.
        let _ = SockRef::from(&self.io).shutdown(Shutdown::Both);
    }

    /// The socket alone, in non-blocking mode; a duplicate if there are other handles.
    pub(super) fn into_owned(self: Arc<Self>) -> OwnedFd
    where
        S: Into<OwnedFd>,
    {
        match Arc::try_unwrap(self) {
            Ok(Self { pd, io, .. }) => {
                drop(pd);
                io.into()
            }
            Err(shared) => shared
                .io
                .as_fd()
                .try_clone_to_owned()
                .expect("a shared socket is duplicated to be taken apart"),
        }
    }
}

impl<S: AsFd> AsFd for Fd<S> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io.as_fd()
    }
}

/// Nanoseconds, at least 1; as many as there can be if there are more.
fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX / 2).clamp(1, i64::MAX / 2)
}

/// Does `op` until it is not interrupted by a signal.
pub(super) fn retry<T>(mut op: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match op() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}
