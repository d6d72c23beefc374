//! Traces of this project's own runtime are accepted under its own rules, and tell what happened.

use std::collections::BTreeMap;
use std::time::Duration;

use sigurg::sync::Mutex;
use sigurg::{blocking, go, yield_now};
use sigurg_conformance::check::judge::{Accepted, How, Tally, Verdict, judge};

/// Records `program` at each number of Ps, checks the file, and hands what it holds to `expect`.
fn traced(program: fn(), expect: impl Fn(&BTreeMap<String, u64>)) {
    for procs in [1, 2, 4] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace.sgt");
        // SAFETY: nothing taken from a thread_local! lives across a blocking call in these programs.
        let runtime = unsafe { sigurg::Builder::new().gomaxprocs(procs).trace(&path).build() }.unwrap();
        runtime.run(program);
        let how = How { census: true, ..How::default() };
        let judged = judge(&path, &how, &Tally::default());
        let accepted: Box<Accepted> = match judged.verdict {
            Verdict::Accepted(accepted) => accepted,
            Verdict::Rejected(rejected) => {
                keep(&path);
                panic!("{procs} Ps: {}", rejected.story)
            }
            Verdict::Unreadable(unreadable) => {
                keep(&path);
                panic!("{procs} Ps: {unreadable}")
            }
        };
        assert_eq!(judged.profile.map(|profile| profile.name), Some("sigurg"));
        assert_eq!((accepted.cut_off, accepted.header.complete), (0, true), "{procs} Ps");
        let kinds = accepted.census.expect("asked for").kinds();
        expect(&kinds);
    }
}

fn keep(path: &std::path::Path) {
    if let Some(to) = std::env::var_os("KEEP_TRACE") {
        std::fs::copy(path, to).unwrap();
    }
}

#[test]
fn spawns() {
    traced(
        || {
            let handles: Vec<_> = (0..1_000).map(|i| go(move || i)).collect();
            let sum: u64 = handles.into_iter().map(|handle| handle.join().unwrap()).sum();
            assert_eq!(sum, 499_500);
        },
        |kinds| assert_eq!(kinds["newproc"], 1_001),
    );
}

#[test]
fn yields() {
    traced(
        || {
            let handles: Vec<_> = (0..20).map(|_| go(|| (0..50).for_each(|_| yield_now()))).collect();
            handles.into_iter().for_each(|handle| handle.join().unwrap());
        },
        |kinds| assert_eq!(kinds["gosched_impl"], 1_000),
    );
}

#[test]
fn calls_that_block() {
    traced(
        || {
            let handles: Vec<_> = (0..8)
                .map(|_| go(|| (0..5).for_each(|_| blocking(|| std::thread::sleep(Duration::from_millis(3))))))
                .collect();
            handles.into_iter().for_each(|handle| handle.join().unwrap());
        },
        |kinds| assert!(kinds["syscall_block"] > 0, "{kinds:?}"),
    );
}

#[test]
fn locks() {
    traced(
        || {
            let sum = std::sync::Arc::new(Mutex::new(0u64));
            let handles: Vec<_> = (0..16)
                .map(|_| {
                    let sum = std::sync::Arc::clone(&sum);
                    go(move || {
                        for _ in 0..100 {
                            let mut sum = sum.lock();
                            *sum += 1;
                            yield_now();
                        }
                    })
                })
                .collect();
            handles.into_iter().for_each(|handle| handle.join().unwrap());
            assert_eq!(*sum.lock(), 1_600);
        },
        |kinds| assert!(kinds["gopark"] > 0 && kinds["goready"] > 0, "{kinds:?}"),
    );
}
