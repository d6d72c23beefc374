//! Stacks of simulated threads, used by one execution after the other.

use std::ptr::NonNull;

use crate::facade::begin_stack;
use crate::sys::map;

/// Bytes, without the guard. As much is touched as is used.
const BYTES: usize = 256 << 10;

/// Memory for one stack above a guard.
pub(super) struct Stack {
    base: NonNull<u8>,
}

impl Stack {
    /// # Panics
    ///
    /// If there is no memory.
    fn new() -> Self {
        let base =
            map::reserve(BYTES + map::page_size()).expect("memory for the stack of a simulated thread");
        // SAFETY: the lowest page of a new mapping.
        unsafe { map::guard(base.addr().get(), map::page_size()) };
        Self { base }
    }

    /// One past its highest address; a multiple of 16.
    pub(super) fn top(&self) -> usize {
        self.base.addr().get() + BYTES + map::page_size()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: the mapping of `new`; whoever drops a stack does not run on it. Not `map::unmap`, which keeps pages for
        // others: these have a guard.
        unsafe { libc::munmap(self.base.as_ptr().cast(), BYTES + map::page_size()) };
    }
}

/// See the module.
#[derive(Default)]
pub(super) struct Stacks(Vec<Stack>);

impl Stacks {
    pub(super) fn take(&mut self) -> Stack {
        let Some(stack) = self.0.pop() else { return Stack::new() };
        begin_stack(stack.top() - BYTES, BYTES);
        stack
    }

    pub(super) fn give(&mut self, stack: Stack) {
        self.0.push(stack);
    }
}
