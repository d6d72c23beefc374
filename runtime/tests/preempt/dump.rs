//! Dumps while goroutines run and while they are stopped in their handlers.

use std::hint::black_box;
use std::time::{Duration, Instant};

use sigurg::{GoBuilder, time};

use crate::stage::{STUCK, Stop, is_child, run, spawn_child, storm};

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

/// The part of a dump about the goroutine with that name.
fn part<'a>(dump: &'a str, name: &str) -> &'a str {
    let ends_with_name = |part: &&str| part.lines().next().is_some_and(|line| line.ends_with(name));
    dump.split("\n\n").find(ends_with_name).unwrap_or_else(|| panic!("no {name} in {dump}"))
}

/// Asks for dumps until one shows `name` where it computes, running. It may have been waiting for its turn, or not have stopped
/// in time on a busy machine.
fn until_shown(name: &str, dump: impl Fn() -> String) -> String {
    let start = Instant::now();
    loop {
        let dump = dump();
        let shown = part(&dump, name);
        if shown.contains(" [running on M") && shown.lines().count() > 3 {
            return dump;
        }
        assert!(start.elapsed() < STUCK / 2, "never seen running, with frames: {dump}");
    }
}

fn is_where_it_computes(part: &str) {
    let frames: Vec<_> = part.lines().skip(1).step_by(2).collect();
    let at = |function: &str| frames.iter().position(|frame| frame.contains(function));
    assert!(at("dump::inner").is_some() && at("dump::inner") < at("dump::outer"), "{part}");
    assert!(!part.contains("locked to thread"), "it is not, but while it is looked at: {part}");
}

#[test]
fn a_running_goroutine_is_shown_where_it_computes_and_goes_on() {
    run(2, || {
        let stop = Stop::default();
        let hog = GoBuilder::new().name("hog").spawn({
            let stop = stop.clone();
            move || outer(&stop)
        });
        // By a goroutine, by one inside a call that blocks, and by a plain thread.
        let dump = until_shown(": hog", sigurg::dump_goroutines);
        is_where_it_computes(part(&dump, ": hog"));
        let dump = sigurg::blocking(|| until_shown(": hog", sigurg::dump_goroutines));
        is_where_it_computes(part(&dump, ": hog"));
        let dump = sigurg::blocking(|| {
            let plain = std::thread::spawn(|| until_shown(": hog", sigurg::dump_goroutines));
            plain.join().expect("no panic")
        });
        is_where_it_computes(part(&dump, ": hog"));
        stop.set();
        hog.join().expect("it goes on");
    });
}

#[test]
fn goroutines_that_ask_for_dumps_at_once_see_each_other_and_none_waits_for_ever() {
    run(4, || {
        let askers: Vec<_> = (0..4)
            .map(|i| {
                GoBuilder::new().name(format!("asker {i}")).spawn(move || {
                    for _ in 0..25 {
                        let dump = sigurg::dump_goroutines();
                        part(&dump, &format!("asker {i}"));
                        // Who waits for its own dump is seen in it.
                        for other in
                            dump.split("\n\n").filter(|part| part.contains("garbage collection scan"))
                        {
                            assert!(other.contains("dump::goroutines_that_ask"), "{dump}");
                        }
                    }
                })
            })
            .collect();
        for asker in askers {
            asker.join().expect("dumps are well-formed");
        }
    });
}

#[test]
fn a_goroutine_that_must_not_be_stopped_is_listed_without_frames_and_nobody_waits_for_it() {
    run(2, || {
        let stop = Stop::default();
        let started = Stop::default();
        let hog = GoBuilder::new().name("stubborn").spawn({
            let (stop, started) = (stop.clone(), started.clone());
            move || {
                sigurg::preempt_off(|| {
                    started.set();
                    outer(&stop);
                });
            }
        });
        while !started.is_set() {
            sigurg::yield_now();
        }
        // Each takes the patience for one; it is over long before the goroutine would be.
        for _ in 0..3 {
            let dump = sigurg::dump_goroutines();
            assert!(part(&dump, "]:").starts_with("goroutine "), "{dump}");
            let running: Vec<_> = dump.split("\n\n").filter(|part| part.contains(" [running on M")).collect();
            assert_eq!(running.len(), 2, "the one that asks, and the other: {dump}");
            assert!(!running[1].contains("dump::inner"), "{dump}");
        }
        let seen = sigurg::blocking(sigurg::dump_goroutines);
        assert!(!seen.contains("dump::inner"), "{seen}");
        stop.set();
        hog.join().expect("the request was taken back: it goes on");
        // And so does everybody else.
        sigurg::go(sigurg::yield_now).join().expect("no panic");
    });
}

/// SIGQUIT kills: in a child. Its dump comes from a thread that is none of the runtime's.
#[test]
fn a_dump_by_signal_shows_running_goroutines_and_waits_for_none() {
    if is_child() {
        // Standard output, where the parent reads.
        // SAFETY: two descriptors that are open.
        unsafe { libc::dup2(1, 2) };
        run(3, || {
            let stop = Stop::default();
            let (looping, stubborn) = (stop.clone(), stop.clone());
            let started = Stop::default();
            let ready = started.clone();
            GoBuilder::new().name("looping").spawn(move || outer(&looping));
            GoBuilder::new().name("stubborn").spawn(move || {
                sigurg::preempt_off(|| {
                    ready.set();
                    outer(&stubborn);
                });
            });
            while !started.is_set() {
                time::sleep(Duration::from_millis(1));
            }
            // SAFETY: to this process.
            unsafe { libc::kill(libc::getpid(), libc::SIGQUIT) };
            sigurg::blocking(|| std::thread::sleep(STUCK));
        });
        unreachable!("the process ends by the dump");
    }
    let child = spawn_child("dump::a_dump_by_signal_shows_running_goroutines_and_waits_for_none", &[]);
    assert!(child.says("SIGQUIT: quit", STUCK));
    assert!(child.says("::inner()", STUCK), "of the goroutine that can be stopped");
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
