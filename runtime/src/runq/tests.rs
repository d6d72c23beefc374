//! The run queue: what is put comes out once, in Go's order, and every change has its version.

mod oracle;
mod thieves;

use super::*;

fn moved(gs: u32, over: u64) -> Moved {
    Moved { gs: Gs(gs), over }
}

/// Puts `gs` at the tail of a ring that has room.
fn put_tail(queue: &Runq, gs: u32) -> u64 {
    match queue.put_tail(Gs(gs)) {
        Put::Done(moved) => moved.over,
        Put::Full => panic!("no room for {gs}"),
    }
}

fn with(gs: impl IntoIterator<Item = u32>) -> Runq {
    let queue = Runq::new();
    gs.into_iter().for_each(|gs| _ = put_tail(&queue, gs));
    queue
}

/// Everything in the order in which the owner would run it.
fn rest_of(queue: &Runq) -> Vec<u32> {
    let mut all = Vec::new();
    queue.drain(|moved, _| all.push(moved.gs.0));
    all
}

/// What a steal took, with versions and whether it was the `runnext`; what the thief kept; what it got to run.
#[derive(Debug, PartialEq, Eq)]
struct Loot {
    taken: Vec<(Moved, bool)>,
    kept: Vec<Moved>,
    run: u32,
}

fn steal(victim: &Runq, thief: &Runq, next: bool) -> Option<Loot> {
    let (mut taken, mut kept) = (Vec::new(), Vec::new());
    let run = victim.steal_into(
        thief,
        next,
        || false,
        |moved, runnext| taken.push((moved, runnext)),
        |moved| kept.push(moved),
    )?;
    Some(Loot { taken, kept, run: run.0 })
}

#[test]
fn the_ring_is_first_in_first_out() {
    let queue = with(1..=RING as u32);
    assert_eq!(rest_of(&queue), (1..=RING as u32).collect::<Vec<_>>());
    assert!(queue.is_empty());
}

#[test]
fn the_runnext_goes_before_the_ring_and_is_pushed_out_to_its_tail() {
    let queue = with([1, 2]);
    assert_eq!(queue.put_next(Gs(3)), (1, None));
    let (_, kicked) = queue.put_next(Gs(4));
    assert_eq!(kicked, Some(Gs(3)), "what was to go next comes out, for the caller to put at the tail");
    put_tail(&queue, 3);
    assert_eq!(rest_of(&queue), [4, 1, 2, 3]);
}

#[test]
fn every_change_of_an_end_is_one_version_and_a_kick_is_a_change_of_its_own() {
    let queue = Runq::new();
    assert_eq!((put_tail(&queue, 1), put_tail(&queue, 2)), (1, 2), "the tail");
    assert_eq!(queue.get(), Some(moved(1, 1)), "the head");
    assert_eq!(queue.get(), Some(moved(2, 2)), "the head");
    assert_eq!(queue.get(), None);
    assert_eq!(queue.put_next(Gs(3)), (1, None), "into an empty runnext: one change");
    assert_eq!(queue.put_next(Gs(4)), (2, Some(Gs(3))), "into a full one: the put is 2, the kick is 3");
    assert_eq!(queue.get_next(), Some(moved(4, 4)));
    assert_eq!(queue.get_next(), None, "looking at an empty one changes nothing");
    assert_eq!(queue.put_next(Gs(5)), (5, None));
    let thief = Runq::new();
    let loot = steal(&queue, &thief, true).expect("a runnext");
    assert_eq!(loot, Loot { taken: vec![(moved(5, 6), true)], kept: vec![], run: 5 });
    assert_eq!(put_tail(&queue, 6), 3, "a get does not touch the version of the tail");
}

#[test]
fn positions_wrap_around_for_many_laps() {
    let laps = if cfg!(miri) { 3 } else { 1000 };
    let queue = Runq::new();
    let (mut next, mut expected) = (0, 0);
    // Steps that do not divide the ring, so that every slot is first and last at some time.
    while expected < laps * RING as u32 {
        for _ in 0..97 {
            put_tail(&queue, next + 1);
            next += 1;
        }
        for _ in 0..97 {
            expected += 1;
            assert_eq!(queue.get(), Some(moved(expected, u64::from(expected))));
        }
        assert!(queue.is_empty());
    }
}

