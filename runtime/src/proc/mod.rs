//! The scheduler. Go: proc.go.

use crate::g::G;
use crate::waitreason::WaitReason;

pub(crate) fn ready_from_anywhere(gp: &'static G) {
    let _ = gp;
}

pub(crate) fn gopark_with(reason: WaitReason, unlock: impl FnOnce()) {
    let _ = (reason, unlock);
}

/// What is special about a goroutine that is started.
#[derive(Default)]
pub(crate) struct SpawnOptions {
    pub(crate) name: Option<std::sync::Arc<str>>,
    pub(crate) stack_size: Option<usize>,
}

/// A goroutine that was started: its number, and its G for as long as that number is still the G's.
pub(crate) struct Born {
    pub(crate) gp: &'static G,
    pub(crate) goid: u64,
}

pub(crate) fn newproc(f: impl FnOnce() + Send + 'static, options: SpawnOptions) -> Born {
    let _ = (f, options);
    panic!("sigurg::go: not called on a goroutine");
}

pub(crate) unsafe fn newproc_unchecked(f: impl FnOnce() + Send, options: SpawnOptions) -> Born {
    let _ = (f, options);
    panic!("sigurg::go: not called on a goroutine");
}

pub(crate) fn current_goid() -> Option<u64> {
    None
}

pub(crate) fn gosched() {}

pub(crate) fn blocking<T>(f: impl FnOnce() -> T) -> T {
    f()
}

pub(crate) fn lock_os_thread() {}

pub(crate) fn unlock_os_thread() {}
