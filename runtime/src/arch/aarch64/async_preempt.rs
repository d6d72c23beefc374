//! No calls are injected on aarch64: there is no register left to go back by, other than through the kernel.

use std::convert::Infallible;
use std::ffi::c_void;

use crate::safepoint::Unavailable;

/// How to save the extended state: not at all.
pub(crate) struct ExtendedState(Infallible);

impl ExtendedState {
    /// See the module.
    pub(crate) fn of_this_machine() -> Result<Self, Unavailable> {
        Err(Unavailable::Architecture)
    }

    /// There is no value of this type.
    pub(crate) fn room(&self) -> usize {
        match self.0 {}
    }

    /// There is no value of this type.
    ///
    /// # Safety
    ///
    /// None.
    pub(crate) unsafe fn saves_all(&self, _context: *const c_void) -> bool {
        match self.0 {}
    }
}

/// There is no value of `state`.
///
/// # Safety
///
/// None.
pub(crate) unsafe fn inject(_context: *mut c_void, state: &ExtendedState, _f: extern "C" fn()) {
    match state.0 {}
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
        core::arch::asm!("ldr {}, [{}]", out(reg) word, in(reg) address, options(nostack, readonly, preserves_flags));
    }
    word
}
