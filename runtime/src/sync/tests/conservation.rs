//! A time limit that races with a hand-off: nothing is lost, nothing is doubled.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::Duration;

use crate::sync::raw_mutex::State;
use crate::sync::{Condvar, Mutex, RwLock, Semaphore};

const THREADS: usize = if cfg!(miri) { 3 } else { 6 };
const ROUNDS: usize = if cfg!(miri) { 15 } else { 8_000 };

/// Time limits from "passed already" to about as long as a hand-off takes.
fn limit(round: usize) -> Duration {
    Duration::from_nanos([0, 500, 5_000, 60_000][round % 4])
}

#[test]
fn a_timed_mutex_is_neither_lost_nor_held_twice() {
    let mutex = Mutex::new(0usize);
    let (inside, got, missed) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|s| {
        for t in 0..THREADS {
            let (mutex, inside, got, missed) = (&mutex, &inside, &got, &missed);
            s.spawn(move || {
                for round in 0..ROUNDS {
                    let guard = match t {
                        0 => Some(mutex.lock()),
                        _ => mutex.try_lock_for(limit(round + t)),
                    };
                    let Some(mut guard) = guard else {
                        missed.fetch_add(1, SeqCst);
                        continue;
                    };
                    assert_eq!(inside.fetch_add(1, SeqCst), 0, "two holders in round {round} of thread {t}");
                    *guard += 1;
                    if round % 3 == 0 {
                        thread::yield_now();
                    }
                    if round % 64 == 0 {
                        // Starves the others, so that hand-offs race with time limits as well.
                        thread::sleep(Duration::from_micros(1_100));
                    }
                    got.fetch_add(1, SeqCst);
                    inside.fetch_sub(1, SeqCst);
                }
            });
        }
    });
    let (got, missed) = (got.into_inner(), missed.into_inner());
    assert_eq!(got + missed, THREADS * ROUNDS);
    assert_eq!(*mutex.lock(), got);
    assert_eq!(mutex.state(), State::default(), "nobody is left, but the word says otherwise");
    if !cfg!(miri) {
        assert!(missed > 0, "no time limit passed: this run tested nothing");
    }
}

#[test]
fn a_timed_semaphore_keeps_its_permits() {
    const PERMITS: usize = 3;
    let semaphore = Semaphore::new(PERMITS);
    let (taken, missed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|s| {
        for t in 0..THREADS {
            let (semaphore, taken, missed) = (&semaphore, &taken, &missed);
            s.spawn(move || {
                for round in 0..ROUNDS {
                    let n = 1 + (round + t) % PERMITS;
                    let Some(permit) = semaphore.acquire_timeout(n, limit(round / 3 + t)) else {
                        missed.fetch_add(1, SeqCst);
                        continue;
                    };
                    let now = taken.fetch_add(n, SeqCst) + n;
                    assert!(
                        now <= PERMITS,
                        "{now} permits of {PERMITS} are out, round {round} of thread {t}"
                    );
                    if round % 2 == 0 {
                        thread::yield_now();
                    }
                    taken.fetch_sub(n, SeqCst);
                    drop(permit);
                }
            });
        }
    });
    assert_eq!(semaphore.available(), PERMITS);
    drop(semaphore.try_acquire(PERMITS).expect("nobody waits any more"));
    if !cfg!(miri) {
        assert!(missed.into_inner() > 0, "no time limit passed: this run tested nothing");
    }
}

#[test]
fn a_timed_rwlock_is_neither_lost_nor_shared_with_a_writer() {
    let lock = RwLock::new((0usize, 0usize));
    let (wrote, missed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|s| {
        for t in 0..THREADS {
            let (lock, wrote, missed) = (&lock, &wrote, &missed);
            s.spawn(move || {
                for round in 0..ROUNDS {
                    let limit = limit(round / 2 + t);
                    let done = if (round + t) % 3 == 0 {
                        lock.try_write_for(limit).map(|mut both| {
                            both.0 += 1;
                            if round % 2 == 0 {
                                thread::yield_now();
                            }
                            both.1 += 1;
                            wrote.fetch_add(1, SeqCst);
                        })
                    } else {
                        lock.try_read_for(limit).map(|both| {
                            assert_eq!(both.0, both.1, "read beside a writer, round {round} of thread {t}");
                            if round % 4 == 0 {
                                thread::yield_now();
                            }
                        })
                    };
                    missed.fetch_add(usize::from(done.is_none()), SeqCst);
                }
            });
        }
    });
    assert!(lock.raw().is_idle(), "nobody is left, but the lock says otherwise");
    assert_eq!(*lock.read(), (wrote.load(SeqCst), wrote.load(SeqCst)));
    if !cfg!(miri) {
        assert!(missed.into_inner() > 0, "no time limit passed: this run tested nothing");
    }
}

/// A waiter with a time limit stands before one without. A notification at about that time goes to exactly one of them.
#[test]
fn a_notification_is_neither_lost_nor_doubled_by_a_time_limit() {
    #[derive(Default)]
    struct Round {
        waiting: usize,
        timed: Option<bool>,
        patient: bool,
    }
    let mut to_timed = 0;
    let rounds = ROUNDS / 8;
    for round in 0..rounds {
        let (state, changed, done) = (Mutex::new(Round::default()), Condvar::new(), Condvar::new());
        thread::scope(|s| {
            s.spawn(|| {
                let mut round_of = state.lock();
                round_of.waiting = 1;
                let limit = Duration::from_micros(20 + 20 * (round as u64 % 6));
                let (mut round_of, result) = changed.wait_timeout(round_of, limit);
                round_of.timed = Some(!result.timed_out());
                done.notify_all();
            });
            s.spawn(|| {
                let mut round_of = state.lock();
                while round_of.waiting == 0 {
                    drop(round_of);
                    thread::yield_now();
                    round_of = state.lock();
                }
                round_of.waiting = 2;
                let mut round_of = changed.wait(round_of);
                round_of.patient = true;
                done.notify_all();
            });
            let mut round_of = state.lock();
            while round_of.waiting < 2 {
                drop(round_of);
                thread::yield_now();
                round_of = state.lock();
            }
            drop(round_of);
            changed.notify_one();
            // If it went to neither, this waits for ever.
            let round_of = done
                .wait_while(state.lock(), |r| r.timed.is_none() || (r.timed == Some(false) && !r.patient));
            let timed = round_of.timed == Some(true);
            assert!(!(timed && round_of.patient), "one notification woke two, round {round}");
            to_timed += usize::from(timed);
            drop(round_of);
            if timed {
                changed.notify_one();
            }
        });
        assert!(state.into_inner().patient);
    }
    if !cfg!(miri) {
        assert!(to_timed < rounds, "no time limit passed: this run tested nothing");
    }
}
