//! The one word that a thread knows about itself: its M.

use std::cell::Cell;
use std::ptr;

use super::execution::is_active;
use crate::m::M;

::loom::thread_local! {
    static CURRENT: Cell<*const M> = Cell::new(ptr::null());
}

/// The M of this thread; `None` on a thread that is none of ours.
pub(crate) fn getm() -> Option<&'static M> {
    if !is_active() {
        return None;
    }
    // SAFETY: `setm` stored null or an M that lives as long as the model's execution.
    CURRENT.with(|current| unsafe { current.get().as_ref() })
}

/// As [`getm`].
pub(crate) fn getm_here() -> Option<&'static M> {
    getm()
}

/// Makes `mp` the M of this thread.
pub(crate) fn setm(mp: Option<&'static M>) {
    CURRENT.with(|current| current.set(mp.map_or(ptr::null(), ptr::from_ref)));
}
