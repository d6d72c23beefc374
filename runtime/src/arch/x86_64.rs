//! x86_64, System V.
//!
//! A saved stack, from its stack pointer upwards; the dump reads it too:
//!
//! ```text
//! sp + 0   r15
//!    + 8   r14
//!    + 16  r13
//!    + 24  r12
//!    + 32  rbx
//!    + 40  rbp
//!    + 48  where to go on
//!    + 56  the stack of whoever called the switch
//! ```
//!
//! A switch leaves by an indirect jump, not by `ret`: the return predictor holds the calls of the other stack.
//! `sp` is 8 modulo 16, as after a call.

use core::arch::global_asm;

/// Bytes from a saved stack pointer to the word that says where to go on.
pub(crate) const RESUME: usize = 48;

global_asm!(
    // Every stack of a goroutine ends here: unwinders stop at an undefined return address.
    ".p2align 4",
    ".globl sigurg_gostart",
    ".hidden sigurg_gostart",
    ".type sigurg_gostart, @function",
    "sigurg_gostart:",
    ".cfi_startproc",
    ".cfi_undefined rip",
    "xor ebp, ebp",
    // `init_stack` left the entry in rbx, and the stack pointer is a multiple of 16.
    "call rbx",
    "ud2",
    ".cfi_endproc",
    ".size sigurg_gostart, . - sigurg_gostart",
    ".macro sigurg_save",
    "push rbp",
    ".cfi_adjust_cfa_offset 8",
    "push rbx",
    ".cfi_adjust_cfa_offset 8",
    "push r12",
    ".cfi_adjust_cfa_offset 8",
    "push r13",
    ".cfi_adjust_cfa_offset 8",
    "push r14",
    ".cfi_adjust_cfa_offset 8",
    "push r15",
    ".cfi_adjust_cfa_offset 8",
    ".cfi_rel_offset rbp, 40",
    ".cfi_rel_offset rbx, 32",
    ".cfi_rel_offset r12, 24",
    ".cfi_rel_offset r13, 16",
    ".cfi_rel_offset r14, 8",
    ".cfi_rel_offset r15, 0",
    ".endm",
    // sigurg_mcall(save_sp: rdi, g0_sp: rsi, f: rdx, arg: rcx)
    ".p2align 4",
    ".globl sigurg_mcall",
    ".hidden sigurg_mcall",
    ".type sigurg_mcall, @function",
    "sigurg_mcall:",
    ".cfi_startproc",
    "sigurg_save",
    "mov [rdi], rsp",
    // From here on this is the stack of g0, which nobody unwinds through.
    "mov rsp, rsi",
    ".cfi_undefined rip",
    "sub rsp, 8",
    "mov rdi, rcx",
    "xor ebp, ebp",
    "call rdx",
    "ud2",
    ".cfi_endproc",
    ".size sigurg_mcall, . - sigurg_mcall",
    // sigurg_gogo(sp: rdi)
    ".p2align 4",
    ".globl sigurg_gogo",
    ".hidden sigurg_gogo",
    ".type sigurg_gogo, @function",
    "sigurg_gogo:",
    ".cfi_startproc",
    ".cfi_undefined rip",
    "mov rsp, rdi",
    "pop r15",
    "pop r14",
    "pop r13",
    "pop r12",
    "pop rbx",
    "pop rbp",
    "pop rcx",
    "jmp rcx",
    ".cfi_endproc",
    ".size sigurg_gogo, . - sigurg_gogo",
    // sigurg_g0_enter(save_sp: rdi, f: rsi, arg: rdx)
    ".p2align 4",
    ".globl sigurg_g0_enter",
    ".hidden sigurg_g0_enter",
    ".type sigurg_g0_enter, @function",
    "sigurg_g0_enter:",
    ".cfi_startproc",
    "sigurg_save",
    "mov [rdi], rsp",
    "sub rsp, 8",
    ".cfi_adjust_cfa_offset 8",
    "mov rdi, rdx",
    "call rsi",
    "ud2",
    ".cfi_endproc",
    ".size sigurg_g0_enter, . - sigurg_g0_enter",
    // sigurg_systemstack(g0_sp: rdi, f: rsi, arg: rdx)
    ".p2align 4",
    ".globl sigurg_systemstack",
    ".hidden sigurg_systemstack",
    ".type sigurg_systemstack, @function",
    "sigurg_systemstack:",
    ".cfi_startproc",
    "push rbp",
    ".cfi_adjust_cfa_offset 8",
    ".cfi_rel_offset rbp, 0",
    "mov rbp, rsp",
    ".cfi_def_cfa_register rbp",
    "mov rsp, rdi",
    "sub rsp, 8",
    "mov rdi, rdx",
    "call rsi",
    "mov rsp, rbp",
    "pop rbp",
    ".cfi_def_cfa rsp, 8",
    "ret",
    ".cfi_endproc",
    ".size sigurg_systemstack, . - sigurg_systemstack",
);

unsafe extern "C" {
    fn sigurg_gostart();
}

/// See [`super`].
///
/// # Safety
///
/// The 64 bytes below `top` are free memory; `top` is a multiple of 16.
#[inline]
pub(crate) unsafe fn init_stack(top: usize, entry: extern "C" fn() -> !) -> usize {
    let words: [usize; 7] = [0, 0, 0, 0, entry as usize, 0, sigurg_gostart as *const () as usize];
    let sp = top - size_of_val(&words);
    // SAFETY: by the contract.
    unsafe { (sp as *mut [usize; 7]).write(words) };
    sp
}
