//! What Go's sources allow and no recording shows, each with a near miss that is still refused.

#[path = "check/story.rs"]
mod story;

use sigurg_traces::{GStatus, Guard, Kind, PStatus, PutHow, Queue, Request, Stack, TakeHow, Via};
use story::Story;

/// Goroutine 2 waits, goroutine 1 runs on M0 with P0.
fn one_waits(release: &str, procs: i32) -> Story {
    let mut story = Story::of(release, procs);
    story.newproc(2, 1, Queue::Runnext).parks(1).schedule().runs_next(2).parks(2).schedule();
    story.readies(1).put(1, Queue::Runnext, PutHow::One).runs_next(1);
    story
}

/// M3 runs goroutine 2 with P1, M0 goroutine 1 with P0.
fn both_run(release: &str) -> Story {
    let mut story = Story::of(release, 2);
    story.newproc(2, 1, Queue::Runnext).starts(3, 1);
    story.tell("", 2, Kind::RunqSteal { target_p: 0, q: Queue::Runnext }).execute(2, false);
    story.m(0);
    story
}

/// synctest (1.24): changegstatus runs inside the change to Gdead, and wakes who waits for the bubble to rest.
#[test]
fn the_last_goroutine_of_a_bubble_wakes_another_while_it_ends() {
    for release in ["go1.24", "go1.25", "go1.27"] {
        let mut story = one_waits(release, 1);
        story.dies(1).readies(2).put(2, Queue::Runnext, PutHow::One);
        story.is_freed(1).schedule().runs_next(2).is_legal();

        let mut with_help = one_waits(release, 2);
        with_help.dies(1).readies(2).put(2, Queue::Runnext, PutHow::One);
        with_help.tell("wakep", 0, Kind::Startm { target_p: 1, spinning: true });
        with_help.is_freed(1).schedule().runs_next(2).is_legal();

        let mut unfinished = one_waits(release, 1);
        unfinished.dies(1).readies(2).put(2, Queue::Runnext, PutHow::One).by(0).schedule();
        unfinished.breaks("request_write");

        let mut elsewhere = one_waits(release, 1);
        elsewhere.tell("", 1, Kind::Goexit).tell("send", 2, Kind::Goready { next: None });
        elsewhere.breaks("program_order");
    }
}

/// synctestRun (1.25) detaches its goroutine while it runs the timers of its bubble.
#[test]
fn timers_of_a_bubble_run_with_no_goroutine_attached() {
    for release in ["go1.25", "go1.27"] {
        let mut story = one_waits(release, 1);
        story.by(0).readies(2).put(2, Queue::Runnext, PutHow::One);
        story.newproc(3, 0, Queue::Runnext).kick(2);
        story.by(1).parks(1).schedule().runs_next(3).is_legal();

        let mut halfway = one_waits(release, 1);
        halfway.by(0).tell("send", 2, Kind::Goready { next: None });
        halfway.by(1).tell("goready", 2, Kind::Ready { next: true });
        halfway.breaks("one_m");

        let mut other = one_waits(release, 1);
        other.by(2).tell("send", 2, Kind::Goready { next: None });
        other.breaks("one_m");
    }
    let mut before = one_waits("go1.24", 1);
    before.by(0).tell("send", 2, Kind::Goready { next: None });
    before.breaks("one_m");
}

/// goFunc of a timer runs on g0, which is no goroutine, though one may be attached (synctest in 1.24).
#[test]
fn a_timer_creates_goroutines_that_have_no_parent() {
    let mut story = Story::of("go1.24", 1);
    story.newproc(2, 0, Queue::Runnext).parks(1).schedule().runs_next(2).is_legal();

    let mut on_its_own_stack = Story::of("go1.24", 1);
    on_its_own_stack.cas("newproc1", 2, GStatus::Dead).on(Stack::G);
    let entry = sigurg_traces::Sym::NONE;
    on_its_own_stack.tell("newproc", 2, Kind::Newproc { entry, parent: 0, parked: false });
    on_its_own_stack.breaks("goid");
}

