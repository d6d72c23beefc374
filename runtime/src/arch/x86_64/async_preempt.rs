//! A call that nobody made: what the signal handler has the interrupted code do next.
//!
//! The handler leaves on the stack of the interrupted code, whose stack pointer is S:
//!
//! ```text
//! S - 128  the red zone begins: not touched
//!   - 136  where to go on
//!   - 144  the kinds of extended state to save, in bits
//!   - 152  bytes that they need; odd: there is no XSAVEC
//!   - 160  what to call, and where `async_preempt` begins
//!   - 168  flags
//!   - 176  rbp, then the others down to r15 at S - 288
//! ```
//!
//! 1. Everything that code can see is saved: general registers, flags (the direction too), x87, SSE, AVX, AVX-512, MPX; not the
//!    protection keys, which are a right of the thread, nor tiles, with which nothing is injected.
//! 2. XSAVE and XSAVEC do not write all of their header: it is zeroed first, or XRSTOR faults.
//! 3. What is called finds the modes and the x87 stack that a C function may expect; so does whoever runs next on this thread.
//! 4. Unwinders cross the frame as that of a signal.
//!
//! Go: `asyncPreempt` (preempt_amd64.s).

use core::arch::{asm, naked_asm, x86_64};
use std::ffi::c_void;

use crate::safepoint::Unavailable;

/// x87, SSE, AVX, both of MPX, the three of AVX-512.
const SAVED: u64 = 0xff;
/// Without these there is nothing to build on: x87 and SSE.
const LEAST: u64 = 0b11;
const PROTECTION_KEYS: u64 = 1 << 9;
const TILES: u64 = 0b11 << 17;
/// Of an XSAVE area without any but the first two kinds.
const LEAST_BYTES: u64 = 576;

/// Bytes that the handler leaves, from S on.
const LEFT: usize = 160;
/// Bytes from S to where the stack pointer is for `ret`.
const RETURN: usize = 136;
/// Bytes for the registers, alignment, and the frames of what is called.
const CALL: usize = 128 + 64 + 4096;

/// How to save the extended state of this machine's processors.
pub(crate) struct ExtendedState {
    mask: u64,
    /// A multiple of 64, and one more where there is no XSAVEC.
    bytes: u64,
}

impl ExtendedState {
    /// Asks the processor and the kernel.
    pub(crate) fn of_this_machine() -> Result<Self, Unavailable> {
        const OSXSAVE: u32 = 1 << 27;
        const XSAVEC: u32 = 1 << 1;
        if x86_64::__cpuid(0).eax < 0xd || x86_64::__cpuid(1).ecx & OSXSAVE == 0 {
            return Err(Unavailable::ExtendedState(0));
        }
        let enabled = xcr0();
        let unknown = enabled & !(SAVED | PROTECTION_KEYS | TILES);
        if unknown != 0 || enabled & LEAST != LEAST {
            return Err(Unavailable::ExtendedState(unknown));
        }
        if has_shadow_stack() {
            return Err(Unavailable::ShadowStack);
        }
        let mask = enabled & SAVED;
        // Either format: standard, each kind at its place; compact, one after the other.
        let (mut standard, mut compact) = (LEAST_BYTES, LEAST_BYTES);
        for kind in (2..64).filter(|kind| mask & 1 << kind != 0) {
            let about = x86_64::__cpuid_count(0xd, kind);
            let (size, offset) = (u64::from(about.eax), u64::from(about.ebx));
            standard = standard.max(offset + size);
            compact = compact.next_multiple_of(64) + size;
        }
        let bytes = standard.max(compact).next_multiple_of(64);
        let plain = x86_64::__cpuid_count(0xd, 1).eax & XSAVEC == 0;
        Ok(Self { mask, bytes: bytes + u64::from(plain) })
    }

    /// Bytes below the stack pointer that an injected call needs.
    pub(crate) fn room(&self) -> usize {
        LEFT + CALL + self.bytes as usize
    }

    /// Whether all of what the interrupted code left in the processor is of a kind that is saved.
    ///
    /// # Safety
    ///
    /// `context` is what a handler with SA_SIGINFO was given, and that handler has not returned.
    pub(crate) unsafe fn saves_all(&self, context: *const c_void) -> bool {
        /// `FP_XSTATE_MAGIC1`, and where the kernel leaves it: an XSAVE area follows.
        const MAGIC: u32 = 0x4650_5853;
        const AT: usize = 464;
        /// Where the area says which kinds are in use.
        const IN_USE: usize = 512;
        // SAFETY: by the contract.
        let fpregs = unsafe { (*context.cast::<libc::ucontext_t>()).uc_mcontext.fpregs };
        if fpregs.is_null() {
            return false;
        }
        // SAFETY: the kernel's save area, of 512 bytes at least; with the magic number, of an XSAVE area at least.
        unsafe {
            let area = fpregs.cast::<u8>();
            area.add(AT).cast::<u32>().read() == MAGIC
                && area.add(IN_USE).cast::<u64>().read() & !(self.mask | PROTECTION_KEYS) == 0
        }
    }
}

