//! The simulated machine: threads that take turns, virtual time, pending signals.
//!
//! 1. One thread runs at a time, the *current* one, until its turn ends: it has done as many operations as it was given,
//!    it sleeps, gives way, or has ended. Then the engine goes on, on the stack of the real thread (`turn.rs`).
//! 2. Everything here belongs to one real thread and is reached through cells: simulated threads and the engine never run
//!    at the same time, and no borrow lives across a switch.
//! 3. `LEFT` counts the operations of the turn down. Outside of an execution, in the engine and in [`quietly`] it
//!    stands so high that it never gets to the end.

mod stack;
mod thread;
mod turn;

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};

use sigurg_traces::Event;

use self::stack::Stacks;
use self::thread::{State, Thread, Woken};
use super::sim::{End, Failure};
use crate::arch;
use crate::m::M;

pub(super) use turn::Engine;

/// When every execution begins, nanoseconds.
const START: i64 = 1_000_000_000;
/// What passes when a thread gives way to nobody, nanoseconds.
const LONELY_NS: i64 = 1_000;
/// More operations than any turn has.
const NEVER: u64 = u64::MAX;

thread_local! {
    static LEFT: Cell<u64> = const { Cell::new(NEVER) };
    static MACHINE: Cell<*const Machine> = const { Cell::new(ptr::null()) };
    static CURRENT_M: Cell<*const M> = const { Cell::new(ptr::null()) };
}

/// An operation of the facade begins: the turn of the current thread may end before it.
#[inline]
pub(super) fn point() {
    LEFT.with(|left| match left.get().checked_sub(1) {
        Some(less) => left.set(less),
        None => turn_is_over(),
    });
}

#[cold]
#[inline(never)]
fn turn_is_over() {
    with(|machine| match machine {
        // Who unwinds does so to the end: std counts panics by real threads. Its operations count, or the schedule would not
        // tell how many there were.
        Some(machine) if std::thread::panicking() => machine.over.set(machine.over.get() + 1),
        Some(machine) => machine.stop(End::Chosen),
        None => LEFT.set(NEVER),
    });
}

/// Calls `f`, in which the turn does not end. It must not sleep.
#[inline]
pub(super) fn quietly<T>(f: impl FnOnce() -> T) -> T {
    let left = LEFT.replace(NEVER);
    let result = f();
    LEFT.set(left);
    result
}

/// Calls `f` with the machine of the calling thread, if there is an execution.
#[inline]
pub(super) fn with<T>(f: impl FnOnce(Option<&Machine>) -> T) -> T {
    // SAFETY: null, or the machine of the `Engine::run` that is under way on this thread.
    f(unsafe { MACHINE.get().as_ref() })
}

/// As [`with`], and nothing outside of an execution.
#[inline]
pub(super) fn inside<T>(f: impl FnOnce(&Machine) -> T) -> Option<T> {
    with(|machine| machine.map(f))
}

/// The M of the current thread.
#[inline]
pub(super) fn getm() -> *const M {
    CURRENT_M.get()
}

pub(super) fn setm(mp: *const M) {
    CURRENT_M.set(mp);
}

/// A value that is dropped when the execution is over.
struct Kept {
    at: NonNull<()>,
    drop: unsafe fn(NonNull<()>),
}

/// See the module.
pub(super) struct Machine {
    threads: RefCell<Vec<Thread>>,
    stacks: RefCell<Stacks>,
    current: Cell<usize>,
    /// Where the engine goes on.
    engine: Cell<usize>,
    /// Why the turn ended.
    end: Cell<End>,
    now: Cell<i64>,
    /// Sleeps so far.
    sleeps: Cell<u64>,
    /// Operations beyond what the current thread was given.
    over: Cell<u64>,
    failed: RefCell<Option<Failure>>,
    said: RefCell<String>,
    events: RefCell<Vec<Event>>,
    told: Cell<u64>,
    numbers: Cell<u64>,
    deaf: Cell<bool>,
    quiet: Cell<bool>,
    kept: RefCell<Vec<Kept>>,
    globals: RefCell<BTreeMap<usize, NonNull<()>>>,
}

