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
use crate::dump::{Detail, Registers, Symbols, Unwinder, interrupted, words_of};
use crate::facade::atomic::AtomicBool;
use crate::facade::atomic::Ordering::Relaxed;
use crate::facade::getm;
use crate::g::G;
pub(crate) use crate::sys::altstack::ThreadStack;
use crate::sys::{lifeboat, map};
use crate::throw::Stderr;

/// Seconds that the backtrace may take: large debug information is read from disk.
const BACKTRACE_SECONDS: u32 = 20;

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

/// Text without malloc. What does not fit is cut off.
struct Line {
    bytes: [u8; 512],
    len: usize,
}

impl Line {
    fn push(&mut self, bytes: &[u8]) {
        let room = &mut self.bytes[self.len..];
        let taken = bytes.len().min(room.len());
        room[..taken].copy_from_slice(&bytes[..taken]);
        self.len += taken;
    }

    /// Writes it on standard error, in one piece.
    fn print(&self) {
        // What is not text, of a name that was cut off, is the rest of its last character.
        let text = match std::str::from_utf8(&self.bytes[..self.len]) {
            Ok(text) => text,
            Err(_) => "a goroutine overflowed its stack\n",
        };
        // Nobody is left to hear of an error.
        let _ = Stderr.write_str(text);
    }
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text.as_bytes());
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
    let mut line = Line { bytes: [0; 512], len: 0 };
    // Formatting numbers neither allocates nor fails.
    let _ = write!(line, "\ngoroutine {}", gp.goid());
    let name = gp.name.load(Relaxed);
    if !name.is_null() {
        let len = gp.name_len.load(Relaxed) as usize;
        line.push(b" [");
        // SAFETY: the goroutine lives, so its name does.
        line.push(unsafe { std::slice::from_raw_parts(name, len.min(256)) });
        line.push(b"]");
    }
    let _ = writeln!(line, " overflowed its stack of {} bytes", StackClass::of(gp).size());
    line.push(
        b"help: ask for a larger stack where it is spawned, or for all in the builder of the runtime\n\n",
    );
    line.print();
    let traced = lifeboat::launch(BACKTRACE_SECONDS, &mut || {
        // SAFETY: the goroutine stands still, here.
        let read = unsafe { words_of(gp.stack_lo()..gp.stack_hi()) };
        let frames = Unwinder::new().walk(registers, read);
        let mut text = String::new();
        Symbols::default().describe(&mut text, &frames, Detail::All);
        // Nobody is left to hear of an error.
        let _ = Stderr.write_str(&text);
    });
    if !traced {
        line.len = 0;
        let _ = writeln!(line, "no backtrace could be made; it was at {:#x}", registers.ip);
        line.print();
    }
    // SAFETY: ends the process.
    unsafe { libc::abort() }
}

#[cfg(all(test, not(miri)))]
mod tests {
    //! Each test runs itself again in a child process, which dies.

