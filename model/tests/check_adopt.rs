//! X-ADOPT: who sleeps in a foreign call loses its P to an M that saw it sleep, and gets another when it is back. And what
//! else signals bring that nobody asked for.

#[path = "check/story.rs"]
mod story;

use sigurg_traces::{GStatus, Guard, Kind, PStatus, PutHow, Queue, Request, Stack, Via};
use story::Story;

/// G1 runs on M0 with P0, G2 on M3 with P1; M2 is idle, and M4 is the monitor.
fn two_run(release: &str) -> Story {
    let mut story = Story::of(release, 3);
    story.as_streams();
    story.newproc(2, 1, Queue::Runnext).starts(2, 2);
    story.releasep().tell("", 0, Kind::Stopm);
    story.m(0).starts(3, 1).tell("", 2, Kind::RunqSteal { target_p: 0, q: Queue::Runnext });
    story.execute(2, false).on(Stack::G);
    story.m(4).tell("sysmon", 0, Kind::MStart);
    story
}

/// The monitor saw G2 sleep.
fn seen_asleep() -> Story {
    let mut story = two_run("sigurg");
    story.status("adopt", 2, GStatus::Scansyscall, Via::Direct);
    story
}

/// The P of G2 is in the monitor's hand.
fn taken() -> Story {
    let mut story = seen_asleep();
    story.tell("retake", 2, Kind::SyscallBlock { target_p: 1, target_m: 3 });
    story.tell("retake", 0, Kind::RetakeSyscall { target_p: 1 });
    story.p_status("syscallingThread.takeP", 1, PStatus::Idle);
    story.status("syscallingThread.resume", 2, GStatus::Syscall, Via::CasfromGscanstatus);
    story.m(3).p(-1).m(4);
    story
}

/// G2 has no P, which M2 took.
fn adopted() -> Story {
    let mut story = taken();
    story.tell("retake", 0, Kind::Handoffp { target_p: 1 });
    story.tell("handoffp", 0, Kind::Startm { target_p: 1, spinning: false });
    story.m(2).wirep(1);
    story
}

/// G2 computes, and M3 is sent a signal, whose handler runs.
fn recalled() -> Story {
    let mut story = adopted();
    story.m(4).tell("adopt", 0, Kind::PreemptM { target_m: 3, sent: true });
    story.m(3).on(Stack::Gsignal);
    story.tell("doSigPreempt", 2, Kind::SigPreempt { want: false, safe: false, reject: None });
    story.tell("doSigPreempt", 2, Kind::SigAck { generation: 1 });
    story
}

#[test]
fn what_sleeps_in_a_foreign_call_is_like_a_system_call_to_all_others() {
    let mut story = adopted();
    story.m(3).on(Stack::G).status("exitsyscall", 2, GStatus::Running, Via::Direct).on(Stack::G0);
    story.cas("exitsyscallNoP", 2, GStatus::Runnable).by(0).put(2, Queue::Global, PutHow::One);
    story.tell("", 0, Kind::Stopm);
    story.m(2).pop(2, Queue::Global).execute(2, false).on(Stack::G).parks(2).is_legal();
}

#[test]
fn go_has_no_such_extension() {
    let mut story = two_run("go1.27");
    story.status("adopt", 2, GStatus::Scansyscall, Via::Direct).breaks("legal_transition");
}

#[test]
fn it_is_one_exchange_of_a_running_goroutine() {
    let mut other_way = two_run("sigurg");
    other_way.status("adopt", 2, GStatus::Scansyscall, Via::Castogscanstatus).breaks("legal_transition");
    let mut other_site = two_run("sigurg");
    other_site.status("suspendG", 2, GStatus::Scansyscall, Via::Direct).breaks("legal_transition");
    let mut waiting = two_run("sigurg");
    waiting.m(3).on(Stack::G).parks(2).m(4);
    waiting.status("adopt", 2, GStatus::Scansyscall, Via::Direct).breaks("legal_transition");
}

#[test]
fn the_p_is_taken_under_the_scan_bit_and_handed_on() {
    let mut unannounced = seen_asleep();
    unannounced.p_status("syscallingThread.takeP", 1, PStatus::Idle).breaks("syscall");
    let mut anothers = seen_asleep();
    anothers.tell("retake", 2, Kind::SyscallBlock { target_p: 0, target_m: 0 }).breaks("syscall");
    let mut kept = taken();
    kept.tell("", 0, Kind::Stopm).breaks("syscall");
    let mut forgotten = seen_asleep();
    forgotten.tell("retake", 0, Kind::Handoffp { target_p: 1 });
    assert!(forgotten.judge().is_err());
}

#[test]
fn it_does_nothing_as_a_goroutine_before_it_is_back() {
    let mut yields = adopted();
    yields.m(3).on(Stack::G).tell("", 2, Kind::Goexit);
    assert!(yields.judge().is_err());
    let mut runs = adopted();
    runs.m(3).on(Stack::G).status("exitsyscall", 2, GStatus::Running, Via::Direct);
    // Without a P.
    runs.tell("", 2, Kind::Gopark { reason: sigurg_traces::Sym::NONE, unlockf: true });
    assert!(runs.judge().is_err());
}

