//! What the kernel saved of the interrupted code.

use std::ffi::c_void;

use crate::safepoint::Place;

/// How many general registers there are.
#[cfg(target_arch = "x86_64")]
pub(crate) const REGISTERS: usize = 16;
/// How many general registers there are.
#[cfg(target_arch = "aarch64")]
pub(crate) const REGISTERS: usize = 31;

/// The stack pointer of the interrupted code.
///
/// # Safety
///
/// `ucontext` is what a handler with SA_SIGINFO was given, and that handler has not returned.
#[inline]
pub(crate) unsafe fn stack_pointer(ucontext: *const c_void) -> usize {
    // SAFETY: by the contract.
    let context = unsafe { &(*ucontext.cast::<libc::ucontext_t>()).uc_mcontext };
    #[cfg(target_arch = "x86_64")]
    return context.gregs[libc::REG_RSP as usize] as usize;
    #[cfg(target_arch = "aarch64")]
    return context.sp as usize;
}

/// Where the code was interrupted.
///
/// # Safety
///
/// As [`stack_pointer`].
pub(crate) unsafe fn place(ucontext: *const c_void) -> Place {
    // SAFETY: by the contract.
    let context = unsafe { &(*ucontext.cast::<libc::ucontext_t>()).uc_mcontext };
    // SAFETY: by the contract.
    let sp = unsafe { stack_pointer(ucontext) };
    #[cfg(target_arch = "x86_64")]
    let (pc, bp) = (context.gregs[libc::REG_RIP as usize], context.gregs[libc::REG_RBP as usize]);
    #[cfg(target_arch = "aarch64")]
    let (pc, bp) = (context.pc, context.regs[29]);
    Place { pc: pc as usize, sp, bp: bp as usize }
}

/// The general registers of the interrupted code.
///
/// # Safety
///
/// As [`stack_pointer`].
pub(crate) unsafe fn registers(ucontext: *const c_void) -> [usize; REGISTERS] {
    // SAFETY: by the contract.
    let context = unsafe { &(*ucontext.cast::<libc::ucontext_t>()).uc_mcontext };
    // Linux puts the sixteen first, from r8 to rsp.
    #[cfg(target_arch = "x86_64")]
    return std::array::from_fn(|i| context.gregs[i] as usize);
    #[cfg(target_arch = "aarch64")]
    return std::array::from_fn(|i| context.regs[i] as usize);
}
