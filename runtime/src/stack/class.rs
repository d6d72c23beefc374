//! Sizes of stacks.

use crate::g::G;

/// A size of stack: a power of two from 16 KiB to 1 GiB. The `G` at the top takes up to 1.3 KiB of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StackClass(u8);

/// Log2 of the smallest and of the largest size.
const MIN_SHIFT: u32 = 14;
const MAX_SHIFT: u32 = 30;

impl StackClass {
    /// How many there are.
    pub(crate) const COUNT: usize = (MAX_SHIFT - MIN_SHIFT + 1) as usize;

    /// The smallest with at least `bytes`, or the largest.
    pub(crate) const fn for_size(bytes: usize) -> Self {
        if bytes > 1 << MAX_SHIFT {
            return Self((MAX_SHIFT - MIN_SHIFT) as u8);
        }
        let shift = bytes.next_power_of_two().trailing_zeros();
        Self(shift.saturating_sub(MIN_SHIFT) as u8)
    }

    /// The one that the stack of `gp` has.
    pub(crate) fn of(gp: &G) -> Self {
        Self::for_size(gp.stack_hi() - gp.stack_lo())
    }

    /// Bytes between the guard and the end of the slot.
    pub(crate) const fn size(self) -> usize {
        1 << (MIN_SHIFT + self.0 as u32)
    }

    /// From 0 to [`StackClass::COUNT`].
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}
