//! X-PARK: a goroutine that is preempted stays in its thread's signal handler, locked to it, until it is scheduled again.

#[path = "check/story.rs"]
mod story;

use sigurg_traces::{GStatus, Kind, PutHow, Queue, Reject, Stack, Via};
use story::Story;

/// G1 runs on M0 with P0, G2 on M3 with P1; M2 is idle.
fn both_run() -> Story {
    let mut story = Story::of("sigurg", 3);
    story.as_streams();
    story.newproc(2, 1, Queue::Runnext).starts(2, 2);
    story.releasep().tell("", 0, Kind::Stopm);
    story.m(0).starts(3, 1).tell("", 2, Kind::RunqSteal { target_p: 0, q: Queue::Runnext });
    story.execute(2, false).on(Stack::G);
    story
}

/// G2 was asked to yield and the handler of M3 runs.
fn asked() -> Story {
    let mut story = both_run();
    story.m(0).preempts("wakePreempt", 2, 3, 1).m(3);
    story
}

/// G2 stays in the handler of M3, on the global queue; its P is on its way to M2.
fn stays() -> Story {
    let mut story = asked();
    story.is_caught(2, 1).yields_in_handler(2).waits_in_handler(2);
    story
}

/// M2 has taken the P and G2.
fn taken() -> Story {
    let mut story = stays();
    story.m(2).wirep(1).pop(2, Queue::Global);
    story
}

/// M2 hands P1 and G2 to `target`.
fn handed(target: i32) -> Story {
    let mut story = taken();
    story.tell("schedule", 2, Kind::Startlockedm { target_m: target });
    story
}

/// G1 waits on M0 to be suspendable and asks G2.
fn suspender() -> Story {
    let mut story = both_run();
    story.m(0).status("markroot", 1, GStatus::Waiting, Via::CasGToWaitingForSuspendG);
    story.asks_to_stop(2, 7, 3);
    story
}

#[test]
fn a_goroutine_goes_on_in_the_handler_where_it_stopped() {
    let mut story = handed(3);
    story.releasep().tell("", 0, Kind::Stopm);
    story.m(3).on(Stack::Gsignal).wirep(1).execute(2, false);
    story.on(Stack::G).parks(2).is_legal();
}

/// The signal came in the middle of a line of the runtime, which goes on afterwards.
#[test]
fn what_the_signal_interrupted_goes_on_afterwards() {
    let mut story = both_run();
    let gopark = Kind::Gopark { reason: sigurg_traces::Sym::NONE, unlockf: true };
    story.m(0).preempts("wakePreempt", 2, 3, 1).m(3).on(Stack::G).tell("chanrecv", 2, gopark);
    story.is_caught(2, 1).yields_in_handler(2).waits_in_handler(2);
    story.m(2).wirep(1).pop(2, Queue::Global);
    story.tell("schedule", 2, Kind::Startlockedm { target_m: 3 }).releasep().tell("", 0, Kind::Stopm);
    story.m(3).on(Stack::Gsignal).wirep(1).execute(2, false);
    let mut other = story.clone();
    story.on(Stack::G0).cas("park_m", 2, GStatus::Waiting).is_legal();
    other.on(Stack::G).tell("", 2, Kind::Goexit).breaks("one_m");
}

/// No M is idle: the P goes to a goroutine that has a thread of its own.
#[test]
fn the_p_may_go_to_another_goroutine_in_a_handler() {
    let next = |target| {
        let mut story = stays();
        story.m(2).wirep(1).preempts("wakePreempt", 1, 0, 0);
        story.m(0).on(Stack::Gsignal).pop(2, Queue::Global).is_caught(1, 1).yields_in_handler(1);
        story.tell("", 1, Kind::Stoplockedm);
        story.tell("", 2, Kind::Startlockedm { target_m: target });
        story
    };
    next(2).breaks("locked_m");
    let mut story = next(3);
    story.releasep();
    story.m(3).on(Stack::Gsignal).wirep(0).execute(2, false).on(Stack::G).parks(2).is_legal();
}

/// No M is idle: the handler looks on the queues of other Ps, too, for a goroutine that has a thread; it runs none.
#[test]
fn a_handler_may_steal_but_not_submit() {
    let steals = || {
        let mut story = both_run();
        story.m(3).newproc(4, 2, Queue::Local).newproc(5, 2, Queue::Local).newproc(6, 2, Queue::Local);
        story.m(0).on(Stack::Gsignal);
        for stolen in [4, 5] {
            story.tell("findRunnable", stolen, Kind::RunqSteal { target_p: 1, q: Queue::Local });
        }
        story
    };
    let mut story = steals();
    story.put(4, Queue::Local, PutHow::Steal).put(5, Queue::Global, PutHow::One);
    story.pop(4, Queue::Local).put(4, Queue::Global, PutHow::One).is_legal();
    steals().put(4, Queue::Local, PutHow::One).breaks("placement");
    steals().tell("schedule", 5, Kind::Execute { inherit_time: false }).breaks("one_m");
    // Who looks for work keeps what it stole.
    let mut keeps = both_run();
    keeps.m(3).newproc(4, 2, Queue::Local);
    keeps.m(0).parks(1).schedule().tell("findRunnable", 4, Kind::RunqSteal { target_p: 1, q: Queue::Local });
    keeps.put(4, Queue::Global, PutHow::One).breaks("placement");
}

