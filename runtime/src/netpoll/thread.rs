//! How a plain thread waits for a descriptor: poll(2), and an eventfd of its own by which others wake it.

use std::cell::OnceCell;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use crate::facade::nanotime;
use crate::lock::Lock;
use crate::netpoll::list::{List, Node};
use crate::netpoll::slot::{Dir, Waited};

/// The threads that wait for one descriptor, by their eventfds.
pub(super) struct Threads(Lock<List<RawFd>>);

impl Threads {
    pub(super) const fn new() -> Self {
        Self(Lock::new(List::new()))
    }

    /// Wakes all.
    pub(super) fn wake_all(&self) {
        self.0.lock().for_each(|&wakefd| {
            let one = 1u64;
            // SAFETY: a valid buffer of 8 bytes; the descriptor is open while its thread is listed. It fails only if the
            // count is full: then the thread is awake.
            unsafe { libc::write(wakefd, (&raw const one).cast(), size_of::<u64>()) };
        });
    }

    /// Blocks the calling thread until `fd` is ready, [`Threads::wake_all`] or the deadline that `deadline` gives, which
    /// is asked under the lock. As [`super::slot::Slot::wait`].
    pub(super) fn wait(
        &self,
        fd: BorrowedFd<'_>,
        dir: Dir,
        deadline: impl FnOnce() -> io::Result<Option<i64>>,
    ) -> io::Result<Waited> {
        let wakefd = wakefd()?;
        let node = Node::new(wakefd);
        let deadline = {
            let mut threads = self.0.lock();
            let deadline = deadline()?;
            // SAFETY: removed below, before this returns.
            unsafe { threads.push(&node) };
            deadline
        };
        let result = poll2(fd, dir, wakefd, deadline);
        self.0.lock().remove(&node);
        result
    }
}

/// poll(2) on `fd` and `wakefd`.
fn poll2(fd: BorrowedFd<'_>, dir: Dir, wakefd: RawFd, deadline: Option<i64>) -> io::Result<Waited> {
    let events = match dir {
        Dir::Read => libc::POLLIN | libc::POLLRDHUP,
        Dir::Write => libc::POLLOUT,
    };
    let mut fds = [
        libc::pollfd { fd: fd.as_raw_fd(), events, revents: 0 },
        libc::pollfd { fd: wakefd, events: libc::POLLIN, revents: 0 },
    ];
    loop {
        let left = deadline.map(|deadline| deadline.saturating_sub(nanotime()).max(0));
        let left = left.map(|ns| libc::timespec { tv_sec: ns / 1_000_000_000, tv_nsec: ns % 1_000_000_000 });
        let timeout = left.as_ref().map_or(ptr::null(), ptr::from_ref);
        // SAFETY: two valid entries, a valid time or none, and no signal mask.
        let ready = unsafe { libc::ppoll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, timeout, ptr::null()) };
        if ready > 0 {
            if fds[1].revents != 0 {
                let mut count = 0u64;
                // SAFETY: a valid buffer of 8 bytes. What it says is not wanted, nor why it might fail.
                unsafe { libc::read(wakefd, (&raw mut count).cast(), size_of::<u64>()) };
            }
            return Ok(Waited::Woken);
        }
        if ready == 0 {
            return Ok(Waited::TimedOut);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// The eventfd by which others wake the calling thread, made at its first wait and closed with it.
fn wakefd() -> io::Result<RawFd> {
    thread_local! {
        static WAKEFD: OnceCell<OwnedFd> = const { OnceCell::new() };
    }
    WAKEFD.with(|cell| {
        if let Some(fd) = cell.get() {
            return Ok(fd.as_raw_fd());
        }
        // SAFETY: takes no pointers.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: just made, owned by nobody else.
        Ok(cell.get_or_init(|| unsafe { OwnedFd::from_raw_fd(fd) }).as_raw_fd())
    })
}