#[test]
fn what_computes_without_a_p_waits_in_its_handler_for_one() {
    let mut story = recalled();
    story.status("recall", 2, GStatus::Running, Via::Direct);
    story.cas("recall", 2, GStatus::Runnable).by(0);
    let mut idle = story.clone();
    story.put(2, Queue::Global, PutHow::One).tell("", 2, Kind::Stoplockedm);
    story.m(2).pop(2, Queue::Global);
    let mut elsewhere = story.clone();
    elsewhere.tell("schedule", 2, Kind::Execute { inherit_time: false }).breaks("locked_m");
    story.tell("schedule", 2, Kind::Startlockedm { target_m: 3 }).releasep().tell("", 0, Kind::Stopm);
    story.m(3).on(Stack::Gsignal).wirep(1).execute(2, false).on(Stack::G).parks(2).is_legal();

    // P2 is idle.
    idle.wirep(2).execute(2, false).on(Stack::G).parks(2).is_legal();
}

#[test]
fn a_handler_that_calls_a_goroutine_back_does_all_of_it() {
    let mut outside = recalled();
    outside.on(Stack::G0).status("recall", 2, GStatus::Running, Via::Direct).breaks("locked_m");
    let mut runs_on = recalled();
    runs_on.status("recall", 2, GStatus::Running, Via::Direct);
    runs_on.request("exitsyscall", 2, Request::Stackguard0(Guard::Normal)).breaks("syscall");
    let mut lost = recalled();
    lost.status("recall", 2, GStatus::Running, Via::Direct).cas("recall", 2, GStatus::Runnable).by(0);
    lost.tell("", 2, Kind::Stoplockedm).breaks("queue_take");
    // A goroutine in an ordinary system call is not called back.
    let mut running = two_run("sigurg");
    running.m(3).on(Stack::Gsignal).cas("recall", 2, GStatus::Runnable);
    assert!(running.judge().is_err());
}

#[test]
fn only_the_monitor_and_whoever_owns_the_goroutine_signal_unasked() {
    let mut other = adopted();
    other.m(0).on(Stack::G).tell("adopt", 0, Kind::PreemptM { target_m: 3, sent: true });
    assert!(other.judge().is_err());

    let owner = |target| {
        let mut story = adopted();
        story.m(0).status("markroot", 1, GStatus::Waiting, Via::CasGToWaitingForSuspendG);
        story.tell("suspendG", 2, Kind::SuspendBegin { sid: 7 });
        story.sees(2, 7).status("suspendG", 2, GStatus::Scansyscall, Via::Castogscanstatus);
        story.request("suspendG", 2, Request::PreemptStop(false));
        story.request("suspendG", 2, Request::Preempt(false));
        story.request("suspendG", 2, Request::Stackguard0(Guard::Normal));
        story.tell("suspendG", 2, Kind::SuspendEnd { sid: 7, dead: false, stopped: false });
        story.tell("suspendG", 0, Kind::PreemptM { target_m: target, sent: true });
        story
    };
    let mut story = owner(3);
    story.tell("resumeG", 2, Kind::ResumeBegin { sid: 7, dead: false, stopped: false });
    story.status("resumeG", 2, GStatus::Syscall, Via::CasfromGscanstatus);
    story.tell("resumeG", 2, Kind::ResumeEnd { sid: 7, stopped: false }).is_legal();
    assert!(owner(2).judge().is_err());
}

/// G2 is interrupted by a signal that somebody outside sent.
fn foreign(release: &str) -> Story {
    let mut story = two_run(release);
    story.m(3).on(Stack::Gsignal);
    story.tell("doSigPreempt", 2, Kind::SigPreempt { want: false, safe: false, reject: None });
    story
}

#[test]
fn a_signal_of_somebody_else_is_acknowledged_as_such() {
    let mut story = foreign("sigurg");
    story.tell("sigfwdgo", 2, Kind::SigAck { generation: 1 });
    story.tell("doSigPreempt", 2, Kind::SigPreempt { want: false, safe: false, reject: None });
    story.tell("sigfwdgo", 2, Kind::SigAck { generation: 2 }).on(Stack::G);
    // And then one of ours.
    story.m(0).preempts("wakePreempt", 2, 3, 1).m(3).is_caught(2, 3).yields_in_handler(2).is_legal();
}

#[test]
fn a_signal_of_somebody_else_is_none_of_ours() {
    let mut as_ours = foreign("sigurg");
    as_ours.tell("doSigPreempt", 2, Kind::SigAck { generation: 1 }).breaks("signal_pair");
    let mut uncounted = foreign("sigurg");
    uncounted.tell("sigfwdgo", 2, Kind::SigAck { generation: 0 }).breaks("signal_pair");
    let mut go = foreign("go1.27");
    go.tell("sigfwdgo", 2, Kind::SigAck { generation: 1 }).breaks("signal_pair");
    // One that was sent is not somebody else's.
    let mut ours = two_run("sigurg");
    ours.m(0).preempts("wakePreempt", 2, 3, 1).m(3);
    ours.looks_safe(2).tell("sigfwdgo", 2, Kind::SigAck { generation: 1 }).breaks("signal_pair");
    let mut unseen = two_run("sigurg");
    unseen.m(3).on(Stack::Gsignal).tell("sigfwdgo", 2, Kind::SigAck { generation: 1 }).breaks("signal_pair");
}
