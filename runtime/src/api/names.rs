//! Names of goroutines, as dumps, reports and `current` read them.
//!
//! 1. A G that has a name owns one reference to it, given back on the goroutine's own stack when it ends: nothing
//!    is freed by the scheduler.
//! 2. So the name may be read by the goroutine itself, and by whoever keeps it from running on (the holder of its scan
//!    bit, or who has stopped the world) while it has a name at all.

use std::ptr;
use std::sync::Arc;

use crate::facade::atomic::Ordering::Relaxed;
use crate::g::G;

/// Names `gp`, or says that it has no name. Its creator, before it is runnable.
pub(crate) fn set(gp: &G, name: Option<Arc<str>>) {
    let (bytes, len) = match name {
        None => (ptr::null_mut(), 0),
        Some(name) => {
            let len = u32::try_from(name.len()).expect("GoBuilder::name refuses such a name");
            (Arc::into_raw(name).cast::<u8>().cast_mut(), len)
        }
    };
    // Relaxed: the change of status that publishes the G publishes its name.
    gp.name_len.store(len, Relaxed);
    gp.name.store(bytes, Relaxed);
}

/// What `set` stored.
fn raw(gp: &G) -> Option<*const str> {
    // Relaxed: the reader came by the G through its status word, or is the goroutine itself.
    let (bytes, len) = (gp.name.load(Relaxed).cast_const(), gp.name_len.load(Relaxed));
    (!bytes.is_null()).then(|| ptr::slice_from_raw_parts(bytes, len as usize) as *const str)
}

/// Takes the name of `gp` away and gives it back. The goroutine itself, last thing before it ends.
pub(crate) fn clear(gp: &G) {
    if let Some(name) = raw(gp) {
        // Relaxed: whoever looks has stopped this goroutine before or after, by its status word.
        gp.name.store(ptr::null_mut(), Relaxed);
        // SAFETY: `set` made it by `Arc::into_raw`, and nobody can find it any more.
        drop(unsafe { Arc::from_raw(name) });
    }
}

/// The name of `gp`.
///
/// # Safety
///
/// The caller is the goroutine itself, or keeps it from running while it uses the answer.
pub(crate) unsafe fn get(gp: &G) -> Option<&str> {
    // SAFETY: alive until `clear`, which only the goroutine itself calls.
    raw(gp).map(|name| unsafe { &*name })
}

/// A reference to the name of `gp` that outlives it. The goroutine itself.
pub(crate) fn share(gp: &G) -> Option<Arc<str>> {
    raw(gp).map(|name| {
        // SAFETY: made by `Arc::into_raw`, and the G's own reference keeps it alive.
        unsafe {
            Arc::increment_strong_count(name);
            Arc::from_raw(name)
        }
    })
}
