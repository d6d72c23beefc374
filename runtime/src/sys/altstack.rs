//! A second stack for the signal handlers of one thread: a goroutine that overflowed its own has no room for one.
//!
//! std gives its threads one of a few kilobytes, enough for its own message only.

use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use super::map;

/// Bytes, without the guard. Touched only as far as handlers need.
const BYTES: usize = 64 << 10;

/// The signal stack of the thread that made it, until dropped.
#[must_use]
pub(crate) struct ThreadStack {
    base: NonNull<u8>,
    before: libc::stack_t,
    /// Not `Send`: it belongs to its thread.
    _thread: PhantomData<*const ()>,
}

impl ThreadStack {
    /// Gives this thread a signal stack. `None` if there is no memory: the thread keeps what it has.
    pub(crate) fn new() -> Option<Self> {
        let page = map::page_size();
        let base = map::reserve(BYTES + page)?;
        let mut before = libc::stack_t { ss_sp: ptr::null_mut(), ss_flags: 0, ss_size: 0 };
        // SAFETY: the stack is a new mapping above its guard, and stays until this thread has another, see `drop`.
        let installed = unsafe {
            let stack = libc::stack_t { ss_sp: base.add(page).as_ptr().cast(), ss_flags: 0, ss_size: BYTES };
            map::guard(base.addr().get(), page) && libc::sigaltstack(&stack, &mut before) == 0
        };
        if !installed {
            // SAFETY: nobody knows it.
            unsafe { map::unmap(base, BYTES + page) };
            return None;
        }
        Some(Self { base, before, _thread: PhantomData })
    }
}

impl Drop for ThreadStack {
    fn drop(&mut self) {
        // SAFETY: what was in force before is still valid: its owner ends it after this. It can fail only on the signal
        // stack itself, where nothing is dropped; so it is unused from here on.
        unsafe {
            if libc::sigaltstack(&self.before, ptr::null_mut()) == 0 {
                map::unmap(self.base, BYTES + map::page_size());
            }
        }
    }
}
