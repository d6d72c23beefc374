//! Where a call may be injected: what the safe-point map of the executable proves.

use std::ffi::c_void;

use crate::arch;
use crate::g::G;
use crate::safepoint::{Decline, Running, running};
use crate::signal::context;

/// The map of the program that runs.
pub(crate) struct Places(&'static Running);

impl Places {
    /// Safe in a signal handler.
    pub(crate) fn known() -> Result<Self, Decline> {
        running().map(Self)
    }

    /// Whether a call may be injected where `gp` was interrupted.
    ///
    /// # Safety
    ///
    /// `context` is that of the handler that runs, which interrupted `gp` on its own stack.
    pub(crate) unsafe fn prove(&self, gp: &G, context: *mut c_void) -> Result<(), Decline> {
        // SAFETY: the caller's promise.
        let place = unsafe { context::place(context) };
        if place.sp < gp.stack_lo() + self.0.extended.room() {
            return Err(Decline::LowStack);
        }
        // SAFETY: the caller's promise.
        if !unsafe { self.0.extended.saves_all(context) } {
            return Err(Decline::ExtendedState);
        }
        // SAFETY: the stack of the goroutine of this thread, which is mapped.
        unsafe { self.0.proves(place, &(gp.stack_lo()..gp.stack_hi())) }
    }

    /// Has the interrupted code call `f` when the handler returns.
    ///
    /// # Safety
    ///
    /// [`Places::prove`] was content with this `context`; `f` does not unwind; and the goroutine does not mind on which thread
    /// it goes on, as far as that proves nothing.
    pub(crate) unsafe fn inject(&self, context: *mut c_void, f: extern "C" fn()) {
        // SAFETY: the caller's promise; there is room, `prove` saw.
        unsafe { arch::inject(context, &self.0.extended, f) };
    }
}
