//! Looking at the stacks of goroutines while the program runs.
//!
//! The counterpart of a collector's root scan: goroutines are stopped one at a time, wherever they are, for as long as it takes
//! to copy their stack; the world is never stopped. What they hold is read conservatively, word by word.
//!
//! 1. The copy is made while the goroutine stands still and allocates nothing: it may have been stopped inside malloc. The
//!    visitor is called after it goes on.
//! 2. A goroutine that was stopped by signal has live values in registers and in the red zone below its stack pointer: both are
//!    part of the copy.
//!
//! Go: `markroot`, `scanstack` (mgcmark.go).

use crate::api::GoId;
use crate::arch::peek;
use crate::facade::atomic::Ordering::Relaxed;
use crate::g::G;
use crate::proc::{current_g_with_p, resume_g, suspend_g, with_suspendable};
use crate::signal::context::{self, REGISTERS};
pub use crate::stack::shrink::{Shrunk, shrink};
use crate::status::GStatus;
use crate::sys::PageVec;

/// Bytes below the stack pointer that a leaf function may use. System V; harmless elsewhere.
pub(crate) const RED_ZONE: usize = 128;

/// The stack of one goroutine as it was at one moment.
#[derive(Debug)]
pub struct Stack<'a> {
    goroutine: GoId,
    lowest: usize,
    words: &'a [usize],
    registers: &'a [usize],
}

impl Stack<'_> {
    /// Whose it was.
    pub fn goroutine(&self) -> GoId {
        self.goroutine
    }

    /// Every word from the stack pointer, or the end of the red zone below it, to the goroutine's first frame, in the order of
    /// addresses.
    pub fn words(&self) -> &[usize] {
        self.words
    }

    /// Where the first of [`words`](Self::words) was: a pointer to the stack can be told from one to the heap.
    pub fn lowest_address(&self) -> usize {
        self.lowest
    }

    /// The general registers, if it was stopped in the middle of a computation; else empty: then they are on the stack.
    pub fn registers(&self) -> &[usize] {
        self.registers
    }
}

/// Calls `visit` with the stack of every goroutine but the caller's, one after the other, each stopped for the time of a copy
/// only. How many there were.
///
/// Goroutines that begin meanwhile may be missing. Of a goroutine in [`blocking`](crate::blocking) the part of the stack below
/// that call is in use and not seen.
///
/// A running goroutine is asked to stop and waited for: some microseconds.
///
/// # Panics
///
/// If the caller is not a goroutine, or is inside [`blocking`](crate::blocking).
///
/// ```no_run
/// let mut words = 0;
/// let goroutines = sigurg::stacks::scan(|stack| words += stack.words().len());
/// println!("{goroutines} goroutines use {} bytes of stack", 8 * words);
/// ```
pub fn scan(mut visit: impl FnMut(&Stack<'_>)) -> usize {
    let own = caller("scan");
    let mut copy = Copy::new();
    let others = own.sched().slab.all().filter(|gp| !std::ptr::eq(*gp, own));
    others.filter(|gp| copy.of(gp, |_| true, |stack| visit(stack)).is_some()).count()
}

/// Calls `visit` with the stack of one goroutine, stopped for the time of a copy, as [`scan`] does with all; what it returned, or
/// `None` if that goroutine has ended or is the caller.
///
/// # Panics
///
/// If the caller is not a goroutine, or is inside [`blocking`](crate::blocking).
///
/// ```no_run
/// let worker = sigurg::go(|| std::thread::sleep(std::time::Duration::from_secs(1)));
/// let bytes = sigurg::stacks::scan_one(worker.id(), |stack| 8 * stack.words().len());
/// println!("{bytes:?}");
/// ```
pub fn scan_one<T>(goroutine: GoId, visit: impl FnOnce(&Stack<'_>) -> T) -> Option<T> {
    let own = caller("scan_one");
    let is_it = |gp: &G| GoId::new(gp.goid()) == goroutine;
    let gp = own.sched().slab.all().find(|gp| is_it(gp) && !std::ptr::eq(*gp, own))?;
    // It may have ended, and another begun in its place.
    Copy::new().of(gp, is_it, visit)
}

/// The goroutine that calls.
fn caller(what: &str) -> &'static G {
    let gp = current_g_with_p();
    gp.unwrap_or_else(|| {
        panic!("sigurg::stacks::{what}: not called on a goroutine, or inside sigurg::blocking")
    })
}

/// Where stacks are copied to.
struct Copy {
    words: PageVec<usize>,
    registers: [usize; REGISTERS],
    live_registers: usize,
    lowest: usize,
}

impl Copy {
    fn new() -> Self {
        Self { words: PageVec::new(), registers: [0; REGISTERS], live_registers: 0, lowest: 0 }
    }

    /// Stops `gp`, copies its stack if it `is_it`, lets it go on and calls `visit`.
    fn of<T>(
        &mut self,
        gp: &'static G,
        is_it: impl FnOnce(&G) -> bool,
        visit: impl FnOnce(&Stack<'_>) -> T,
    ) -> Option<T> {
        let goid = with_suspendable(|mp| {
            let suspended = suspend_g(mp, gp)?;
            let goid = is_it(gp).then(|| gp.goid());
            if goid.is_some() {
                self.take(gp);
            }
            resume_g(mp, suspended);
            goid
        })?;
        Some(visit(&Stack {
            goroutine: GoId::new(goid),
            lowest: self.lowest,
            words: &self.words,
            registers: &self.registers[..self.live_registers],
        }))
    }

    /// Copies the stack of `gp`, which stands still. Allocates nothing through malloc.
    fn take(&mut self, gp: &G) {
        self.words.truncate(0);
        self.live_registers = 0;
        // Relaxed, all: handed over with the scan bit.
        let in_call = gp.status.load().base() == GStatus::Syscall;
        let mp = if in_call { gp.m() } else { gp.lockedm() };
        let interrupted = mp.map_or(std::ptr::null_mut(), |mp| mp.interrupted.load(Relaxed));
        let sp = if interrupted.is_null() {
            if in_call { gp.syscallsp.load(Relaxed) } else { gp.sp.load(Relaxed) }
        } else {
            // SAFETY: the handler that it points into waits until this goroutine goes on.
            self.registers = unsafe { context::registers(interrupted.cast()) };
            self.live_registers = REGISTERS;
            // SAFETY: as above.
            unsafe { context::stack_pointer(interrupted.cast()) - RED_ZONE }
        };
        self.lowest = sp & !7;
        for address in (self.lowest..gp.stack_hi()).step_by(8) {
            // SAFETY: a word of its stack, which is mapped and aligned. By one instruction, for others may write what lies there:
            // borrowed values, nodes of queues; and one that no sanitizer sees, as it keeps room between locals.
            self.words.push(unsafe { peek(address) });
        }
    }
}
