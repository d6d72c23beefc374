//! Traces of this project's own runtime are accepted under its own rules, and tell what happened.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use sigurg::sync::{Mutex, WaitGroup};
use sigurg::{
    GoBuilder, blocking, chan, go, lock_os_thread, set_gomaxprocs, stacks, time, unlock_os_thread, yield_now,
};
use sigurg_model::rules::sequence::Step;

#[path = "common/recorded.rs"]
mod recorded;

use recorded::{join_all, traced};

#[test]
fn many_goroutines_are_born_and_die() {
    traced(
        || {
            let sum: u64 = join_all((0..2_000).map(|i| go(move || i)).collect()).iter().sum();
            assert_eq!(sum, 1_999_000);
        },
        |seen| {
            assert_eq!((seen.kind("newproc"), seen.row("T03")), (2_001, 2_001));
            assert!(seen.row("T06") >= 2_000 && seen.row("T10") >= 2_000, "{:?}", seen.rows);
        },
    );
}

#[test]
fn goroutines_that_yield_go_to_the_global_queue() {
    traced(
        || drop(join_all((0..20).map(|_| go(|| (0..50).for_each(|_| yield_now()))).collect())),
        |seen| assert!(seen.row("T13/T14") >= 1_000, "{:?}", seen.rows),
    );
}

#[test]
fn goroutines_wait_for_each_other_in_channels() {
    traced(
        || {
            for capacity in [0, 1, 16] {
                let (tx, rx) = chan::<u64>(capacity);
                let senders = (0..8).map(|i| {
                    let tx = tx.clone();
                    go(move || (0..100).for_each(|n| tx.send(i * 100 + n).unwrap()))
                });
                let senders: Vec<_> = senders.collect();
                drop(tx);
                let receivers = (0..3).map(|_| {
                    let rx = rx.clone();
                    go(move || rx.iter().sum::<u64>())
                });
                let sum: u64 = join_all(receivers.collect()).into_iter().sum();
                join_all(senders);
                assert_eq!(sum, 799 * 800 / 2);
            }
        },
        |seen| {
            assert!(seen.row("T11") > 0 && seen.kind("goready") > 0, "{:?}", seen.kinds);
            assert_eq!(seen.kind("goready"), seen.kind("ready"), "each goready is a ready");
        },
    );
}

#[test]
fn goroutines_park_and_ready_each_other_in_races() {
    traced(
        || {
            let turns = Arc::new(AtomicU64::new(0));
            let pairs = (0..4).map(|_| {
                let (ping, pinged) = chan::<()>(0);
                let (pong, ponged) = chan::<()>(0);
                let turns = Arc::clone(&turns);
                go(move || {
                    let other = go(move || {
                        for () in pinged.iter() {
                            pong.send(()).unwrap();
                        }
                    });
                    for _ in 0..500 {
                        ping.send(()).unwrap();
                        ponged.recv().unwrap();
                        turns.fetch_add(1, Relaxed);
                    }
                    drop(ping);
                    other.join().unwrap();
                })
            });
            join_all(pairs.collect());
            assert_eq!(turns.load(Relaxed), 2_000);
        },
        |seen| assert!(seen.row("T11") >= 2_000 && seen.row("T19") >= 2_000, "{:?}", seen.rows),
    );
}

#[test]
fn goroutines_sleep_and_timers_wake_them() {
    traced(
        || {
            let sleepers = (0..50u64).map(|i| {
                go(move || (0..4).for_each(|n| time::sleep(Duration::from_micros(100 * (i % 7) + 37 * n))))
            });
            join_all(sleepers.collect());
            let (tx, rx) = chan::<()>(0);
            assert!(rx.recv_timeout(Duration::from_millis(2)).is_err());
            drop(tx);
        },
        |seen| assert!(seen.row("T11") > 50, "{:?}", seen.rows),
    );
}

