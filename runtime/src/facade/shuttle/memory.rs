//! Memory: what lives as long as the execution, and pages that executions use one after the other.

use std::cell::RefCell;
use std::collections::HashSet;
use std::ptr::NonNull;

use super::machine::inside;
use crate::facade::reserve_pages;

/// Keeps `value` until the execution is over; for ever outside of one.
pub(crate) fn immortal<T>(value: Box<T>) -> &'static T {
    let value = NonNull::from(Box::leak(value));
    inside(|machine| machine.keep(value));
    // SAFETY: alive until the execution is over, and nothing of it outlives it.
    unsafe { value.as_ref() }
}

/// Pages that nobody uses, and how many bytes they are. To map them anew, and to touch them the first time, costs more than
/// thousands of operations.
struct Spare(Vec<(usize, NonNull<u8>)>);

impl Drop for Spare {
    fn drop(&mut self) {
        for (len, base) in self.0.drain(..) {
            // SAFETY: whole mappings of ours that nobody uses.
            unsafe { libc::munmap(base.as_ptr().cast(), len) };
        }
    }
}

thread_local! {
    static GUARDS: RefCell<HashSet<usize>> = RefCell::default();
    /// As `SPARE`, of tables: in the size that they had grown to.
    static TABLES: RefCell<Spare> = const { RefCell::new(Spare(Vec::new())) };
    static SPARE: RefCell<Spare> = const { RefCell::new(Spare(Vec::new())) };
}

/// Most bytes that are set to zero by hand; beyond, the kernel does it when they are touched.
const BY_HAND: usize = 64 << 10;

/// Maps `len` bytes, readable and writable; of zeros if `zeroed`.
pub(crate) fn map_pages(len: usize, zeroed: bool) -> Option<NonNull<u8>> {
    let spare = SPARE.with_borrow_mut(|spare| {
        let at = spare.0.iter().position(|&(bytes, _)| bytes == len)?;
        Some(spare.0.swap_remove(at).1)
    });
    match spare {
        None => reserve_pages(len).ok(),
        Some(base) => {
            if zeroed && len <= BY_HAND {
                // SAFETY: `unmap_pages` got them for nobody to use.
                unsafe { base.write_bytes(0, len) };
            } else if zeroed {
                // SAFETY: as above; whole pages.
                unsafe { libc::madvise(base.as_ptr().cast(), len, libc::MADV_DONTNEED) };
            }
            Some(base)
        }
    }
}

/// Takes `len` bytes at `base` back.
///
/// # Safety
///
/// `map_pages` gave them, nothing in them is used any more, and this is called once.
pub(crate) unsafe fn unmap_pages(base: NonNull<u8>, len: usize) {
    SPARE.with_borrow_mut(|spare| spare.0.push((len, base)));
}

/// A mapping of its own for a table, of any contents, that may be moved and grown: where it is, and how many bytes it has, `len` or
/// more. What grew once need not again.
pub(crate) fn take_table(len: usize) -> Option<(NonNull<u8>, usize)> {
    let spare = TABLES.with_borrow_mut(|tables| tables.0.pop());
    match spare {
        Some((bytes, base)) => Some((base, bytes)),
        None => reserve_pages(len).ok().map(|base| (base, len)),
    }
}

/// Takes it back, of `len` bytes by now.
///
/// # Safety
///
/// `take_table` gave it, nothing in it is used any more, and this is called once.
pub(crate) unsafe fn give_table(base: NonNull<u8>, len: usize) {
    TABLES.with_borrow_mut(|tables| tables.0.push((len, base)));
}

/// Has `install` make the page at `base` fault, unless it does from an execution before: chunks of stacks are used again for stacks as
/// large as those were.
pub(crate) fn guard_once(base: usize, install: impl FnOnce() -> bool) -> bool {
    GUARDS.with_borrow_mut(|guards| guards.contains(&base) || install() && guards.insert(base))
}

/// Keeps the pages as they are, for the next stack there: to fault each anew takes longer than what runs on it, and nobody
/// reads what a stack held before.
///
/// # Safety
///
/// Whole pages of `map_pages` whose contents nobody needs.
pub(crate) unsafe fn discard_pages(_base: NonNull<u8>, _len: usize) {}
