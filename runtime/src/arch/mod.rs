//! Switching stacks. Each target has the assembly, under the same names, and the first frame of a stack:
//!
//! - `init_stack(top, entry) -> sp`: makes a stack that begins with `entry` when it is first switched to.
//! - `mcall(save_sp, g0_sp, f, arg) -> ()`: leaves the running stack, remembers where in `save_sp`, and calls `f(arg)`
//!   on g0; `f` never returns. Comes back when somebody does `gogo` to what was saved.
//! - `gogo(sp) -> !`: goes on where `mcall`, `init_stack` or `g0_enter` left off.
//! - `g0_enter(save_sp, f, arg)`: begins the scheduler on the stack of this thread: remembers where it can be
//!   left in `save_sp`, and calls `f(arg)`. Comes back when somebody does `gogo` to what was saved: the thread ends.
//! - `systemstack(g0_sp, f, arg)`: calls `f(arg)` on g0 and comes back.
//!
//! Only what the C calling convention wants preserved across a call is saved: every switch is a call. The control
//! words of the floating point units are not switched; a goroutine that changes them puts them back before it blocks.
//!
//! No switch may be inlined into a function that has read a thread-local: the code after it may run on another thread.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
pub(crate) use aarch64::{RESUME, init_stack};
#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::{RESUME, init_stack};

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!("stacks are switched in assembly: only x86_64 and aarch64 have it");

/// A function that is called on g0 and never returns.
pub(crate) type OnG0 = extern "C" fn(arg: *mut ()) -> !;

unsafe extern "C" {
    fn sigurg_mcall(save_sp: *mut usize, g0_sp: usize, f: OnG0, arg: *mut ());
    fn sigurg_gogo(sp: usize) -> !;
    fn sigurg_g0_enter(save_sp: *mut usize, f: OnG0, arg: *mut ());
    fn sigurg_systemstack(g0_sp: usize, f: extern "C" fn(*mut ()), arg: *mut ());
}

/// See the module.
///
/// # Safety
///
/// Called on the stack of a goroutine by its M; `g0_sp` is that M's; `save_sp` lives until the `gogo`.
#[inline]
pub(crate) unsafe fn mcall(save_sp: *mut usize, g0_sp: usize, f: OnG0, arg: *mut ()) {
    // SAFETY: by the contract.
    unsafe { sigurg_mcall(save_sp, g0_sp, f, arg) }
}

/// See the module.
///
/// # Safety
///
/// `sp` was saved or made by a function of this module, is gone to once, and nothing of the running stack is needed
/// any more.
#[inline]
pub(crate) unsafe fn gogo(sp: usize) -> ! {
    // SAFETY: by the contract.
    unsafe { sigurg_gogo(sp) }
}

/// See the module.
///
/// # Safety
///
/// Called on the thread's own stack, which lives as long as anything switches to what was saved.
pub(crate) unsafe fn g0_enter(save_sp: *mut usize, f: OnG0, arg: *mut ()) {
    // SAFETY: by the contract.
    unsafe { sigurg_g0_enter(save_sp, f, arg) }
}

/// See the module.
///
/// # Safety
///
/// Called on the stack of a goroutine by its M; `g0_sp` is that M's; `f` stays on this M and does not unwind.
#[inline]
pub(crate) unsafe fn systemstack(g0_sp: usize, f: extern "C" fn(*mut ()), arg: *mut ()) {
    // SAFETY: by the contract.
    unsafe { sigurg_systemstack(g0_sp, f, arg) }
}
