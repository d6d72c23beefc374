//! The scheduler. Go: proc.go.

use crate::g::G;
use crate::waitreason::WaitReason;

pub(crate) fn ready_from_anywhere(gp: &'static G) {
    let _ = gp;
}

pub(crate) fn gopark_with(reason: WaitReason, unlock: impl FnOnce()) {
    let _ = (reason, unlock);
}

/// Whether a waiter for a lock does well to spin an `i`th time instead of parking. Go: `sync_runtime_canSpin`.
pub(crate) fn can_spin(i: u32) -> bool {
    let _ = i;
    false
}

/// Lets the goroutine that was readied last run at once. Nothing on a plain thread or where it must not stop.
pub(crate) fn goyield_from_anywhere() {}