/// The world stops, and the P with the goroutine.
#[test]
fn the_p_may_stop_with_the_world() {
    let mut story = asked();
    story.is_caught(2, 1).yields_in_handler(2).tell("", 2, Kind::Stoplockedm).releasep();
    story.p_status("gcstopm", 1, sigurg_traces::PStatus::Gcstop).is_legal();
}

/// The thread that makes threads is stuck: sysmon gives the P, for which it was to make one, to the goroutine in its handler.
#[test]
fn the_monitor_may_hand_an_idle_p_to_a_goroutine_in_its_handler() {
    let rescue = |site: &str| {
        let mut story = stays();
        story.m(4).tell("sysmon", 0, Kind::MStart).wirep(1).schedule().pop(2, Queue::Global);
        story.tell(site, 2, Kind::Startlockedm { target_m: 3 });
        story
    };
    let mut handed = rescue("rescue");
    handed.releasep().preempts("retake", 1, 0, 0);
    handed.m(3).on(Stack::Gsignal).wirep(1).execute(2, false).is_legal();
    // It gives the P away; and whoever is not the monitor stops then.
    let asks = Kind::PreemptOne { target_p: 0, target_m: 0 };
    rescue("rescue").tell("retake", 1, asks).breaks("p_chain");
    rescue("schedule").releasep().tell("retake", 1, asks).breaks("locked_m");
}

/// The world stops, the goroutine is to go on first on its P, and takes the place of another there.
#[test]
fn a_goroutine_may_kick_another_from_runnext_before_it_stays() {
    let kicked = |stays: u32| {
        let mut story = both_run();
        story.m(3).newproc(4, 2, Queue::Runnext);
        story.m(0).preempts("preemptall", 2, 3, 1).m(3).is_caught(2, 1);
        story.tell("", 2, Kind::PreemptYield { by_signal: true });
        story.tell("goschedImpl", 2, Kind::GoschedImpl { preempted: Some(true) });
        story.cas("goschedImpl", 2, GStatus::Runnable).by(0).put(2, Queue::Runnext, PutHow::One);
        story.tell("", 4, Kind::RunqKick { target_p: 1, q: Queue::Runnext }).put(
            4,
            Queue::Local,
            PutHow::One,
        );
        story.tell("", stays, Kind::Stoplockedm);
        story
    };
    kicked(2).releasep().p_status("gcstopm", 1, sigurg_traces::PStatus::Gcstop).is_legal();
    // It is not the other that stays.
    kicked(4).breaks("locked_m");
}

#[test]
fn a_goroutine_that_stays_in_a_handler_runs_on_no_other_thread() {
    taken().tell("schedule", 2, Kind::Execute { inherit_time: false }).breaks("locked_m");
    handed(0).breaks("locked_m");
}

#[test]
fn it_goes_on_only_with_a_p_that_was_handed_to_it() {
    // Its M takes an idle P by itself.
    let mut unasked = stays();
    unasked.wirep(2).tell("schedule", 2, Kind::Execute { inherit_time: false }).breaks("execute_taken");
    // Without any.
    let mut without = handed(3);
    without.releasep().m(3).on(Stack::Gsignal);
    without.tell("schedule", 2, Kind::Execute { inherit_time: false }).breaks("one_p");
    // Not waiting at all.
    stays().on(Stack::G).by(2).tell("", 2, Kind::Goexit).breaks("one_m");
}

#[test]
fn the_m_runs_nothing_else_meanwhile_and_keeps_no_p() {
    let mut scheduler = asked();
    scheduler.is_caught(2, 1).yields_in_handler(2).on(Stack::G0).schedule().breaks("locked_m");

    let mut keeps = asked();
    keeps.is_caught(2, 1).yields_in_handler(2).tell("", 2, Kind::Stoplockedm);
    keeps.tell("", 0, Kind::Handoffp { target_p: 1 }).breaks("p_chain");

    let mut other = stays();
    other.wirep(2).on(Stack::G0).schedule().breaks("locked_m");
}

