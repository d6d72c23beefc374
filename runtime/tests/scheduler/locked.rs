//! Goroutines that are locked to their threads.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use sigurg::{blocking, chan, go, lock_os_thread, scope, time, unlock_os_thread, yield_now};

use crate::stage::{eventually, gettid, run, threads};

#[test]
fn a_locked_goroutine_stays_on_its_thread_and_nobody_else_runs_there() {
    for procs in [1, 2] {
        run(procs, || {
            lock_os_thread();
            let mine = gettid();
            let (ask, asked) = chan(0);
            let (answer, answered) = chan(0);
            let stop = AtomicBool::new(false);
            let others = Mutex::new(HashSet::new());
            scope(|scope| {
                scope.go(|| asked.iter().for_each(|n: i32| answer.send(n).expect("a receiver")));
                for _ in 0..4 {
                    scope.go(|| {
                        while !stop.load(SeqCst) {
                            others.lock().expect("no panic").insert(gettid());
                            yield_now();
                        }
                    });
                }
                for n in 0..200 {
                    yield_now();
                    assert_eq!(gettid(), mine, "after a yield");
                    ask.send(n).expect("a receiver");
                    assert_eq!(answered.recv(), Ok(n));
                    assert_eq!(gettid(), mine, "after two channel operations");
                    time::sleep(Duration::from_micros(20));
                    assert_eq!(gettid(), mine, "after a sleep");
                    go(yield_now).join().expect("no panic");
                    assert_eq!(gettid(), mine, "after a join");
                    blocking(|| std::thread::sleep(Duration::from_micros(20)));
                    assert_eq!(gettid(), mine, "after a blocking call");
                }
                stop.store(true, SeqCst);
                ask.close();
            });
            let others = others.into_inner().expect("no panic");
            assert!(!others.is_empty() && !others.contains(&mine), "{mine} in {others:?}, {procs} Ps");
        });
    }
}

#[test]
fn many_locked_goroutines_hand_tokens_round_and_keep_their_threads() {
    for procs in [1, 2] {
        run(procs, || {
            let runners = 8;
            let (first, mut rx) = chan::<u32>(0);
            let relays: Vec<_> = (0..runners)
                .map(|_| {
                    let (tx, next) = chan(0);
                    let from = std::mem::replace(&mut rx, next);
                    go(move || {
                        lock_os_thread();
                        let mine = gettid();
                        for token in from.iter() {
                            assert_eq!(gettid(), mine);
                            tx.send(token + 1).expect("a receiver");
                            assert_eq!(gettid(), mine);
                        }
                        mine
                    })
                })
                .collect();
            for n in 0..300 {
                first.send(n).expect("a receiver");
                assert_eq!(rx.recv(), Ok(n + runners));
            }
            first.close();
            let tids: HashSet<_> = relays.into_iter().map(|relay| relay.join().expect("no panic")).collect();
            assert_eq!(tids.len(), runners as usize, "a thread for each");
        });
    }
}

#[test]
fn the_thread_of_a_locked_goroutine_ends_with_it() {
    run(2, || {
        for panics in [false, true] {
            let (tell, told) = chan(1);
            let locked = go(move || {
                lock_os_thread();
                tell.send(gettid()).expect("a receiver");
                if panics {
                    std::panic::resume_unwind(Box::new("on purpose"));
                }
            });
            assert_eq!(locked.join().is_err(), panics);
            let tid = told.recv().expect("a thread");
            eventually("the thread of an ended locked goroutine is gone", || !threads().contains(&tid));
        }
    });
}

#[test]
fn threads_that_end_with_their_goroutines_are_replaced() {
    run(2, || {
        for i in 0..300 {
            let locked = go(move || {
                lock_os_thread();
                yield_now();
                i
            });
            assert_eq!(locked.join().expect("no panic"), i);
        }
        // They do not pile up either.
        eventually("the threads of ended locked goroutines are gone", || threads().len() < 20);
    });
}

#[test]
fn locks_are_counted_and_only_the_last_unlock_makes_the_goroutine_movable() {
    run(1, || {
        // The only P runs what this goroutine waits for on the same thread, unless that thread is locked.
        let elsewhere = || go(gettid).join().expect("no panic") != gettid();
        assert!(!elsewhere(), "before");
        lock_os_thread();
        lock_os_thread();
        assert!(elsewhere(), "locked twice");
        unlock_os_thread();
        assert!(elsewhere(), "locked once");
        unlock_os_thread();
        assert!(!elsewhere(), "unlocked");
        unlock_os_thread();
        assert!(!elsewhere(), "one unlock too many changes nothing");
    });
}

#[test]
fn a_new_goroutine_is_not_locked_though_its_creator_is() {
    run(1, || {
        lock_os_thread();
        let child = go(|| {
            let tid = gettid();
            let grandchild = go(gettid).join().expect("no panic");
            (tid, grandchild)
        });
        let (tid, grandchild) = child.join().expect("no panic");
        assert_ne!(tid, gettid());
        assert_eq!(tid, grandchild, "both run on the thread that has the P");
    });
}