#[test]
fn goroutines_take_locks_in_turn() {
    traced(
        || {
            let sum = Arc::new(Mutex::new(0u64));
            let adders = (0..16).map(|_| {
                let sum = Arc::clone(&sum);
                go(move || {
                    for _ in 0..100 {
                        let mut sum = sum.lock();
                        *sum += 1;
                        yield_now();
                    }
                })
            });
            join_all(adders.collect());
            assert_eq!(*sum.lock(), 1_600);
        },
        |seen| assert!(seen.kind("gopark") > 0 && seen.kind("goready") > 0, "{:?}", seen.kinds),
    );
}

#[test]
fn processors_are_taken_from_calls_that_block() {
    traced(
        || {
            let calls = (0..8).map(|_| {
                go(|| (0..5).for_each(|_| blocking(|| std::thread::sleep(Duration::from_millis(3)))))
            });
            join_all(calls.collect());
        },
        |seen| {
            assert_eq!((seen.row("T34"), seen.row("T36")), (40, 40), "{:?}", seen.rows);
            assert!(seen.kind("syscall_block") > 0, "{:?}", seen.kinds);
        },
    );
}

#[test]
fn short_calls_keep_their_processor() {
    traced(
        || drop(join_all((0..4).map(|_| go(|| (0..2_000).for_each(|_| blocking(|| ())))).collect())),
        |seen| assert_eq!((seen.row("T34"), seen.row("T36")), (8_000, 8_000), "{:?}", seen.rows),
    );
}

#[test]
fn goroutines_locked_to_threads_are_handed_their_processor() {
    traced(
        || {
            let (tx, rx) = chan::<u64>(0);
            let locked = go(move || {
                lock_os_thread();
                let thread = std::thread::current().id();
                let sum: u64 = rx.iter().inspect(|_| assert_eq!(std::thread::current().id(), thread)).sum();
                unlock_os_thread();
                sum
            });
            for i in 0..100 {
                tx.send(i).unwrap();
                yield_now();
            }
            drop(tx);
            assert_eq!(locked.join().unwrap(), 4_950);
            // Ends locked: its thread ends with it.
            go(lock_os_thread).join().unwrap();
            go(yield_now).join().unwrap();
        },
        |seen| {
            assert!(seen.kind("stoplockedm") > 0 && seen.kind("startlockedm") > 0, "{:?}", seen.kinds);
            assert!(seen.kind("m_exit") >= 2, "that of the boot, that of the goroutine: {:?}", seen.kinds);
        },
    );
}

#[test]
fn goroutines_that_run_for_long_are_preempted_at_safe_points() {
    traced(
        || {
            let stop = Arc::new(AtomicBool::new(false));
            let hogs = (0..6).map(|_| {
                let stop = Arc::clone(&stop);
                go(move || {
                    while !stop.load(Relaxed) {
                        // A safe point that gives nothing away.
                        let _ = chan::<()>(1).0.try_send(());
                        go(|| ()).join().unwrap();
                    }
                })
            });
            let hogs: Vec<_> = hogs.collect();
            time::sleep(Duration::from_millis(60));
            stop.store(true, Relaxed);
            join_all(hogs);
        },
        |seen| assert!(seen.row("T03") > 6, "{:?}", seen.rows),
    );
}

#[test]
fn plain_threads_wake_goroutines() {
    traced(
        || {
            let (tx, rx) = chan::<u64>(0);
            let threads: Vec<_> = (0..3)
                .map(|_| {
                    let tx = tx.clone();
                    std::thread::spawn(move || (0..100).for_each(|n| tx.send(n).unwrap()))
                })
                .collect();
            drop(tx);
            assert_eq!(rx.iter().sum::<u64>(), 3 * 4_950);
            blocking(|| threads.into_iter().for_each(|thread| thread.join().unwrap()));
        },
        |seen| assert!(seen.row("T20") > 0, "a thread without a P injects: {:?}", seen.rows),
    );
}

