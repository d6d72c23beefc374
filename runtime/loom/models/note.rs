//! `facade/note.rs`: the one-shot event that Ms sleep on.

use super::{Datum, join};
use crate::facade::Note;
use crate::facade::loom::{Model, advance, keep, spawn};

pub(super) fn a_wake_up_is_not_lost_and_hands_over() {
    Model::exhaustive().check(|| {
        let (note, datum) = (keep(Note::new()), keep(Datum::new()));
        for round in 1..=2 {
            let waker = spawn(move || {
                datum.set(round);
                note.wakeup();
            });
            note.sleep();
            assert_eq!(datum.get(), round);
            note.clear();
            join(waker);
        }
    });
}

/// Bounded: who waits for a time looks at the clock again and again.
pub(super) fn a_sleep_with_a_limit_ends_by_either() {
    Model::bounded(3).check(|| {
        let (note, datum) = (keep(Note::new()), keep(Datum::new()));
        let waker = spawn(|| {
            datum.set(1);
            note.wakeup();
        });
        let time = spawn(|| advance(10));
        if note.sleep_for(10) {
            assert_eq!(datum.get(), 1);
        }
        join(waker);
        join(time);
    });
}
