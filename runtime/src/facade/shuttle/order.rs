//! An order of objects in which their locks are taken: that of their making.

use super::machine::with;

/// The place of one object in that order.
pub(crate) struct Order(u64);

impl Order {
    pub(crate) fn new() -> Self {
        Self(with(|machine| machine.map_or(0, |machine| machine.number())))
    }

    /// What is compared.
    pub(crate) fn key(&self, _object: usize) -> usize {
        self.0 as usize
    }
}