impl Machine {
    fn new(stacks: Stacks) -> Self {
        Self {
            threads: RefCell::default(),
            stacks: RefCell::new(stacks),
            current: Cell::new(0),
            engine: Cell::new(0),
            end: Cell::new(End::Chosen),
            now: Cell::new(START),
            sleeps: Cell::new(0),
            over: Cell::new(0),
            failed: RefCell::default(),
            said: RefCell::default(),
            events: RefCell::default(),
            told: Cell::new(0),
            numbers: Cell::new(0),
            deaf: Cell::new(false),
            quiet: Cell::new(false),
            kept: RefCell::default(),
            globals: RefCell::default(),
        }
    }

    /// A number that no other call in this execution returns.
    pub(super) fn number(&self) -> u64 {
        let number = self.numbers.get();
        self.numbers.set(number + 1);
        number
    }

    /// Something about the current thread.
    fn me<T>(&self, f: impl FnOnce(&Thread) -> T) -> T {
        f(&self.threads.borrow()[self.current.get()])
    }

    /// The turn of the current thread ends; it goes on when it has the next.
    fn stop(&self, end: End) {
        self.end.set(end);
        let save = self.me(|me| me.sp.as_ptr());
        // SAFETY: the engine waits there; `save` is written before anything else runs.
        unsafe { switch(save, self.engine.get()) };
        if self.me(|me| me.deliver.replace(false)) {
            self.handle();
        }
    }

    /// The current thread takes the signal that is pending.
    #[inline(never)]
    fn handle(&self) {
        self.me(|me| {
            me.pending.set(false);
            me.masked.set(true);
        });
        super::signal::handle();
        self.me(|me| me.masked.set(false));
    }

    pub(super) fn now(&self) -> i64 {
        self.now.get()
    }

    /// Virtual time since the execution began.
    pub(super) fn elapsed(&self) -> u64 {
        (self.now() - START).cast_unsigned()
    }

    /// The current thread lets others go first.
    pub(super) fn give_way(&self) {
        self.me(|me| me.state.set(State::GivesWay));
        self.stop(End::GaveWay);
    }

    /// The current thread sleeps.
    pub(super) fn sleep(&self, ns: i64) {
        point();
        self.sleep_on(0, ns);
    }

    /// The current thread sleeps on a word, for ever if `ns` is negative; `false` if the time was up.
    pub(super) fn wait(&self, word: usize, ns: i64) -> bool {
        self.sleep_on(word, ns) != Woken::Time
    }

    fn sleep_on(&self, word: usize, ns: i64) -> Woken {
        let until = if ns < 0 { i64::MAX } else { self.now().saturating_add(ns) };
        let turn = self.sleeps.get();
        self.sleeps.set(turn + 1);
        self.me(|me| me.state.set(State::Asleep { word, until, turn }));
        self.stop(End::Slept);
        self.me(|me| me.woken.get())
    }

    /// Wakes up to `count` threads that sleep on that word, first come, first served.
    pub(super) fn wake(&self, word: usize, count: i32) {
        point();
        let threads = self.threads.borrow();
        for _ in 0..count {
            let sleeper = |thread: &&Thread| match thread.state.get() {
                State::Asleep { word: on, turn, .. } if on == word => Some(turn),
                _ => None,
            };
            let first = threads.iter().filter(|thread| sleeper(thread).is_some()).min_by_key(sleeper);
            let Some(thread) = first else { return };
            thread.woken.set(Woken::Another);
            thread.state.set(State::Ready);
        }
    }

    /// Makes a thread that runs `body` when it has a turn.
    pub(super) fn spawn(&self, name: String, body: Box<dyn FnOnce()>) {
        point();
        quietly(|| {
            let stack = self.stacks.borrow_mut().take();
            // SAFETY: the stack is new or unused, its top is a multiple of 16.
            let sp = unsafe { arch::init_stack(stack.top(), thread_main) };
            self.threads.borrow_mut().push(Thread::new(name, stack, sp, body));
        });
    }

