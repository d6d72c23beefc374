//! Stacks, and the `G`s at their tops.
//!
//! A slot, from low to high addresses:
//!
//! ```text
//! | guard, 1 page | usable stack, grows down            | G | colour |
//!                 ^ stack_lo                            ^ stack_hi
//! ```
//!
//! 1. A slot belongs to its G for ever: the number of the G gives its place, and a dead G is used again with its stack.
//! 2. A slot costs address space until it is used. A parked goroutine with a shallow stack has touched one page, the
//!    one that also holds its `G`.
//! 3. Running off the low end touches the guard, never a neighbour. (The compiler's stack probes touch every page of a
//!    large frame in turn; foreign code built without such probes can step over the guard, as on any thread.)
//! 4. The *colour*, 0 to 15 cache lines by number, shifts the top within its page, and a slot is an odd number of
//!    pages long. Otherwise the tops of all goroutines, which is what a switch touches, would compete for the same
//!    few sets of the first-level cache and of the translation cache. (Measured: a visit to each of 1,000 tops in turn, 7
//!    lines each, takes 13 ns a top without colours and 5 ns with; more or wider colours gain nothing.)
//! 5. Nothing here calls malloc: it may run on g0 and under a runtime lock.
//!
//! Limits: 67 million Gs per runtime. Where the kernel has no `MADV_GUARD_INSTALL` (before Linux 6.13) each guard is a
//! mapping of its own, and `vm.max_map_count` (65,530 by default) allows about 32,000 goroutines at a time.
//!
//! Go: `stackalloc`, `malg` (stack.go, proc.go); its stacks move and grow, these are reserved and filled in by the
//! kernel.

mod class;
pub(crate) mod fault;
pub(crate) mod shrink;
mod slab;
#[cfg(test)]
mod tests;

pub(crate) use class::StackClass;
pub(crate) use shrink::shrink_stack;
pub(crate) use slab::Slab;
