//! Stacks lie in memory that executions use one after the other; with it goes what a sanitizer has noted of frames.

use std::sync::OnceLock;

static TOLD: OnceLock<fn(usize, usize)> = OnceLock::new();

/// Has `f` called with the lowest address and the length of every stack that a thread or a goroutine is about to begin on: no
/// frame is there. The first such function stays.
///
/// For those who take notes of frames, as the address sanitizer does: whoever is forgotten with its execution never leaves its own.
pub fn on_new_stack(f: fn(usize, usize)) {
    TOLD.get_or_init(|| f);
}

/// A stack is about to be used for the first time in this execution.
pub(crate) fn begin_stack(lo: usize, len: usize) {
    if let Some(f) = TOLD.get() {
        f(lo, len);
    }
}
