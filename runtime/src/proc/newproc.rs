//! Birth of goroutines.
//!
//! What a goroutine is to run is moved to the top of its new stack: the runtime allocates nothing for it.
//!
//! Go: `newproc`, `newproc1`, `gfget` (T01, T03).

use std::sync::Arc;

use sigurg_traces::{Kind, Sym};

use crate::api::names;
use crate::arch;
use crate::facade::atomic::Ordering::Relaxed;
use crate::g::G;
use crate::gfree::BATCH;
use crate::m::M;
use crate::p::P;
use crate::proc::exit::goexit;
use crate::proc::preempt::safe_point;
use crate::proc::queue::runqput;
use crate::proc::wake::wakep;
use crate::proc::{current_g, must_getm, must_p, on_goroutine, settle};
use crate::stack::StackClass;
use crate::status::GStatus;
use crate::throw::throw;
use crate::trace::{Site, event, intern};

/// Goroutine ids that a P takes at once.
const GOID_BATCH: u64 = 16;
/// Closures above this size are boxed: they would eat the stack that they are to run on.
const MAX_INLINE: usize = 1024;

/// How a goroutine is to be made.
#[derive(Default)]
pub(crate) struct SpawnOptions {
    /// What it is called in dumps; given back by `names::clear`.
    pub(crate) name: Option<Arc<str>>,
    /// Bytes of stack, rounded up to a power of two; by default those of the runtime.
    pub(crate) stack_size: Option<usize>,
    /// See `GoBuilder::injectable`.
    pub(crate) injectable: bool,
}

/// A goroutine that was made: its number, and its G for as long as that number is still the G's.
pub(crate) struct Born {
    pub(crate) gp: &'static G,
    pub(crate) goid: u64,
}

/// Creates a goroutine that runs `f`, which does not unwind.
///
/// # Panics
///
/// If the caller is no goroutine, or there is no memory for a stack.
pub(crate) fn newproc(f: impl FnOnce() + Send + 'static, options: SpawnOptions) -> Born {
    // SAFETY: nothing is borrowed.
    unsafe { newproc_unchecked(f, options) }
}

/// As [`newproc`].
///
/// # Safety
///
/// What `f` borrows lives until `f` has returned.
///
/// # Panics
///
/// As [`newproc`].
pub(crate) unsafe fn newproc_unchecked<F: FnOnce() + Send>(f: F, options: SpawnOptions) -> Born {
    if size_of::<F>() > MAX_INLINE {
        let f = Box::new(f);
        // SAFETY: by the contract.
        return unsafe { place(f, options) };
    }
    // SAFETY: by the contract.
    unsafe { place(f, options) }
}

/// # Safety
///
/// As [`newproc_unchecked`].
#[inline(never)]
unsafe fn place<F: FnOnce() + Send>(f: F, options: SpawnOptions) -> Born {
    unsafe fn call<F: FnOnce()>(arg: *mut ()) {
        // SAFETY: `place` wrote it there, and this goroutine runs once.
        let f = unsafe { arg.cast::<F>().read() };
        f();
    }
    assert!(
        on_goroutine(),
        "goroutines are made by goroutines: call this inside Runtime::run, and not inside blocking"
    );
    safe_point();
    // Relaxed: set before any M first runs. Interning may allocate, so it comes first.
    let tracing = must_getm().tracing.load(Relaxed);
    let entry_name = if tracing { intern(std::any::type_name::<F>()) } else { Sym::NONE };
    let mp = settle(must_getm());
    let parent = mp.curg().map_or(0, G::goid);
    mp.acquire();
    let Some(gp) = new_g(mp, options.stack_size) else {
        mp.release();
        panic!("no memory for the stack of another goroutine");
    };
    let at = (gp.stack_hi() - size_of::<F>()) & !(align_of::<F>().max(16) - 1);
    // SAFETY: inside the new stack, which is the caller's alone; aligned.
    unsafe { (at as *mut F).write(f) };
    // SAFETY: free memory of the stack below what was just written, which is a multiple of 16.
    let sp = unsafe { arch::init_stack(at, gostart) };
    // Before this goroutine cannot be stopped any more: that allocated nothing, nor does this.
    names::set(gp, options.name);
    // Relaxed: published by the change of status.
    gp.injectable.store(options.injectable || mp.sched().config.injectable, Relaxed);
    let goid = start(mp, gp, sp, (call::<F> as *mut (), at as *mut ()), parent, entry_name);
    mp.release();
    Born { gp, goid }
}

