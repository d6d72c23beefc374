//! What happens when a goroutine runs off its stack: a message, a backtrace, and the end of the process.
//!
//! 1. Only a touch of the guard of the goroutine that runs on the faulting thread is ours. Every other fault, also a wild
//!    pointer into another's guard, goes to the handler that was there before: std's, which reports the overflows of
//!    plain threads, or that of a debugger or another runtime.
//! 2. The message is written with nothing but `write`, before anything is tried that may fail.
//! 3. The backtrace, which needs malloc and files, is made in a lifeboat (`sys/lifeboat.rs`).
//! 4. The process dies by SIGABRT, as std's does.

use std::ffi::{c_int, c_void};
use std::fmt::{self, Write as _};
use std::io;
use std::mem;
use std::ptr;
use std::sync::OnceLock;

use super::StackClass;
use crate::api::names;
use crate::dump::{Detail, Registers, Symbols, Unwinder, interrupted, words_of};
use crate::facade::atomic::AtomicBool;
use crate::facade::atomic::Ordering::Relaxed;
use crate::facade::getm;
use crate::g::G;
use crate::sys::altstack::ThreadStack;
use crate::sys::{lifeboat, map};
use crate::throw::Stderr;

/// Seconds that the backtrace may take: large debug information is read from disk.
const BACKTRACE_SECONDS: u32 = 20;

/// Bytes of a name that are shown.
const NAME: usize = 200;

const HELP: &str = "help: ask for more with GoBuilder::stack_size where it is spawned, \
                    or for all with Builder::stack_size\n\n";

/// The handlers that were there before, set before ours is.
static BEFORE: [OnceLock<libc::sigaction>; 2] = [OnceLock::new(), OnceLock::new()];
const SIGNALS: [c_int; 2] = [libc::SIGSEGV, libc::SIGBUS];

/// Installs the handlers, once for the process.
///
/// # Errors
///
/// What `sigaction` says.
pub(crate) fn install() -> io::Result<()> {
    static ONCE: OnceLock<Result<(), i32>> = OnceLock::new();
    let install = || {
        for (signal, before) in SIGNALS.into_iter().zip(&BEFORE) {
            // SAFETY: asks for the handler, then sets one that does only what a handler may.
            unsafe {
                let mut old = mem::zeroed();
                if libc::sigaction(signal, ptr::null(), &mut old) != 0 {
                    return Err(*libc::__errno_location());
                }
                before.get_or_init(|| old);
                let mut new: libc::sigaction = mem::zeroed();
                new.sa_sigaction = handle as extern "C" fn(_, _, _) as usize;
                new.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
                if libc::sigaction(signal, &new, ptr::null_mut()) != 0 {
                    return Err(*libc::__errno_location());
                }
            }
        }
        Ok(())
    };
    (*ONCE.get_or_init(install)).map_err(io::Error::from_raw_os_error)
}

/// Gives the calling thread, an M's, what the handler needs, until dropped. `None` if there is no memory.
pub(crate) fn thread_init() -> Option<ThreadStack> {
    ThreadStack::new()
}

extern "C" fn handle(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel gives a handler with SA_SIGINFO both, valid for the call; positive codes have an address.
    let (code, address) = unsafe { ((*info).si_code, (*info).si_addr().addr()) };
    let curg = getm().and_then(|mp| mp.curg());
    if code > 0
        && let Some(gp) = curg
        && (gp.stack_lo() - map::page_size()..gp.stack_lo()).contains(&address)
    {
        // SAFETY: as above.
        let registers = interrupted(unsafe { &*context.cast::<libc::ucontext_t>() });
        die_of_overflow(gp, registers);
    }
    // SAFETY: what this handler was given.
    unsafe { pass_on(signal, info, context) };
}

/// Does what would have happened without our handler.
///
/// # Safety
///
/// The arguments are those of a handler.
unsafe fn pass_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let index = usize::from(signal == libc::SIGBUS);
    let Some(before) = BEFORE[index].get() else {
        unreachable!("it is set before the handler");
    };
    match before.sa_sigaction {
        // The kernel kills for a fault even if it is told to ignore it.
        libc::SIG_DFL | libc::SIG_IGN => {
            // SAFETY: back to the default. The instruction faults again when this returns; what another process or
            // thread sent does not come by itself.
            unsafe {
                libc::sigaction(signal, before, ptr::null_mut());
                if (*info).si_code <= 0 {
                    libc::raise(signal);
                }
            }
        }
        // SAFETY: a handler installed with this flag takes these arguments, one without it the first.
        handler if before.sa_flags & libc::SA_SIGINFO != 0 => unsafe {
            mem::transmute::<usize, extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void)>(handler)(
                signal, info, context,
            );
        },
        // SAFETY: as above.
        handler => unsafe { mem::transmute::<usize, extern "C" fn(c_int)>(handler)(signal) },
    }
}

/// Text without malloc. What does not fit is an error, and left out.
struct Text {
    bytes: [u8; 512],
    len: usize,
}

impl Text {
    fn new() -> Self {
        Self { bytes: [0; 512], len: 0 }
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes[self.len..].get_mut(..text.len()).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

/// Reports on standard error and ends the process.
fn die_of_overflow(gp: &'static G, registers: Registers) -> ! {
    static DYING: AtomicBool = AtomicBool::new(false);
    // Relaxed: only the exchange itself matters.
    if DYING.swap(true, Relaxed) {
        loop {
            // SAFETY: waits for another thread to end the process.
            unsafe { libc::pause() };
        }
    }
    // One piece, so that nothing comes between. Errors: nobody is left to hear of them, here and below.
    let mut text = Text::new();
    let _ = write!(text, "\ngoroutine {}", gp.goid());
    // SAFETY: its own name, while it lives.
    if let Some(name) = unsafe { names::get(gp) } {
        let _ = write!(text, " [{}]", &name[..name.floor_char_boundary(NAME)]);
    }
    let _ = writeln!(text, " overflowed its stack of {} bytes", StackClass::of(gp).size());
    let _ = text.write_str(HELP);
    let _ = Stderr.write_str(text.as_str());
    let traced = lifeboat::launch(BACKTRACE_SECONDS, &mut || {
        // SAFETY: the goroutine stands still, here.
        let read = unsafe { words_of(gp.stack_lo()..gp.stack_hi()) };
        let frames = Unwinder::new().walk(registers, read);
        let mut text = String::new();
        Symbols::default().describe(&mut text, &frames, Detail::All);
        let _ = Stderr.write_str(&text);
    });
    if !traced {
        let mut text = Text::new();
        let _ = writeln!(text, "no backtrace could be made; it was at {:#x}", registers.ip);
        let _ = Stderr.write_str(text.as_str());
    }
    // SAFETY: ends the process.
    unsafe { libc::abort() }
}
