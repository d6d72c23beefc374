//! aarch64, AAPCS64.
//!
//! A saved stack, from its stack pointer upwards: d8 to d15, x19 to x28, x29 (frame pointer), x30 (where to go on), 160
//! bytes; `sp` is a multiple of 16.

use core::arch::global_asm;

/// Bytes from a saved stack pointer to the word that says where to go on.
pub(crate) const RESUME: usize = 152;

global_asm!(
    ".p2align 4",
    ".globl sigurg_gostart",
    ".hidden sigurg_gostart",
    ".type sigurg_gostart, @function",
    "sigurg_gostart:",
    ".cfi_startproc",
    ".cfi_undefined x30",
    "mov x29, xzr",
    // `init_stack` left the entry in x19.
    "blr x19",
    "brk 1",
    ".cfi_endproc",
    ".size sigurg_gostart, . - sigurg_gostart",
    ".macro sigurg_save",
    "sub sp, sp, 160",
    "stp d8, d9, [sp, 0]",
    "stp d10, d11, [sp, 16]",
    "stp d12, d13, [sp, 32]",
    "stp d14, d15, [sp, 48]",
    "stp x19, x20, [sp, 64]",
    "stp x21, x22, [sp, 80]",
    "stp x23, x24, [sp, 96]",
    "stp x25, x26, [sp, 112]",
    "stp x27, x28, [sp, 128]",
    "stp x29, x30, [sp, 144]",
    ".endm",
    // sigurg_mcall(save_sp: x0, g0_sp: x1, f: x2, arg: x3)
    ".p2align 4",
    ".globl sigurg_mcall",
    ".hidden sigurg_mcall",
    ".type sigurg_mcall, @function",
    "sigurg_mcall:",
    ".cfi_startproc",
    "sigurg_save",
    ".cfi_undefined x30",
    "mov x9, sp",
    "str x9, [x0]",
    "mov sp, x1",
    "mov x0, x3",
    "mov x29, xzr",
    "blr x2",
    "brk 1",
    ".cfi_endproc",
    ".size sigurg_mcall, . - sigurg_mcall",
    // sigurg_gogo(sp: x0)
    ".p2align 4",
    ".globl sigurg_gogo",
    ".hidden sigurg_gogo",
    ".type sigurg_gogo, @function",
    "sigurg_gogo:",
    ".cfi_startproc",
    ".cfi_undefined x30",
    "mov sp, x0",
    "ldp d8, d9, [sp, 0]",
    "ldp d10, d11, [sp, 16]",
    "ldp d12, d13, [sp, 32]",
    "ldp d14, d15, [sp, 48]",
    "ldp x19, x20, [sp, 64]",
    "ldp x21, x22, [sp, 80]",
    "ldp x23, x24, [sp, 96]",
    "ldp x25, x26, [sp, 112]",
    "ldp x27, x28, [sp, 128]",
    "ldp x29, x30, [sp, 144]",
    "add sp, sp, 160",
    "br x30",
    ".cfi_endproc",
    ".size sigurg_gogo, . - sigurg_gogo",
    // sigurg_g0_enter(save_sp: x0, f: x1, arg: x2)
    ".p2align 4",
    ".globl sigurg_g0_enter",
    ".hidden sigurg_g0_enter",
    ".type sigurg_g0_enter, @function",
    "sigurg_g0_enter:",
    ".cfi_startproc",
    "sigurg_save",
    ".cfi_def_cfa_offset 160",
    ".cfi_offset x29, -16",
    ".cfi_offset x30, -8",
    "mov x9, sp",
    "str x9, [x0]",
    "mov x0, x2",
    "blr x1",
    "brk 1",
    ".cfi_endproc",
    ".size sigurg_g0_enter, . - sigurg_g0_enter",
    // sigurg_systemstack(g0_sp: x0, f: x1, arg: x2)
    ".p2align 4",
    ".globl sigurg_systemstack",
    ".hidden sigurg_systemstack",
    ".type sigurg_systemstack, @function",
    "sigurg_systemstack:",
    ".cfi_startproc",
    "stp x29, x30, [sp, -16]!",
    ".cfi_adjust_cfa_offset 16",
    ".cfi_rel_offset x29, 0",
    ".cfi_rel_offset x30, 8",
    "mov x29, sp",
    ".cfi_def_cfa_register x29",
    "mov sp, x0",
    "mov x0, x2",
    "blr x1",
    "mov sp, x29",
    "ldp x29, x30, [sp], 16",
    ".cfi_def_cfa sp, 0",
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
/// The 160 bytes below `top` are free memory; `top` is a multiple of 16.
#[inline]
pub(crate) unsafe fn init_stack(top: usize, entry: extern "C" fn() -> !) -> usize {
    let mut words = [0usize; 20];
    words[8] = entry as usize;
    words[19] = sigurg_gostart as *const () as usize;
    let sp = top - size_of_val(&words);
    // SAFETY: by the contract.
    unsafe { (sp as *mut [usize; 20]).write(words) };
    sp
}
