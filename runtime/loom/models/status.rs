//! `status.rs`, `proc/gstatus.rs`: who has the scan bit has the goroutine.

use sigurg_traces::PutHow;

use super::join;
use super::stage::{Stack, Stage, on, stack_of};
use crate::facade::atomic::Ordering::Relaxed;
use crate::facade::loom::{Model, spawn};
use crate::facade::osyield;
use crate::g::STACK_PREEMPT;
use crate::m::M;
use crate::proc::preempt::publish_preempted;
use crate::proc::queue::{globrunqget, globrunqput, runqget};
use crate::proc::schedule::run_here;
use crate::proc::suspend::{resume_g, suspend_g};
use crate::status::GStatus;
use crate::trace::Site;

/// Looks at a goroutine in `status` as a suspender does, if the bit is free.
fn look(mp: &'static M, stack: Stack, status: GStatus) {
    if stack.gp.castogscanstatus(mp, status, Site::SuspendG) {
        stack.touch();
        stack.gp.casfrom_gscanstatus(mp, status, Site::SuspendG);
    }
}

/// One readies and runs it, two want to look at it meanwhile.
pub(super) fn a_change_of_status_waits_for_the_scan_bit() {
    Model::bounded(2).check(|| {
        let stage = Stage::new(1);
        let (runner, lookers) = (stage.m_with(stage.p(0)), [stage.m(), stage.m()]);
        let stack = stack_of(stage.g(GStatus::Waiting));
        let threads = [(0, GStatus::Waiting), (1, GStatus::Runnable)]
            .map(|(i, status)| spawn(move || look(lookers[i], stack, status)));
        stack.gp.casgstatus(runner, GStatus::Waiting, GStatus::Runnable, Site::Ready);
        run_here(runner, stack.gp);
        stack.touch();
        threads.into_iter().for_each(join);
    });
}

/// A goroutine is asked to stop, and does at a safe point. Whoever suspended it has it alone, and it goes on once.
///
/// Both wait for each other by looking again and again, which makes the number of orders explode: hence the bound.
pub(super) fn a_running_goroutine_is_stopped_and_goes_on_once() {
    Model::bounded(2).check(|| {
        let stage = Stage::new(2);
        let (runner, suspender) = (stage.m_with(stage.p(0)), stage.m_with(stage.p(1)));
        let stack = stack_of(stage.running(runner));
        let gp = stack.gp;
        stack.touch();
        let runner = spawn(move || {
            on(runner, || {
                // A safe point, as `newstack` has it.
                while gp.stackguard0.load(Relaxed) != STACK_PREEMPT || !gp.preempt_stop.load(Relaxed) {
                    osyield();
                }
                publish_preempted(runner, gp);
            });
        });
        on(suspender, || {
            let Some(suspended) = suspend_g(suspender, gp) else { panic!("it is not dead") };
            stack.touch();
            resume_g(suspender, suspended);
            let next = suspender.p().and_then(|pp| runqget(suspender, pp));
            assert!(
                next.is_some_and(|(next, _)| std::ptr::eq(next, gp)),
                "a running goroutine is stopped, then readied"
            );
            run_here(suspender, gp);
            stack.touch();
        });
        join(runner);
        assert_eq!(stack.touched(), 3);
    });
}

/// Two suspenders of a goroutine that was preempted: one of them wins it, and readies it.
pub(super) fn of_two_suspenders_one_owes_the_ready() {
    Model::bounded(2).check(|| {
        let stage = Stage::new(2);
        let suspenders = [0, 1].map(|id| stage.m_with(stage.p(id)));
        let stack = stack_of(stage.g(GStatus::Preempted));
        let suspend = move |mp: &'static M| {
            on(mp, || {
                let Some(suspended) = suspend_g(mp, stack.gp) else { panic!("it is not dead") };
                stack.touch();
                resume_g(mp, suspended);
                mp.p().and_then(|pp| runqget(mp, pp)).is_some()
            })
        };
        let other = spawn(move || suspend(suspenders[1]));
        let readied = [suspend(suspenders[0]), join(other)];
        assert_eq!(readied.iter().filter(|readied| **readied == Some(true)).count(), 1, "{readied:?}");
        assert!(stack.gp.status.load().is(GStatus::Runnable));
        assert_eq!(stack.touched(), 2);
    });
}

/// Who takes it from the global queue sees what its last runner did.
pub(super) fn a_goroutine_goes_through_the_global_queue() {
    Model::exhaustive().check(|| {
        let stage = Stage::new(2);
        let (from, to) = (stage.m_with(stage.p(0)), stage.m_with(stage.p(1)));
        let stack = stack_of(stage.running(from));
        let taker = spawn(move || {
            loop {
                let next = globrunqget(to, &mut to.sched().lock.lock());
                if let Some(gp) = next {
                    run_here(to, gp);
                    return stack.touch();
                }
                osyield();
            }
        });
        stack.touch();
        stack.gp.casgstatus(from, GStatus::Running, GStatus::Runnable, Site::GoschedImpl);
        crate::proc::park::dropg(from, stack.gp);
        globrunqput(from, &mut from.sched().lock.lock(), stack.gp, PutHow::One);
        join(taker);
        assert_eq!(stack.touched(), 2);
    });
}