#[test]
fn a_full_ring_gives_up_its_older_half() {
    let queue = with(1..=RING as u32);
    assert_eq!(queue.put_tail(Gs(999)), Put::Full);
    let spilled = queue.spill().expect("a full ring");
    assert_eq!(spilled.head, 0);
    assert_eq!(spilled.gs.map(|gs| gs.0).to_vec(), (1..=RING as u32 / 2).collect::<Vec<_>>());
    assert!(queue.spill().is_none(), "a ring that is not full gives up nothing");
    assert_eq!(put_tail(&queue, 999), RING as u64 + 1);
    let rest: Vec<_> = (RING as u32 / 2 + 1..=RING as u32).chain([999]).collect();
    assert_eq!(rest_of(&queue), rest);
}

#[test]
fn a_runnext_does_not_count_as_part_of_the_ring() {
    let queue = with(1..=RING as u32 - 1);
    assert_eq!(queue.put_next(Gs(999)), (1, None));
    put_tail(&queue, RING as u32);
    assert_eq!(queue.put_tail(Gs(998)), Put::Full);
    assert_eq!(queue.len_hint(), RING + 1);
}

#[test]
fn a_thief_takes_half_rounded_up_from_the_head_keeps_their_order_and_runs_the_last() {
    for len in 1..=RING as u32 {
        let (victim, thief) = (with(1..=len), Runq::new());
        let half = len.div_ceil(2);
        let loot = steal(&victim, &thief, false).unwrap_or_else(|| panic!("a ring of {len}"));
        let gone: Vec<_> = (1..=half).map(|i| (moved(i, u64::from(i)), false)).collect();
        assert_eq!(loot.taken, gone, "of {len}");
        assert_eq!(loot.run, half, "of {len}");
        assert_eq!(loot.kept, (1..half).map(|i| moved(i, u64::from(i))).collect::<Vec<_>>(), "of {len}");
        assert_eq!(rest_of(&thief), (1..half).collect::<Vec<_>>(), "of {len}");
        assert_eq!(rest_of(&victim), (half + 1..=len).collect::<Vec<_>>(), "of {len}");
    }
}

#[test]
fn a_thief_takes_the_runnext_only_if_it_may_and_only_of_an_empty_ring() {
    let (victim, thief) = (with([1]), Runq::new());
    assert_eq!(victim.put_next(Gs(9)), (1, None));
    assert_eq!(steal(&victim, &thief, true).map(|loot| loot.run), Some(1), "the ring goes first");
    assert_eq!(steal(&victim, &thief, false), None, "it may not");
    assert_eq!(steal(&victim, &thief, true).map(|loot| loot.run), Some(9));
    assert_eq!(steal(&victim, &thief, true), None, "nothing is left");
}

#[test]
fn a_thief_asks_whether_the_victim_runs_only_for_its_runnext() {
    let asked = std::cell::Cell::new(0);
    let look = |victim: &Runq| {
        let running = || {
            asked.set(asked.get() + 1);
            true
        };
        victim.steal_into(&Runq::new(), true, running, |_, _| (), |_| ())
    };
    assert_eq!((look(&with([1])), asked.get()), (Some(Gs(1)), 0));
    assert_eq!((look(&Runq::new()), asked.get()), (None, 0));
    let victim = Runq::new();
    assert_eq!(victim.put_next(Gs(9)), (1, None));
    assert_eq!((look(&victim), asked.get()), (Some(Gs(9)), 1));
}

#[test]
fn draining_says_which_one_was_the_runnext() {
    let queue = with([1, 2]);
    assert_eq!(queue.put_next(Gs(3)), (1, None));
    let mut all = Vec::new();
    queue.drain(|moved, runnext| all.push((moved, runnext)));
    assert_eq!(all, [(moved(3, 2), true), (moved(1, 1), false), (moved(2, 2), false)]);
    assert!(queue.is_empty());
}
