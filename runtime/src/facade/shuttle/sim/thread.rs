//! What a simulated program may do besides using the runtime.

use std::cell::Cell;
use std::rc::Rc;

use crate::facade::Note;
use crate::facade::shuttle::machine::{self, with};

/// An instruction of the caller: a place where its thread may be interrupted, by other threads and by signals.
///
/// Bodies of goroutines that compute consist of these.
pub fn point() {
    machine::point();
}

/// The calling thread sleeps, as in a system call, for `ns` nanoseconds of virtual time or until a signal.
pub fn sleep(ns: u32) {
    crate::facade::usleep(ns.div_ceil(1_000));
}

/// One turn of a loop that waits for another thread without a call of the runtime: others go first.
pub fn spin() {
    crate::facade::procyield(1);
}

/// Sends thread `number` a SIGURG that nobody of the runtime asked for; `false` if there is none, or no more.
///
/// # Panics
///
/// If the caller is not in an execution.
pub fn interrupt(number: u16) -> bool {
    with(|machine| machine.expect("sim::interrupt: not in an execution").send(i32::from(number) + 1))
}

/// Threads that this execution has begun: their numbers are those below.
///
/// # Panics
///
/// If the caller is not in an execution.
pub fn threads() -> u16 {
    with(|machine| machine.expect("sim::threads: not in an execution").threads_begun()) as u16
}

/// Number of the simulated thread that calls, as in a [`Schedule`](super::Schedule).
///
/// # Panics
///
/// If the caller is not in an execution.
pub fn thread_number() -> u16 {
    with(|machine| machine.expect("sim::thread_number: not in an execution").thread_id() - 1) as u16
}

/// Virtual time since the execution began, nanoseconds.
///
/// # Panics
///
/// If the caller is not in an execution.
pub fn now() -> u64 {
    with(|machine| machine.expect("sim::now: not in an execution").elapsed())
}

/// A thread that is none of the runtime's, to be waited for.
#[must_use]
pub struct JoinHandle<T> {
    done: Rc<Done<T>>,
}

struct Done<T> {
    note: Note,
    result: Cell<Option<T>>,
}

/// Starts a thread that is none of the runtime's. A panic of `body` ends the execution.
///
/// # Panics
///
/// If the caller is not in an execution.
pub fn spawn<T: 'static>(body: impl FnOnce() -> T + 'static) -> JoinHandle<T> {
    let done = Rc::new(Done { note: Note::new(), result: Cell::new(None) });
    let its = Rc::clone(&done);
    let body = Box::new(move || {
        its.result.set(Some(body()));
        its.note.wakeup();
    });
    with(|machine| machine.expect("sim::spawn: not in an execution").spawn("plain".into(), body));
    JoinHandle { done }
}

impl<T> JoinHandle<T> {
    /// Waits until the thread has returned. On a plain thread.
    pub fn join(self) -> T {
        self.done.note.sleep();
        self.done.result.take().expect("a thread that has ended left its result")
    }
}