#[test]
fn panics_end_goroutines_like_returns() {
    traced(
        || {
            std::panic::set_hook(Box::new(|_| ()));
            let wait = Arc::new(WaitGroup::new());
            let panics = (0..50).map(|i| {
                wait.add(1);
                let wait = Arc::clone(&wait);
                go(move || {
                    wait.done();
                    assert!(i % 2 == 0, "odd");
                })
            });
            let ends: Vec<bool> = panics.collect::<Vec<_>>().into_iter().map(|h| h.join().is_ok()).collect();
            wait.wait();
            drop(std::panic::take_hook());
            assert_eq!(ends.iter().filter(|&&ok| ok).count(), 25);
        },
        |seen| {
            assert_eq!(seen.kind("newproc"), 51);
            assert!(seen.kind("goexit") >= 50, "{:?}", seen.kinds);
        },
    );
}

#[test]
fn the_number_of_processors_changes_while_goroutines_run() {
    traced(
        || {
            let stop = Arc::new(AtomicBool::new(false));
            let busy = (0..12u64).map(|i| {
                let stop = Arc::clone(&stop);
                go(move || {
                    while !stop.load(Relaxed) {
                        match i % 3 {
                            0 => yield_now(),
                            1 => go(|| ()).join().unwrap(),
                            _ => blocking(|| std::thread::sleep(Duration::from_micros(200))),
                        }
                    }
                })
            });
            let busy: Vec<_> = busy.collect();
            for procs in [3, 1, 4, 2, 6, 1] {
                set_gomaxprocs(procs);
                time::sleep(Duration::from_millis(1));
            }
            stop.store(true, Relaxed);
            join_all(busy);
        },
        |seen| {
            let changes = seen.kind("procresize");
            assert!(changes >= 6, "that of the boot, and those that differ from what was: {:?}", seen.kinds);
            // The end stops the world for good.
            assert_eq!((seen.kind("stw_stopped"), seen.kind("stw_started")), (changes, changes - 1));
        },
    );
}

#[test]
fn everything_at_once() {
    traced(
        || {
            let (tx, rx) = chan::<u64>(4);
            let sum = Arc::new(Mutex::new(0u64));
            let mix = (0..40u64).map(|i| {
                let (tx, sum) = (tx.clone(), Arc::clone(&sum));
                go(move || {
                    for n in 0..25 {
                        match (i + n) % 6 {
                            0 => yield_now(),
                            1 => time::sleep(Duration::from_micros(50)),
                            2 => blocking(|| std::thread::sleep(Duration::from_micros(300))),
                            3 => *sum.lock() += 1,
                            4 => tx.send(1).unwrap(),
                            _ => go(yield_now).join().unwrap(),
                        }
                    }
                    if i % 10 == 0 {
                        lock_os_thread();
                        yield_now();
                        time::sleep(Duration::from_micros(100));
                    }
                })
            });
            let mix: Vec<_> = mix.collect();
            drop(tx);
            let received = go(move || rx.iter().sum::<u64>());
            join_all(mix);
            assert!(received.join().unwrap() + *sum.lock() > 300);
        },
        |seen| {
            assert!(seen.row("T13/T14") > 0 && seen.row("T34") > 0 && seen.row("T11") > 0, "{:?}", seen.rows);
            assert!(seen.procs == 1 || seen.kind("runq_steal") > 0, "{:?}", seen.kinds);
        },
    );
}

/// Goroutines that never come to a safe point of their own, until `stop`: pure, in malloc, in a thread-local.
fn hogs(count: u32, stop: &Arc<AtomicBool>) -> Vec<sigurg::JoinHandle<u64>> {
    hogs_of(GoBuilder::new, count, stop)
}

/// Those, as `builder` makes them.
fn hogs_of(
    builder: impl Fn() -> GoBuilder,
    count: u32,
    stop: &Arc<AtomicBool>,
) -> Vec<sigurg::JoinHandle<u64>> {
    thread_local!(static KEPT: std::cell::RefCell<Vec<u64>> = const { std::cell::RefCell::new(Vec::new()) });
    let hog = |kind| {
        let stop = Arc::clone(stop);
        builder().spawn(move || {
            let (mut x, mut map) = (1u64, std::collections::HashMap::new());
            while !stop.load(Relaxed) {
                x = std::hint::black_box(x.wrapping_mul(3));
                match kind % 3 {
                    1 => drop(map.insert(x % 1_000, x.to_string())),
                    2 => KEPT.with_borrow_mut(|kept| {
                        kept.push(x);
                        if kept.len() > 100 {
                            kept.clear();
                        }
                    }),
                    _ => {}
                }
            }
            x
        })
    };
    (0..count).map(hog).collect()
}

