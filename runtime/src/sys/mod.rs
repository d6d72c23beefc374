//! What the kernel gives that neither std nor malloc may be asked for.

mod pages;

pub(crate) use pages::PageVec;
