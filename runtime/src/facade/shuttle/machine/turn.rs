//! The engine: asks the strategy whose turn it is, and gives it.
//!
//! 1. Enabled are: threads that can go on; signals that are pending for a thread that takes them; the clock, if somebody
//!    sleeps until some time, and that is not far away, or nobody else can go on, or somebody computes for long. A thread that gave way is enabled again after somebody else's turn; alone, at once.
//! 2. A turn ends where the thread sleeps, gives way or ends, or after the operations it was given. What was chosen and
//!    how each turn ended is the schedule: replayed, it gives the same execution.
//! 3. A signal is delivered at last after [`PROMPT`] operations of its thread, as a kernel would.
//! 4. When the main thread has ended the others are let go on in turn for a while, so that what they own is given back.
//!    That is no part of the schedule.
//! 5. After each turn the whole state of the runtime is looked at (`audit.rs`).

use std::fmt::Write as _;
use std::mem;
use std::ptr;

use sigurg_traces::Event;

use super::audit::Audit;
use super::thread::{State, Thread, Woken};
use super::{CURRENT_M, LEFT, LONELY_NS, MACHINE, Machine, NEVER, START, Stacks, switch};
use crate::facade::shuttle::sim::{
    Actor, End, Failure, Limits, Listener, Outcome, Schedule, Slice, Strategy, View,
};
use crate::sched::Sched;
use crate::schedtrace;
use crate::trace::names::Names;

/// After so many operations of its thread a pending signal is delivered.
const PROMPT: u64 = 3_000;
/// So much time may pass at once while a thread could go on, nanoseconds.
const SLOW_NS: i64 = 50_000_000;
/// After so many operations without it time may pass, wherever the next deadline is: who computes takes time.
const LONG: u64 = 3_000;
/// Turns at the end: how many each thread has, and operations of each.
const LAST_TURNS: u32 = 8;
const LAST_OPS: u32 = 500;

/// What executions have in common.
pub(in super::super) struct Engine {
    stacks: Stacks,
    names: Names,
    audit: Audit,
}

impl Engine {
    pub(in super::super) fn new() -> Self {
        Self { stacks: Stacks::default(), names: Names::new(), audit: Audit::default() }
    }

    /// One execution of `main`.
    ///
    /// # Panics
    ///
    /// If the calling thread is in an execution already.
    pub(in super::super) fn run<'a>(
        &mut self,
        limits: &Limits,
        strategy: &mut dyn Strategy,
        listener: &mut Listener<'_>,
        main: Box<dyn FnOnce() + 'a>,
    ) -> Outcome {
        assert!(MACHINE.get().is_null(), "a simulation inside of a simulation");
        // SAFETY: `main` runs, if it does, before this returns: threads of an execution that is over never go on.
        let main: Box<dyn FnOnce()> = unsafe { mem::transmute::<Box<dyn FnOnce() + 'a>, _>(main) };
        let machine = Machine::new(mem::take(&mut self.stacks));
        let mut execution = Execution {
            machine: &machine,
            limits,
            strategy,
            listener,
            names: &mut self.names,
            audit: &mut self.audit,
            sched: None,
            slices: Vec::new(),
            enabled: Vec::new(),
            ops: 0,
            clock_at: 0,
            turns: 0,
        };
        let failure = {
            let _in = Inside::new(&machine);
            machine.spawn("main".into(), main);
            let failure = execution.finish();
            failure.map(|failure| (failure, report(&machine)))
        };
        let Execution { slices, ops, turns, .. } = execution;
        let (virtual_ns, complete) = (machine.elapsed(), machine.quiet.get());
        self.stacks = machine.clear();
        // Turns would have no end any more: see `turn_is_over`.
        assert!(
            failure.is_some() || !std::thread::panicking(),
            "somebody still unwinds, and the execution is over"
        );
        let (failure, report) = failure.unzip();
        Outcome {
            failure,
            report: report.unwrap_or_default(),
            schedule: Schedule { slices },
            ops,
            turns,
            virtual_ns,
            complete,
        }
    }
}