/// findRunnable (1.22): an M that gave its P back finds the global queue filled, and an idle P. It fills the ring of
/// that P before it takes it.
#[test]
fn an_m_without_a_p_puts_its_share_of_the_global_queue_on_an_idle_p() {
    let how = |release: &str| if release == "go1.24" { PutHow::One } else { PutHow::Batch };
    let found = |release: &str| {
        let mut story = both_run(release);
        for gs in [4, 5] {
            story.newproc(gs, 1, Queue::Runnext).parks(1).schedule().runs_next(gs);
            story.tell("gosched_m", gs, Kind::GoschedImpl { preempted: Some(false) });
            story.cas("goschedImpl", gs, GStatus::Runnable).by(0).put(gs, Queue::Global, PutHow::One);
            story.schedule().readies(1).put(1, Queue::Runnext, PutHow::One).runs_next(1);
        }
        story.m(3).parks(2).schedule().releasep().pop(4, Queue::Global).pop(5, Queue::Global);
        story
    };
    for release in ["go1.24", "go1.27"] {
        let put = |p| Kind::RunqPut { target_p: p, q: Queue::Local, how: how(release) };
        let mut story = found(release);
        story.tell("", 5, put(1)).wirep(1).execute(4, false).is_legal();

        let mut taken = found(release);
        taken.tell("", 5, put(0)).breaks("queue_owner");
    }
}

/// checkdead with simulated time gives a P to the M that stopped last.
#[test]
fn the_m_that_stopped_last_is_revived_when_no_p_is_in_use() {
    let mut story = Story::of("go1.27", 1);
    story.parks(1).schedule().releasep().tell("findRunnable", 0, Kind::Stopm).wirep(0);
    story.readies(1).put(1, Queue::Runnext, PutHow::One).runs_next(1).is_legal();

    let mut in_use = both_run("go1.27");
    in_use.m(3).parks(2).schedule().releasep().tell("findRunnable", 0, Kind::Stopm).wirep(1);
    in_use.breaks("one_p");
}

/// A write barrier may fill its buffer anywhere: its flush asks another P for a mark worker.
#[test]
fn a_mark_worker_is_enlisted_in_the_middle_of_anything() {
    let enlist = "(*gcControllerState).enlistWorker";
    let mut story = both_run("go1.27");
    story.dies(1).request("gdestroy", 1, Request::PreemptStop(false)).by(0).preempts(enlist, 2, 3, 1);
    story.tell("", 1, Kind::Gfput { target_p: 0 }).schedule().is_legal();

    let mut woken = Story::of("go1.27", 2);
    woken.dies(1).request("gdestroy", 1, Request::PreemptStop(false)).by(0);
    woken.tell("wakep", 0, Kind::Startm { target_p: 1, spinning: true });
    woken.tell("", 1, Kind::Gfput { target_p: 0 }).schedule().is_legal();

    let mut by_the_monitor = both_run("go1.27");
    by_the_monitor.dies(1).request("gdestroy", 1, Request::PreemptStop(false)).by(0);
    by_the_monitor.tell("retake", 2, Kind::PreemptOne { target_p: 1, target_m: 3 });
    by_the_monitor.breaks("program_order");

    let mut unfinished = both_run("go1.27");
    unfinished.dies(1).request("gdestroy", 1, Request::PreemptStop(false)).by(0);
    unfinished.preempts(enlist, 2, 3, 1).schedule();
    unfinished.breaks("program_order");
}

/// A throw freezes the world from where it happens, here in the middle of a coroutine switch.
#[test]
fn a_throw_freezes_the_world_in_the_middle_of_anything() {
    let mut story = both_run("go1.27");
    story.tell("coroswitch_m", 1, Kind::CoroFrom { exit: false }).preempts("preemptall", 2, 3, 1);
    story.m(3).handles(2, true, 1).is_legal();

    let mut asked_by_the_monitor = both_run("go1.27");
    asked_by_the_monitor.tell("coroswitch_m", 1, Kind::CoroFrom { exit: false });
    asked_by_the_monitor.tell("retake", 2, Kind::PreemptOne { target_p: 1, target_m: 3 });
    asked_by_the_monitor.breaks("one_m");
}

