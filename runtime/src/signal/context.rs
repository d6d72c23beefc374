//! What the kernel saved of the interrupted code.

use std::ffi::c_void;

/// The stack pointer of the interrupted code.
///
/// # Safety
///
/// `ucontext` is what a handler with SA_SIGINFO was given.
#[inline]
pub(super) unsafe fn stack_pointer(ucontext: *mut c_void) -> usize {
    // SAFETY: by the contract.
    let context = unsafe { &(*ucontext.cast::<libc::ucontext_t>()).uc_mcontext };
    #[cfg(target_arch = "x86_64")]
    return context.gregs[libc::REG_RSP as usize] as usize;
    #[cfg(target_arch = "aarch64")]
    return context.sp as usize;
}
