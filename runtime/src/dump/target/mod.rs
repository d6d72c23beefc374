//! Where a walk begins, by target. Each file has the same three functions:
//!
//! - `interrupted(context)`: the registers that a signal handler was given;
//! - `saved(sp, read)`: those of a goroutine that does not run, from its saved stack (`arch/`);
//! - `unwind_registers(registers)`: what the unwinder wants of them.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
pub(crate) use aarch64::*;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::*;
