//! Looking at goroutines that were stopped by an injected call.

use std::hint::black_box;
use std::time::Duration;

use sigurg::{GoBuilder, stacks, time};

use crate::stage::{Stop, run, stopped};
use crate::tier;

const MARK: u64 = 0x5157_4a3c_9b1d_e082;

#[inline(never)]
fn outer(stop: &Stop) {
    inner(stop);
    black_box(());
}

#[inline(never)]
fn inner(stop: &Stop) {
    let mut x = MARK;
    while !stop.is_set() {
        for _ in 0..1_000 {
            // The mark is in registers only.
            x ^= black_box(1);
            x ^= black_box(1);
        }
    }
    assert_eq!(x, MARK);
}

/// A hog on the only P: who looks runs, so the hog does not.
fn beside_hog(look: impl Fn() -> bool + Send + Sync) {
    run(1, || {
        tier::warm_up();
        let stop = Stop::default();
        // SAFETY: pure computation.
        let builder = unsafe { GoBuilder::new().name("hog").injectable() };
        let hog = builder.spawn({
            let stop = stop.clone();
            move || outer(&stop)
        });
        let mut seen = 0;
        while seen < 10 {
            let before = (tier::stopped(), stopped());
            time::sleep(Duration::from_millis(1));
            if (tier::stopped(), stopped()) == (before.0 + 1, before.1 + 1) && look() {
                seen += 1;
            }
        }
        stop.set();
        hog.join().expect("no panic");
    });
}

#[test]
fn a_dump_shows_where_the_goroutine_was_interrupted() {
    beside_hog(|| {
        let dump = sigurg::dump_goroutines();
        let part = dump.split("\n\n").find(|p| p.lines().next().is_some_and(|l| l.ends_with(": hog")));
        let part = part.unwrap_or_else(|| panic!("no hog in {dump}"));
        let at = |name: &str| part.lines().position(|line| line.contains(name));
        // It may be stopped before it comes there.
        if at("dump::inner").is_none() {
            return false;
        }
        assert!(part.contains("[runnable]: hog"), "not locked to a thread: {part}");
        assert!(at("dump::inner") < at("dump::outer"), "{part}");
        true
    });
}

#[test]
fn its_registers_are_part_of_its_stack() {
    beside_hog(|| {
        let mut seen = false;
        stacks::scan(|stack| seen |= stack.words().iter().any(|&word| word as u64 == MARK));
        seen
    });
}
