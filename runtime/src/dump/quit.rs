//! SIGQUIT: a dump of everything on standard error, then exit status 2, as Go does.
//!
//! The handler only wakes a thread, by one write to an eventfd: it may have interrupted malloc. The thread is made when
//! the first runtime starts, and waits for ever. A program that handles or ignores SIGQUIT itself keeps its own way.

use std::ffi::c_int;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

use crate::facade::global;
use crate::sched::Sched;

/// What the handler wakes the thread by.
static WAKE: OnceLock<OwnedFd> = OnceLock::new();

global! {
    /// The runtimes that run. Locked for moments, by plain threads and goroutines, never by the scheduler.
    static RUNNING: Mutex<Vec<&'static Sched>> = Mutex::new(Vec::new());
}

/// The runtimes that run now.
pub(crate) fn running() -> Vec<&'static Sched> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// A runtime that takes part in dumps, until dropped.
#[must_use]
pub(crate) struct Watch(&'static Sched);

impl Watch {
    /// Has dumps, by call and by signal, tell of `sched`.
    pub(crate) fn new(sched: &'static Sched) -> Self {
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner).push(sched);
        Self(sched)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|sched| !ptr::eq(*sched, self.0));
    }
}

/// Threads of this process that belong to dumps: 0 or 1.
pub(crate) fn threads() -> i32 {
    i32::from(WAKE.get().is_some())
}

extern "C" fn handle(_: c_int) {
    if let Some(wake) = WAKE.get() {
        let one = 1u64;
        // SAFETY: errno is the interrupted thread's own; the write is of eight bytes that are there.
        unsafe {
            let errno = libc::__errno_location();
            let saved = *errno;
            libc::write(wake.as_raw_fd(), (&raw const one).cast(), 8);
            *errno = saved;
        }
    }
}

/// Installs the handler, once for the process, and makes the thread. On a plain thread.
///
/// # Errors
///
/// What the kernel says when the thread, its descriptor or the handler is made.
pub(crate) fn install() -> io::Result<()> {
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _one = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: asks for the handler only.
    let before = unsafe {
        let mut before: libc::sigaction = mem::zeroed();
        libc::sigaction(libc::SIGQUIT, ptr::null(), &mut before);
        before.sa_sigaction
    };
    if WAKE.get().is_some() || before != libc::SIG_DFL {
        return Ok(());
    }
    // SAFETY: makes a descriptor that is nobody else's.
    let wake = unsafe {
        let fd = libc::eventfd(0, libc::EFD_CLOEXEC);
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        OwnedFd::from_raw_fd(fd)
    };
    let woken = File::from(wake.try_clone()?);
    thread::Builder::new().name("sigurg-quit".into()).spawn(move || serve(woken))?;
    WAKE.get_or_init(|| wake);
    // SAFETY: the handler does only what a handler may.
    unsafe {
        let mut new: libc::sigaction = mem::zeroed();
        new.sa_sigaction = handle as extern "C" fn(_) as usize;
        new.sa_flags = libc::SA_RESTART | libc::SA_ONSTACK;
        if libc::sigaction(libc::SIGQUIT, &new, ptr::null_mut()) != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// The thread.
fn serve(mut woken: File) {
    let mut count = [0; 8];
    while woken.read_exact(&mut count).is_err() {}
    let mut out = io::stderr().lock();
    // Nobody is left to hear of an error.
    let _ = writeln!(out, "SIGQUIT: quit\n");
    for sched in running() {
        let _ = super::write(sched, &mut out);
    }
    // SAFETY: ends the process, without handlers of `atexit`: goroutines still run.
    unsafe { libc::_exit(2) }
}