    pub(super) fn thread_id(&self) -> i32 {
        self.current.get() as i32 + 1
    }

    pub(super) fn live_threads(&self) -> i32 {
        let threads = self.threads.borrow();
        threads.iter().filter(|thread| thread.state.get() != State::Ended).count() as i32
    }

    /// Those that have ended, too.
    pub(super) fn threads_begun(&self) -> usize {
        self.threads.borrow().len()
    }

    /// A signal for the thread of that number; `false` if it has ended.
    pub(super) fn send(&self, thread: i32) -> bool {
        point();
        let threads = self.threads.borrow();
        let thread = usize::try_from(thread - 1).ok().and_then(|at| threads.get(at));
        let Some(thread) = thread.filter(|thread| thread.state.get() != State::Ended) else { return false };
        if !thread.pending.replace(true) {
            thread.sent_at.set(thread.ops.get());
        }
        true
    }

    /// The current thread takes no signals any more.
    pub(super) fn mask(&self) {
        point();
        self.me(|me| me.masked.set(true));
    }

    /// Events are dropped from now on. `quiet`: there would have been none.
    pub(super) fn hear_no_more(&self, quiet: bool) {
        self.deaf.set(true);
        self.quiet.set(quiet);
    }

    pub(super) fn tell(&self, mut event: Event) {
        if self.deaf.get() {
            return;
        }
        event.seq = self.told.get();
        event.lo = event.seq;
        event.t_ns = self.elapsed();
        self.told.set(event.seq + 1);
        self.events.borrow_mut().push(event);
    }

    pub(super) fn say(&self, text: &str) {
        self.said.borrow_mut().push_str(text);
    }

    /// The execution has failed.
    pub(super) fn fail(&self, failure: Failure) -> ! {
        self.failed.borrow_mut().get_or_insert(failure);
        loop {
            self.stop(End::Chosen);
        }
    }

    /// Drops `value` when the execution is over.
    pub(super) fn keep<T>(&self, value: NonNull<T>) {
        unsafe fn drop_box<T>(at: NonNull<()>) {
            // SAFETY: leaked by whoever called `keep`, and this is called once.
            drop(unsafe { Box::from_raw(at.cast::<T>().as_ptr()) });
        }
        self.kept.borrow_mut().push(Kept { at: value.cast(), drop: drop_box::<T> });
    }

    /// The value of a static in this execution.
    pub(super) fn global<T>(&self, key: usize, init: impl FnOnce() -> Box<T>) -> NonNull<()> {
        if let Some(at) = self.globals.borrow().get(&key) {
            return *at;
        }
        let value = NonNull::from(Box::leak(init()));
        self.keep(value);
        self.globals.borrow_mut().insert(key, value.cast());
        value.cast()
    }
}

/// Where every thread begins.
extern "C" fn thread_main() -> ! {
    with(|machine| {
        let Some(machine) = machine else { unreachable!("a simulated thread runs in an execution") };
        let body = machine.me(|me| me.body.take());
        let ended = catch_unwind(AssertUnwindSafe(|| body.map(|body| body())));
        if let Err(panic) = ended {
            machine.failed.borrow_mut().get_or_insert(Failure::Panic(message_of(&*panic)));
        }
        machine.me(|me| me.state.set(State::Ended));
        loop {
            machine.stop(End::Ended);
        }
    })
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a message").to_owned()
}

/// Leaves the running stack, remembering where in `save`, and goes on at `to`.
///
/// # Safety
///
/// `to` was saved here or made by `init_stack`, is gone to once, and `save` is valid until something goes on at what is
/// saved there.
unsafe fn switch(save: *mut usize, to: usize) {
    extern "C" fn go(to: *mut ()) -> ! {
        // SAFETY: by the contract of `switch`. This frame lies below what was saved, where the stack is free.
        unsafe { arch::gogo(to.addr()) }
    }
    // SAFETY: by the contract; `go` may run below what was saved at `to`, as nothing else runs there.
    unsafe { arch::mcall(save, to, go, ptr::without_provenance_mut(to)) };
}
