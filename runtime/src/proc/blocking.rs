//! Foreign calls that block.

use crate::proc::syscall::{entersyscall, exitsyscall};
use crate::proc::{on_goroutine, safe_point};

/// Comes back from the system call also when the foreign code unwinds.
struct InSyscall;

impl Drop for InSyscall {
    fn drop(&mut self) {
        exitsyscall();
    }
}

/// Runs `f`, which may block its thread, as a system call: the P goes to others meanwhile if it takes long. On a plain
/// thread, or inside another such call, it just runs.
pub(crate) fn blocking<T>(f: impl FnOnce() -> T) -> T {
    if !enter() {
        return f();
    }
    let _back = InSyscall;
    f()
}

#[inline(never)]
fn enter() -> bool {
    let on_goroutine = on_goroutine();
    if on_goroutine {
        safe_point();
        entersyscall();
    }
    on_goroutine
}
