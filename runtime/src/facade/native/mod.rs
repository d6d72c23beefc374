//! The facade on the real machine.

mod clock;
mod futex;
mod local;
mod lock;
mod note;
mod pages;
mod thread;
mod tls;

pub(crate) use core::sync::atomic;

pub(crate) use clock::{cputicks, exact_sleeps, nanotime, osyield, procyield, usleep};
pub(crate) use futex::{futex_wait, futex_wake};
pub(crate) use local::add_local;
pub(crate) use lock::RawLock;
pub(crate) use note::Note;
pub(crate) use pages::reserve_pages;
pub(crate) use thread::{sleeps_in_call, thread_cputime};
pub(crate) use tls::{getm, setm};