/// The calling thread is in an execution until this is dropped.
struct Inside;

impl Inside {
    fn new(machine: &Machine) -> Self {
        MACHINE.set(machine);
        Self
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        MACHINE.set(ptr::null());
        CURRENT_M.set(ptr::null());
        LEFT.set(NEVER);
    }
}

struct Execution<'a, 'l> {
    machine: &'a Machine,
    limits: &'a Limits,
    strategy: &'a mut dyn Strategy,
    listener: &'a mut Listener<'l>,
    names: &'a mut Names,
    audit: &'a mut Audit,
    /// The runtime whose thread had a turn last.
    sched: Option<&'static Sched>,
    slices: Vec<Slice>,
    enabled: Vec<Actor>,
    ops: u64,
    /// Operations when time passed last.
    clock_at: u64,
    turns: u64,
}

impl Execution<'_, '_> {
    /// Until the main thread has ended and the others had their last turns.
    fn finish(&mut self) -> Option<Failure> {
        while !self.has_ended(0) {
            if let Err(failure) = self.turn() {
                self.finish_unwinding();
                return Some(failure);
            }
        }
        let told = self.tell();
        let failure = self.machine.failed.borrow_mut().take().or(told.err());
        if failure.is_some() {
            return failure;
        }
        self.last_turns();
        self.finish_unwinding();
        self.machine.failed.borrow_mut().take()
    }

    fn turn(&mut self) -> Result<(), Failure> {
        self.tell()?;
        if let Some(failure) = self.machine.failed.borrow_mut().take() {
            return Err(failure);
        }
        self.audit()?;
        if self.ops >= self.limits.ops {
            return Err(Failure::TooLong { ops: self.ops });
        }
        if self.machine.now() - START > self.limits.virtual_ns.cast_signed() {
            return Err(Failure::TooLate { virtual_ns: self.limits.virtual_ns });
        }
        self.enable();
        if self.enabled.is_empty() {
            return Err(Failure::Deadlock);
        }
        let last = self.slices.last().and_then(|slice| slice.actor.thread());
        let last = last.filter(|&last| self.enabled.contains(&Actor::Thread(last)));
        let ops_of = |thread: u16| self.machine.threads.borrow()[usize::from(thread)].ops.get();
        let view = View { enabled: &self.enabled, last, ops: self.ops, ops_of: &ops_of };
        let mut choice = self.strategy.choose(&view).map_err(Failure::Diverged)?;
        if !self.enabled.contains(&choice.actor) {
            return Err(Failure::Diverged(format!(
                "the strategy chose {}, which cannot have a turn",
                choice.actor
            )));
        }
        if let Actor::Thread(at) = choice.actor
            && self.is_overdue(at)
        {
            choice.actor = Actor::Signal(at);
        }
        let slice = match choice.actor {
            Actor::Clock => self.clock(choice.amount),
            Actor::Thread(at) => self.give(at, false, choice.amount),
            Actor::Signal(at) => self.give(at, true, choice.amount),
        };
        self.strategy.ran(&slice).map_err(Failure::Diverged)?;
        self.record(slice);
        Ok(())
    }

    /// Hands over what happened since the last time.
    fn tell(&mut self) -> Result<(), Failure> {
        let mut events = self.machine.events.take();
        for event in &mut events {
            let event: &mut Event = event;
            self.names.translate(&mut event.kind);
            (self.listener)(event, self.names.symbols()).map_err(Failure::Rejected)?;
        }
        // Keeps the room.
        events.clear();
        *self.machine.events.borrow_mut() = events;
        Ok(())
    }

