//! The address sanitizer on stacks that it does not know.
//!
//! It marks the room between locals. A function that returns takes its marks away; before a call that never returns, compilers have
//! `__asan_handle_no_return` take away those of all frames up to the top of the thread's stack. On a goroutine's stack, or that of
//! a scheduler (real or simulated), the sanitizer knows no top and leaves them, and the next frames there seem to overflow. So
//! the linker hands that call to [`no_return`], which takes the marks away in the part of the stack where the abandoned frames are;
//! and [`unmark`] is told of every simulated stack, before the first frame: another that was there may have been abandoned as it was.
//!
//! Nothing else of the check is lost: overflows of locals and uses after their scope are found while their frame is alive.

use std::arch::asm;
use std::ptr;

/// Bytes above the stack pointer. A switch leaves some hundred behind; a panic, the frames of a scenario's steps.
const FRAMES: usize = 32 << 10;

unsafe extern "C" {
    fn __asan_unpoison_memory_region(address: *const (), size: usize);
}

/// # Safety
///
/// Called by instrumented code and by the sanitizer, before a call that does not return, or before an exception is raised.
// SAFETY: the name is the one that the linker's `--wrap` looks for; nothing else has it.
#[unsafe(export_name = "__wrap___asan_handle_no_return")]
unsafe extern "C" fn no_return() {
    let sp: *const ();
    #[cfg(target_arch = "x86_64")]
    // SAFETY: reads a register.
    unsafe {
        asm!("mov {}, rsp", out(reg) sp, options(nomem, nostack, preserves_flags));
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: reads a register.
    unsafe {
        asm!("mov {}, sp", out(reg) sp, options(nomem, nostack, preserves_flags));
    }
    // SAFETY: changes the sanitizer's own notes only. Past the top of the stack they are of other stacks, or of nothing: at worst an
    // error there is not seen.
    unsafe { __asan_unpoison_memory_region(sp, FRAMES) };
}

/// There are no frames in these bytes.
pub fn unmark(lo: usize, len: usize) {
    // SAFETY: changes the sanitizer's own notes only; at worst an error there is not seen.
    unsafe { __asan_unpoison_memory_region(ptr::without_provenance(lo), len) };
}
