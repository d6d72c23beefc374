//! What a storm leaves behind: nothing that grows with the number of stops.

use std::time::Duration;

use sigurg::{blocking, time};

use crate::kernels::{KERNELS, Kernel};
use crate::stage::{STUCK, Stop, ms, parked, storm};

/// Goroutines of one round, of kernels with the same few pages of stack.
const HOGS: usize = 8;

/// What the process has.
#[derive(Debug)]
struct Account {
    goroutines: u64,
    threads: u64,
    stacks: u64,
    mappings: usize,
    descriptors: usize,
    resident_kib: usize,
    stops: u64,
}

impl Account {
    fn take() -> Self {
        let metrics = sigurg::metrics();
        // Files of the process are read as any file: a goroutine may be preempted in here.
        blocking(|| {
            let lines = |path: &str| std::fs::read_to_string(path).expect("a file of the kernel");
            let status = lines("/proc/self/status");
            let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
            Self {
                goroutines: metrics.goroutines,
                threads: metrics.ms,
                stacks: metrics.stacks,
                mappings: lines("/proc/self/maps").lines().count(),
                descriptors: std::fs::read_dir("/proc/self/fd").expect("a list of descriptors").count(),
                resident_kib: resident.trim_end_matches("kB").trim().parse().expect("a number"),
                stops: parked(),
            }
        })
    }
}

/// Goroutines are born, are stopped again and again, and die.
fn round() {
    let stop = Stop::default();
    let hogs: Vec<_> =
        KERNELS.iter().cycle().take(HOGS).map(|kernel| Kernel::spawn(*kernel, &stop)).collect();
    time::sleep(Duration::from_millis(30));
    stop.set();
    for hog in hogs {
        hog.join().expect("no panic");
    }
}

#[test]
fn a_storm_leaves_no_goroutine_no_thread_and_no_mapping_behind() {
    storm(2, Duration::from_secs(4), 300, |stop| {
        // Caches fill; threads are made for as many goroutines as stop at once.
        (0..5).for_each(|_| round());
        let before = Account::take();
        let mut most = before.threads;
        while !stop.is_set() {
            round();
            most = most.max(sigurg::metrics().ms);
        }
        let after = Account::take();
        eprintln!("{before:?}\n{after:?}");
        // Who ends the storm may have ended by now.
        assert!(after.goroutines <= before.goroutines, "all have ended");
        // Each hog and each waker may hold one, each P has one; some are spare, or on their way.
        assert!(most <= HOGS as u64 + 3 + 2 + 8, "{most} threads");
        assert!(after.stacks <= before.stacks + HOGS as u64, "stacks are used again");
        // Of a thread: its stack, its signal stacks, guards, an arena of malloc.
        let new_threads = (after.threads.saturating_sub(before.threads)) as usize;
        assert!(after.mappings <= before.mappings + 8 * new_threads + 64, "mappings leak");
        assert!(after.descriptors <= before.descriptors + 2, "descriptors leak");
        assert!(after.resident_kib <= before.resident_kib + (64 << 10) + 1024 * new_threads, "memory leaks");
        assert!(after.stops > before.stops, "nothing was tried");
    });
    // Nobody is left in a handler: the runtime's threads end.
    let start = std::time::Instant::now();
    while !ms().is_empty() {
        assert!(start.elapsed() < STUCK, "{} threads do not end", ms().len());
        std::thread::sleep(Duration::from_millis(5));
    }
}
