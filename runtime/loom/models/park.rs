//! `proc/park.rs`: a goroutine that parks can be readied from when its lock is given back, and not before.

use super::join;
use super::stage::{Stage, on, stack_of};
use crate::facade::atomic::Ordering::Relaxed;
use crate::facade::loom::{Model, keep, spawn};
use crate::facade::osyield;
use crate::g::G;
use crate::lock::Lock;
use crate::proc::park::{goready, let_go, prepare_park};
use crate::proc::queue::runqget;
use crate::proc::schedule::run_here;
use crate::status::{GStatus, Snapshot};
use crate::waitreason::WaitReason;

/// A queue of at most one waiter.
struct Queue(Lock<Option<&'static G>>);

/// The `unlock` of who waits there.
unsafe fn unlock(queue: *mut ()) {
    // SAFETY: a `Queue` that its waiter has locked, and forgot the guard.
    unsafe { (*queue.cast::<Queue>()).0.unlock() };
}

pub(super) fn who_is_found_can_be_readied_and_runs_elsewhere_at_once() {
    Model::exhaustive().check(|| {
        let stage = Stage::new(2);
        let (parker, waker) = (stage.m_with(stage.p(0)), stage.m_with(stage.p(1)));
        let stack = stack_of(stage.running(parker));
        let queue = keep(Queue(Lock::new(None)));
        let waker_thread = spawn(move || {
            on(waker, || {
                let gp = loop {
                    let found = queue.0.lock().take();
                    match found {
                        Some(gp) => break gp,
                        None => osyield(),
                    }
                };
                goready(waker, gp);
                let next = waker.p().and_then(|pp| runqget(waker, pp));
                assert!(next.is_some_and(|(next, _)| std::ptr::eq(next, gp)));
                run_here(waker, gp);
                stack.touch();
            });
        });
        on(parker, || {
            stack.touch();
            let mut guard = queue.0.lock();
            *guard = Some(stack.gp);
            std::mem::forget(guard);
            prepare_park(
                parker,
                unlock,
                std::ptr::from_ref(queue).cast_mut().cast(),
                WaitReason::ChanReceive,
            );
            let_go(parker, stack.gp);
            assert!(parker.curg().is_none());
        });
        join(waker_thread);
        assert_eq!(stack.touched(), 2);
        assert!(stack.gp.status.load().is(GStatus::Running));
        assert!(stack.gp.m().is_some_and(|mp| std::ptr::eq(mp, waker)), "whoever runs it is its M");
    });
}

/// Who reads that it waits reads its reason, too, in whatever way it reads. Bounded: there are four threads.
pub(super) fn its_reason_is_seen_with_its_status() {
    Model::bounded(2).check(|| {
        let stage = Stage::new(1);
        let parker = stage.m_with(stage.p(0));
        let gp = stage.running(parker);
        gp.waitreason.store(WaitReason::Sleep as u8, Relaxed);
        let see = move |seen: Snapshot| {
            assert!(!seen.is(GStatus::Waiting) || gp.waitreason() == WaitReason::ChanReceive);
        };
        let reads = [
            spawn(move || see(gp.status.load())),
            spawn(move || gp.status.cas(GStatus::Dead, GStatus::Idle).map_or_else(see, |_| ())),
            spawn(move || {
                gp.status.cas_to_scan(GStatus::Running).map_or_else(see, |_| {
                    assert!(gp.status.cas_from_scan(GStatus::Running).is_ok());
                })
            }),
        ];
        prepare_park(parker, nothing, std::ptr::null_mut(), WaitReason::ChanReceive);
        let_go(parker, gp);
        reads.into_iter().for_each(join);
    });
}

/// An `unlock` of nothing.
unsafe fn nothing(_: *mut ()) {}
