//! A time limit that races with a hand-off: nothing is lost, nothing is doubled.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::Duration;

use crate::sync::raw_mutex::State;
use crate::sync::{Mutex, Semaphore};

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