fn xcr0() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: the caller has asked for OSXSAVE.
    unsafe { asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") high, options(nomem, nostack)) };
    u64::from(high) << 32 | u64::from(low)
}

/// Whether the kernel has given this process shadow stacks (CET).
fn has_shadow_stack() -> bool {
    const ARCH_SHSTK_STATUS: libc::c_int = 0x5005;
    let mut features = 0u64;
    // SAFETY: writes one word; kernels that do not know it refuse.
    let known = unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_SHSTK_STATUS, &raw mut features) } == 0;
    known && features != 0
}

/// Has the interrupted code call `f` when the handler returns, and go on after that as if nothing had been.
///
/// # Safety
///
/// `context` is what a handler with SA_SIGINFO was given, and that handler has not returned. [`ExtendedState::room`] bytes below the
/// interrupted code's stack pointer are mapped, and nobody else's. `f` does not unwind. Whatever of the interrupted code may be live while
/// `f` runs, it does not mind.
pub(crate) unsafe fn inject(context: *mut c_void, state: &ExtendedState, f: extern "C" fn()) {
    // SAFETY: by the contract.
    let registers = unsafe { &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
    let sp = registers[libc::REG_RSP as usize] as usize;
    let words =
        [f as usize, state.bytes as usize, state.mask as usize, registers[libc::REG_RIP as usize] as usize];
    const { assert!(LEFT - size_of::<[usize; 4]>() == 128 && RETURN == 128 + 8) };
    // SAFETY: below the red zone; by the contract. The stack pointer may be odd there.
    unsafe {
        std::ptr::with_exposed_provenance_mut::<[usize; 4]>(sp - LEFT).write_unaligned(words);
    }
    registers[libc::REG_RSP as usize] = (sp - LEFT) as i64;
    registers[libc::REG_RIP as usize] = async_preempt as *const () as i64;
}

/// See the module.
#[unsafe(naked)]
unsafe extern "C" fn async_preempt() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_signal_frame",
        ".cfi_def_cfa rsp, 160",
        ".cfi_offset rip, -136",
        "pushfq",
        ".cfi_adjust_cfa_offset 8",
        "cld",
        "push rbp",
        ".cfi_adjust_cfa_offset 8",
        ".cfi_offset rbp, -176",
        "push rax",
        "push rcx",
        "push rdx",
        "push rbx",
        "push rsi",
        "push rdi",
        "push r8",
        "push r9",
        "push r10",
        "push r11",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        ".cfi_adjust_cfa_offset 112",
        ".cfi_offset rax, -184",
        ".cfi_offset rcx, -192",
        ".cfi_offset rdx, -200",
        ".cfi_offset rbx, -208",
        ".cfi_offset rsi, -216",
        ".cfi_offset rdi, -224",
        ".cfi_offset r8, -232",
        ".cfi_offset r9, -240",
        ".cfi_offset r10, -248",
        ".cfi_offset r11, -256",
        ".cfi_offset r12, -264",
        ".cfi_offset r13, -272",
        ".cfi_offset r14, -280",
        ".cfi_offset r15, -288",
        "mov rbp, rsp",
        ".cfi_def_cfa_register rbp",
        "sub rsp, [rbp + 136]",
        "and rsp, -64",
        "xor eax, eax",
        "mov [rsp + 512], rax",
        "mov [rsp + 520], rax",
        "mov [rsp + 528], rax",
        "mov [rsp + 536], rax",
        "mov [rsp + 544], rax",
        "mov [rsp + 552], rax",
        "mov [rsp + 560], rax",
        "mov [rsp + 568], rax",
        "mov eax, [rbp + 144]",
        "mov edx, [rbp + 148]",
        "test byte ptr [rbp + 136], 1",
        "jnz 2f",
        "xsavec64 [rsp]",
        "jmp 3f",
        "2: xsave64 [rsp]",
        "3: fninit",
        // Twice, so that the stack pointer is a multiple of 16.
        "push 0x1f80",
        "push 0x1f80",
        "ldmxcsr [rsp]",
        "test al, 4",
        "jz 4f",
        "vzeroupper",
        "4: call [rbp + 128]",
        "mov eax, [rbp + 144]",
        "mov edx, [rbp + 148]",
        "xrstor64 [rsp + 16]",
        "mov rsp, rbp",
        ".cfi_def_cfa rsp, 288",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop r11",
        "pop r10",
        "pop r9",
        "pop r8",
        "pop rdi",
        "pop rsi",
        "pop rbx",
        "pop rdx",
        "pop rcx",
        "pop rax",
        "pop rbp",
        ".cfi_def_cfa rsp, 168",
        ".cfi_restore rbp",
        ".cfi_restore rax",
        ".cfi_restore rcx",
        ".cfi_restore rdx",
        ".cfi_restore rbx",
        ".cfi_restore rsi",
        ".cfi_restore rdi",
        ".cfi_restore r8",
        ".cfi_restore r9",
        ".cfi_restore r10",
        ".cfi_restore r11",
        ".cfi_restore r12",
        ".cfi_restore r13",
        ".cfi_restore r14",
        ".cfi_restore r15",
        "popfq",
        ".cfi_adjust_cfa_offset -8",
        // Changes no flag.
        "lea rsp, [rsp + 24]",
        ".cfi_adjust_cfa_offset -24",
        "ret 128",
        ".cfi_endproc",
    )
}

