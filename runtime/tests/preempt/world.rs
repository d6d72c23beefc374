//! The scheduler beside goroutines that never let go.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use sigurg::{chan, go, time};

use crate::stage::{STUCK, Stop, parked, run, storm};

/// Computes until told to stop: how far it came can be seen by others.
fn hog(stop: &Stop) -> (sigurg::JoinHandle<()>, Arc<AtomicU64>) {
    let turns = Arc::new(AtomicU64::new(0));
    let (mine, stop) = (Arc::clone(&turns), stop.clone());
    let handle = go(move || {
        while !stop.is_set() {
            // Relaxed: a figure.
            mine.store(mine.load(Relaxed) + 1, Relaxed);
        }
    });
    (handle, turns)
}

#[test]
fn the_number_of_ps_can_be_changed_beside_hogs() {
    run(2, || {
        let stop = Stop::default();
        let hogs: Vec<_> = (0..5).map(|_| hog(&stop).0).collect();
        for i in 0..60 {
            sigurg::set_gomaxprocs([1, 3, 2, 4][i % 4]);
            time::sleep(Duration::from_micros(500));
        }
        stop.set();
        for hog in hogs {
            hog.join().expect("no panic");
        }
    });
}

#[test]
fn while_the_world_is_stopped_nobody_gets_on() {
    run(3, || {
        let stop = Stop::default();
        let (hogs, turns): (Vec<_>, Vec<_>) = (0..4).map(|_| hog(&stop)).unzip();
        for _ in 0..10 {
            time::sleep(Duration::from_millis(3));
            let look = || turns.iter().map(|turns| turns.load(Relaxed)).sum::<u64>();
            let (before, after) = sigurg::stop_the_world(|| {
                let before = look();
                std::thread::sleep(Duration::from_millis(2));
                (before, look())
            });
            assert_eq!(before, after);
            // And afterwards they do.
            let start = Instant::now();
            while look() == after {
                assert!(start.elapsed() < STUCK);
                time::sleep(Duration::from_millis(1));
            }
        }
        let panic = std::panic::catch_unwind(|| {
            sigurg::stop_the_world(|| std::panic::resume_unwind(Box::new(3u8)));
        });
        assert_eq!(panic.expect_err("it panics").downcast_ref(), Some(&3u8));
        time::sleep(Duration::from_millis(1));
        stop.set();
        for hog in hogs {
            hog.join().expect("no panic");
        }
    });
}

#[test]
fn run_returns_beside_hogs() {
    for procs in [1, 2] {
        let start = Instant::now();
        run(procs, || {
            let stop = Stop::default();
            for _ in 0..3 {
                drop(hog(&stop));
            }
            time::sleep(Duration::from_millis(5));
        });
        assert!(start.elapsed() < STUCK);
    }
}

#[test]
fn two_hogs_on_one_p_both_get_on() {
    run(1, || {
        let stop = Stop::default();
        let (first, turns_of_first) = hog(&stop);
        let (second, turns_of_second) = hog(&stop);
        // Some dozens of slices; on a busy machine as long as it takes.
        let start = Instant::now();
        let ratio = loop {
            time::sleep(Duration::from_millis(300));
            let (a, b) = (turns_of_first.load(Relaxed) as f64, turns_of_second.load(Relaxed) as f64);
            let ratio = a.min(b) / a.max(b);
            if ratio > 0.2 || start.elapsed() > STUCK / 4 {
                break ratio;
            }
        };
        stop.set();
        first.join().expect("no panic");
        second.join().expect("no panic");
        assert!(ratio > 0.2, "one had {ratio} of the other's turns");
    });
}

