//! The facade on the real machine.

mod clock;
mod futex;
mod local;
mod tls;

pub(crate) use core::sync::atomic;

pub(crate) use super::lock::RawLock;
pub(crate) use clock::{be_punctual, cputicks, nanotime, osyield, procyield, sleep_exactly, usleep};
pub(crate) use futex::{futex_wait, futex_wake};
pub(crate) use local::add_local;
pub(crate) use tls::{getm, getm_here, setm};

/// The size of something, or how often something is done: `real` here. Where all interleavings are explored, or searched,
/// it is `small`, the least that still has every case.
pub(crate) const fn scaled(real: usize, _small: usize) -> usize {
    real
}

/// What this build of the sources has beside the runtime: nothing.
macro_rules! exports {
    () => {};
}
pub(crate) use exports;
