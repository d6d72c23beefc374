//! The facade on the real machine.

mod clock;
mod futex;
mod lock;
mod note;
mod tls;

pub(crate) use core::sync::atomic;

pub(crate) use clock::{nanotime, osyield, procyield, usleep};
pub(crate) use futex::{futex_wait, futex_wake};
pub(crate) use lock::RawLock;
pub(crate) use note::Note;
pub(crate) use tls::{getm, setm};
