//! Timers against an oracle, and against owners who stop while others run.
//!
//! All use `Timers::add` where a goroutine says `arm`: the rest is the same, but for the P that it finds.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use proptest::prelude::*;

use super::*;
use crate::facade::nanotime;

/// What a timer is to note in the log of its test when it runs. One thread only.
struct Note<'a> {
    id: usize,
    log: &'a RefCell<Vec<usize>>,
}

impl<'a> Note<'a> {
    fn take(note: *const ()) {
        // SAFETY: `arg` is a note of `crowd`'s caller, who settles all timers before it drops them.
        let note = unsafe { &*note.cast::<Self>() };
        note.log.borrow_mut().push(note.id);
    }

    fn some(count: usize, log: &'a RefCell<Vec<usize>>) -> Vec<Self> {
        (0..count).map(|id| Self { id, log }).collect()
    }
}

/// A timer for each note, at the same index.
fn crowd(notes: &[Note]) -> Vec<Timer> {
    notes.iter().map(|note| Timer::new(Note::take, ptr::from_ref(note).cast())).collect()
}

fn arm(timer: &Timer, timers: &Timers, when: i64) -> bool {
    timer.stop();
    // SAFETY: timers of tests stay where they are and are settled before they are dropped.
    unsafe { timers.add(timer, when) }
}

impl Timers {
    fn verify(&self) {
        let heap = self.heap.lock();
        heap.verify();
        assert_eq!(heap.first().unwrap_or(0), self.wake_time());
        assert_eq!(heap.len(), self.len());
    }

    fn zombies(&self) -> usize {
        self.heap.lock().zombies()
    }
}

#[derive(Clone, Debug)]
enum Op {
    /// Arm this timer on one of two Ps, so many nanoseconds from now: maybe in the past.
    Arm(usize, usize, i64),
    Stop(usize),
    /// Let so much time pass and check one of the Ps.
    Check(usize, i64),
    /// The other P is destroyed, this one takes its timers.
    Take(usize),
}

const TIMERS: usize = 40;

fn op() -> impl Strategy<Value = Op> {
    let timer = 0..TIMERS;
    let p = 0..2usize;
    prop_oneof![
        8 => (timer.clone(), p.clone(), -20i64..500).prop_map(|(timer, p, delay)| Op::Arm(timer, p, delay)),
        4 => timer.prop_map(Op::Stop),
        4 => (p.clone(), 0i64..60).prop_map(|(p, passed)| Op::Check(p, passed)),
        1 => p.prop_map(Op::Take),
    ]
}

/// What is armed, where and when.
#[derive(Default)]
struct Oracle(BTreeMap<usize, (usize, i64)>);

impl Oracle {
    fn earliest(&self, p: usize) -> i64 {
        self.0.values().filter(|&&(on, _)| on == p).map(|&(_, when)| when).min().unwrap_or(0)
    }

