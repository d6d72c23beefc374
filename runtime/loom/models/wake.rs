//! `proc/wake.rs`, `proc/find_runnable.rs`: who submits work and who is about to sleep do not miss each other.
//!
//! One M submits and then does nothing more: it is in a long computation, so that the work must go to the other M, which
//! looks for work, finds none and goes to sleep, at any point of that. It must find the work in the end: else both
//! wait for ever, which loom reports.
//!
//! Bounded: looking for work is a hundred operations. A lost wake-up is the seeker's last look before the put, and the
//! submitter's look before the seeker is down: one preemption each. `a_runnext_is_found` was also run without a bound:
//! 43,657 executions.

use super::join;
use super::stage::{Stack, Stage, on, stack_of};
use crate::facade::Note;
use crate::facade::loom::{Model, keep, spawn};
use crate::m::M;
use crate::proc::find_runnable::find_runnable;
use crate::proc::queue::{globrunqput, injectglist, runqput};
use crate::proc::schedule::run_here;
use crate::proc::template::begin_on;
use crate::proc::wake::{become_spinning, resetspinning, take_nextp, wakep};
use crate::sched::GQueue;
use crate::status::GStatus;
use sigurg_traces::PutHow;

/// `submit`, by the M of P0, of a goroutine in `status`.
fn explore(model: Model, status: GStatus, submit: fn(&'static M, Stack)) {
    model.check(move || {
        let stage = Stage::new(2);
        let (submitter, seeker, new) = (stage.m_with(stage.p(0)), stage.m_with(stage.p(1)), stage.m());
        let stack = stack_of(stage.g(status));
        let done = keep(Note::new());
        let seek = move |mp| {
            let (gp, _) = find_runnable(mp);
            assert!(std::ptr::eq(gp, stack.gp));
            run_here(mp, gp);
            stack.touch();
            done.wakeup();
        };
        let sched = stage.sched;
        let threads = [
            spawn(move || _ = on(seeker, || seek(seeker))),
            // The template thread, and the M that it makes if it is asked to.
            spawn(move || {
                sched.template.wait();
                if sched.template.lacks_threads()
                    && let Some(pp) = sched.template.take_wanted(sched)
                {
                    begin_on(new, pp);
                    on(new, || {
                        take_nextp(new);
                        seek(new);
                    });
                }
            }),
        ];
        on(submitter, || {
            stack.touch();
            submit(submitter, stack);
            done.sleep();
        });
        assert_eq!(stack.touched(), 2);
        stage.end();
        threads.into_iter().for_each(join);
    });
}

pub(super) fn a_runnext_is_found() {
    explore(Model::bounded(2), GStatus::Runnable, |mp, stack| {
        runqput(mp, mp.p().expect("P0"), stack.gp, true);
        wakep(mp);
    });
}

pub(super) fn what_was_put_into_the_global_queue_is_found() {
    explore(Model::bounded(2), GStatus::Runnable, |mp, stack| {
        globrunqput(mp, &mut mp.sched().lock.lock(), stack.gp, PutHow::One);
        wakep(mp);
    });
}

pub(super) fn what_was_injected_is_found() {
    explore(Model::bounded(2), GStatus::Waiting, |mp, stack| {
        let mut list = GQueue::new();
        list.push_back(stack.gp);
        injectglist(mp, list);
    });
}

/// Rule 5: the submitter was the one that spun, and the other does not for that reason.
pub(super) fn what_the_last_spinning_m_leaves_is_found() {
    explore(Model::bounded(2), GStatus::Runnable, |mp, stack| {
        become_spinning(mp);
        runqput(mp, mp.p().expect("P0"), stack.gp, false);
        resetspinning(mp);
    });
}
