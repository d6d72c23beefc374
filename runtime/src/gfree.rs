//! Dead Gs, to be used again with their stacks.

use crate::g::Gs;

/// A list of dead Gs, linked through `schedlink`.
pub(crate) struct GFree {
    head: Gs,
    len: u32,
}

impl GFree {
    pub(crate) const fn new() -> Self {
        Self { head: Gs::NONE, len: 0 }
    }
}
