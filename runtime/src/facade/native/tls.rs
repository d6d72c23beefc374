//! The one word that a thread knows about itself: its M.
//!
//! A goroutine may wake on another thread, and compilers take the address of a thread-local for a constant of
//! the function. So the accessor is never inlined and its load is volatile: each call asks anew.

use std::cell::Cell;
use std::ptr;

use crate::m::M;

thread_local! {
    static CURRENT: Cell<*const M> = const { Cell::new(ptr::null()) };
}

/// The M of this thread; `None` on a thread that is none of ours.
///
/// The answer is stale after any switch of goroutines: ask again.
#[inline(never)]
pub(crate) fn getm() -> Option<&'static M> {
    getm_here()
}

/// As [`getm`], for the body of a function that is never inlined itself and switches nothing: saves that function a call.
#[inline(always)]
pub(crate) fn getm_here() -> Option<&'static M> {
    // SAFETY: the cell is this thread's own; `setm` stored null or an M that is never freed.
    CURRENT.with(|current| unsafe { ptr::read_volatile(current.as_ptr()).as_ref() })
}

/// Makes `mp` the M of this thread.
#[inline(never)]
pub(crate) fn setm(mp: Option<&'static M>) {
    CURRENT.with(|current| current.set(mp.map_or(ptr::null(), ptr::from_ref)));
}