    /// Takes out what is due on `p`.
    fn due(&mut self, p: usize, now: i64) -> BTreeMap<usize, i64> {
        let due = self.0.extract_if(.., |_, &mut (on, when)| on == p && when <= now);
        due.map(|(timer, (_, when))| (timer, when)).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 4 } else { 512 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_due_timer_runs_once_in_its_turn_and_a_stopped_one_never(
        ops in prop::collection::vec(op(), 0..if cfg!(miri) { 60 } else { 400 }),
    ) {
        let log = RefCell::default();
        let notes = Note::some(TIMERS, &log);
        let crowd = crowd(&notes);
        let ps = [Timers::new(), Timers::new()];
        let mut oracle = Oracle::default();
        let mut now = 1_000;
        for op in ops {
            match op {
                Op::Arm(timer, p, delay) => {
                    oracle.0.remove(&timer);
                    let before = oracle.earliest(p);
                    let earliest = arm(&crowd[timer], &ps[p], now + delay);
                    prop_assert_eq!(earliest, before == 0 || now + delay < before);
                    oracle.0.insert(timer, (p, now + delay));
                }
                Op::Stop(timer) => {
                    let was = oracle.0.remove(&timer);
                    crowd[timer].stop();
                    if let Some((p, _)) = was {
                        let (zombies, live) = (ps[p].zombies(), ps[p].len());
                        prop_assert!(zombies <= live, "{} zombies among {} live timers", zombies, live);
                    }
                }
                Op::Check(p, passed) => {
                    now += passed;
                    let mut due = oracle.due(p, now);
                    let (next, ran) = ps[p].check(now);
                    let ran_now: Vec<usize> = log.take();
                    prop_assert_eq!(ran, !ran_now.is_empty());
                    let whens: Vec<_> = ran_now.iter().map(|timer| due.remove(timer)).collect();
                    prop_assert!(whens.iter().all(Option::is_some), "{:?} ran, due at {:?}", ran_now, whens);
                    prop_assert!(whens.is_sorted(), "{:?} ran out of turn: {:?}", ran_now, whens);
                    prop_assert!(due.is_empty(), "due at {} but did not run: {:?}", now, due);
                    prop_assert_eq!(next, oracle.earliest(p));
                }
                Op::Take(p) => {
                    ps[p].take_from(&ps[1 - p]);
                    oracle.0.values_mut().for_each(|(on, _)| *on = p);
                }
            }
            for (p, timers) in ps.iter().enumerate() {
                timers.verify();
                prop_assert_eq!(timers.wake_time(), oracle.earliest(p));
                prop_assert_eq!(timers.len(), oracle.0.values().filter(|&&(on, _)| on == p).count());
            }
            prop_assert!(log.borrow().is_empty(), "{:?} ran outside a check", log.borrow());
        }
        crowd.iter().for_each(Timer::stop);
        prop_assert_eq!((ps[0].len(), ps[1].len()), (0, 0));
    }
}

#[test]
fn a_crowd_runs_in_order_and_its_stopped_half_does_not() {
    let count = if cfg!(miri) { 200 } else { 50_000 };
    let log = RefCell::default();
    let notes = Note::some(count, &log);
    let crowd = crowd(&notes);
    let timers = Timers::new();
    let when = |id: usize| 1 + (id as i64).wrapping_mul(0x9e37_79b9).rem_euclid(1 << 40);
    for (id, timer) in crowd.iter().enumerate() {
        arm(timer, &timers, when(id));
    }
    crowd.iter().step_by(2).for_each(Timer::stop);
    timers.verify();
    assert_eq!(timers.check(i64::MAX), (0, true));
    let ran = log.take();
    assert_eq!(ran.len(), count / 2);
    assert!(ran.iter().all(|id| id % 2 == 1));
    assert!(ran.is_sorted_by_key(|&id| when(id)));
    assert_eq!((timers.len(), timers.wake_time()), (0, 0));
}

#[test]
fn a_deadline_that_is_soon_stopped_leaves_nothing_behind() {
    let log = RefCell::default();
    let notes = Note::some(2, &log);
    let crowd = crowd(&notes);
    let timers = Timers::new();
    arm(&crowd[0], &timers, 10);
    for when in 100..200 {
        assert!(!arm(&crowd[1], &timers, when));
        crowd[1].stop();
        assert_eq!((timers.len(), timers.zombies()), (1, 0));
    }
    crowd[0].stop();
    assert_eq!((timers.len(), timers.wake_time()), (0, 0));
}

#[test]
fn the_clock_that_says_zero_or_less_is_still_a_time() {
    let log = RefCell::default();
    let notes = Note::some(1, &log);
    let crowd = crowd(&notes);
    let timers = Timers::new();
    assert!(arm(&crowd[0], &timers, i64::MIN));
    assert_eq!(timers.wake_time(), 1);
    assert_eq!(timers.check(1), (0, true));
    assert_eq!(log.take(), [0]);
}

#[test]
#[should_panic(expected = "a timer was armed on a thread that has no P")]
fn a_timer_without_a_p_is_refused() {
    let timer = Timer::new(|_| (), ptr::null());
    // SAFETY: never armed.
    let _ = unsafe { Timer::arm(&raw const timer, 1) };
}

/// One life of a timer whose owner stops it while others run it. Outlives the timer, so that a late call is seen.
#[derive(Default)]
struct Life {
    runs: AtomicUsize,
    stopped: AtomicBool,
}

impl Life {
    fn ran(life: *const ()) {
        // SAFETY: lives until all threads of the test are done.
        let life = unsafe { &*life.cast::<Self>() };
        life.runs.fetch_add(1, Relaxed);
        // Some time for a stop to come in, with no other meaning.
        procyield(20);
        assert!(!life.stopped.load(SeqCst), "a timer ran after its stop had returned");
    }
}

/// Owners arm and stop, each its own timers; runners check. A lucky pass is possible, a false alarm is not.
#[test]
fn a_timer_runs_once_or_is_stopped_whoever_else_is_at_it() {
    let (owners, rounds) = if cfg!(miri) { (2, 30) } else { (3, 4_000) };
    let all = [Timers::new(), Timers::new()];
    let lives: Vec<Vec<Life>> = (0..owners).map(|_| (0..rounds).map(|_| Life::default()).collect()).collect();
    let over = AtomicBool::new(false);
    let own = |lives: &[Life], owner: usize| {
        let mut ran = 0;
        for (round, life) in lives.iter().enumerate() {
            // On the heap anew each time, so that a touch after the stop is a touch of freed memory.
            let timer = Box::new(Timer::new(Life::ran, ptr::from_ref(life).cast()));
            let wait = [0, 2_000, 20_000, 1_000_000_000][round % 4];
            let when = nanotime() + wait;
            // SAFETY: the box stays until after `stop`, `life` longer.
            let _ = unsafe { all[(owner + round) % 2].add(&raw const *timer, when) };
            if round % 8 < 4 {
                procyield(round as u32 % 200);
            } else {
                while wait < 1_000_000 && life.runs.load(Relaxed) == 0 {
                    osyield();
                }
            }
            timer.stop();
            life.stopped.store(true, SeqCst);
            drop(timer);
            let runs = life.runs.load(Relaxed);
            assert!(runs <= 1, "round {round} of owner {owner} ran {runs} times");
            ran += runs;
        }
        ran
    };
    let ran: usize = std::thread::scope(|scope| {
        for first in 0..2 {
            let (all, over) = (&all, &over);
            scope.spawn(move || {
                while !over.load(SeqCst) {
                    all[first].check(nanotime());
                    all[1 - first].check(nanotime());
                    osyield();
                }
            });
        }
        let owners: Vec<_> =
            lives.iter().enumerate().map(|(owner, lives)| scope.spawn(move || own(lives, owner))).collect();
        let ran = owners.into_iter().map(|owner| owner.join().expect("an owner found a broken rule"));
        let ran = ran.sum();
        over.store(true, SeqCst);
        ran
    });
    let noted: usize = lives.iter().flatten().map(|life| life.runs.load(Relaxed)).sum();
    assert_eq!(ran, noted, "a timer ran after its owner had looked");
    assert!(ran >= owners * rounds * 3 / 8, "only {ran} ran: owners waited for more");
    all.iter().for_each(|timers| {
        timers.verify();
        assert_eq!(timers.len(), 0);
    });
}
