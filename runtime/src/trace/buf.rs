//! Where an M records its events.

use sigurg_traces::Event;

/// The events of one M, in its program order.
pub(crate) struct TraceBuf {}

impl TraceBuf {
    pub(crate) const fn new() -> Self {
        Self {}
    }

    /// Records one event. Only the thread of the M.
    pub(crate) fn push(&self, _event: Event) {}
}
