//! One wrong step in a short story, refused where it stands: what no recording and no damage to one shows.

#[path = "check/story.rs"]
mod story;

use sigurg_traces::{GStatus, Kind, PStatus, Queue, Stack, Sym, Via};
use story::Story;

/// G1 runs on M0 with P0, G2 on M3 with P1.
fn two_run() -> Story {
    let mut story = Story::of("go1.27", 2);
    story.newproc(2, 1, Queue::Runnext).starts(3, 1);
    story.tell("", 2, Kind::RunqSteal { target_p: 0, q: Queue::Runnext }).execute(2, false);
    story.m(0);
    story
}

/// G1 has stopped G2, and lets it go.
fn resuming() -> Story {
    let mut story = two_run();
    story.status("markroot", 1, GStatus::Waiting, Via::CasGToWaitingForSuspendG).asks_to_stop(2, 7, 3);
    story.m(3).is_caught(2, 1).on(Stack::G0).parks_in_handler(2).schedule();
    story.m(0).stops_and_lets_go(2, 7);
    story
}

#[test]
fn who_was_stopped_is_readied_before_its_resume_ends() {
    let end = Kind::ResumeEnd { sid: 7, stopped: true };
    resuming().tell("resumeG", 2, end).breaks("resume_stopped");
    let mut readied = resuming();
    readied.tell("resumeG", 2, Kind::Ready { next: true }).cas("ready", 2, GStatus::Runnable);
    readied.put(2, Queue::Runnext, sigurg_traces::PutHow::One).tell("resumeG", 2, end);
    readied.is_legal();
}

#[test]
fn who_suspends_others_can_be_suspended_itself() {
    two_run().tell("suspendG", 2, Kind::SuspendBegin { sid: 7 }).breaks("suspender");
}

#[test]
fn who_is_runnable_is_not_readied() {
    let mut story = Story::of("go1.27", 2);
    story.newproc(2, 1, Queue::Runnext).on(Stack::G);
    story.tell("send", 2, Kind::Goready { next: None }).breaks("ready_waiting");
}

#[test]
fn the_world_has_not_stopped_while_a_p_runs() {
    let reason = Sym::NONE;
    let mut story = two_run();
    story.tell("stopTheWorldWithSema", 0, Kind::StwBegin { reason });
    story.status("stopTheWorldWithSema", 1, GStatus::Waiting, Via::CasGToWaitingForSuspendG);
    story.preempts("preemptall", 2, 3, 1).p_status("stopTheWorldWithSema", 0, PStatus::Gcstop);
    story.tell("stopTheWorldWithSema", 0, Kind::StwStopped { reason }).breaks("stw_order");
}
