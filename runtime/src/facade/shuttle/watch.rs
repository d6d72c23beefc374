//! Each event goes to whoever judges the execution, at once.

use sigurg_traces::Event;

use super::machine::{inside, quietly};

/// Whether events are recorded even if the runtime was not asked to.
pub(crate) const WATCHED: bool = true;

/// Takes the event.
pub(crate) fn seen(event: &Event) -> bool {
    inside(|machine| machine.tell(*event)).is_some()
}

/// Calls `f`, which is no part of what is watched: the turn does not end in it.
pub(crate) fn aside<T>(f: impl FnOnce() -> T) -> T {
    quietly(f)
}

/// A runtime has ended: what comes is no part of its story. One runtime in an execution is watched.
/// `quiet`: all its threads were at rest.
pub(crate) fn end_watch(quiet: bool) {
    inside(|machine| machine.hear_no_more(quiet));
}