/// Runs `meanwhile` beside hogs, then ends them.
fn beside_hogs(count: u32, meanwhile: impl FnOnce()) {
    let stop = Arc::new(AtomicBool::new(false));
    let hogs = hogs(count, &stop);
    meanwhile();
    stop.store(true, Relaxed);
    join_all(hogs);
}

fn sleep_often(times: u32) {
    (0..times).for_each(|_| time::sleep(Duration::from_millis(1)));
}

/// Sleeps, often, until signals have stopped goroutines that many times: how soon depends on the machine's load.
fn sleep_until_stopped(times: u64) {
    let until = Instant::now() + Duration::from_secs(20);
    while sigurg::metrics().preemptions.parked < times && Instant::now() < until {
        time::sleep(Duration::from_millis(1));
    }
}

#[test]
fn hogs_are_stopped_in_their_signal_handlers_for_those_who_wake() {
    traced(
        || beside_hogs(5, || sleep_until_stopped(12)),
        |seen| {
            assert!(seen.step(Step::HandlerYield) >= 12, "{:?}", seen.kinds);
            assert!(seen.kind("startlockedm") >= 7, "they go on on their threads: {:?}", seen.kinds);
            assert!(seen.kind("preempt_one") >= 12 && seen.kind("preempt_m") >= 12, "{:?}", seen.kinds);
        },
    );
}

/// Injected calls: where they are declined, the goroutines are stopped in their handlers.
#[cfg(target_arch = "x86_64")]
#[test]
fn goroutines_are_stopped_by_injected_calls_and_go_on_elsewhere() {
    fn injected() -> u64 {
        sigurg::metrics().preemptions.injected
    }
    traced(
        || {
            let stop = Arc::new(AtomicBool::new(false));
            // SAFETY: what some of them do with a thread-local is found by the map; the others are pure.
            let builder = || unsafe { GoBuilder::new().injectable() };
            let mut hogs = hogs_of(builder, 3, &stop);
            hogs.extend((0..4).map(|_| {
                let stop = Arc::clone(&stop);
                builder().spawn(move || {
                    let mut x = 1u64;
                    while !stop.load(Relaxed) {
                        x = std::hint::black_box(x.wrapping_mul(3));
                    }
                    x
                })
            }));
            let until = Instant::now() + Duration::from_secs(20);
            while injected() < 30 && Instant::now() < until {
                time::sleep(Duration::from_millis(1));
            }
            // Suspenders, and stops of the world, meet them too.
            let scans = join_all((0..2).map(|_| go(|| stacks::scan(|_| ()))).collect());
            assert!(scans.iter().all(|&scanned| scanned >= 6), "{scans:?}");
            let procs = sigurg::gomaxprocs();
            set_gomaxprocs(procs + 1);
            set_gomaxprocs(procs);
            assert!(injected() >= 30, "{:?}", sigurg::metrics().preemptions);
            stop.store(true, Relaxed);
            join_all(hogs);
        },
        |seen| {
            assert!(seen.kind("preempt_yield") >= 30, "{:?}", seen.kinds);
            assert!(seen.step(Step::PreemptYield) >= 30, "off the handler's stack: {:?}", seen.kinds);
            assert_eq!(seen.kind("suspend_begin"), seen.kind("suspend_end"), "{:?}", seen.kinds);
        },
    );
}

