//! SIGURG: the request to stop, sent to one thread.
//!
//! 1. The handler may interrupt any instruction of its thread. It allocates nothing, prints nothing, and takes no lock that the
//!    interrupted code can hold: it declines where that code is the scheduler's (`preempt.rs`), and then the runtime's
//!    own locks are free of this thread.
//! 2. Every signal is acknowledged before anything else can be waited for, also when it is declined: whoever asked
//!    may be waiting for that.
//! 3. `pending` and the count of acknowledgements are one word, changed by one exchange: an acknowledgement cannot
//!    overtake its own mark.
//! 4. `errno` is as before when the handler returns.
//!
//! SIGURG because its default is to be ignored, debuggers pass it on, and programs rarely use it; a handler that was there
//! before is called after ours.
//!
//! Go: `doSigPreempt`, `preemptM`, `signalM` (signal_unix.go), section 6 of the state rules.

pub(crate) mod context;

use std::ffi::{c_int, c_void};
use std::io;
use std::mem;
use std::ptr;
use std::sync::OnceLock;

use crate::facade::atomic::AtomicU64;
use crate::facade::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::facade::{block_sigurg, getm, send_sigurg};
use crate::m::M;
use crate::proc::do_sig_preempt;

/// "A signal is on its way" in the lowest bit; then, in 31 bits, the number of acknowledgements (Go: `preemptGen`); in the upper half
/// the number of changes, which is the version of the word.
pub(crate) struct SignalWord(AtomicU64);

const PENDING: u64 = 1;
const ACKNOWLEDGED: u64 = 2;
const LOW: u64 = 0xffff_ffff;
const CHANGE: u64 = 1 << 32;

impl SignalWord {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Marks a signal as pending: the version, and whether it was not before.
    pub(crate) fn mark(&self) -> (u64, bool) {
        // Relaxed: only a guess for the exchange.
        let mut seen = self.0.load(Relaxed);
        loop {
            if seen & PENDING != 0 {
                return (seen / CHANGE, false);
            }
            let marked = (seen | PENDING).wrapping_add(CHANGE);
            // Release: what was asked before is seen by the handler, which looks at `version`.
            match self.0.compare_exchange_weak(seen, marked, Release, Relaxed) {
                Ok(_) => return (marked / CHANGE, true),
                Err(found) => seen = found,
            }
        }
    }

    /// Takes a mark back that no signal follows: as if it had not been set. `version` is what [`SignalWord::mark`] returned.
    /// `false` if it was answered meanwhile, by the last acknowledgement of a thread or by that of somebody else's signal.
    pub(crate) fn unmark(&self, version: u64) -> bool {
        // Relaxed as in `mark`.
        let seen = self.0.load(Relaxed);
        let before = (seen & !PENDING).wrapping_sub(CHANGE);
        seen / CHANGE == version & LOW && self.0.compare_exchange(seen, before, Relaxed, Relaxed).is_ok()
    }

    /// As new: the thread has ended and acknowledged what was sent to it, and another is about to begin. A mark that comes
    /// from a straggler is taken away with it, as its signal reaches nobody.
    pub(crate) fn renew(&self) {
        // Relaxed: published by the start of the thread.
        self.0.store(0, Relaxed);
    }

    /// Whether a signal is on its way.
    pub(crate) fn is_pending(&self) -> bool {
        // Acquire pairs with `mark`.
        self.0.load(Acquire) & PENDING != 0
    }

    /// Acknowledges: the version and the number of acknowledgements after it, and whether one was pending. A signal that
    /// somebody else sent counts too, as in Go.
    pub(crate) fn acknowledge(&self) -> (u64, u64, bool) {
        // Relaxed as in `mark`. Release hands over what the handler decided: pairs with the Acquire of `generation`.
        let mut seen = self.0.load(Relaxed);
        loop {
            let low = (seen & !PENDING).wrapping_add(ACKNOWLEDGED) & LOW;
            let acknowledged = (seen & !LOW).wrapping_add(CHANGE) | low;
            match self.0.compare_exchange_weak(seen, acknowledged, Release, Relaxed) {
                Ok(_) => return (acknowledged / CHANGE, low / ACKNOWLEDGED, seen & PENDING != 0),
                Err(found) => seen = found,
            }
        }
    }

