//! A vector whose memory comes straight from the kernel.
//!
//! Why not `Vec`: it grows under runtime locks and on scheduler stacks, where malloc may not be called (the
//! goroutine parked inside malloc may be the one that we are about to let run).
//!
//! 1. `ptr` is a private mapping of exactly `capacity` items, or dangling while `capacity` is 0: the size of an item
//!    divides that of a page.
//! 2. Items `0..len` are initialised, and `len <= capacity`.
//!
//! Growth doubles, and the kernel moves page tables, not bytes. The memory is given back when the vector is dropped.

use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::slice;

use crate::facade::{give_table, take_table};
use crate::throw::throw;

/// The first mapping; whole pages on every Linux, for the kernel rounds a length up.
const FIRST_BYTES: usize = 4096;

/// See the module.
pub(crate) struct PageVec<T: Copy> {
    ptr: NonNull<T>,
    len: usize,
    capacity: usize,
}

// SAFETY: the vector owns its mapping as a `Vec` owns its memory.
unsafe impl<T: Copy + Send> Send for PageVec<T> {}

impl<T: Copy> PageVec<T> {
    /// An empty vector; asks the kernel for nothing yet.
    pub(crate) const fn new() -> Self {
        const { assert!(size_of::<T>().is_power_of_two() && size_of::<T>() <= FIRST_BYTES) };
        Self { ptr: NonNull::dangling(), len: 0, capacity: 0 }
    }

    /// Appends `item`. Ends the process if the kernel has no memory: there is nobody to tell.
    #[inline]
    pub(crate) fn push(&mut self, item: T) {
        if self.len == self.capacity {
            self.grow();
        }
        // SAFETY: `len < capacity`, so the place is inside the mapping (invariant 1).
        unsafe { self.ptr.add(self.len).write(item) };
        self.len += 1;
    }

    /// Takes the last item off.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<T> {
        self.len = self.len.checked_sub(1)?;
        // SAFETY: the item at the old last place is initialised (invariant 2).
        Some(unsafe { self.ptr.add(self.len).read() })
    }

    /// Forgets the items from `len` on; keeps their memory.
    #[inline]
    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        let old = self.capacity * size_of::<T>();
        let new = old
            .checked_mul(2)
            .filter(|&bytes| bytes <= isize::MAX as usize)
            .map(|bytes| bytes.max(FIRST_BYTES));
        let grown = match new {
            None => None,
            Some(new) if old == 0 => take_table(new),
            Some(new) => {
                // SAFETY: `ptr` is our own mapping of `old` bytes, and no reference into it lives: `&mut self`.
                let ptr = unsafe { libc::mremap(self.ptr.as_ptr().cast(), old, new, libc::MREMAP_MAYMOVE) };
                let moved = NonNull::new(ptr.cast::<u8>()).filter(|_| ptr != libc::MAP_FAILED);
                moved.map(|ptr| (ptr, new))
            }
        };
        match grown {
            Some((ptr, bytes)) => {
                self.ptr = ptr.cast();
                self.capacity = bytes / size_of::<T>();
            }
            None => throw!("the kernel has no memory for a table of {} bytes", new.unwrap_or(usize::MAX)),
        }
    }
}

impl<T: Copy> Deref for PageVec<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: invariant 2.
        unsafe { slice::from_raw_parts(self.ptr.as_ptr(), self.len) }
    }
}

impl<T: Copy> DerefMut for PageVec<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: invariant 2; `&mut self` is the only way to the items.
        unsafe { slice::from_raw_parts_mut(self.ptr.as_ptr(), self.len) }
    }
}

impl<T: Copy> Drop for PageVec<T> {
    fn drop(&mut self) {
        if self.capacity != 0 {
            // SAFETY: our own mapping, which nobody can reach any more.
            unsafe { give_table(self.ptr.cast(), self.capacity * size_of::<T>()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_survive_every_growth() {
        let count = if cfg!(miri) { 3_000 } else { 1_000_000 };
        let mut items = PageVec::new();
        assert_eq!(items.pop(), None::<u64>);
        (0..count).for_each(|item| items.push(item));
        assert!(items.iter().copied().eq(0..count));
        items[1] = 7;
        items.truncate(2);
        assert_eq!((items.pop(), items.pop(), items.pop()), (Some(7), Some(0), None));
    }
}