#[test]
fn a_handler_acknowledges_before_the_goroutine_stops() {
    let mut after = asked();
    after.looks_safe(2).tell("", 2, Kind::PreemptYield { by_signal: true }).breaks("signal_pair");

    let mut never = asked();
    never.looks_safe(2).tell("", 2, Kind::PreemptPark { by_signal: true }).breaks("signal_pair");
}

#[test]
fn a_goroutine_stops_only_where_its_handler_found_it_safe() {
    for (want, reject) in [(false, None), (true, Some(Reject::MNotPreemptible)), (true, Some(Reject::Other))]
    {
        let mut declined = asked();
        declined.on(Stack::Gsignal).tell("", 2, Kind::SigPreempt { want, safe: false, reject });
        declined.tell("", 2, Kind::SigAck { generation: 1 });
        let mut goes_on = declined.clone();
        goes_on.on(Stack::G).parks(2).is_legal();
        declined.tell("", 2, Kind::PreemptYield { by_signal: true }).breaks("safe_point");
    }
    let mut unwanted = asked();
    unwanted.on(Stack::Gsignal).tell("", 2, Kind::SigPreempt { want: false, safe: true, reject: None });
    unwanted.breaks("safe_point");

    let mut found_and_not_stopped = asked();
    found_and_not_stopped.is_caught(2, 1).on(Stack::G).tell("", 2, Kind::Goexit).breaks("safe_point");
}

/// A signal that lands on a scheduler stack, which has no number here, finds nothing to stop.
#[test]
fn a_handler_on_a_scheduler_stack_names_no_goroutine() {
    let mut story = asked();
    story.on(Stack::Gsignal).tell("", 0, Kind::SigPreempt { want: false, safe: false, reject: None });
    story.tell("", 0, Kind::SigAck { generation: 1 }).on(Stack::G).parks(2).is_legal();

    let mut safe = asked();
    safe.on(Stack::Gsignal).tell("", 0, Kind::SigPreempt { want: true, safe: true, reject: None });
    safe.breaks("safe_point");
}

#[test]
fn a_suspender_stops_a_goroutine_in_its_handler_and_readies_it() {
    let mut story = suspender();
    story.m(3).is_caught(2, 1).parks_in_handler(2).waits_in_handler(2);
    story.m(0).stops_and_lets_go(2, 7);
    story.tell("resumeG", 2, Kind::Ready { next: true }).cas("ready", 2, GStatus::Runnable);
    story.put(2, Queue::Runnext, PutHow::One);
    story.tell("resumeG", 2, Kind::ResumeEnd { sid: 7, stopped: true });
    story.cas("markroot", 1, GStatus::Running).on(Stack::G).parks(1).schedule().pop(2, Queue::Runnext);
    let mut elsewhere = story.clone();
    elsewhere.tell("schedule", 2, Kind::Execute { inherit_time: true }).breaks("locked_m");
    story.tell("schedule", 2, Kind::Startlockedm { target_m: 3 }).releasep().tell("", 0, Kind::Stopm);
    story.m(3).on(Stack::Gsignal).wirep(0).execute(2, false).on(Stack::G).parks(2).is_legal();
}

/// C2.
#[test]
fn preempt_stop_decides_between_parking_and_yielding() {
    let mut yields = suspender();
    yields.m(3).is_caught(2, 1).tell("", 2, Kind::PreemptYield { by_signal: true }).breaks("preempt_choice");

    let mut parks = asked();
    parks.is_caught(2, 1).tell("preemptPark", 2, Kind::PreemptPark { by_signal: true });
    parks.status("preemptPark", 2, GStatus::Scanpreempted, Via::CasGToPreemptScan).breaks("park_requested");
}

/// X-REMEMBER: a signal that was held back is sent when that may be, without another window.
#[test]
fn a_signal_that_is_owed_is_sent_later() {
    let mut story = suspender();
    story.sees(2, 7).tell("suspendG", 0, Kind::PreemptM { target_m: 3, sent: false });
    story.tell("suspendG", 0, Kind::PreemptM { target_m: 3, sent: false });
    story.is_legal();
    let mut astray = story.clone();
    astray.tell("suspendG", 0, Kind::PreemptM { target_m: 2, sent: false }).breaks("program_order");
}

/// Of Go nothing stays in a handler.
#[test]
fn go_has_no_such_extension() {
    let mut story = Story::of("go1.27", 2);
    story.newproc(2, 1, Queue::Runnext).starts(3, 1);
    story.tell("", 2, Kind::RunqSteal { target_p: 0, q: Queue::Runnext }).execute(2, false);
    story.m(0).preempts("retake", 2, 3, 1).m(3).is_caught(2, 1).yields_in_handler(2);
    assert!(story.judge().is_err());
}