    /// The number of changes so far.
    pub(crate) fn version(&self) -> u64 {
        // Acquire pairs with `mark`: a handler that sees a mark sees what was asked before it.
        self.0.load(Acquire) / CHANGE
    }

    /// The number of acknowledgements so far.
    pub(crate) fn generation(&self) -> u64 {
        // Acquire pairs with `acknowledge`: who sees it sees what the handler decided.
        (self.0.load(Acquire) & LOW) / ACKNOWLEDGED
    }
}

/// Sends SIGURG to the thread of `mp` unless one is on its way: which M that was, the version of its signal word, and whether it
/// was sent. Go: `preemptM`.
pub(crate) fn preempt_m(mp: &M) -> (i32, u64, bool) {
    // Meanwhile it stays the M that it is.
    let _life = mp.life.lock();
    let (version, first) = mp.signal.mark();
    if first {
        // Relaxed: 0 until the thread runs, and then nothing there can be stopped.
        let tid = mp.procid.load(Relaxed);
        // The thread may not have started, or be gone: then nobody else will take the mark away, unless its last
        // acknowledgement just did, which was the answer.
        if !send_sigurg(tid) && mp.signal.unmark(version) {
            return (mp.id(), version - 1, false);
        }
    }
    (mp.id(), version, first)
}

/// The calling thread takes no more signals: it is about to end. Go: `sigblock`.
pub(crate) fn block() {
    block_sigurg();
}

/// The handler that was there before.
static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();

/// Installs the handler, once for the process.
///
/// # Errors
///
/// What `sigaction` says.
pub(crate) fn install() -> io::Result<()> {
    static ONCE: OnceLock<Result<(), i32>> = OnceLock::new();
    let install = || {
        // SAFETY: asks for the handler there is, then sets one that does only what a handler may. Everything is masked
        // meanwhile but what a fault raises.
        unsafe {
            let mut old = mem::zeroed();
            if libc::sigaction(libc::SIGURG, ptr::null(), &mut old) != 0 {
                return Err(*libc::__errno_location());
            }
            BEFORE.get_or_init(|| old);
            let mut new: libc::sigaction = mem::zeroed();
            new.sa_sigaction = handle as extern "C" fn(_, _, _) as usize;
            new.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
            libc::sigfillset(&mut new.sa_mask);
            for fault in
                [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP, libc::SIGABRT]
            {
                libc::sigdelset(&mut new.sa_mask, fault);
            }
            if libc::sigaction(libc::SIGURG, &new, ptr::null_mut()) != 0 {
                return Err(*libc::__errno_location());
            }
        }
        Ok(())
    };
    (*ONCE.get_or_init(install)).map_err(io::Error::from_raw_os_error)
}

extern "C" fn handle(signal: c_int, info: *mut libc::siginfo_t, ucontext: *mut c_void) {
    // SAFETY: this thread's own; the kernel gives a context that is valid for the call.
    let (errno, sp) = unsafe { (*libc::__errno_location(), context::stack_pointer(ucontext)) };
    if let Some(mp) = getm() {
        do_sig_preempt(mp, sp, ucontext);
    }
    if let Some(before) = BEFORE.get()
        && !matches!(before.sa_sigaction, libc::SIG_DFL | libc::SIG_IGN)
    {
        // SAFETY: a handler installed with this flag takes these arguments, one without it the first.
        unsafe {
            mem::transmute::<usize, extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void)>(
                before.sa_sigaction,
            )(signal, info, ucontext);
        }
    }
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}
