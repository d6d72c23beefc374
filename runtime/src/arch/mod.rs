//! Switching stacks. Each target has the assembly, under the same names, and the first frame of a stack:
//!
//! - `init_stack(top, entry) -> sp`: makes a stack that begins with `entry` when it is first switched to.
//! - `mcall(save_sp, g0_sp, f, arg) -> ()`: leaves the running stack, remembers where in `save_sp`, and calls `f(arg)`
//!   on g0; `f` never returns. Comes back when somebody does `gogo` to what was saved.
//! - `gogo(sp) -> !`: goes on where `mcall`, `init_stack` or `g0_enter` left off.
//! - `g0_enter(save_sp, f, arg)`: begins the scheduler on the stack of this thread: remembers where it can be
//!   left in `save_sp`, and calls `f(arg)`. Comes back when somebody does `gogo` to what was saved: the thread ends.
//! - `inject(context, extended_state, f)`: for a signal handler: has the code that it interrupted call `f`, with every register
//!   saved. Only on x86-64.
//!
//! Only what the C calling convention wants preserved across a call is saved: every switch is a call. The control
//! words of the floating point units are not switched; a goroutine that changes them puts them back before it blocks.
//!
//! No switch may be inlined into a function that has read a thread-local: the code after it may run on another thread.
//!
//! They are naked functions, whose names are those of the package: several builds of these sources fit in one program.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
pub(crate) use aarch64::{ExtendedState, RESUME, g0_enter, gogo, init_stack, inject, mcall, peek};
#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::{ExtendedState, RESUME, g0_enter, gogo, init_stack, inject, mcall, peek};

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!("stacks are switched in assembly: only x86_64 and aarch64 have it");

/// Asks the processor for the cache line at `at`, which may be any address, ahead of its use.
#[inline(always)]
pub(crate) fn prefetch(at: usize) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: every x86-64 has the instruction, which never faults.
    unsafe {
        core::arch::x86_64::_mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T0 }>(at as *const i8);
    }
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    // SAFETY: the instruction never faults.
    unsafe {
        core::arch::asm!("prfm pldl1keep, [{}]", in(reg) at, options(nostack, preserves_flags, readonly));
    }
    #[cfg(miri)]
    let _ = at;
}

/// A function that is called on g0 and never returns.
pub(crate) type OnG0 = extern "C" fn(arg: *mut ()) -> !;