    use std::arch::asm;
    use std::hint::black_box;
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, Output};

    use super::*;
    use crate::facade::setm;
    use crate::m::M;
    use crate::sched::Sched;
    use crate::stack::Slab;

    const CHILD: &str = "SIGURG_TEST_CHILD";

    /// Runs the test `name` of this module in a child process, and returns what came of it; in that child, `None`.
    fn child(name: &str) -> Option<(Output, String)> {
        if std::env::var_os(CHILD).is_some() {
            return None;
        }
        let mut child = Command::new(std::env::current_exe().expect("the path of the test program"));
        child.args(["--exact", &format!("stack::fault::tests::{name}"), "--nocapture"]).env(CHILD, "1");
        let output = child.output().expect("a child process");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Some((output, stderr))
    }

    /// Runs `f` on the stack of a goroutine with id 17, as its M would, in a process that is to die.
    fn on_goroutine(f: extern "C" fn()) {
        static SCHED: Sched = Sched {};
        install().expect("handlers");
        let _stack = ThreadStack::new().expect("a signal stack");
        // SAFETY: it is never dropped.
        let slab = Box::leak(Box::new(unsafe { Slab::new(64 << 10) }.expect("address space")));
        let gp = slab.alloc(&SCHED, slab.default_class()).expect("a stack");
        gp.goid.store(17, Relaxed);
        gp.name.store(b"deep".as_ptr().cast_mut(), Relaxed);
        gp.name_len.store(4, Relaxed);
        let mp = Box::leak(Box::new(M::new(0, &SCHED, 1, false)));
        mp.set_curg(Some(gp));
        setm(Some(mp));
        // SAFETY: the stack is empty and nobody else's; r12 is kept by `f`, and with it the stack pointer.
        unsafe {
            asm!(
                "xchg rsp, r12",
                "call {f}",
                "mov rsp, r12",
                f = in(reg) f,
                inout("r12") gp.stack_hi() & !15 => _,
                clobber_abi("C"),
            );
        }
        setm(None);
    }

    #[inline(never)]
    fn recurse(n: u64) -> u64 {
        if black_box(n) == u64::MAX { 0 } else { recurse(n + 1) + black_box(1) }
    }

    /// Frames of several pages, which are touched by the compiler's probes.
    #[inline(never)]
    fn recurse_with_large_frames(n: u64) -> u64 {
        let frame = black_box([n; 5000]);
        if n == u64::MAX { 0 } else { recurse_with_large_frames(n + 1) + frame[7] }
    }

    extern "C" fn overflow() {
        black_box(recurse(0));
    }

    extern "C" fn overflow_with_large_frames() {
        black_box(recurse_with_large_frames(0));
    }

    extern "C" fn touch_nothing_of_ours() {
        // SAFETY: none: it is to fault.
        unsafe { ptr::without_provenance_mut::<u8>(black_box(8)).write_volatile(1) };
    }

    #[test]
    fn an_overflow_names_the_goroutine_and_its_frames_and_aborts() {
        let name = "an_overflow_names_the_goroutine_and_its_frames_and_aborts";
        let Some((output, stderr)) = child(name) else {
            return on_goroutine(overflow);
        };
        assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{stderr}");
        assert!(stderr.contains("\ngoroutine 17 [deep] overflowed its stack of 65536 bytes\n"), "{stderr}");
        assert!(stderr.contains("tests::recurse()\n\t"), "{stderr}");
        assert!(stderr.contains("fault.rs:"), "{stderr}");
        assert!(stderr.contains("frames elided"), "{stderr}");
        assert!(stderr.contains("tests::overflow()"), "the outermost frame is there: {stderr}");
    }

    #[test]
    fn an_overflow_by_a_large_frame_is_met_by_the_guard_too() {
        let name = "an_overflow_by_a_large_frame_is_met_by_the_guard_too";
        let Some((output, stderr)) = child(name) else {
            return on_goroutine(overflow_with_large_frames);
        };
        assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{stderr}");
        assert!(stderr.contains("goroutine 17 [deep] overflowed"), "{stderr}");
        assert!(stderr.contains("recurse_with_large_frames()\n\t"), "{stderr}");
    }

    #[test]
    fn another_fault_of_a_goroutine_is_not_called_an_overflow() {
        let Some((output, stderr)) = child("another_fault_of_a_goroutine_is_not_called_an_overflow") else {
            return on_goroutine(touch_nothing_of_ours);
        };
        assert_eq!(output.status.signal(), Some(libc::SIGSEGV), "{stderr}");
        assert!(!stderr.contains("overflowed"), "{stderr}");
    }

    #[test]
    fn the_overflow_of_a_plain_thread_is_still_reported_by_std() {
        let Some((output, stderr)) = child("the_overflow_of_a_plain_thread_is_still_reported_by_std") else {
            install().expect("handlers");
            let _stack = ThreadStack::new().expect("a signal stack");
            overflow();
            return;
        };
        assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{stderr}");
        assert!(stderr.contains("has overflowed its stack"), "{stderr}");
        assert!(!stderr.contains("goroutine"), "{stderr}");
    }

    #[test]
    fn a_fault_signal_from_outside_still_kills() {
        let Some((output, stderr)) = child("a_fault_signal_from_outside_still_kills") else {
            install().expect("handlers");
            // Std's own handler forgets such a signal once; the one before it must not.
            for _ in 0..2 {
                // SAFETY: kills this process.
                unsafe { libc::kill(libc::getpid(), libc::SIGBUS) };
            }
            return;
        };
        assert_eq!(output.status.signal(), Some(libc::SIGBUS), "{stderr}");
    }
}
