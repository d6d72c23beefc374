//! The scheduler. Go: proc.go.

use crate::g::G;
use crate::waitreason::WaitReason;

pub(crate) fn ready_from_anywhere(gp: &'static G) {
    let _ = gp;
}

pub(crate) fn gopark_with(reason: WaitReason, unlock: impl FnOnce()) {
    let _ = (reason, unlock);
}

/// Tells whoever sleeps until the next timer that one is due at `when`. Go: `wakeNetPoller`.
pub(crate) fn wake_poller(when: i64) {
    let _ = when;
}
