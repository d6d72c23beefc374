//! Unused memory of stacks goes back to the system, and what is in use stays.
#![cfg(all(not(miri), target_os = "linux"))]

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use sigurg::stacks::shrink;
use sigurg::sync::{Mutex, WaitGroup};
use sigurg::{blocking, chan, go, metrics, time};

/// Bytes of a stack, and how many of them are used at the deepest.
const STACK: usize = 1 << 20;
const DEEP: usize = 600 << 10;
/// Bytes of one frame of [`descend`], at least.
const FRAME: usize = 1024;

fn run<T: Send>(procs: u32, main: impl FnOnce() -> T + Send) -> T {
    // SAFETY: nothing of a thread_local! lives across a blocking call of the runtime here.
    let runtime = unsafe { sigurg::Builder::new().gomaxprocs(procs).stack_size(STACK).build() };
    runtime.expect("a runtime").run(main)
}

/// Uses so many frames, calls `f` at the bottom, and finds every frame as it left it.
#[inline(never)]
fn descend(frames: usize, f: &mut dyn FnMut()) -> u64 {
    let mut frame = [0u64; FRAME / 8];
    for (i, word) in frame.iter_mut().enumerate() {
        *word = (frames * 1000 + i) as u64;
    }
    black_box(&mut frame);
    let below = if frames == 0 {
        f();
        0
    } else {
        descend(frames - 1, f)
    };
    for (i, word) in frame.iter().enumerate() {
        assert_eq!(*word, (frames * 1000 + i) as u64, "frame {frames}, word {i}");
    }
    below + frame[0]
}

fn dive() {
    descend(DEEP / FRAME, &mut || ());
}

/// Bytes of this process that are in memory.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
    let pages: usize = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number");
    pages * 4096
}

/// Looks until `is_so`, as long as it takes on a busy machine.
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        time::sleep(Duration::from_millis(1));
    }
}

#[test]
fn parked_goroutines_keep_what_they_use_and_give_back_what_they_used() {
    const COUNT: usize = 50;
    run(2, || {
        let (gate, opened) = chan::<()>(0);
        let ready = Arc::new(WaitGroup::new());
        ready.add(COUNT as i32);
        let parked: Vec<_> = (0..COUNT)
            .map(|i| {
                let (opened, ready) = (opened.clone(), Arc::clone(&ready));
                go(move || {
                    dive();
                    // Parks some frames deep: those stay.
                    descend(i, &mut || {
                        ready.done();
                        assert!(opened.recv().is_err());
                    });
                    dive();
                })
            })
            .collect();
        ready.wait();
        let before = resident();
        let shrunk = shrink();
        let given = before.saturating_sub(resident());
        assert!(shrunk.now >= COUNT, "{shrunk:?}");
        assert!(given > COUNT * DEEP / 2, "{given} bytes of {} were given back", COUNT * DEEP);
        assert!(metrics().stacks_shrunk >= COUNT as u64);
        drop(gate);
        for goroutine in parked {
            goroutine.join().expect("every frame is as it was");
        }
    });
}

#[test]
fn the_stacks_of_goroutines_that_have_ended_are_emptied() {
    const COUNT: usize = 100;
    // More Ps than one: each keeps some of them for itself.
    run(3, || {
        let all: Vec<_> = (0..COUNT)
            .map(|_| {
                go(|| {
                    // All at once, so that none takes over another's stack.
                    dive();
                    time::sleep(Duration::from_millis(20));
                })
            })
            .collect();
        for goroutine in all {
            goroutine.join().expect("no panic");
        }
        let before = resident();
        // A goroutine whose end was announced may not have given its stack back yet.
        let mut idle = 0;
        wait_until("some stack is not idle", || {
            idle = shrink().idle;
            idle >= COUNT
        });
        let given = before.saturating_sub(resident());
        assert!(given > COUNT * DEEP / 2, "{given} bytes of {} were given back", COUNT * DEEP);
        // They are as good as new.
        let again: Vec<_> = (0..COUNT).map(|_| go(dive)).collect();
        for goroutine in again {
            goroutine.join().expect("no panic");
        }
        let count = metrics().stacks;
        assert!(count < 2 * COUNT as u64, "{count} stacks were made for {COUNT} goroutines, twice");
    });
}

#[test]
fn goroutines_that_run_are_shrunk_where_they_are() {
    run(2, || {
        let stop = Arc::new(AtomicBool::new(false));
        let busy: Vec<_> = (0..4)
            .map(|i| {
                let stop = Arc::clone(&stop);
                go(move || {
                    let (mut dives, mut depth) = (0u64, i);
                    // Relaxed, here and below: only ends loops.
                    while !stop.load(Relaxed) {
                        depth = (depth * 7 + 13) % (DEEP / FRAME);
                        descend(depth, &mut || {
                            // A leaf, for a moment: what it has is in registers and in the red zone.
                            let mut x = dives;
                            for _ in 0..1000 {
                                x = x.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(7) ^ 5;
                            }
                            black_box(x);
                        });
                        dives += 1;
                    }
                    dives
                })
            })
            .collect();
        let start = Instant::now();
        let mut now = 0;
        while start.elapsed() < Duration::from_secs(1) || now < 100 {
            now += shrink().now;
            assert!(start.elapsed() < Duration::from_secs(60), "{now} stacks were shrunk");
        }
        stop.store(true, Relaxed);
        for goroutine in busy {
            assert!(goroutine.join().expect("every frame is as it was") > 0);
        }
    });
}

#[test]
fn who_is_in_a_blocking_call_does_it_later() {
    run(1, || {
        let (go_on, told) = std::sync::mpsc::channel::<()>();
        let inside = Arc::new(AtomicBool::new(false));
        let stop = Arc::new(AtomicBool::new(false));
        let goroutine = go({
            let (inside, stop) = (Arc::clone(&inside), Arc::clone(&stop));
            move || {
                dive();
                let word = black_box(0x1234_5678_u64);
                blocking(|| {
                    inside.store(true, Relaxed);
                    descend(100, &mut || told.recv().expect("a word"));
                });
                // Safe points, one of which it is preempted at.
                let mutex = Mutex::new(word);
                while !stop.load(Relaxed) {
                    *mutex.lock() += 1;
                }
                dive();
                word
            }
        });
        wait_until("it did not begin", || inside.load(Relaxed));
        let before = metrics().stacks_shrunk;
        let shrunk = shrink();
        // The caller is another.
        assert!(shrunk.later >= 2, "{shrunk:?}");
        let shrunk = metrics().stacks_shrunk - before;
        go_on.send(()).expect("it waits");
        wait_until("it did not shrink its stack", || metrics().stacks_shrunk > before + shrunk);
        stop.store(true, Relaxed);
        assert_eq!(goroutine.join().expect("every frame is as it was"), 0x1234_5678);
    });
}

#[test]
fn several_may_shrink_at_once() {
    run(2, || {
        let shrinkers: Vec<_> = (0..4)
            .map(|_| {
                go(|| {
                    let start = Instant::now();
                    let mut shrunk = 0;
                    while start.elapsed() < Duration::from_millis(200) {
                        dive();
                        shrunk += shrink().now;
                        let children: Vec<_> = (0..10).map(|_| go(dive)).collect();
                        for child in children {
                            child.join().expect("every frame is as it was");
                        }
                    }
                    shrunk
                })
            })
            .collect();
        for shrinker in shrinkers {
            shrinker.join().expect("every frame is as it was");
        }
    });
}
