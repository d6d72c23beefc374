//! Where the runtime ends and user code begins.

use std::hint::black_box;

/// Calls `f`, what a goroutine is to do. The safe-point map (`safepoint/`) knows this frame by its name: what is below it, at the bottom of
/// every goroutine's stack, is the runtime's and holds nothing of a thread. So nothing else calls it.
#[inline(never)]
pub(crate) fn body<F: FnOnce() -> T, T>(f: F) -> T {
    let result = f();
    // Otherwise the call may take this frame's place.
    black_box(());
    result
}
