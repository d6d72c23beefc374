//! What is different where streams are ordered by the versions of objects, and what is not.

#[path = "check/story.rs"]
mod story;

use sigurg_traces::{Kind, PutHow, Queue, TakeHow};
use story::Story;

/// G1 runs on P0 and made `count` others: all but the newest, which is in runnext, lie in the ring, 2 first.
fn made(count: u32) -> Story {
    let mut story = Story::of("sigurg", 2);
    story.as_streams();
    for gs in 2..2 + count {
        story.newproc(gs, 1, Queue::Runnext);
        if gs > 2 {
            story.kick(gs - 1);
        }
    }
    story
}

fn destroy(q: Queue) -> Kind {
    Kind::RunqGet { target_p: 0, q, how: TakeHow::Destroy }
}

#[test]
fn a_p_that_goes_away_is_emptied_by_name_from_the_head_of_its_ring() {
    let to_head = |story: &mut Story, gs| {
        story.put(gs, Queue::Global, PutHow::Head);
    };
    let mut story = made(4);
    story.starts(1, 1);
    for (at, gs) in (1..).zip([2, 3, 4]) {
        story.tell("destroy", gs, destroy(Queue::Local)).over(at);
        to_head(&mut story, gs);
    }
    story.tell("destroy", 5, destroy(Queue::Runnext)).over(9);
    to_head(&mut story, 5);
    story.is_legal();

    let mut from_the_tail = made(4);
    from_the_tail.starts(1, 1).tell("destroy", 4, destroy(Queue::Local)).over(1);
    from_the_tail.tell("destroy", 3, destroy(Queue::Local)).over(2).breaks("queue_order");

    let mut elsewhere = made(4);
    elsewhere.starts(1, 1).tell("destroy", 5, destroy(Queue::Local)).over(1).breaks("queue_take");

    let mut twice = made(4);
    twice.starts(1, 1).tell("destroy", 2, destroy(Queue::Local)).over(1);
    twice.tell("destroy", 2, destroy(Queue::Local)).over(2).breaks("queue_take");

    let mut without_version = made(4);
    without_version.starts(1, 1).tell("destroy", 2, destroy(Queue::Local));
    let failure = without_version.judge().expect_err("Go names no queue");
    assert!(failure.rule().is_none(), "{failure}");

    let mut popped = made(4);
    popped
        .starts(1, 1)
        .tell("", 2, Kind::RunqGet { target_p: 0, q: Queue::Local, how: TakeHow::Drain })
        .over(1);
    popped.breaks("queue_owner");
}

/// Puts that the thief saw may come after its steals; the ring has 256 places wherever they come.
#[test]
fn a_thief_takes_no_more_than_half_of_a_full_ring() {
    for (stolen, legal) in [(128, true), (129, false)] {
        let mut story = made(202);
        story.starts(1, 1);
        for gs in 2..2 + stolen {
            story.tell("", gs, Kind::RunqSteal { target_p: 0, q: Queue::Local }).over(u64::from(gs) - 1);
        }
        if legal { story.is_legal() } else { story.breaks("queue_order") }
    }
}
