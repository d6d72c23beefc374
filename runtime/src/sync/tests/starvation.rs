//! Starvation mode, by counting: no test here depends on how long anything takes.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;

use crate::sync::Mutex;
use crate::sync::raw_mutex::State;

/// A hog gives the lock back and takes it again at once, as long as the waiter has not had it. Once the hog has seen the
/// lock starving in its hands it must not get it again before the waiter did, but for one race, which Go has too: a
/// waiter that is counted and not on the queue yet when the lock is handed over can lose it. So a few times are allowed, a
/// hog that always wins is not. It would go on for ever, and the test time out, if starvation mode never began.
#[test]
fn a_hog_does_not_get_a_starving_lock_before_its_waiter() {
    let rounds = if cfg!(miri) { 1 } else { 20 };
    for round in 0..rounds {
        let mutex = Mutex::new(0u32);
        let served = AtomicBool::new(false);
        let (mut starving_seen, mut lost) = (false, 0);
        thread::scope(|s| {
            let mut guard = mutex.lock();
            s.spawn(|| {
                *mutex.lock() += 1;
                served.store(true, SeqCst);
            });
            while *guard == 0 {
                lost += u32::from(starving_seen);
                assert!(lost < 10, "round {round}: a starving lock went to the hog {lost} times");
                // Long enough to be starved by, unless it was starving before.
                let until = std::time::Instant::now() + std::time::Duration::from_millis(2);
                while !mutex.state().starving && std::time::Instant::now() < until {
                    thread::yield_now();
                }
                starving_seen = mutex.state().starving;
                drop(guard);
                guard = mutex.lock();
            }
        });
        assert!(served.load(SeqCst));
        assert!(!mutex.state().starving, "round {round}: the last waiter must end starvation mode");
    }
}

/// The last waiter of the test above is the hog, which waited for less. Here it is the one that starved.
#[test]
fn a_last_waiter_that_starved_leaves_no_starvation_behind() {
    let mutex = Mutex::new(0u32);
    let mut starving = false;
    while !starving {
        thread::scope(|s| {
            let mut guard = mutex.lock();
            s.spawn(|| *mutex.lock() += 1);
            let before = *guard;
            // Takes it again at once, until the waiter says that it starves or gets the lock before.
            while !starving && *guard == before {
                let until = std::time::Instant::now() + std::time::Duration::from_millis(2);
                while !mutex.state().starving && std::time::Instant::now() < until {
                    thread::yield_now();
                }
                starving = mutex.state().starving;
                drop(guard);
                if starving {
                    return;
                }
                guard = mutex.lock();
            }
        });
        assert_eq!(mutex.state(), State::default(), "nobody holds the lock, nobody waits for it");
    }
}