/// Reads a word of any alignment, one that a sanitizer may have marked as nobody's.
///
/// # Safety
///
/// The word at `address` is mapped.
#[inline]
pub(crate) unsafe fn peek(address: usize) -> usize {
    let word;
    // SAFETY: by the contract.
    unsafe {
        asm!("mov {}, [{}]", out(reg) word, in(reg) address, options(nostack, readonly, preserves_flags))
    };
    word
}

#[cfg(test)]
mod tests {
    use std::ffi::c_int;
    use std::hint::black_box;
    use std::mem;
    use std::ptr;
    use std::sync::OnceLock;
    use std::sync::atomic::AtomicU64;
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;

    static STATE: OnceLock<ExtendedState> = OnceLock::new();
    static INJECTED: AtomicU64 = AtomicU64::new(0);
    static SEEN: AtomicU64 = AtomicU64::new(0);

    /// Counts rdi down, with all of the red zone in use: 1 if that is as it was.
    #[unsafe(naked)]
    extern "C" fn spin(turns: u64) -> u64 {
        naked_asm!(
            ".cfi_startproc",
            "mov [rsp - 8], rdi",
            "mov [rsp - 128], rdi",
            "mov rax, rdi",
            "2: dec rdi",
            "jnz 2b",
            "sub rax, [rsp - 8]",
            "add rax, [rsp - 128]",
            "ret",
            ".cfi_endproc",
        )
    }
    const SPIN_BYTES: usize = 40;

    /// What is injected: uses registers, and looks whether unwinders see who was interrupted, and its caller.
    extern "C" fn called() {
        INJECTED.fetch_add(1, Relaxed);
        black_box((0..10).map(|i| f64::from(i).sqrt()).sum::<f64>());
        let (mut spin_seen, mut caller_seen) = (false, false);
        backtrace::trace(|frame| {
            let at = frame.symbol_address().addr();
            spin_seen |= at == (spin as *const ()).addr();
            caller_seen |= spin_seen && at == (spins as *const ()).addr();
            !caller_seen
        });
        SEEN.fetch_add(u64::from(caller_seen), Relaxed);
    }

    #[inline(never)]
    fn spins(turns: u64) {
        for _ in 0..20 {
            assert_eq!(spin(turns), turns);
        }
        black_box(());
    }

    extern "C" fn handle(_: c_int, _: *mut libc::siginfo_t, context: *mut c_void) {
        // SAFETY: the handler's context; a call into `spin` harms nobody, on a thread's own large stack.
        unsafe {
            let pc = crate::signal::context::place(context).pc;
            let state = STATE.get().expect("set before the first signal");
            assert!(state.saves_all(context));
            if pc.wrapping_sub((spin as *const ()).addr()) < SPIN_BYTES {
                inject(context, state, called);
            }
        }
    }

    #[test]
    fn unwinders_cross_an_injected_call_and_nothing_is_lost() {
        STATE.get_or_init(|| ExtendedState::of_this_machine().expect("a processor with XSAVE"));
        // SAFETY: a handler of a signal that nothing else in this process uses; sent to this thread.
        let me = unsafe {
            let mut action: libc::sigaction = mem::zeroed();
            action.sa_sigaction = handle as extern "C" fn(_, _, _) as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            assert_eq!(libc::sigaction(libc::SIGUSR1, &action, ptr::null_mut()), 0);
            libc::pthread_self()
        };
        let end = AtomicU64::new(0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while end.load(Relaxed) == 0 {
                    // SAFETY: a thread that waits for this one.
                    unsafe { libc::pthread_kill(me, libc::SIGUSR1) };
                    std::thread::yield_now();
                }
            });
            while INJECTED.load(Relaxed) < 100 {
                spins(50_000);
            }
            end.store(1, Relaxed);
        });
        assert_eq!(SEEN.load(Relaxed), INJECTED.load(Relaxed));
    }
}