/// The end stops the world like any other stop: its trace is whole.
#[test]
fn the_end_stops_hogs_too() {
    traced(
        || {
            drop(hogs(5, &Arc::new(AtomicBool::new(false))));
            sleep_until_stopped(5);
        },
        |seen| {
            assert!(seen.step(Step::HandlerYield) >= 5, "{:?}", seen.kinds);
            assert_eq!(seen.kind("stw_stopped"), seen.kind("stw_begin"));
        },
    );
}

/// Suspenders of goroutines in every state, and of each other.
#[test]
fn stacks_are_scanned_by_several_goroutines_at_once() {
    traced(
        || {
            let (tx, rx) = chan::<()>(0);
            let stop = Arc::new(AtomicBool::new(false));
            let waiting: Vec<_> = (0..10)
                .map(|_| {
                    let rx = rx.clone();
                    go(move || assert!(rx.recv().is_err()))
                })
                .collect();
            let busy: Vec<_> = (0..8)
                .map(|kind| {
                    let stop = Arc::clone(&stop);
                    go(move || {
                        if kind == 7 {
                            lock_os_thread();
                        }
                        while !stop.load(Relaxed) {
                            match kind % 4 {
                                0 => yield_now(),
                                1 => time::sleep(Duration::from_micros(50)),
                                2 => blocking(|| std::thread::sleep(Duration::from_micros(200))),
                                _ => {
                                    go(|| ()).join().unwrap();
                                    time::sleep(Duration::from_micros(50));
                                }
                            }
                        }
                    })
                })
                .collect();
            beside_hogs(3, || {
                sleep_often(5);
                for scanners in 2..=4 {
                    let scan = || {
                        go(|| {
                            let until = Instant::now() + Duration::from_millis(10);
                            let mut scanned = 0;
                            while scanned == 0 || Instant::now() < until {
                                scanned += stacks::scan(|stack| {
                                    std::hint::black_box(stack.words().len());
                                });
                            }
                            scanned
                        })
                    };
                    let scanned = join_all((0..scanners).map(|_| scan()).collect());
                    assert!(scanned.iter().all(|&scanned| scanned >= 10), "{scanned:?}");
                }
            });
            stop.store(true, Relaxed);
            drop(tx);
            join_all(waiting);
            join_all(busy);
        },
        |seen| {
            let kinds = &seen.kinds;
            if seen.procs > 1 {
                assert!(seen.step(Step::HandlerPark) >= 2, "{kinds:?}");
                assert!(seen.row("T16") > 0 && seen.row("T17") > 0 && seen.row("T18") > 0, "{:?}", seen.rows);
            }
            assert_eq!(seen.kind("suspend_begin"), seen.kind("suspend_end"), "{kinds:?}");
            assert!(seen.row("T53e") >= 9, "{:?}", seen.rows);
        },
    );
}

#[test]
fn the_number_of_processors_changes_beside_hogs() {
    traced(
        || {
            beside_hogs(4, || {
                for procs in [3, 1, 4, 2, 6, 1] {
                    set_gomaxprocs(procs);
                    sleep_often(5);
                }
                sleep_until_stopped(6);
            });
        },
        |seen| {
            assert!(seen.kind("procresize") >= 6 && seen.stopped_by_signal() >= 6, "{:?}", seen.kinds);
        },
    );
}

#[test]
fn goroutines_locked_to_threads_run_beside_hogs() {
    traced(
        || {
            beside_hogs(3, || {
                let locked = go(|| {
                    lock_os_thread();
                    let thread = std::thread::current().id();
                    let until = Instant::now() + Duration::from_millis(60);
                    let mut x = 1u64;
                    while Instant::now() < until {
                        x = std::hint::black_box(x.wrapping_mul(3));
                    }
                    sleep_often(5);
                    assert_eq!(std::thread::current().id(), thread);
                });
                sleep_until_stopped(8);
                locked.join().unwrap();
            });
        },
        |seen| assert!(seen.stopped_by_signal() >= 8, "{:?}", seen.kinds),
    );
}

