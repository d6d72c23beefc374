//! Where a call may be injected: where a body says so.

use std::ffi::c_void;

use super::machine::inside;
use crate::g::G;
use crate::safepoint::Decline;

/// As the map of an executable, which is not asked here.
pub(crate) struct Places(());

impl Places {
    /// The map is always there.
    pub(crate) fn known() -> Result<Self, Decline> {
        Ok(Self(()))
    }

    /// Whether the thread was interrupted at a [`sim::point`](super::sim::point) of a body.
    ///
    /// # Safety
    ///
    /// None here; natively that of a signal handler.
    pub(crate) unsafe fn prove(&self, _gp: &G, _context: *mut c_void) -> Result<(), Decline> {
        if inside(|machine| machine.may_inject()) == Some(true) { Ok(()) } else { Err(Decline::Runtime) }
    }

    /// Has the interrupted code call `f` when the handler returns.
    ///
    /// # Safety
    ///
    /// None here; natively that of a signal handler.
    pub(crate) unsafe fn inject(&self, _context: *mut c_void, f: extern "C" fn()) {
        inside(|machine| machine.inject(f));
    }
}
