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

mod async_preempt;

use core::arch::naked_asm;

pub(crate) use async_preempt::{ExtendedState, inject, peek};

use super::OnG0;

/// Bytes from a saved stack pointer to the word that says where to go on.
pub(crate) const RESUME: usize = 48;

/// Saves what a call preserves; the stack pointer is then what `gogo` takes.
macro_rules! save {
    () => {
        concat!(
            "push rbp\n",
            ".cfi_adjust_cfa_offset 8\n",
            "push rbx\n",
            ".cfi_adjust_cfa_offset 8\n",
            "push r12\n",
            ".cfi_adjust_cfa_offset 8\n",
            "push r13\n",
            ".cfi_adjust_cfa_offset 8\n",
            "push r14\n",
            ".cfi_adjust_cfa_offset 8\n",
            "push r15\n",
            ".cfi_adjust_cfa_offset 8\n",
            ".cfi_rel_offset rbp, 40\n",
            ".cfi_rel_offset rbx, 32\n",
            ".cfi_rel_offset r12, 24\n",
            ".cfi_rel_offset r13, 16\n",
            ".cfi_rel_offset r14, 8\n",
            ".cfi_rel_offset r15, 0\n",
        )
    };
}

/// Every stack of a goroutine ends here: unwinders stop at an undefined return address.
#[unsafe(naked)]
unsafe extern "C" fn gostart() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        "xor ebp, ebp",
        // `init_stack` left the entry in rbx, and the stack pointer is a multiple of 16.
        "call rbx",
        "ud2",
        ".cfi_endproc",
    )
}

/// See [`super`].
///
/// # Safety
///
/// Called on the stack of a goroutine by its M; `g0_sp` is that M's; `save_sp` lives until the `gogo`.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn mcall(save_sp: *mut usize, g0_sp: usize, f: OnG0, arg: *mut ()) {
    naked_asm!(
        ".cfi_startproc",
        save!(),
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
    )
}

/// See [`super`].
///
/// # Safety
///
/// `sp` was saved or made by a function of this module, is gone to once, and nothing of the running stack is needed
/// any more.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn gogo(sp: usize) -> ! {
    naked_asm!(
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
    )
}

/// See [`super`].
///
/// # Safety
///
/// Called on the thread's own stack, which lives as long as anything switches to what was saved.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn g0_enter(save_sp: *mut usize, f: OnG0, arg: *mut ()) {
    naked_asm!(
        ".cfi_startproc",
        save!(),
        "mov [rdi], rsp",
        "sub rsp, 8",
        ".cfi_adjust_cfa_offset 8",
        "mov rdi, rdx",
        "call rsi",
        "ud2",
        ".cfi_endproc",
    )
}

/// See [`super`].
///
/// # Safety
///
/// The 64 bytes below `top` are free memory; `top` is a multiple of 16.
#[inline]
pub(crate) unsafe fn init_stack(top: usize, entry: extern "C" fn() -> !) -> usize {
    let words: [usize; 7] = [0, 0, 0, 0, entry as usize, 0, gostart as *const () as usize];
    let sp = top - size_of_val(&words);
    // SAFETY: by the contract.
    unsafe { (sp as *mut [usize; 7]).write(words) };
    sp
}