    /// Rule 5.
    fn audit(&mut self) -> Result<(), Failure> {
        // SAFETY: null, or an M, which lives as long as the execution.
        if let Some(mp) = unsafe { self.machine.me(|me| me.m.get()).as_ref() } {
            self.sched = Some(mp.sched());
        }
        let Some(sched) = self.sched.filter(|_| !self.machine.deaf.get()) else { return Ok(()) };
        let asleep = |thread: &Thread| matches!(thread.state.get(), State::Asleep { .. } | State::Ended);
        let all_sleep = self.machine.threads.borrow().iter().all(asleep);
        self.audit.look(sched, all_sleep).map_err(Failure::Inconsistent)
    }

    fn has_ended(&self, at: usize) -> bool {
        self.machine.threads.borrow()[at].state.get() == State::Ended
    }

    /// Whether a signal has been pending for that thread for too long.
    fn is_overdue(&self, at: u16) -> bool {
        let threads = self.machine.threads.borrow();
        let thread = &threads[usize::from(at)];
        thread.takes_signal() && thread.ops.get() > thread.sent_at.get() + PROMPT
    }

    /// Who can have the next turn.
    fn enable(&mut self) {
        self.enabled.clear();
        let threads = self.machine.threads.borrow();
        let all = || threads.iter().enumerate().map(|(at, thread)| (at as u16, thread));
        let in_state = |wanted: State| {
            all().filter(move |(_, t)| t.state.get() == wanted).map(|(at, _)| Actor::Thread(at))
        };
        self.enabled.extend(in_state(State::Ready));
        self.enabled.extend(all().filter(|(_, t)| t.takes_signal()).map(|(at, _)| Actor::Signal(at)));
        let due = next_deadline(&threads).map(|due| due - self.machine.now());
        let long = self.ops >= self.clock_at + LONG;
        if due.is_some_and(|due| self.enabled.is_empty() || due <= SLOW_NS || long) {
            self.enabled.push(Actor::Clock);
        }
        if self.enabled.is_empty() {
            self.enabled.extend(in_state(State::GivesWay));
        }
    }

    /// Time passes to the next deadline, if it is not far away or nobody can go on, and `extra` nanoseconds more.
    fn clock(&mut self, extra: u32) -> Slice {
        let threads = self.machine.threads.borrow();
        let due = next_deadline(&threads).unwrap_or_default().max(self.machine.now());
        let busy = threads.iter().any(|thread| thread.state.get() == State::Ready);
        let until = if busy { due.min(self.machine.now() + SLOW_NS) } else { due };
        let now = until.saturating_add(extra.into());
        let passed = now - self.machine.now.replace(now);
        for thread in threads.iter() {
            thread.computes_for(passed);
            match thread.state.get() {
                State::Asleep { until, .. } if until <= now => {
                    thread.woken.set(Woken::Time);
                    thread.state.set(State::Ready);
                }
                State::GivesWay => thread.state.set(State::Ready),
                _ => {}
            }
        }
        self.turns += 1;
        self.ops += 1;
        self.clock_at = self.ops;
        Slice { actor: Actor::Clock, amount: extra, end: End::Chosen }
    }

    /// Gives that thread a turn of up to `ops` operations, with its signal or without.
    fn give(&mut self, at: u16, signal: bool, ops: u32) -> Slice {
        let machine = self.machine;
        let sp = {
            let threads = machine.threads.borrow();
            let alone = threads[usize::from(at)].state.get() == State::GivesWay && !signal;
            for (other, thread) in threads.iter().enumerate() {
                if thread.state.get() == State::GivesWay && other != usize::from(at) {
                    thread.state.set(State::Ready);
                }
            }
            let thread = &threads[usize::from(at)];
            if alone {
                machine.now.set(machine.now() + LONELY_NS);
                thread.computes_for(LONELY_NS);
            }
            if signal {
                thread.deliver.set(true);
                if let State::Asleep { .. } = thread.state.get() {
                    thread.woken.set(Woken::Signal);
                }
            }
            thread.state.set(State::Ready);
            CURRENT_M.set(thread.m.get());
            thread.sp.get()
        };
        machine.current.set(usize::from(at));
        let left = u64::from(ops);
        LEFT.set(left);
        // SAFETY: that thread stands at `sp`, saved there when its last turn ended, or is new. The engine is left here
        // and nowhere else.
        unsafe { switch(machine.engine.as_ptr(), sp) };
        // Somebody may have said `quietly` and failed in it.
        let used = left.saturating_sub(LEFT.replace(NEVER)) + machine.over.take();
        let threads = machine.threads.borrow();
        let thread = &threads[usize::from(at)];
        thread.m.set(CURRENT_M.get());
        thread.ops.set(thread.ops.get() + used + 1);
        self.turns += 1;
        self.ops += used + 1;
        let actor = if signal { Actor::Signal(at) } else { Actor::Thread(at) };
        Slice { actor, amount: used as u32, end: machine.end.get() }
    }

