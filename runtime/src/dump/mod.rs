//! Stacks as text.

mod symbol;
mod unwind;

pub(crate) use symbol::write_frames;
pub(crate) use unwind::{Frame, Registers, Unwinder};
