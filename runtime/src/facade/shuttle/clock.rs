//! Virtual time, and ways to let it pass.

use super::machine::{inside, point, with};

/// Nanoseconds of virtual time. It begins with 1 s.
pub(crate) fn nanotime() -> i64 {
    point();
    with(|machine| machine.map_or(0, |machine| machine.now()))
}

/// As [`nanotime`]: there is no cheaper clock.
pub(crate) fn cputicks() -> u64 {
    nanotime().cast_unsigned()
}

/// Whoever spins waits for somebody else: the turn ends.
pub(crate) fn procyield(_: u32) {
    osyield();
}

/// Lets another thread have the processor: the turn ends.
pub(crate) fn osyield() {
    inside(|machine| machine.give_way());
}

/// Sleeps for `us` microseconds, or less if a signal arrives.
pub(crate) fn usleep(us: u32) {
    inside(|machine| machine.sleep(i64::from(us) * 1_000));
}

/// All sleeps end when they are due, or when the schedule says, later.
pub(crate) fn sleep_exactly() {}
pub(crate) fn be_punctual() {}
