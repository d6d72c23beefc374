//! Giving the unused memory of stacks back while their goroutines live.
//!
//! 1. Only who owns a stack discards from it: the holder of the scan bit, its own M on g0, who took a dead G off its list.
//! 2. Only whole pages below everything that is live: the saved stack pointer, or, of a goroutine that was stopped by signal, the
//!    end of the red zone below its stack pointer. The guard below `stack_lo` stays.
//! 3. A stack that is in use although its goroutine stands still, by a system call or by work on g0 that has its arguments
//!    there, is left alone: its goroutine is asked (`preempt_shrink`), and does it when it is next preempted at a safe
//!    point.
//!
//! Go: `shrinkstack`, `isShrinkStackSafe` (stack.go), `preemptShrink`; its stacks are copied to half their size, these stay where
//! they are. Stacks of dead goroutines: `markrootFreeGStacks`.

use sigurg_traces::{Kind, Request};

use super::slab::release_unused;
use crate::facade::atomic::Ordering::Relaxed;
use crate::facade::getm;
use crate::g::G;
use crate::gfree::GFree;
use crate::m::M;
use crate::p::P;
use crate::proc::{for_each_p, on_goroutine, resume_g, suspend_g, with_suspendable};
use crate::sched::{Sched, State};
use crate::signal::context;
use crate::stacks::RED_ZONE;
use crate::status::GStatus;
use crate::trace::{Site, event};

/// What [`shrink`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shrunk {
    /// Goroutines whose stacks were shrunk.
    pub now: usize,
    /// Goroutines that will do it themselves when they are next preempted at a call of this crate: the caller, those in
    /// [`blocking`](crate::blocking), and those that look at others just then.
    pub later: usize,
    /// Stacks without a goroutine, kept for the next.
    pub idle: usize,
}

/// Gives the memory of all stacks back to the system, as far as it is not in use. A stack keeps all pages that it ever touched
/// until then: this is for a program that had many goroutines, or deep ones, and goes on with few, or shallow ones.
///
/// One system call for each stack, a microsecond or less; and a page costs half a microsecond when it is touched again. Goroutines
/// that run are stopped for the moment, one at a time.
///
/// # Panics
///
/// If the caller is not a goroutine, or is inside [`blocking`](crate::blocking).
///
/// ```no_run
/// let shrunk = sigurg::stacks::shrink();
/// println!("{} stacks shrunk, {} idle ones emptied", shrunk.now, shrunk.idle);
/// ```
pub fn shrink() -> Shrunk {
    assert!(on_goroutine(), "sigurg::stacks::shrink: not called on a goroutine");
    let sched = getm().expect("a goroutine runs on an M").sched();
    let mut shrunk = Shrunk { idle: empty_dead(sched), ..Shrunk::default() };
    for gp in sched.slab.all() {
        let done = with_suspendable(|mp| {
            let suspended = suspend_g(mp, gp)?;
            let done = shrink_or_ask(mp, gp);
            resume_g(mp, suspended);
            Some(done)
        });
        match done {
            Some(true) => shrunk.now += 1,
            Some(false) => shrunk.later += 1,
            None => {}
        }
    }
    shrunk
}

/// Discards what `gp` has below `sp`, where nothing is live. The caller owns the stack.
pub(crate) fn shrink_stack(mp: &M, gp: &'static G, sp: usize) {
    event(mp, Some(gp), Site::Shrinkstack, 0, || Kind::StackShrink);
    mp.stats.shrunk.bump();
    release_unused(gp, sp);
}

/// Of a goroutine whose scan bit the caller holds; `false`: it was asked. Go: the end of `scanstack`.
fn shrink_or_ask(mp: &M, gp: &'static G) -> bool {
    match lowest_live(gp) {
        Some(sp) => {
            shrink_stack(mp, gp, sp);
            true
        }
        None => {
            // Relaxed: handed over with the scan bit.
            gp.preempt_shrink.store(true, Relaxed);
            event(mp, Some(gp), Site::Shrinkstack, 0, || Kind::GRequest {
                request: Request::PreemptShrink(true),
            });
            false
        }
    }
}

/// The lowest address that is live of the stack of `gp`, whose scan bit the caller holds; `None` while it is in use.
/// Go: `isShrinkStackSafe`.
fn lowest_live(gp: &G) -> Option<usize> {
    // Relaxed, all: handed over with the scan bit.
    match gp.status.load().base() {
        GStatus::Syscall => return None,
        GStatus::Waiting if gp.waitreason().is_for_suspend_g() => return None,
        _ => {}
    }
    let interrupted = gp.lockedm().map_or(std::ptr::null_mut(), |mp| mp.interrupted.load(Relaxed));
    if interrupted.is_null() {
        return Some(gp.sp.load(Relaxed));
    }
    // A thread that has no signal stack of its own handles signals on this one.
    if (gp.stack_lo()..gp.stack_hi()).contains(&interrupted.addr()) {
        return None;
    }
    // SAFETY: the handler that it points into waits until this goroutine goes on.
    Some(unsafe { context::stack_pointer(interrupted.cast()) } - RED_ZONE)
}

/// Discards the stacks of dead Gs; how many.
fn empty_dead(sched: &'static Sched) -> usize {
    for_each_p(give_up_dead);
    // In hand, all of them: whoever wants one meanwhile makes another.
    let (full, empty) = (GFree::new(), GFree::new());
    {
        let state = sched.lock.lock();
        move_all(sched, &state.gfree, &full);
        sched.note_dead(&state);
    }
    while let Some(gp) = full.pop(&sched.slab) {
        release_unused(gp, gp.stack_hi());
        empty.push(gp);
    }
    let count = empty.len() as usize;
    let state = sched.lock.lock();
    move_all(sched, &empty, &state.gfree);
    sched.note_dead(&state);
    count
}

/// The dead Gs that `pp` keeps for itself go to the list of all.
fn give_up_dead(sched: &'static Sched, state: &mut State, pp: &'static P) {
    move_all(sched, &pp.gfree, &state.gfree);
    sched.note_dead(state);
}

fn move_all(sched: &Sched, from: &GFree, to: &GFree) {
    if let Some(batch) = from.take_batch(u32::MAX, &sched.slab) {
        to.give(batch, &sched.slab);
    }
}
