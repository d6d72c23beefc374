//! forEachP: its function is run once for every P, by who has it.

#[path = "check/story.rs"]
mod story;

use sigurg_traces::{GStatus, Kind, Queue, Via};
use story::Story;

/// M0 with P0 asks both Ps for goroutine 1, while M3 runs goroutine 2 with P1.
fn asked() -> Story {
    let mut story = Story::of("go1.27", 2);
    story.newproc(2, 1, Queue::Runnext).starts(3, 1);
    story.tell("", 2, Kind::RunqSteal { target_p: 0, q: Queue::Runnext }).execute(2, false);
    story.m(0).status("forEachP", 1, GStatus::Waiting, Via::CasGToWaitingForSuspendG);
    story.tell("forEachP", 0, Kind::ForEachPBegin { procs: 2 });
    story.runs(0);
    story
}

trait Steps {
    fn runs(&mut self, p: i32) -> &mut Self;
    fn ends(&mut self) -> &mut Self;
}

impl Steps for Story {
    fn runs(&mut self, p: i32) -> &mut Self {
        self.tell("runSafePointFn", 0, Kind::SafePointFn { target_p: p })
    }

    fn ends(&mut self) -> &mut Self {
        self.tell("forEachP", 0, Kind::ForEachPEnd)
    }
}

#[test]
fn each_p_once_and_then_the_end() {
    let mut story = asked();
    story.m(3).runs(1);
    story.m(0).ends().cas("forEachP", 1, GStatus::Running);
    story.is_legal();
    // And again.
    story.status("forEachP", 1, GStatus::Waiting, Via::CasGToWaitingForSuspendG);
    story.tell("forEachP", 0, Kind::ForEachPBegin { procs: 2 }).runs(0).m(3).runs(1);
    story.m(0).ends().cas("forEachP", 1, GStatus::Running).is_legal();
}

#[test]
fn an_idle_p_is_seen_to_by_anybody() {
    let mut story = asked();
    story.m(3).parks(2).schedule().releasep();
    story.m(0).runs(1).ends().cas("forEachP", 1, GStatus::Running).is_legal();
}

#[test]
fn a_p_that_somebody_runs_on_is_his_to_see_to() {
    asked().runs(1).breaks("for_each_p");
}

#[test]
fn no_p_twice() {
    asked().runs(0).breaks("for_each_p");
}

#[test]
fn no_p_is_left_out() {
    asked().ends().breaks("for_each_p");
}

#[test]
fn not_without_a_question() {
    let mut story = Story::of("go1.27", 2);
    story.runs(0).breaks("for_each_p");
    let mut end = Story::of("go1.27", 2);
    end.ends().breaks("for_each_p");
}

#[test]
fn one_at_a_time_and_over_every_p() {
    asked().tell("forEachP", 0, Kind::ForEachPBegin { procs: 2 }).breaks("for_each_p");
    let mut some = Story::of("go1.27", 2);
    some.status("forEachP", 1, GStatus::Waiting, Via::CasGToWaitingForSuspendG);
    some.tell("forEachP", 0, Kind::ForEachPBegin { procs: 1 }).breaks("for_each_p");
}

#[test]
fn who_waits_for_others_can_be_suspended_itself() {
    let mut story = Story::of("go1.27", 2);
    story.tell("forEachP", 0, Kind::ForEachPBegin { procs: 2 }).breaks("for_each_p");
}

#[test]
fn the_world_is_not_stopped_meanwhile() {
    let reason = sigurg_traces::Sym::NONE;
    asked().tell("stopTheWorldWithSema", 0, Kind::StwBegin { reason }).breaks("stw_order");
}