/// The part of `newproc` that is the same for all closures.
fn start(
    mp: &'static M,
    gp: &'static G,
    sp: usize,
    (entry, arg): (*mut (), *mut ()),
    parent: u64,
    entry_name: Sym,
) -> u64 {
    let pp = must_p(mp, "newproc");
    let goid = next_goid(mp, pp);
    // Relaxed, all: published by the change of status.
    gp.sp.store(sp, Relaxed);
    gp.entry.store(entry, Relaxed);
    gp.arg.store(arg, Relaxed);
    gp.parent.store(parent, Relaxed);
    gp.goid.store(goid, Relaxed);
    let seen = gp.status.load().version();
    event(mp, Some(gp), Site::Newproc, seen, || Kind::Newproc { entry: entry_name, parent, parked: false });
    gp.casgstatus(mp, GStatus::Dead, GStatus::Runnable, Site::Newproc1);
    runqput(mp, pp, gp, true);
    mp.stats.spawned.bump();
    // Relaxed: goes from false to true once; late is harmless.
    if mp.sched().main_started.load(Relaxed) {
        wakep(mp);
    }
    goid
}

fn next_goid(mp: &M, pp: &P) -> u64 {
    // Relaxed: own; the counter only has to give each number once.
    let mut next = pp.goidcache.load(Relaxed);
    if next == pp.goidcacheend.load(Relaxed) {
        next = mp.sched().goidgen.fetch_add(GOID_BATCH, Relaxed) + 1;
        pp.goidcacheend.store(next + GOID_BATCH, Relaxed);
    }
    pp.goidcache.store(next + 1, Relaxed);
    next
}

/// A dead G to be used again, or a new one.
fn new_g(mp: &'static M, stack_size: Option<usize>) -> Option<&'static G> {
    let sched = mp.sched();
    let slab = &sched.slab;
    let class = stack_size.map_or(slab.default_class(), StackClass::for_size);
    if class == slab.default_class()
        && let Some(gp) = gfget(mp)
    {
        return Some(gp);
    }
    let gp = slab.alloc(sched, class)?;
    if gp.status.load().is(GStatus::Idle) {
        gp.casgstatus(mp, GStatus::Idle, GStatus::Dead, Site::Newproc1);
    }
    Some(gp)
}

fn gfget(mp: &'static M) -> Option<&'static G> {
    let sched = mp.sched();
    let pp = mp.p()?;
    if pp.gfree.len() == 0 && sched.gfree_len.load(Relaxed) > 0 {
        let state = sched.lock.lock();
        if let Some(batch) = state.gfree.take_batch(BATCH, &sched.slab) {
            pp.gfree.give(batch, &sched.slab);
        }
        sched.note_dead(&state);
    }
    pp.gfree.pop(&sched.slab)
}

/// Boot: the main goroutine, made by a thread that is no goroutine.
pub(crate) fn newproc_main<F: FnOnce() + Send>(mp: &'static M, f: F) {
    unsafe fn call<F: FnOnce()>(arg: *mut ()) {
        // SAFETY: boxed below; this goroutine runs once.
        let f = unsafe { Box::from_raw(arg.cast::<F>()) };
        f();
    }
    let Some(gp) = new_g(mp, None) else { throw!("no memory for the first stack") };
    // SAFETY: free memory of a new stack, whose end is a multiple of 64.
    let sp = unsafe { arch::init_stack(gp.stack_hi(), gostart) };
    // Relaxed: published by the change of status.
    gp.injectable.store(mp.sched().config.injectable, Relaxed);
    let arg = Box::into_raw(Box::new(f)).cast();
    start(mp, gp, sp, (call::<F> as *mut (), arg), 0, Sym::NONE);
}

/// Where every goroutine begins.
extern "C" fn gostart() -> ! {
    let Some(gp) = current_g() else { throw!("gostart: not on a goroutine") };
    // Relaxed: written before it became runnable.
    let entry = gp.entry.load(Relaxed);
    let arg = gp.arg.load(Relaxed);
    // SAFETY: `start` stored an `unsafe fn(*mut ())` there.
    let entry = unsafe { std::mem::transmute::<*mut (), unsafe fn(*mut ())>(entry) };
    // SAFETY: `arg` is what was stored with it, and this is the one call.
    unsafe { entry(arg) };
    goexit()
}