    /// Adds to the schedule. A thread that goes on after its turn was over has had one longer turn.
    fn record(&mut self, slice: Slice) {
        if let Some(last) = self.slices.last_mut()
            && last.end == End::Chosen
            && slice.actor != Actor::Clock
            && slice.actor == Actor::Thread(last.actor.thread().unwrap_or(u16::MAX))
            // The operation before which the turn ended is counted now.
            && let Some(amount) = last.amount.checked_add(slice.amount).and_then(|sum| sum.checked_add(1))
        {
            last.amount = amount;
            last.end = slice.end;
            return;
        }
        self.slices.push(slice);
    }

    /// Rule 4.
    fn last_turns(&mut self) {
        for _ in 0..LAST_TURNS {
            let threads = self.machine.threads.borrow().len();
            for at in 1..threads {
                self.enable();
                if self.enabled == [Actor::Clock] {
                    self.clock(0);
                    self.enable();
                }
                let signal = Actor::Signal(at as u16);
                if self.enabled.contains(&signal) || self.enabled.contains(&Actor::Thread(at as u16)) {
                    let (ops, turns) = (self.ops, self.turns);
                    self.give(at as u16, self.enabled.contains(&signal), LAST_OPS);
                    (self.ops, self.turns) = (ops, turns);
                }
            }
        }
        self.machine.events.borrow_mut().clear();
    }

    /// Who unwinds does so to the end: std would count it for ever.
    fn finish_unwinding(&mut self) {
        for _ in 0..LAST_TURNS {
            if std::thread::panicking() {
                self.last_turns();
            }
        }
    }
}

/// When the next sleeper is due.
fn next_deadline(threads: &[Thread]) -> Option<i64> {
    let until = |thread: &Thread| match thread.state.get() {
        State::Asleep { until, .. } if until != i64::MAX => Some(until),
        _ => None,
    };
    threads.iter().filter_map(until).min()
}

/// What everybody is doing.
fn report(machine: &Machine) -> String {
    let mut text = machine.said.take();
    // Errors: a string takes everything, here and below.
    let _ = writeln!(text, "after {} ns of virtual time:", machine.now() - START);
    for (at, thread) in machine.threads.borrow().iter().enumerate() {
        let _ = write!(text, "  thread {at} {:?}: {:?}", thread.name, thread.state.get());
        let _ = match thread.pending.get() {
            true => writeln!(text, ", a signal is pending"),
            false => writeln!(text),
        };
    }
    for sched in crate::dump::quit::running() {
        let _ = schedtrace::detail(sched, &mut text);
    }
    text
}

impl Machine {
    /// The execution is over: everything is given back but what lies on the stacks of threads that did not end.
    fn clear(self) -> Stacks {
        let mut stacks = self.stacks.into_inner();
        for mut thread in self.threads.into_inner() {
            if let Some(stack) = thread.stack.take() {
                stacks.give(stack);
            }
        }
        for kept in self.kept.into_inner().into_iter().rev() {
            // SAFETY: kept once, dropped once; no thread of the execution runs any more.
            unsafe { (kept.drop)(kept.at) };
        }
        stacks
    }
}