#[test]
fn two_hundred_goroutines_that_talk_get_on_beside_hogs() {
    run(2, || {
        let stop = Stop::default();
        let hogs: Vec<_> = (0..4).map(|_| hog(&stop).0).collect();
        let before = parked();
        let pairs: Vec<_> = (0..100)
            .map(|_| {
                let (ping, pinged) = chan::<u32>(0);
                let (pong, ponged) = chan::<u32>(0);
                go(move || pinged.iter().for_each(|i| pong.send(i + 1).expect("somebody asks")));
                go(move || {
                    for i in 0..10 {
                        ping.send(i).expect("somebody answers");
                        assert_eq!(ponged.recv().ok(), Some(i + 1));
                        time::sleep(Duration::from_millis(1));
                    }
                })
            })
            .collect();
        for pair in pairs {
            pair.join().expect("answers are right");
        }
        assert!(parked() > before, "no hog was stopped");
        stop.set();
        for hog in hogs {
            hog.join().expect("no panic");
        }
    });
}

#[test]
fn timers_fire_in_order_beside_a_hog_on_one_p() {
    run(1, || {
        let stop = Stop::default();
        let hog = hog(&stop).0;
        let (tx, rx) = chan::<u64>(10);
        for i in 0..10u64 {
            let tx = tx.clone();
            go(move || {
                time::sleep(Duration::from_millis(100 * (10 - i)));
                tx.send(i).expect("a receiver");
            });
        }
        drop(tx);
        assert_eq!(rx.iter().collect::<Vec<_>>(), (0..10).rev().collect::<Vec<_>>());
        stop.set();
        hog.join().expect("no panic");
    });
}

/// The kernel's id of the calling thread.
fn gettid() -> i32 {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::gettid() }
}

#[test]
fn a_goroutine_that_is_stopped_by_signal_stays_on_its_thread() {
    storm(2, Duration::from_secs(2), 200, |stop| {
        let computers: Vec<_> = (0..4)
            .map(|_| {
                let stop = stop.clone();
                go(move || {
                    thread_local!(static MARK: std::cell::Cell<u64> = const { std::cell::Cell::new(0) });
                    let (thread, mut turns) = (gettid(), 0u64);
                    MARK.set(0);
                    while !stop.is_set() {
                        turns += 1;
                        MARK.set(MARK.get() + 1);
                    }
                    (thread == gettid(), turns == MARK.get())
                })
            })
            .collect();
        for computer in computers {
            assert_eq!(computer.join().expect("no panic"), (true, true));
        }
    });
}

#[test]
fn a_goroutine_tied_to_its_thread_is_preempted_and_stays_tied() {
    storm(1, Duration::from_secs(1), 50, |stop| {
        let tied: Vec<_> = (0..3)
            .map(|_| {
                let stop = stop.clone();
                go(move || {
                    sigurg::lock_os_thread();
                    let thread = gettid();
                    while !stop.is_set() {
                        for _ in 0..100_000 {
                            std::hint::spin_loop();
                        }
                        sigurg::yield_now();
                        assert_eq!(thread, gettid());
                    }
                    sigurg::unlock_os_thread();
                })
            })
            .collect();
        for goroutine in tied {
            goroutine.join().expect("it stays on its thread");
        }
    });
}

#[test]
fn threads_and_processes_can_be_made_under_a_storm() {
    storm(2, Duration::from_secs(2), 100, |stop| {
        let hog = hog(stop).0;
        let threads = go({
            let stop = stop.clone();
            move || {
                while !stop.is_set() {
                    let thread =
                        std::thread::spawn(|| std::thread::spawn(|| 3).join().expect("no panic") + 4);
                    assert_eq!(thread.join().expect("no panic"), 7);
                }
            }
        });
        let processes = go({
            let stop = stop.clone();
            move || {
                while !stop.is_set() {
                    let output =
                        std::process::Command::new("/bin/sh").args(["-c", "echo $((6 * 7))"]).output();
                    let output = output.expect("a process");
                    assert!(output.status.success(), "{output:?}");
                    assert_eq!(output.stdout, b"42\n");
                }
            }
        });
        threads.join().expect("threads are as ever");
        processes.join().expect("processes are as ever");
        hog.join().expect("no panic");
    });
}
