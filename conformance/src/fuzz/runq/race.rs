//! Threads that race for one queue, at every operation on its atomics.
//!
//! What must hold, whatever the schedule:
//! 1. Who leaves an end of the queue at version `v` is who was put there at `v`: so nobody is lost, taken twice or
//!    overtaken, and no version is given twice.
//! 2. `is_empty` is never true if somebody was in the queue at every moment of the call. A put that pushes another out of the
//!    `runnext` is one moment.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use sigurg_shuttle::queue::{Queue, Taken};
use sigurg_shuttle::sim::{self, Bytes, Limits, Simulator};

use super::super::Met;

/// Operations that each thread has at most.
const OPS: usize = 12;
/// Threads: the owner, two thieves, one who looks.
const THREADS: usize = 4;

thread_local! {
    static SIMULATOR: RefCell<Simulator> = RefCell::new(Simulator::new(Limits { ops: 100_000, ..Limits::default() }));
}

/// What all threads share; no turn ends while one is at it.
#[derive(Default)]
struct Race {
    queue: Queue,
    /// Who was put, by the version that it will be taken at.
    ring: RefCell<HashMap<u64, u32>>,
    next: RefCell<HashMap<u64, u32>>,
    /// How many are in the queue for certain, and the least of it since somebody looked.
    certain: Cell<u32>,
    least: Cell<u32>,
    /// Steals under way, of which nobody knows what they have taken.
    steals: Cell<u32>,
}

/// The first bytes are the operations of the threads, the rest is the schedule.
pub(super) fn run(data: &[u8], met: &Met) {
    let (ops, schedule) = data.split_at(data.len().min(OPS * THREADS));
    let ops: [Vec<u8>; THREADS] =
        std::array::from_fn(|thread| ops.iter().copied().skip(thread).step_by(THREADS).collect());
    let outcome = SIMULATOR.with_borrow_mut(|simulator| {
        simulator.run(&mut Bytes::new(schedule), &mut |_, _| Ok(()), move || {
            let race = Rc::new(Race::default());
            let [owner, thieves @ .., looker] = ops;
            let mut threads = vec![
                sim::spawn({
                    let race = Rc::clone(&race);
                    move || race.own(&owner)
                }),
                sim::spawn({
                    let race = Rc::clone(&race);
                    move || looker.iter().for_each(|_| race.look())
                }),
            ];
            for ops in thieves {
                let race = Rc::clone(&race);
                threads.push(sim::spawn(move || race.steal(&ops)));
            }
            threads.into_iter().for_each(sim::JoinHandle::join);
            race.end();
        })
    });
    assert!(outcome.is_ok(), "runq race: {outcome}");
    // Another order of the same operations is worth keeping: how often turns changed, by their number.
    met.once(1 << 12 | outcome.schedule.slices.len().min(255));
}

impl Race {
    /// The owner's operations.
    fn own(&self, ops: &[u8]) {
        let mut g = 0;
        for op in ops {
            g += 1;
            match op % 4 {
                0 => self.put_next(g),
                1 => self.put_tail(g),
                2 => self.left(self.queue.get_next(), &self.next),
                _ => self.left(self.queue.get(), &self.ring),
            }
        }
    }

    fn put_tail(&self, g: u32) {
        loop {
            if let Some(over) = self.queue.put_tail(g) {
                assert_eq!(
                    self.ring.borrow_mut().insert(over, g),
                    None,
                    "runq race: version {over} of the tail twice"
                );
                return self.count();
            }
            self.left(self.queue.spill().into_iter().flatten(), &self.ring);
        }
    }

    fn put_next(&self, g: u32) {
        let (over, kicked) = self.queue.put_next(g);
        if let Some(kicked) = kicked {
            let was = self.next.borrow_mut().remove(&over);
            assert_eq!(was, Some(kicked), "runq race: who is pushed out at version {over}");
        }
        // The version after this put, and after the push that was part of it.
        let leaves_at = over + u64::from(kicked.is_some()) + 1;
        self.next.borrow_mut().insert(leaves_at, g);
        self.count();
        if let Some(kicked) = kicked {
            self.put_tail(kicked);
        }
    }

    /// The owner took: its last operation, so nothing happened since.
    fn left(&self, taken: impl IntoIterator<Item = Taken>, put: &RefCell<HashMap<u64, u32>>) {
        for Taken { g, over } in taken {
            assert_eq!(put.borrow_mut().remove(&over), Some(g), "runq race: who leaves at version {over}");
        }
        self.count();
    }

    /// How many are in the queue by what was put and taken.
    fn in_queue(&self) -> u32 {
        (self.ring.borrow().len() + self.next.borrow().len()) as u32
    }

    /// Something was put or taken.
    fn count(&self) {
        let certain = if self.steals.get() > 0 { 0 } else { self.in_queue() };
        self.least.set(self.least.get().min(certain));
        self.certain.set(certain);
    }

    /// A thief's operations.
    fn steal(&self, ops: &[u8]) {
        let own = Queue::new();
        for op in ops {
            self.steals.set(self.steals.get() + 1);
            self.count();
            let loot = self.queue.steal_into(&own, op % 2 == 1);
            self.steals.set(self.steals.get() - 1);
            if let Some(loot) = loot {
                let put = if loot.next { &self.next } else { &self.ring };
                for Taken { g, over } in &loot.taken {
                    assert_eq!(
                        put.borrow_mut().remove(over),
                        Some(*g),
                        "runq race: who is stolen at version {over}"
                    );
                }
                let mut kept = loot.taken.iter().map(|taken| taken.g).collect::<Vec<_>>();
                assert_eq!(kept.pop(), Some(loot.run), "runq race: whom the thief runs");
                let mine: Vec<u32> = std::iter::from_fn(|| own.get()).map(|taken| taken.g).collect();
                assert_eq!(mine, kept, "runq race: what the thief keeps");
            }
            self.count();
        }
    }

    fn look(&self) {
        self.least.set(self.certain.get());
        let empty = self.queue.is_empty();
        assert!(
            !empty || self.least.get() == 0,
            "runq race: empty, with {} in it all the while",
            self.least.get()
        );
    }

    /// All threads have ended.
    fn end(&self) {
        self.left(self.queue.get_next(), &self.next);
        while !self.queue.is_empty() {
            self.left(self.queue.get(), &self.ring);
        }
        assert_eq!(
            self.in_queue(),
            0,
            "runq race: lost: {:?} and {:?}",
            self.ring.borrow(),
            self.next.borrow()
        );
    }
}