/// Every P gives its dead Gs up (forEachP), and stacks are shrunk by whoever owns them, or asked to be.
#[test]
fn stacks_are_shrunk_by_several_goroutines_at_once() {
    traced(
        || {
            let stop = Arc::new(AtomicBool::new(false));
            let busy: Vec<_> = (0..6)
                .map(|kind| {
                    let stop = Arc::clone(&stop);
                    go(move || {
                        let turns = Mutex::new(0u64);
                        while !stop.load(Relaxed) {
                            match kind % 3 {
                                0 => *turns.lock() += 1,
                                1 => time::sleep(Duration::from_micros(50)),
                                _ => blocking(|| std::thread::sleep(Duration::from_micros(200))),
                            }
                        }
                    })
                })
                .collect();
            beside_hogs(3, || {
                for _ in 0..3 {
                    let shrink = || go(|| (stacks::shrink(), stacks::shrink()));
                    join_all((0..3).map(|_| shrink()).collect());
                    sleep_often(2);
                }
            });
            stop.store(true, Relaxed);
            join_all(busy);
        },
        |seen| {
            let kinds = &seen.kinds;
            assert_eq!((seen.kind("each_p_begin"), seen.kind("each_p_end")), (18, 18), "{kinds:?}");
            assert_eq!(seen.kind("safe_point_fn"), 18 * u64::from(seen.procs), "{kinds:?}");
            assert_eq!(seen.row("T53b"), 18, "{:?}", seen.rows);
            assert!(seen.kind("stack_shrink") > 18, "{kinds:?}");
            assert!(seen.step(Step::ShrinkTrue) >= 18, "who calls is asked: {kinds:?}");
        },
    );
}

#[test]
fn the_world_is_stopped_for_a_moment_beside_hogs() {
    traced(
        || {
            beside_hogs(3, || {
                let stops = || go(|| (0..10).map(|_| sigurg::stop_the_world(|| 1u64)).sum::<u64>());
                assert_eq!(join_all((0..3).map(|_| stops()).collect()).iter().sum::<u64>(), 30);
            });
        },
        |seen| {
            // And once for good.
            assert_eq!((seen.kind("stw_stopped"), seen.kind("stw_started")), (31, 30), "{:?}", seen.kinds);
        },
    );
}

#[test]
fn goroutines_are_stopped_by_signal_amid_channel_traffic() {
    traced(
        || {
            beside_hogs(2, || {
                let (tx, rx) = chan::<u64>(1);
                let senders: Vec<_> = (0..3)
                    .map(|_| {
                        let tx = tx.clone();
                        go(move || (0..300).for_each(|n| tx.send(n).unwrap()))
                    })
                    .collect();
                drop(tx);
                let received = go(move || rx.iter().count());
                sleep_until_stopped(5);
                join_all(senders);
                assert_eq!(received.join().unwrap(), 900);
            });
        },
        |seen| {
            assert!(seen.kind("goready") > 100, "{:?}", seen.kinds);
            assert!(seen.stopped_by_signal() >= 5, "{:?}", seen.kinds);
        },
    );
}

/// Goroutines in foreign calls that nobody told the runtime of: each reads a pipe, until the other end is dropped.
fn foreign_reads(count: u64) -> (Vec<sigurg::JoinHandle<()>>, Vec<std::io::PipeWriter>) {
    let read = |mut from: std::io::PipeReader| move || assert_eq!(from.read(&mut [0]).unwrap(), 0);
    let pipes = (0..count).map(|_| std::io::pipe().unwrap());
    pipes.map(|(from, to)| (go(read(from)), to)).unzip()
}

/// Sleeps, often, until Ps were taken from foreign calls that many times: without a signal.
fn sleep_until_adopted(times: u64) {
    let until = Instant::now() + Duration::from_secs(20);
    while sigurg::metrics().preemptions.adopted < times && Instant::now() < until {
        time::sleep(Duration::from_millis(1));
    }
}

