//! What `#[sigurg::preemptible]` inserts.
//!
//! Go: the check of `stackguard0` in the prologue of every function, which the compiler makes; and the loop checks of
//! `-d=ssa/insert_resched_checks`, which it does not make by default.

use crate::proc;

/// Rounds of loops between two looks at the guard.
const ROUNDS: u32 = 1024;

/// The entry of a function.
#[inline(always)]
pub fn safe_point() {
    proc::safe_point();
}

/// How many rounds are left until the next look.
#[derive(Debug)]
pub struct Budget(u32);

impl Budget {
    /// A full one.
    #[inline(always)]
    #[must_use]
    #[allow(clippy::new_without_default, reason = "made by the macro only")]
    pub fn new() -> Self {
        Self(ROUNDS)
    }

    /// One round.
    #[inline(always)]
    pub fn spend(&mut self) {
        self.0 -= 1;
        if self.0 == 0 {
            self.0 = ROUNDS;
            look();
        }
    }
}

/// Out of line and cold, so that a loop keeps its registers.
#[cold]
#[inline(never)]
fn look() {
    proc::safe_point();
}
