//! The scheduler. Go: proc.go.

use crate::g::G;
use crate::waitreason::WaitReason;

pub(crate) fn ready_from_anywhere(gp: &'static G) {
    let _ = gp;
}

pub(crate) fn gopark_with(reason: WaitReason, unlock: impl FnOnce()) {
    let _ = (reason, unlock);
}
