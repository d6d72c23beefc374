//! Goroutines stopped inside malloc with its only lock held.
#![cfg(target_env = "gnu")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use sigurg::{go, time};

use crate::stage::{STUCK, Stop, is_child, parked, run, spawn_child};

const GOROUTINES: u64 = 12;

/// Sizes above those that glibc keeps for each thread without a lock.
fn hammer(stop: &Stop, seed: u64) {
    let mut blocks: Vec<Vec<u8>> = (0..64).map(|_| Vec::new()).collect();
    let mut x = seed;
    while !stop.is_set() {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = (x >> 58) as usize;
        let size = 2_000 + (x >> 45) as usize % 8_000;
        assert!(blocks[at].first().is_none_or(|byte| *byte == blocks[at].len() as u8));
        blocks[at] = black_box(vec![size as u8; size]);
    }
}

fn child(procs: u32) {
    // SAFETY: before any other thread allocates much.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
    run(procs, || {
        let stop = Stop::default();
        let hammers: Vec<_> = (0..GOROUTINES)
            .map(|i| {
                let stop = stop.clone();
                go(move || hammer(&stop, i))
            })
            .collect();
        // Others allocate, spawn and need threads meanwhile. Each waits until the lock has come round: that may take a slice for
        // each hammer.
        let (start, mut rounds) = (Instant::now(), 0);
        while start.elapsed() < Duration::from_secs(3) || rounds < 5 {
            time::sleep(Duration::from_micros(100));
            let text = go(move || format!("{rounds:>2000}")).join().expect("no panic");
            assert_eq!(text.len(), 2_000);
            sigurg::blocking(|| std::thread::sleep(Duration::from_millis(1)));
            rounds += 1;
        }
        let stopped = parked();
        stop.set();
        for hammer in hammers {
            hammer.join().expect("a block is as it was");
        }
        eprintln!("stopped {stopped} times in {rounds} rounds");
        assert!(stopped > 50, "stopped {stopped} times only");
    });
    // The allocator works, though goroutines were stopped in it.
    assert_eq!(black_box(vec![1u8; 5_000]).len(), 5_000);
    println!("done");
}

#[test]
fn goroutines_stopped_with_mallocs_lock_held_keep_nobody_on_one_p() {
    if is_child() {
        return child(1);
    }
    let child = spawn_child("malloc::goroutines_stopped_with_mallocs_lock_held_keep_nobody_on_one_p", &[]);
    assert!(child.says("done", STUCK));
}

#[test]
fn goroutines_stopped_with_mallocs_lock_held_keep_nobody_on_two_ps() {
    if is_child() {
        return child(2);
    }
    let child = spawn_child("malloc::goroutines_stopped_with_mallocs_lock_held_keep_nobody_on_two_ps", &[]);
    assert!(child.says("done", STUCK));
}

#[test]
fn a_runtime_that_ends_leaves_nobody_in_mallocs_lock() {
    for _ in 0..3 {
        let stop = Stop::default();
        run(1, || {
            for i in 0..4 {
                let stop = stop.clone();
                go(move || hammer(&stop, i));
            }
            for _ in 0..10 {
                time::sleep(Duration::from_micros(200));
            }
        });
        // Would wait for ever for a goroutine that stays in its handler.
        for size in 0..1_000 {
            black_box(vec![0u8; 2_000 + size]);
        }
        stop.set();
    }
}
