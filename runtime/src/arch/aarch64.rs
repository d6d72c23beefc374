//! aarch64, AAPCS64.
//!
//! A saved stack, from its stack pointer upwards: d8 to d15, x19 to x28, x29 (frame pointer), x30 (where to go on), 160
//! bytes; `sp` is a multiple of 16.

mod async_preempt;

use core::arch::naked_asm;

pub(crate) use async_preempt::{ExtendedState, inject, peek};

use super::OnG0;

/// Bytes from a saved stack pointer to the word that says where to go on.
pub(crate) const RESUME: usize = 152;

/// Saves what a call preserves; the stack pointer is then what `gogo` takes.
macro_rules! save {
    () => {
        concat!(
            "sub sp, sp, 160\n",
            "stp d8, d9, [sp, 0]\n",
            "stp d10, d11, [sp, 16]\n",
            "stp d12, d13, [sp, 32]\n",
            "stp d14, d15, [sp, 48]\n",
            "stp x19, x20, [sp, 64]\n",
            "stp x21, x22, [sp, 80]\n",
            "stp x23, x24, [sp, 96]\n",
            "stp x25, x26, [sp, 112]\n",
            "stp x27, x28, [sp, 128]\n",
            "stp x29, x30, [sp, 144]\n",
        )
    };
}

/// Every stack of a goroutine ends here: unwinders stop at an undefined return address.
#[unsafe(naked)]
unsafe extern "C" fn gostart() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined x30",
        "mov x29, xzr",
        // `init_stack` left the entry in x19.
        "blr x19",
        "brk 1",
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
        ".cfi_undefined x30",
        "mov x9, sp",
        "str x9, [x0]",
        "mov sp, x1",
        "mov x0, x3",
        "mov x29, xzr",
        "blr x2",
        "brk 1",
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
        ".cfi_def_cfa_offset 160",
        ".cfi_offset x29, -16",
        ".cfi_offset x30, -8",
        "mov x9, sp",
        "str x9, [x0]",
        "mov x0, x2",
        "blr x1",
        "brk 1",
        ".cfi_endproc",
    )
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
    words[19] = gostart as *const () as usize;
    let sp = top - size_of_val(&words);
    // SAFETY: by the contract.
    unsafe { (sp as *mut [usize; 20]).write(words) };
    sp
}
