//! What the kernel is asked for directly.

pub(crate) mod map;
