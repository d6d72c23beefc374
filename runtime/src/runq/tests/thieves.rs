//! One owner and several thieves at once. Under Miri with many seeds this is also the test of the orderings.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::thread;

use super::*;

const ITEMS: u32 = if cfg!(miri) { 120 } else { 1_000_000 };

/// What one party took out, and the versions of the changes that it made.
#[derive(Default)]
struct Account {
    out: Vec<u32>,
    head: Vec<u64>,
    next: Vec<u64>,
}

impl Account {
    /// A thief: steals until the owner is done and nothing is left.
    fn rob(victim: &Runq, done: &AtomicBool) -> Self {
        let mut account = Self::default();
        let own = Runq::new();
        loop {
            // Before the look: what was put before `done` is seen after it. Acquire pairs with the owner's Release.
            let last = done.load(Acquire);
            match steal(victim, &own, true) {
                Some(loot) => {
                    for (moved, runnext) in loot.taken {
                        if runnext { &mut account.next } else { &mut account.head }.push(moved.over);
                    }
                    account.out.push(loot.run);
                    account.out.extend(rest_of(&own));
                }
                None if last => return account,
                None => thread::yield_now(),
            }
        }
    }

    /// The owner: puts every number, at the front or the back, and now and then takes one.
    fn own(queue: &Runq) -> Self {
        let mut account = Self::default();
        for gs in 1..=ITEMS {
            // A fixed mix; what the thieves do between is different each time.
            match gs % 7 {
                0 | 3 => account.put_next(queue, gs),
                5 => {
                    account.put_next(queue, gs);
                    if let Some(moved) = queue.get_next() {
                        account.next.push(moved.over);
                        account.out.push(moved.gs.0);
                    }
                    if let Some(moved) = queue.get() {
                        account.head.push(moved.over);
                        account.out.push(moved.gs.0);
                    }
                }
                _ => account.put_tail(queue, gs),
            }
        }
        account
    }

    fn put_next(&mut self, queue: &Runq, gs: u32) {
        let (over, kicked) = queue.put_next(Gs(gs));
        self.next.push(over);
        if let Some(kicked) = kicked {
            self.next.push(over + 1);
            self.put_tail(queue, kicked.0);
        }
    }

    fn put_tail(&mut self, queue: &Runq, gs: u32) {
        while queue.put_tail(Gs(gs)) == Put::Full {
            if let Some(spilled) = queue.spill() {
                self.out.extend(spilled.gs.map(|gs| gs.0));
                self.head.extend((1..=RING as u64 / 2).map(|i| spilled.head + i));
            }
        }
    }
}

/// The first place where what should be 1, 2, 3 and so on is something else: what it is, and what it should be.
fn broken<T: Ord + Copy + TryInto<u64>>(mut numbers: Vec<T>) -> Option<(u64, u64)> {
    numbers.sort_unstable();
    let numbers = numbers.into_iter().map(|number| number.try_into().unwrap_or(u64::MAX));
    numbers.zip(1..).find(|(number, expected)| number != expected)
}

fn every_number_comes_out_once(thieves: usize) {
    let (queue, done) = (Runq::new(), AtomicBool::new(false));
    let accounts = thread::scope(|scope| {
        let robbers: Vec<_> = (0..thieves).map(|_| scope.spawn(|| Account::rob(&queue, &done))).collect();
        let owner = Account::own(&queue);
        // Release: see `rob`.
        done.store(true, Release);
        let robbers = robbers.into_iter().map(|robber| robber.join().expect("no panic"));
        robbers.chain([owner]).collect::<Vec<_>>()
    });
    assert!(queue.is_empty());
    let (mut out, mut head, mut next) = (vec![], vec![], vec![]);
    for mut account in accounts {
        out.append(&mut account.out);
        head.append(&mut account.head);
        next.append(&mut account.next);
    }
    assert_eq!(broken(head), None, "the versions of the head are a chain");
    assert_eq!(broken(next), None, "the versions of the runnext are a chain");
    assert_eq!((out.len(), broken(out)), (ITEMS as usize, None), "(what is, what should be)");
}

#[test]
fn with_one_thief_every_number_comes_out_once() {
    every_number_comes_out_once(1);
}

#[test]
fn with_two_thieves_every_number_comes_out_once() {
    every_number_comes_out_once(2);
}

#[test]
fn with_three_thieves_every_number_comes_out_once() {
    every_number_comes_out_once(3);
}

#[test]
fn a_queue_is_never_called_empty_while_its_only_g_moves_from_the_runnext_to_the_ring() {
    let rounds = if cfg!(miri) { 100 } else { 300_000 };
    let (queue, done) = (Runq::new(), AtomicBool::new(false));
    assert_eq!(queue.put_next(Gs(1)), (1, None));
    let looks = || {
        let mut never_empty = true;
        // Acquire, Release: only to end the loop.
        while !done.load(Acquire) {
            never_empty &= !queue.is_empty();
        }
        never_empty
    };
    thread::scope(|scope| {
        let looks = scope.spawn(looks);
        let (mut old, mut new) = (1, 2);
        for _ in 0..rounds {
            // In every state of this there is one in the runnext, or one in the ring, or both.
            assert_eq!(queue.put_next(Gs(new)).1, Some(Gs(old)));
            put_tail(&queue, old);
            assert_eq!(queue.get_next().map(|moved| moved.gs), Some(Gs(new)));
            assert_eq!(queue.put_next(Gs(new)).1, None);
            assert_eq!(queue.get().map(|moved| moved.gs), Some(Gs(old)));
            (old, new) = (new, old);
        }
        done.store(true, Release);
        assert!(looks.join().expect("no panic"));
    });
}
