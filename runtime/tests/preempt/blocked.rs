//! Goroutines that block their thread in foreign code, or are stopped with a foreign lock held, do not keep the one P.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::thread;
use std::time::Duration;

use sigurg::{go, time};

use crate::stage::{Stop, run};

/// Wakes so many times as cannot be without others letting go of the P.
fn others_go_on() {
    for _ in 0..20 {
        time::sleep(Duration::from_millis(1));
        go(|| ()).join().expect("no panic");
    }
}

/// Lets goroutines that were just made run until `begun`.
fn wait_for(begun: &AtomicBool) {
    // Acquire pairs with the Release of whoever has begun.
    while !begun.load(Acquire) {
        sigurg::yield_now();
    }
}

#[test]
fn a_thread_sleep_does_not_keep_the_p() {
    run(1, || {
        let (begun, over) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        go({
            let (begun, over) = (Arc::clone(&begun), Arc::clone(&over));
            move || {
                begun.store(true, Release);
                thread::sleep(Duration::from_secs(20));
                over.store(true, Release);
            }
        });
        wait_for(&begun);
        others_go_on();
        assert!(!over.load(Acquire), "others went on only after the sleep");
    });
}

#[test]
fn a_thread_sleep_beside_others_is_not_shorter() {
    run(1, || {
        let sleeper = go(|| {
            let start = std::time::Instant::now();
            thread::sleep(Duration::from_millis(200));
            start.elapsed()
        });
        others_go_on();
        let slept = sleeper.join().expect("no panic");
        assert!(slept >= Duration::from_millis(200), "{slept:?}");
    });
}

/// Whoever asks for the stacks in a loop interrupts it more often than the kernel's timers are exact.
#[test]
fn a_thread_sleep_that_is_interrupted_all_the_time_has_an_end() {
    run(3, || {
        let over = Arc::new(AtomicBool::new(false));
        let scanner = go({
            let over = Arc::clone(&over);
            move || {
                // Acquire pairs with the Release below.
                while !over.load(Acquire) {
                    sigurg::stacks::scan(|_| ());
                }
            }
        });
        let sleep = || (0..50).for_each(|_| thread::sleep(Duration::from_millis(1)));
        for sleeper in [go(sleep), go(sleep)] {
            sleeper.join().expect("no panic");
        }
        over.store(true, Release);
        scanner.join().expect("no panic");
    });
}

#[test]
fn a_blocking_read_of_an_empty_pipe_does_not_keep_the_p() {
    run(1, || {
        let mut ends = [0; 2];
        // SAFETY: an array for two descriptors.
        assert_eq!(unsafe { libc::pipe(ends.as_mut_ptr()) }, 0);
        let begun = Arc::new(AtomicBool::new(false));
        let reader = go({
            let begun = Arc::clone(&begun);
            move || {
                let mut byte = 0u8;
                begun.store(true, Release);
                // SAFETY: one byte of this stack.
                let read = unsafe { libc::read(ends[0], (&raw mut byte).cast(), 1) };
                (read, byte)
            }
        });
        wait_for(&begun);
        others_go_on();
        // SAFETY: one byte.
        assert_eq!(unsafe { libc::write(ends[1], b"x".as_ptr().cast(), 1) }, 1);
        // Exactly one byte, and not EINTR: the handler restarts what it interrupts.
        assert_eq!(reader.join().expect("no panic"), (1, b'x'));
        for end in ends {
            // SAFETY: ours.
            unsafe { libc::close(end) };
        }
    });
}

#[test]
fn a_std_mutex_held_by_a_stopped_goroutine_is_given_back() {
    run(1, || {
        let (value, begun, stop) =
            (Arc::new(Mutex::new(0u64)), Arc::new(AtomicBool::new(false)), Stop::default());
        let holder = go({
            let (value, begun, stop) = (Arc::clone(&value), Arc::clone(&begun), stop.clone());
            move || {
                let mut value = value.lock().expect("no panic");
                begun.store(true, Release);
                while !stop.is_set() {
                    *value = value.wrapping_add(1);
                }
            }
        });
        wait_for(&begun);
        assert!(value.try_lock().is_err(), "the holder was stopped inside");
        // These block their threads, one of them with the P, until the holder has let go.
        let waiters: Vec<_> = (0..3)
            .map(|_| {
                let value = Arc::clone(&value);
                go(move || *value.lock().expect("no panic") > 0)
            })
            .collect();
        others_go_on();
        stop.set();
        holder.join().expect("no panic");
        for waiter in waiters {
            assert!(waiter.join().expect("no panic"));
        }
    });
}

#[test]
fn more_goroutines_than_idle_threads_can_wait_for_a_std_mutex_of_a_stopped_one() {
    // Making a thread may need a lock that a stopped goroutine holds; so those that were stopped take turns without it.
    run(1, || {
        let value = Arc::new(Mutex::new(0u64));
        let workers: Vec<_> = (0..60)
            .map(|_| {
                let value = Arc::clone(&value);
                go(move || {
                    for _ in 0..20 {
                        let mut value = value.lock().expect("no panic");
                        for _ in 0..20_000 {
                            *value = std::hint::black_box(*value).wrapping_add(1);
                        }
                    }
                })
            })
            .collect();
        others_go_on();
        for worker in workers {
            worker.join().expect("no panic");
        }
        assert_eq!(*value.lock().expect("no panic"), 60 * 20 * 20_000);
    });
}
