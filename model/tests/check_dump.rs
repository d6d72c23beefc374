//! X-DUMP: a suspender that does not wait for ever, and one without a P.

#[path = "check/story.rs"]
mod story;

use sigurg_traces::{GStatus, Kind, PutHow, Queue, Request, Stack, Via};
use story::Story;

/// G1 runs on M0 with P0, G2 on M3 with P1; M2 is idle. M5, a thread without a P, begins to suspend G2.
fn outsider(profile: &str) -> Story {
    let mut story = Story::of(profile, 3);
    story.as_streams();
    story.newproc(2, 1, Queue::Runnext).starts(2, 2);
    story.releasep().tell("", 0, Kind::Stopm);
    story.m(0).starts(3, 1).tell("", 2, Kind::RunqSteal { target_p: 0, q: Queue::Runnext });
    story.execute(2, false).on(Stack::G);
    story.m(5).on(Stack::G0).tell("", 0, Kind::MStart).asks_to_stop(2, 7, 3);
    story
}

/// The same, and it has lost patience: it is in a second window.
fn gives_up(profile: &str) -> Story {
    let mut story = outsider(profile);
    story.sees(2, 7).status("suspendG", 2, GStatus::Scanrunning, Via::Castogscanstatus);
    story
}

const NOTHING: Kind = Kind::SuspendEnd { sid: 7, dead: true, stopped: false };

#[test]
fn a_suspender_gives_up_after_it_took_its_request_back() {
    let mut story = gives_up("sigurg");
    story.request("suspendG", 2, Request::PreemptStop(false));
    let mut inside = story.clone();
    inside.tell("suspendG", 2, NOTHING).breaks("scan_owner");
    story.status("suspendG", 2, GStatus::Running, Via::CasfromGscanstatus);
    story.tell("suspendG", 2, NOTHING);
    // What is still asked is that it yields.
    story.m(3).is_caught(2, 1).yields_in_handler(2).is_legal();
}

#[test]
fn a_suspender_that_leaves_its_request_behind_is_caught() {
    let mut story = outsider("sigurg");
    story.sees(2, 7).tell("suspendG", 2, NOTHING);
    assert!(story.judge().is_err(), "nobody would ready the goroutine that parks for it");
}

#[test]
fn a_thread_without_a_p_readies_what_it_stopped_to_the_global_queue() {
    let mut story = outsider("sigurg");
    story.m(3).is_caught(2, 1).parks_in_handler(2).waits_in_handler(2);
    story.m(5).stops_and_lets_go(2, 7);
    story.tell("resumeG", 2, Kind::Ready { next: false }).cas("ready", 2, GStatus::Runnable);
    let mut lost = story.clone();
    lost.tell("resumeG", 2, Kind::ResumeEnd { sid: 7, stopped: true }).breaks("queue_take");
    story.put(2, Queue::Global, PutHow::Batch);
    story.tell("resumeG", 2, Kind::ResumeEnd { sid: 7, stopped: true }).is_legal();
}

/// Go's suspenders wait for as long as it takes.
#[test]
fn go_has_no_such_extension() {
    let mut story = gives_up("go1.27");
    story.request("suspendG", 2, Request::PreemptStop(false));
    assert!(story.judge().is_err());
}
