//! What can be asked of a goroutine, and what a goroutine can ask for itself.

use std::fmt;
use std::sync::Arc;

use crate::api::names;
use crate::facade::{getm, osyield};
use crate::g::G;
use crate::proc::{self, safe_point};
use crate::status::GStatus;

/// Number of a goroutine, from 1. Never used again in the life of the process. Go: `goid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GoId(u64);

impl GoId {
    pub(crate) fn new(goid: u64) -> Self {
        Self(goid)
    }

    /// The number, as traces and dumps show it.
    pub fn as_u64(self) -> u64 {
        self.0
    }
}

impl fmt::Display for GoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a goroutine was doing a moment ago. `Display` gives the word that dumps use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GoStatus {
    /// Waits for a processor.
    Runnable,
    /// Runs.
    Running,
    /// In a system call or another blocking call of foreign code, without a processor.
    Syscall,
    /// Waits; says what for, in Go's words ("chan receive", "sleep").
    Waiting(&'static str),
    /// Stopped by somebody who looks at it.
    Preempted,
    /// Has ended.
    Dead,
}

impl GoStatus {
    /// Of the goroutine that had number `goid` when it was `gp`.
    pub(crate) fn of(gp: &G, goid: u64) -> Self {
        loop {
            let status = gp.status.load();
            let reason = gp.waitreason();
            // Numbers only grow and are written before the status of a new life: the number is read after the status,
            // so if it is still ours, then the status was ours, too.
            if gp.goid() != goid {
                return Self::Dead;
            }
            match status.base() {
                GStatus::Idle | GStatus::Dead => return Self::Dead,
                GStatus::Runnable => return Self::Runnable,
                GStatus::Running | GStatus::Copystack => return Self::Running,
                GStatus::Syscall => return Self::Syscall,
                GStatus::Preempted => return Self::Preempted,
                // The reason belongs to this wait if nothing has changed since.
                GStatus::Waiting if gp.status.load() == status => return Self::Waiting(reason.as_str()),
                GStatus::Waiting => {}
            }
        }
    }
}

impl fmt::Display for GoStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Runnable => "runnable",
            Self::Running => "running",
            Self::Syscall => "syscall",
            Self::Waiting("") => "waiting",
            Self::Waiting(reason) => reason,
            Self::Preempted => "preempted",
            Self::Dead => "dead",
        })
    }
}

/// A goroutine's number and name: what [`current`] returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goroutine {
    id: GoId,
    name: Option<Arc<str>>,
}

impl Goroutine {
    /// Its number.
    pub fn id(&self) -> GoId {
        self.id
    }

    /// Its name, if it was given one ([`GoBuilder::name`](crate::GoBuilder::name)).
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

/// The goroutine of whoever calls; `None` on a thread that runs none.
pub(crate) fn curg() -> Option<&'static G> {
    getm().and_then(|mp| mp.curg())
}

/// The goroutine that calls.
///
/// # Panics
///
/// If the caller is not a goroutine; see [`try_current`].
pub fn current() -> Goroutine {
    try_current().expect("sigurg::current: not called on a goroutine")
}

/// The goroutine that calls; `None` on a plain thread.
pub fn try_current() -> Option<Goroutine> {
    safe_point();
    curg().map(|gp| Goroutine { id: GoId::new(gp.goid()), name: names::share(gp) })
}

/// Lets other goroutines run: the caller goes to the end of the global queue. On a plain thread:
/// [`std::thread::yield_now`]. Go: `runtime.Gosched`.
///
/// A loop that waits for another goroutine should block on a channel or a lock instead. A loop that computes needs
/// no call: it is preempted.
#[inline]
pub fn yield_now() {
    if proc::on_goroutine() {
        proc::gosched();
    } else {
        osyield();
    }
}

/// Ties the calling goroutine to the OS thread that it runs on: until as many calls of [`unlock_os_thread`] it runs on
/// no other thread, and that thread runs nothing else. Go: `runtime.LockOSThread`.
///
/// For libraries and kernel interfaces that keep state per thread (a graphics context, a name space, credentials).
/// If the goroutine ends while it is tied, its thread ends with it, and with the thread whatever was changed in it.
/// Every switch to and from such a goroutine costs a switch of threads.
///
/// On a plain thread this does nothing: it is its own thread anyway.
pub fn lock_os_thread() {
    if proc::current_goid().is_some() {
        proc::lock_os_thread();
    }
}

/// Takes one [`lock_os_thread`] back. Does nothing if there is none. Go: `runtime.UnlockOSThread`.
pub fn unlock_os_thread() {
    if proc::current_goid().is_some() {
        proc::unlock_os_thread();
    }
}

/// Runs `f`, which may block the thread: a system call, a C library, a lock of std. Other goroutines run meanwhile,
/// on another thread. Go does the same around every system call (`entersyscall`, `exitsyscall`).
///
/// A call that blocks without it does not keep others waiting for ever, either: the runtime finds out that the thread sleeps. But
/// that takes from 0.1 ms to some 10 ms each time, during which the processor stands idle.
///
/// Costs some tens of nanoseconds if `f` is short. On a plain thread it only calls `f`. For many long jobs, or to bound
/// how many block at a time, use a [`BlockingPool`](crate::pool::BlockingPool).
///
/// ```no_run
/// let text = sigurg::blocking(|| std::fs::read_to_string("/etc/hostname"))?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[inline]
pub fn blocking<T>(f: impl FnOnce() -> T) -> T {
    proc::blocking(f)
}