/// needm spins while the monitor holds the scan bit of its G and takes the P that the thread had left behind.
#[test]
fn a_foreign_thread_comes_back_while_its_p_is_taken() {
    let left = |story: &mut Story| {
        // M4 is a foreign thread; its goroutine 2 comes in, takes P1, and leaves again with P1 still wired.
        story.cas("oneNewExtraM", 2, GStatus::Deadextra);
        story.m(4).by(2).cas("needm", 2, GStatus::Syscall);
        story.on(Stack::G).status("exitsyscall", 2, GStatus::Running, Via::Direct).on(Stack::G0).wirep(1);
        story.on(Stack::G).request("exitsyscall", 2, Request::Stackguard0(Guard::Normal));
        story.request("reentersyscall", 2, Request::Stackguard0(Guard::Preempt));
        story.status("reentersyscall", 2, GStatus::Syscall, Via::Direct).on(Stack::G0);
        story.cas("dropm", 2, GStatus::Deadextra).request("dropm", 2, Request::PreemptStop(false));
        // The monitor.
        story.m(1).tell("", 0, Kind::MStart);
        story.status("setBlockOnExitSyscall", 2, GStatus::Scandeadextra, Via::Castogscanstatus);
        story.tell("retake", 2, Kind::SyscallBlock { target_p: 1, target_m: 4 });
        story.tell("retake", 0, Kind::RetakeSyscall { target_p: 1 });
        story.p_status("releaseP", 1, PStatus::Idle);
    };
    let wanted = (GStatus::Deadextra, GStatus::Syscall);
    for p in [1, -1] {
        let mut story = Story::of("go1.27", 2);
        left(&mut story);
        story.m(4).p(p).fails("needm", 2, wanted, Via::Casgstatus);
        story.m(1).status("resume", 2, GStatus::Deadextra, Via::CasfromGscanstatus);
        story.tell("retake", 0, Kind::Handoffp { target_p: 1 });
        story.m(4).p(-1).cas("needm", 2, GStatus::Syscall).is_legal();
    }
    let mut kept = Story::of("go1.27", 2);
    left(&mut kept);
    kept.m(1).status("resume", 2, GStatus::Deadextra, Via::CasfromGscanstatus);
    kept.m(4).p(-1).cas("needm", 2, GStatus::Syscall);
    kept.on(Stack::G).status("exitsyscall", 2, GStatus::Running, Via::Direct);
    kept.on(Stack::G0).p(1).tell("exitsyscall", 0, Kind::Startm { target_p: -1, spinning: false });
    kept.breaks("one_p");
}

/// The change at either end of a system call is made on the G's own stack: a handler may come before it is told.
#[test]
fn a_handler_sees_both_ends_of_a_system_call_before_they_are_told() {
    let asked = || {
        let mut story = both_run("go1.27");
        story.preempts("retake", 2, 3, 1).m(3).on(Stack::G);
        story.request("reentersyscall", 2, Request::Stackguard0(Guard::Preempt));
        story
    };
    let mut entering = asked();
    entering.handles(2, false, 1).on(Stack::G);
    entering.status("reentersyscall", 2, GStatus::Syscall, Via::Direct).is_legal();

    let mut leaving = asked();
    leaving.status("reentersyscall", 2, GStatus::Syscall, Via::Direct).handles(2, true, 1).on(Stack::G);
    leaving.status("exitsyscall", 2, GStatus::Running, Via::Direct).is_legal();

    let mut blind = both_run("go1.27");
    blind.preempts("retake", 2, 3, 1).m(3).on(Stack::G).tell(
        "",
        2,
        Kind::Newstack { preempt: true, preempt_stop: false, preempt_shrink: false, can_preempt: false },
    );
    blind.request("newstack", 2, Request::Stackguard0(Guard::Normal));
    blind.handles(2, false, 1).breaks_at("safe_point", 2);
}

/// runqputslow: a full ring gives half of itself and the G that did not fit to the global queue.
#[test]
fn a_full_ring_spills_half_and_the_one_that_did_not_fit() {
    let full = |spilled: u32| {
        let mut story = Story::of("go1.27", 1);
        story.newproc(2, 1, Queue::Runnext);
        for gs in 3..=258 {
            story.newproc(gs, 1, Queue::Runnext).kick(gs - 1);
        }
        story.newproc(259, 1, Queue::Runnext).tell(
            "",
            258,
            Kind::RunqKick { target_p: 0, q: Queue::Runnext },
        );
        for gs in 2..2 + spilled {
            story.tell("", gs, Kind::RunqGet { target_p: 0, q: Queue::Local, how: TakeHow::Spill });
        }
        for gs in (2..2 + spilled).chain([258]) {
            story.put(gs, Queue::Global, PutHow::Batch);
        }
        story.parks(1);
        story
    };
    full(128).schedule().pop(2, Queue::Global).execute(2, false).is_legal();
    full(127).breaks_at("queue_order", 2);
}

/// With `gcstoptheworld` user goroutines are set aside while the collector marks, and put back in one batch.
#[test]
fn goroutines_that_may_not_run_now_are_set_aside() {
    let mut story = one_waits("go1.27", 1);
    story.newproc(3, 1, Queue::Runnext).parks(1).schedule().pop(3, Queue::Runnext);
    story.put(3, Queue::Disabled, PutHow::One).schedule().readies(2).put(2, Queue::Runnext, PutHow::One);
    story.runs_next(2).put(3, Queue::Global, PutHow::Batch).parks(2).schedule();
    story.pop(3, Queue::Global).execute(3, false).is_legal();

    let mut run = one_waits("go1.27", 1);
    run.newproc(3, 1, Queue::Runnext).parks(1).schedule().pop(3, Queue::Runnext);
    run.put(3, Queue::Disabled, PutHow::One).schedule();
    run.tell("schedule", 3, Kind::Execute { inherit_time: true }).breaks("execute_taken");
}

