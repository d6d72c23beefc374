//! What the kernel gives that neither std nor malloc may be asked for.

pub(crate) mod altstack;
pub(crate) mod lifeboat;
pub(crate) mod map;
mod pages;

pub(crate) use pages::PageVec;
