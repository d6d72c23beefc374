//! An order of objects in which their locks are taken: that of their addresses. (In simulation that of their making, for
//! addresses differ from one execution to the next.)

/// The place of one object in that order.
pub(crate) struct Order;

impl Order {
    pub(crate) fn new() -> Self {
        Self
    }

    /// What is compared; `object` is the address of the object.
    #[inline(always)]
    pub(crate) fn key(&self, object: usize) -> usize {
        object
    }
}