/// Between BeforeFork and AfterFork the guard is that of a fork; a request may be written over it.
#[test]
fn a_fork_changes_the_guard_and_restores_it() {
    let fork = |guard| Request::Stackguard0(guard);
    let mut story = both_run("go1.27");
    story.on(Stack::G).request("syscall_runtime_BeforeFork", 1, fork(Guard::Fork));
    story.m(3).preempts("retake", 1, 0, 0).m(0).on(Stack::G);
    story.request("syscall_runtime_AfterFork", 1, fork(Guard::Normal)).is_legal();

    let mut alone = both_run("go1.27");
    alone.on(Stack::G).request("syscall_runtime_AfterFork", 1, fork(Guard::Normal));
    alone.breaks("request_write");
}

/// debugCallWrap runs the call's goroutine at once, in the caller's time slice; debugCallWrap1 goes back.
#[test]
fn a_debug_call_runs_its_goroutine_at_once_and_goes_back() {
    let call = || {
        let mut story = Story::of("go1.27", 1);
        story.cas("newproc1", 2, GStatus::Dead);
        let (entry, parked) = (sigurg_traces::Sym::NONE, false);
        story.tell("debugCallWrap.func1", 2, Kind::Newproc { entry, parent: 1, parked });
        story.cas("newproc1", 2, GStatus::Runnable);
        story.status("debugCallWrap.func2", 1, GStatus::Waiting, Via::CasGToWaiting).by(0);
        story.execute(2, true).cas("debugCallWrap1.func1", 2, GStatus::Runnable).by(0);
        story
    };
    let mut story = call();
    story.put(2, Queue::Global, PutHow::One).cas("debugCallWrap1.func1", 1, GStatus::Runnable);
    story.execute(1, true).is_legal();

    let mut kept = call();
    kept.cas("debugCallWrap1.func1", 1, GStatus::Runnable).breaks("queue_take");
}

/// An M that ends with its goroutine gives its P away, to a new M or to a stop-the-world that waits for it.
#[test]
fn an_m_that_ends_gives_its_p_away() {
    let ending = || {
        let mut story = both_run("go1.27");
        story.m(3).dies(2).is_freed(2).tell("", 0, Kind::MExit).releasep();
        story.tell("mexit", 0, Kind::Handoffp { target_p: 1 });
        story
    };
    let mut to_another = ending();
    to_another.tell("handoffp", 0, Kind::Startm { target_p: 1, spinning: false });
    to_another.wirep(1).releasep().m(4).tell("", 0, Kind::MStart).wirep(1).schedule().is_legal();

    let mut to_the_stopper = ending();
    to_the_stopper.p_status("handoffp", 1, PStatus::Gcstop).is_legal();

    let mut alive = ending();
    alive.tell("findRunnable", 0, Kind::Stopm).breaks("program_order");
}

/// A semaphore that is handed over yields to the waiter: the G goes to the end of the own ring.
#[test]
fn a_direct_handoff_yields_to_the_own_ring() {
    let handed = || {
        let mut story = one_waits("go1.27", 1);
        story.on(Stack::G).tell("readyWithTime", 2, Kind::Goready { next: None }).on(Stack::G0);
        story.tell("goready.func1", 2, Kind::Ready { next: true }).cas("ready", 2, GStatus::Runnable);
        story.put(2, Queue::Runnext, PutHow::One).tell("goyield_m", 1, Kind::Goyield);
        story.cas("goyield_m", 1, GStatus::Runnable).by(0);
        story
    };
    handed().put(1, Queue::Local, PutHow::One).schedule().runs_next(2).is_legal();
    handed().put(1, Queue::Runnext, PutHow::One).breaks("placement");
}

/// A build with the race detector drops `next` at random, and shuffles what it moves in batches.
#[test]
fn a_build_with_the_race_detector_queues_at_random() {
    let mut story = one_waits("go1.27", 1);
    story.newproc(3, 1, Queue::Local).newproc(4, 1, Queue::Runnext).newproc(5, 1, Queue::Local);
    story.readies(2).put(2, Queue::Local, PutHow::One).parks(1).schedule().runs_next(4).parks(4).schedule();
    story.pop(5, Queue::Local).execute(5, false).parks(5).schedule().pop(3, Queue::Local);
    story.execute(3, false).is_legal();

    let mut late = one_waits("go1.27", 1);
    late.newproc(3, 1, Queue::Runnext);
    for gs in 4..24 {
        late.newproc(gs, 1, Queue::Runnext).kick(gs - 1);
    }
    late.newproc(24, 1, Queue::Local).breaks("placement");
}
