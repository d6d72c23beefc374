//! One model, and what belongs to one execution of it.
//!
//! Loom's objects must be made inside an execution, before the threads that share them; the runtime's are made by `const`
//! functions, anywhere. So an object of the runtime is only an address here, and a value to start from, which never
//! changes; what loom knows of it is found by the address, and forgotten with the execution. So statics, too, start afresh
//! in each.
//!
//! 1. An atomic that is first touched after a thread was started, perhaps by two threads at once, gets one of the words that
//!    were made before. A word's value is the difference to what its atomic started from, so all start from zero.
//! 2. Every word starts with a SeqCst store: loom lets a SeqCst load miss newer SeqCst stores only if what it sees instead
//!    is not SeqCst.
//! 3. Loom remembers one access of a word as the last one, be it a load: it forgets the load of one thread, with the order in
//!    which others should store first, as soon as another thread loads. So every load has a mark of its thread's, and
//!    whoever writes the word writes the marks of others: these loom keeps apart.
//! 4. An object that is dropped is forgotten: another one may be at its address in the same execution. Whoever drops it must have seen
//!    every store to it.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::panic::Location;
use std::rc::Rc;

use ::loom::sync::{Mutex, MutexGuard};
use ::loom::thread::{JoinHandle, Thread, ThreadId};

use super::atomic::{LoomU8, LoomU32, LoomU64, Ordering};
use super::weaken::list_sites;

/// Words of each width that an execution has in store.
const SPARE: usize = 32;

/// Marks that it has in store.
const MARKS: usize = 256;

/// Loom's words of one width, by address; and what each started from.
pub(super) struct Words<L, R> {
    known: HashMap<usize, (Rc<L>, R)>,
    spare: Vec<Rc<L>>,
}

impl<L, R> Words<L, R> {
    fn new() -> Self {
        Self { known: HashMap::new(), spare: Vec::new() }
    }
}

/// What loom knows of a lock.
pub(super) struct KnownLock {
    /// The guard of its holder. Goes first.
    pub(super) held: Option<MutexGuard<'static, ()>>,
    pub(super) mutex: Rc<Mutex<()>>,
}

pub(super) struct Execution {
    pub(super) bytes: Words<LoomU8, u8>,
    pub(super) halves: Words<LoomU32, u32>,
    pub(super) words: Words<LoomU64, u64>,
    pub(super) locks: HashMap<usize, KnownLock>,
    /// The threads that have loaded a word, by its address.
    readers: HashMap<usize, Vec<(ThreadId, Rc<LoomU8>)>>,
    marks: Vec<Rc<LoomU8>>,
    /// Who sleeps on a word, by its address.
    pub(super) sleepers: HashMap<usize, Vec<Thread>>,
    pub(super) clock: Rc<LoomU64>,
    /// What was done so far.
    steps: Vec<Step>,
    /// No thread was started yet.
    alone: bool,
    /// To be dropped at the end, in the order in which they were made, after every thread has ended.
    kept: Vec<Box<dyn Any>>,
}

thread_local! {
    static ACTIVE: Cell<bool> = const { Cell::new(false) };
    static EXECUTION: RefCell<Option<Execution>> = const { RefCell::new(None) };
}

/// Whether a model runs on this OS thread. Not while it fails: then nothing of loom works any more.
pub(super) fn is_active() -> bool {
    ACTIVE.get() && !std::thread::panicking()
}

/// Calls `f` with the execution; it must not use loom, which may switch threads.
pub(super) fn with<T>(f: impl FnOnce(&mut Execution) -> T) -> T {
    EXECUTION.with_borrow_mut(|execution| f(execution.as_mut().expect("inside a model")))
}

/// As [`with`], or nothing if no model runs.
pub(super) fn try_with(f: impl FnOnce(&mut Execution)) {
    if is_active() {
        EXECUTION.with_borrow_mut(|execution| execution.as_mut().map(f));
    }
}

/// How one width is made: by [`word`].
pub(super) trait Made {
    fn made() -> Self;
    /// The atomic that it stands for is dropped.
    fn end(&self);
}

/// The word of loom's for the object at `at`, which started from `start`.
pub(super) fn word<L: Made, R: Copy>(
    of: impl Fn(&mut Execution) -> &mut Words<L, R>,
    at: usize,
    start: R,
) -> (Rc<L>, R) {
    let known = |execution: &mut Execution| {
        of(execution).known.get(&at).map(|(word, start)| (Rc::clone(word), *start))
    };
    if let Some(known) = with(known) {
        return known;
    }
    let word = if with(|execution| execution.alone) {
        Rc::new(L::made())
    } else {
        let spare = with(|execution| of(execution).spare.pop());
        spare.expect("threads touch more new atomics than there are words: `SPARE`")
    };
    with(|execution| of(execution).known.insert(at, (Rc::clone(&word), start)));
    (word, start)
}

/// This thread is about to load the word at `at`.
pub(super) fn before_load(at: usize) {
    if with(|execution| execution.alone) {
        return;
    }
    let me = ::loom::thread::current().id();
    let mark = with(|execution| {
        let readers = execution.readers.entry(at).or_default();
        if let Some((_, mark)) = readers.iter().find(|(id, _)| *id == me) {
            return Rc::clone(mark);
        }
        let mark = execution.marks.pop().expect("threads load more words than there are marks: `MARKS`");
        readers.push((me, Rc::clone(&mark)));
        mark
    });
    mark.store(0, Ordering::Relaxed);
}

