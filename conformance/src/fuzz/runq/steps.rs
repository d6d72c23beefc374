//! Two queues, one operation after the other, against two opinions: a deque that says what each operation returns, versions
//! included; and `crossbeam_deque`, which says who comes out and when nobody does.

use std::collections::VecDeque;

use crossbeam_deque::{Steal, Worker};
use sigurg_shuttle::queue::{Loot, Queue, Taken};
use sigurg_shuttle::sim::RING;

use super::super::Met;

/// A queue with what it should be.
struct Side {
    queue: Queue,
    ring: VecDeque<u32>,
    next: Option<u32>,
    /// Versions of head, tail and `runnext`.
    head: u64,
    tail: u64,
    changes: u64,
    /// The ring as another library has it.
    other: Worker<u32>,
}

/// Runs the operations that `data` stands for: the low bits say which, one bit whose queue, the rest how many.
pub(super) fn run(data: &[u8], met: &Met) {
    let mut sides = [Side::new(), Side::new()];
    let mut last = 0;
    let mut fresh = || {
        last += 1;
        last
    };
    for byte in data {
        let (op, amount) = (byte & 7, byte >> 4);
        let [first, second] = &mut sides;
        let (me, other) = if byte & 8 == 0 { (first, second) } else { (second, first) };
        match op {
            0 | 1 => me.put_next(fresh()),
            2 => me.put_tail(fresh()),
            3 => (0..=amount).for_each(|_| me.put_tail(fresh())),
            4 => me.get_next(),
            5 => me.get(),
            6 => (0..=amount).for_each(|_| me.get()),
            _ if me.ring.is_empty() => me.steal(other, amount % 2 == 1),
            _ => {}
        }
        me.check();
        other.check();
        met.once(
            usize::from(op) << 8
                | me.ring.len() << 4
                | other.ring.len() << 1
                | usize::from(me.next.is_some()),
        );
    }
}

impl Side {
    fn new() -> Self {
        Self {
            queue: Queue::new(),
            ring: VecDeque::new(),
            next: None,
            head: 0,
            tail: 0,
            changes: 0,
            other: Worker::new_fifo(),
        }
    }

    fn put_tail(&mut self, g: u32) {
        if let Some(over) = self.queue.put_tail(g) {
            self.tail += 1;
            assert_eq!(over, self.tail, "runq: version of the tail");
            self.ring.push_back(g);
            self.other.push(g);
            assert!(self.ring.len() <= RING as usize, "runq: more than the ring holds");
            return;
        }
        assert_eq!(self.ring.len(), RING as usize, "runq: full with room");
        let spilled = self.queue.spill().expect("runq: a full ring gives half of it up");
        for taken in spilled {
            self.head += 1;
            assert_eq!(Some(taken.g), self.ring.pop_front(), "runq: who spills");
            assert_eq!(taken.over, self.head, "runq: version of the head, spilled");
            assert_eq!(Some(taken.g), self.other.pop(), "runq: who spills, says crossbeam");
        }
    }

    fn put_next(&mut self, g: u32) {
        let kicked = self.next.replace(g);
        self.changes += 1;
        assert_eq!(self.queue.put_next(g), (self.changes, kicked), "runq: runnext");
        if let Some(kicked) = kicked {
            self.changes += 1;
            self.put_tail(kicked);
        }
    }

    fn get_next(&mut self) {
        let next = self.next.take();
        self.changes += u64::from(next.is_some());
        let expected = next.map(|g| Taken { g, over: self.changes });
        assert_eq!(self.queue.get_next(), expected, "runq: who goes next");
    }

    fn get(&mut self) {
        let first = self.ring.pop_front();
        self.head += u64::from(first.is_some());
        let expected = first.map(|g| Taken { g, over: self.head });
        assert_eq!(self.queue.get(), expected, "runq: the first of the ring");
        assert_eq!(self.other.pop(), first, "runq: the first of the ring, says crossbeam");
    }

    /// `self`, whose ring is empty, robs `victim`.
    fn steal(&mut self, victim: &mut Self, may_next: bool) {
        let loot = victim.queue.steal_into(&self.queue, may_next);
        if victim.ring.is_empty() {
            let next = victim.next.take_if(|_| may_next);
            victim.changes += u64::from(next.is_some());
            let over = victim.changes;
            let expected =
                next.map(|g| Loot { taken: vec![Taken { g, over }], next: true, kept: Vec::new(), run: g });
            assert_eq!(loot, expected, "runq: a stolen runnext");
            return;
        }
        let half = victim.ring.len().div_ceil(2);
        let mut taken = Vec::new();
        for _ in 0..half {
            victim.head += 1;
            let g = victim.ring.pop_front().expect("half of a ring that is not empty");
            taken.push(Taken { g, over: victim.head });
            assert_eq!(
                victim.other.stealer().steal(),
                Steal::Success(g),
                "runq: who is stolen, says crossbeam"
            );
        }
        let run = taken[half - 1].g;
        let mut kept = Vec::new();
        for one in &taken[..half - 1] {
            self.tail += 1;
            self.ring.push_back(one.g);
            self.other.push(one.g);
            kept.push(Taken { g: one.g, over: self.tail });
        }
        assert_eq!(loot, Some(Loot { taken, next: false, kept, run }), "runq: half of a ring, stolen");
    }

    fn check(&self) {
        let len = self.ring.len() + usize::from(self.next.is_some());
        assert_eq!(self.queue.is_empty(), len == 0, "runq: empty or not");
        assert_eq!(self.queue.len_hint(), len, "runq: how many");
        assert_eq!(self.other.len(), self.ring.len(), "runq: how many, says crossbeam");
    }
}
