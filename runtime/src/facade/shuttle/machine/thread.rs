//! A simulated thread.

use std::cell::Cell;
use std::ptr;

use super::stack::Stack;
use crate::m::M;

/// What a thread is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It can go on.
    Ready,
    /// It can go on, and said that others should first.
    GivesWay,
    /// It sleeps on the word at `word` (0: on none) until `until` (`i64::MAX`: for ever); it came as number `turn`.
    Asleep { word: usize, until: i64, turn: u64 },
    /// It has ended.
    Ended,
}

/// How a sleep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Woken {
    Another,
    Time,
    Signal,
}

pub(super) struct Thread {
    pub(super) name: String,
    pub(super) stack: Option<Stack>,
    /// Where it goes on, while it does not run.
    pub(super) sp: Cell<usize>,
    pub(super) state: Cell<State>,
    pub(super) woken: Cell<Woken>,
    /// What it is to run, until it begins.
    pub(super) body: Cell<Option<Box<dyn FnOnce()>>>,
    /// Its M, while it does not run.
    pub(super) m: Cell<*const M>,
    /// A signal was sent and not delivered.
    pub(super) pending: Cell<bool>,
    /// It takes no signals: it is in the handler, or said so.
    pub(super) masked: Cell<bool>,
    /// A signal is delivered when it goes on.
    pub(super) deliver: Cell<bool>,
    /// Its handler interrupted a body where that may be moved.
    pub(super) in_body: Cell<bool>,
    /// What its handler has the interrupted code call.
    pub(super) injected: Cell<Option<extern "C" fn()>>,
    /// Time that passed while it did not sleep, nanoseconds.
    pub(super) cputime: Cell<i64>,
    /// Operations that it has done, and as many when the signal that is pending was sent.
    pub(super) ops: Cell<u64>,
    pub(super) sent_at: Cell<u64>,
}

impl Thread {
    pub(super) fn new(name: String, stack: Stack, sp: usize, body: Box<dyn FnOnce()>) -> Self {
        Self {
            name,
            stack: Some(stack),
            sp: Cell::new(sp),
            state: Cell::new(State::Ready),
            woken: Cell::new(Woken::Another),
            body: Cell::new(Some(body)),
            m: Cell::new(ptr::null()),
            pending: Cell::new(false),
            masked: Cell::new(false),
            deliver: Cell::new(false),
            in_body: Cell::new(false),
            injected: Cell::new(None),
            cputime: Cell::new(0),
            ops: Cell::new(0),
            sent_at: Cell::new(0),
        }
    }

    /// So much time passes, nanoseconds; each thread that does not sleep has a processor of its own.
    pub(super) fn computes_for(&self, ns: i64) {
        if let State::Ready | State::GivesWay = self.state.get() {
            self.cputime.set(self.cputime.get() + ns);
        }
    }

    /// Whether a signal could be delivered now.
    pub(super) fn takes_signal(&self) -> bool {
        self.pending.get() && !self.masked.get() && self.state.get() != State::Ended
    }
}