#[test]
fn processors_are_taken_from_foreign_calls_too() {
    traced(
        || {
            for round in 1..=3 {
                let (readers, ends) = foreign_reads(6);
                sleep_until_adopted(6 * round);
                drop(ends);
                join_all(readers);
            }
            beside_hogs(2, || {
                let sleep = || go(|| std::thread::sleep(Duration::from_millis(40)));
                join_all((0..4).map(|_| sleep()).collect());
            });
        },
        |seen| assert!(seen.row("X-ADOPT") >= 18 && seen.row("T36") >= 18, "{:?}", seen.rows),
    );
}

#[test]
fn what_computes_after_a_foreign_call_is_called_back() {
    traced(
        || {
            beside_hogs(2, || {
                let (stop, told) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
                let (mut from, to) = std::io::pipe().unwrap();
                let back = go({
                    let (stop, told) = (Arc::clone(&stop), Arc::clone(&told));
                    move || {
                        assert_eq!(from.read(&mut [0]).unwrap(), 0);
                        told.store(true, Relaxed);
                        let mut x = 1u64;
                        while !stop.load(Relaxed) {
                            x = std::hint::black_box(x.wrapping_mul(3));
                        }
                    }
                });
                sleep_until_adopted(1);
                drop(to);
                let until = Instant::now() + Duration::from_secs(20);
                let has_p = || told.load(Relaxed) && back.status() != sigurg::GoStatus::Syscall;
                while !has_p() && Instant::now() < until {
                    time::sleep(Duration::from_millis(1));
                }
                stop.store(true, Relaxed);
                back.join().unwrap();
            });
        },
        // One for the P that was taken, two for the way back.
        |seen| assert!(seen.row("X-ADOPT") >= 3, "{:?}", seen.rows),
    );
}

#[test]
fn stacks_are_scanned_and_the_world_is_stopped_beside_foreign_calls() {
    traced(
        || {
            beside_hogs(1, || {
                let (readers, ends) = foreign_reads(6);
                sleep_until_adopted(6);
                for procs in [2, 1, 3, 1] {
                    set_gomaxprocs(procs);
                    let scanned = stacks::scan(|stack| {
                        std::hint::black_box(stack.words().len());
                    });
                    assert!(scanned >= 6);
                }
                drop(ends);
                join_all(readers);
            });
        },
        |seen| {
            assert!(seen.row("X-ADOPT") >= 6, "{:?}", seen.rows);
            assert_eq!(seen.kind("suspend_begin"), seen.kind("suspend_end"));
        },
    );
}

/// Goroutines that wait in the kernel for a lock of one that was stopped.
#[test]
fn waiters_for_a_foreign_lock_give_their_processor_away() {
    traced(
        || {
            let sum = Arc::new(std::sync::Mutex::new(0u64));
            let adders: Vec<_> = (0..6)
                .map(|_| {
                    let sum = Arc::clone(&sum);
                    go(move || {
                        for _ in 0..10 {
                            let mut sum = sum.lock().unwrap();
                            for _ in 0..200_000 {
                                *sum = std::hint::black_box(*sum) + 1;
                            }
                        }
                    })
                })
                .collect();
            sleep_often(30);
            join_all(adders);
            assert_eq!(*sum.lock().unwrap(), 6 * 10 * 200_000);
        },
        |seen| assert!(seen.row("T10") > 6, "{:?}", seen.rows),
    );
}

/// SIGURG of somebody else, such as `kill -URG`: it may land on a thread that nobody asked to stop.
#[test]
fn signals_of_somebody_else_do_no_harm() {
    unsafe extern "C" {
        safe fn raise(signal: i32) -> i32;
    }
    const SIGURG: i32 = 23;
    traced(
        || {
            beside_hogs(2, || {
                let raises = (0..3).map(|_| {
                    go(|| {
                        for _ in 0..100 {
                            assert_eq!(raise(SIGURG), 0);
                            yield_now();
                        }
                    })
                });
                join_all(raises.collect());
                sleep_until_stopped(5);
            });
        },
        // One that is raised while another waits to be delivered is the same.
        |seen| assert!(seen.kind("sig_ack") >= 300, "{:?}", seen.kinds),
    );
}