/// This thread is about to write the word at `at`, or to try.
pub(super) fn before_write(at: usize) {
    if with(|execution| execution.alone || !execution.readers.contains_key(&at)) {
        return;
    }
    let me = ::loom::thread::current().id();
    let others = with(|execution| {
        let readers = execution.readers.get(&at).into_iter().flatten();
        readers.filter(|(id, _)| *id != me).map(|(_, mark)| Rc::clone(mark)).collect::<Vec<_>>()
    });
    for mark in others {
        mark.store(0, Ordering::Relaxed);
    }
}

/// One operation, for the report of a failure.
struct Step {
    thread: ThreadId,
    what: &'static str,
    order: Option<Ordering>,
    at: usize,
    value: Option<u64>,
    from: &'static Location<'static>,
}

/// Notes that the thread did something to the object at `at`.
#[track_caller]
pub(super) fn note(what: &'static str, order: Option<Ordering>, at: usize, value: Option<u64>) {
    let step =
        Step { thread: ::loom::thread::current().id(), what, order, at, value, from: Location::caller() };
    try_with(|execution| execution.steps.push(step));
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { thread, what, order, at, value, from } = self;
        write!(f, "{thread:?} {}:{}: {what} {:04x}", from.file(), from.line(), at & 0xffff)?;
        if let Some(value) = value {
            write!(f, " {value:#x}")?;
        }
        order.iter().try_for_each(|order| write!(f, " {order:?}"))
    }
}

/// Starts a thread of a model.
pub(crate) fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> JoinHandle<T> {
    with(|execution| execution.alone = false);
    ::loom::thread::spawn(f)
}

/// Forgets the object at `at`, which is dropped. Loom reports a store that is not ordered before that.
pub(super) fn forget<L: Made, R>(of: impl FnOnce(&mut Execution) -> &mut Words<L, R>, at: usize) {
    let mut known = None;
    try_with(|execution| {
        known = of(execution).known.remove(&at);
        execution.readers.remove(&at);
    });
    if let Some((word, _)) = known {
        word.end();
    }
}

/// What is to be explored, and how far.
pub(crate) struct Model {
    preemptions: Option<usize>,
}

impl Model {
    /// All interleavings.
    pub(crate) fn exhaustive() -> Self {
        Self { preemptions: None }
    }

    /// All interleavings in which threads are interrupted, where they could go on, at most `preemptions` times in all; and
    /// as many more as the variable `SIGURG_LOOM_MORE` says, as the nightly run has it.
    pub(crate) fn bounded(preemptions: usize) -> Self {
        let more =
            std::env::var("SIGURG_LOOM_MORE").ok().map_or(0, |more| more.parse().expect("SIGURG_LOOM_MORE"));
        Self { preemptions: Some(preemptions + more) }
    }

    /// Runs `f` in every way there is. Panics, or does not return, if one of them goes wrong: what failed is on stderr.
    pub(crate) fn check(self, f: impl Fn() + Send + Sync + 'static) {
        let mut builder = ::loom::model::Builder::new();
        builder.preemption_bound = self.preemptions;
        // A thread that goes round in a loop is stuck; executions here take a few hundred steps.
        builder.max_branches = 20_000;
        let count = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let executions = std::sync::Arc::clone(&count);
        let started = std::time::Instant::now();
        let end = End;
        builder.check(move || {
            executions.fetch_add(1, Ordering::Relaxed);
            ACTIVE.set(true);
            let execution = Execution {
                bytes: Words { spare: spares(SPARE), ..Words::new() },
                halves: Words { spare: spares(SPARE), ..Words::new() },
                words: Words { spare: spares(SPARE), ..Words::new() },
                locks: HashMap::new(),
                readers: HashMap::new(),
                marks: (0..MARKS).map(|_| Rc::new(LoomU8::new(0))).collect(),
                sleepers: HashMap::new(),
                clock: Rc::new(Made::made()),
                steps: Vec::new(),
                alone: true,
                kept: Vec::new(),
            };
            EXECUTION.set(Some(execution));
            f();
            let kept = with(|execution| std::mem::take(&mut execution.kept));
            drop(kept);
            ACTIVE.set(false);
            EXECUTION.set(None);
        });
        drop(end);
        let count = count.load(Ordering::Relaxed);
        list_sites();
        // Reports are made of this line: how far it went.
        match self.preemptions {
            None => println!("explored {count} orders, all"),
            Some(most) => println!("explored {count} orders, preemptions {most}"),
        }
        println!("in {:?}", started.elapsed());
    }
}

/// What a model that failed did is told, and what it left is not dropped: loom is gone.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        ACTIVE.set(false);
        if let Some(execution) = EXECUTION.take() {
            eprintln!("the execution that failed, by thread, place and word:");
            let shared = execution.steps.iter().skip_while(|step| step.thread == execution.steps[0].thread);
            shared.for_each(|step| eprintln!("  {step}"));
            std::mem::forget(execution);
        }
    }
}

fn spares<L: Made>(count: usize) -> Vec<Rc<L>> {
    (0..count).map(|_| Rc::new(L::made())).collect()
}

/// Keeps `value` until the execution has ended.
pub(crate) fn keep<T: 'static>(value: T) -> &'static T {
    let value = Box::new(value);
    let at = &raw const *value;
    with(|execution| execution.kept.push(value));
    // SAFETY: on the heap, where it stays until every thread of the execution has ended.
    unsafe { &*at }
}
