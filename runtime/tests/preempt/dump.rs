//! Dumps while goroutines run and while they are stopped in their handlers.

use std::hint::black_box;
use std::time::Duration;

use sigurg::{GoBuilder, time};

use crate::stage::{Stop, run, storm};

#[inline(never)]
fn outer(stop: &Stop) {
    inner(stop);
    black_box(());
}

#[inline(never)]
fn inner(stop: &Stop) {
    let mut x = 0u64;
    while !stop.is_set() {
        x = black_box(x.wrapping_add(1));
    }
}

#[test]
fn a_goroutine_stopped_in_its_handler_is_shown_where_it_was_interrupted() {
    run(1, || {
        let stop = Stop::default();
        let hog = GoBuilder::new().name("hog").spawn({
            let stop = stop.clone();
            move || outer(&stop)
        });
        for _ in 0..20 {
            // On the only P: who dumps runs, so the hog does not, and it never waits.
            time::sleep(Duration::from_millis(1));
            let dump = sigurg::dump_goroutines();
            let part = dump
                .split("\n\n")
                .find(|part| part.lines().next().is_some_and(|line| line.ends_with(": hog")));
            let part = part.unwrap_or_else(|| panic!("no hog in {dump}"));
            let frames: Vec<_> = part.lines().skip(1).step_by(2).collect();
            // It may not have begun the first time.
            if frames.len() > 1 {
                assert!(part.contains("[runnable, locked to thread]: hog"), "{part}");
                assert!(frames.iter().any(|frame| frame.contains("inner")), "{part}");
                assert!(frames.iter().any(|frame| frame.contains("outer")), "{part}");
                let inner = frames.iter().position(|frame| frame.contains("dump::inner"));
                let outer = frames.iter().position(|frame| frame.contains("dump::outer"));
                assert!(inner < outer, "{part}");
            }
        }
        stop.set();
        hog.join().expect("no panic");
    });
}

#[test]
fn dumps_are_well_formed_under_a_storm() {
    storm(2, Duration::from_secs(2), 100, |stop| {
        // Every dump has all of them.
        let last = Stop::default();
        let hogs: Vec<_> = (0..4)
            .map(|i| {
                let stop = last.clone();
                GoBuilder::new().name(format!("hog {i}")).spawn(move || outer(&stop))
            })
            .collect();
        while !stop.is_set() {
            let dump = sigurg::dump_goroutines();
            for part in dump.split_terminator("\n\n") {
                assert!(
                    part.starts_with("goroutine ") && part.lines().next().is_some_and(|l| l.contains("]:")),
                    "{dump}"
                );
            }
            let about = |name| dump.split_terminator("\n\n").filter(move |part| part.contains(name));
            for part in about("dump::inner") {
                assert!(part.contains("dump::outer"), "{dump}");
            }
            // Those that run are shown without a name.
            assert!(about("hog ").count() + about("[running on M").count() >= 5, "{dump}");
        }
        last.set();
        for hog in hogs {
            hog.join().expect("no panic");
        }
    });
}
