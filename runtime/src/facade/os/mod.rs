//! What only simulation replaces: threads, signals, pages, the poller, the end of the process.

mod asleep;
mod end;
mod global;
mod memory;
mod order;
mod places;
mod poller;
mod signal;
mod thread;
mod watch;

pub(crate) use asleep::{sleeps_in_call, thread_cputime};
pub(crate) use end::{abort, exit, last_task, write_stderr};
pub(crate) use global::global;
pub(crate) use memory::{
    begin_stack, discard_pages, give_table, guard_once, immortal, map_pages, take_table, unmap_pages,
};
pub(crate) use order::Order;
pub(crate) use places::Places;
pub(crate) use poller::{Polled, Poller};
pub(crate) use signal::{block_sigurg, install_handlers, send_sigurg, signal_stack};
pub(crate) use thread::{spawn, thread_id, threads};
pub(crate) use watch::{WATCHED, aside, end_watch, seen};
