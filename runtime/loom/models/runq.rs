//! `runq.rs`: every G that is put is taken once, by somebody who sees what its putter did.
//!
//! Bounded: a dozen operations on the same four words have hundreds of thousands of orders. Each race here is of two takers,
//! or of a taker and a putter, so it takes one preemption to bring about, and one more to go back.

use super::{Datum, join};
use crate::facade::loom::{Model, keep, spawn};
use crate::g::Gs;
use crate::runq::{Moved, Put, Runq};

/// A queue, that of a thief, and what the putter of each G hands over.
struct Stage {
    queue: Runq,
    data: [Datum; 8],
}

impl Stage {
    /// The ring is empty and its next slot is number `at`.
    fn new(at: u32) -> &'static Self {
        let stage = keep(Self { queue: Runq::new(), data: std::array::from_fn(|_| Datum::new()) });
        for _ in 0..at {
            assert!(matches!(stage.queue.put_tail(Gs(1)), Put::Done(_)));
            assert!(stage.queue.get().is_some());
        }
        stage
    }

    fn prepare(&self, gs: u32) -> Gs {
        self.data[gs as usize].set(gs);
        Gs(gs)
    }

    /// Owner: puts at the tail of a ring that has room.
    fn put(&self, gs: u32) {
        assert!(matches!(self.queue.put_tail(self.prepare(gs)), Put::Done(_)));
    }

    /// Owner: as `runqput`, while the ring has room.
    fn put_next(&self, gs: u32) {
        let (_, kicked) = self.queue.put_next(self.prepare(gs));
        if let Some(kicked) = kicked {
            assert!(matches!(self.queue.put_tail(kicked), Put::Done(_)));
        }
    }

    /// Owner: as `runqget`.
    fn get(&self) -> Vec<u32> {
        let moved = self.queue.get_next().or_else(|| self.queue.get());
        self.see(moved.map(|moved| moved.gs))
    }

    /// A thief: everything that it got.
    fn steal(&self, next: bool) -> Vec<u32> {
        let own = Runq::new();
        let (mut taken, mut kept) = (vec![], vec![]);
        let last = self.queue.steal_into(
            &own,
            next,
            || false,
            |moved: Moved, _| taken.push(moved.gs),
            |moved| kept.push(moved.gs),
        );
        kept.extend(last);
        assert_eq!(taken, kept, "what left the victim is what came to the thief");
        self.see(taken)
    }

    fn rest(&self) -> Vec<u32> {
        let mut all = vec![];
        self.queue.drain(|moved, _| all.push(moved.gs));
        self.see(all)
    }

    /// Who takes a G sees what its putter did.
    fn see(&self, all: impl IntoIterator<Item = Gs>) -> Vec<u32> {
        all.into_iter().map(|gs| self.data[gs.0 as usize].get()).collect()
    }
}

fn assert_each_once(all: impl IntoIterator<Item = Vec<u32>>, put: &[u32]) {
    let mut all = all.into_iter().flatten().collect::<Vec<_>>();
    all.sort_unstable();
    assert_eq!(all, put);
}

pub(super) fn owner_and_thief_take_each_once_while_the_ring_goes_round() {
    Model::bounded(2).check(|| {
        let stage = Stage::new(3);
        stage.put(1);
        let thief = spawn(|| stage.steal(false));
        stage.put(2);
        let first = stage.get();
        stage.put(3);
        stage.put(4);
        assert_each_once([first, join(thief), stage.rest()], &[1, 2, 3, 4]);
    });
}

pub(super) fn owner_and_two_thieves_take_each_once() {
    Model::bounded(2).check(|| {
        let stage = Stage::new(2);
        stage.put(1);
        stage.put(2);
        let thieves = [0, 1].map(|_| spawn(|| stage.steal(false)));
        stage.put(3);
        let own = stage.get();
        let [one, two] = thieves.map(join);
        assert_each_once([own, one, two, stage.rest()], &[1, 2, 3]);
    });
}

pub(super) fn a_kicked_out_runnext_is_taken_once() {
    Model::bounded(3).check(|| {
        let stage = Stage::new(3);
        stage.put_next(1);
        let thief = spawn(|| stage.steal(true));
        stage.put_next(2);
        let own = stage.get();
        assert_each_once([own, join(thief), stage.rest()], &[1, 2]);
    });
}

pub(super) fn a_thief_takes_runnext_or_the_owner_does() {
    Model::bounded(2).check(|| {
        let stage = Stage::new(0);
        let thieves = [0, 1].map(|_| spawn(|| stage.steal(true)));
        stage.put_next(1);
        let own = stage.get();
        stage.put_next(2);
        let [one, two] = thieves.map(join);
        assert_each_once([own, one, two, stage.rest()], &[1, 2]);
    });
}

pub(super) fn a_full_ring_spills_while_a_thief_takes() {
    Model::bounded(2).check(|| {
        let stage = Stage::new(1);
        (1..=4).for_each(|gs| stage.put(gs));
        let thief = spawn(|| stage.steal(false));
        let mut spilled = vec![];
        while stage.queue.put_tail(stage.prepare(5)) == Put::Full {
            let half = stage.queue.spill().map(|half| half.gs);
            spilled.extend(stage.see(half.into_iter().flatten()));
        }
        assert_each_once([spilled, join(thief), stage.rest()], &[1, 2, 3, 4, 5]);
    });
}

pub(super) fn a_queue_is_not_empty_while_a_g_moves_to_the_ring() {
    Model::exhaustive().check(|| {
        let stage = Stage::new(0);
        stage.put_next(1);
        let looker = spawn(|| assert!(!stage.queue.is_empty()));
        stage.put_next(2);
        assert_eq!(stage.get(), [2]);
        join(looker);
    });
}

/// What a thief keeps, another one steals from it.
pub(super) fn what_was_stolen_is_stolen_again() {
    Model::bounded(3).check(|| {
        let stage = Stage::new(0);
        (1..=4).for_each(|gs| stage.put(gs));
        let middle = keep(Runq::new());
        let steal = move |from: &Runq, to: &Runq| {
            let mut taken = vec![];
            from.steal_into(to, false, || false, |moved, _| taken.push(moved.gs), |_| ());
            stage.see(taken)
        };
        let first = spawn(move || steal(&stage.queue, middle));
        let second = steal(middle, keep(Runq::new()));
        let first = join(first);
        assert_eq!(first, [1, 2]);
        assert!(second.is_empty() || second == [1]);
    });
}
