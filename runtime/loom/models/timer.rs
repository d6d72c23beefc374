//! `timer/mod.rs`: what is due is run once, by whoever comes; and not after its stop.

use super::{Datum, join};
use crate::facade::loom::{Model, keep, spawn};
use crate::timer::{Timer, Timers};

/// What a timer does: nobody else may do it, or look at it, at the same time.
fn count(datum: *const ()) {
    // SAFETY: a `Datum` of the running model.
    let datum = unsafe { &*datum.cast::<Datum>() };
    datum.set(datum.get() + 1);
}

fn armed(timers: &Timers, datum: &'static Datum, when: i64) -> &'static Timer {
    let timer = keep(Timer::new(count, std::ptr::from_ref(datum).cast()));
    // SAFETY: it stays to the end of the model.
    assert!(unsafe { timers.add(timer, when) }, "the only one");
    timer
}

/// Two Ms look for timers, of this P and of another one's.
pub(super) fn a_due_timer_is_run_by_one_of_two() {
    Model::exhaustive().check(|| {
        let (timers, datum) = (keep(Timers::new()), keep(Datum::new()));
        let timer = armed(timers, datum, 5);
        let thief = spawn(move || timers.check(5).1);
        let ran = timers.check(5).1;
        assert!(ran ^ join(thief), "it is run, and once");
        timer.stop();
        assert_eq!(datum.get(), 1);
    });
}

pub(super) fn after_its_stop_a_timer_does_not_run() {
    Model::exhaustive().check(|| {
        let (timers, datum) = (keep(Timers::new()), keep(Datum::new()));
        let timer = armed(timers, datum, 5);
        let runner = spawn(move || timers.check(5).1);
        timer.stop();
        // What it did is seen, and it does no more.
        let done = datum.get();
        datum.set(10);
        assert_eq!((join(runner), datum.get()), (done == 1, 10));
        assert_eq!(timers.wake_time(), 0);
    });
}

/// Its owner stops it while its P is destroyed.
pub(super) fn a_timer_that_moves_to_another_p_is_stopped() {
    Model::exhaustive().check(|| {
        let (old, new, datum) = (keep(Timers::new()), keep(Timers::new()), keep(Datum::new()));
        let timer = armed(old, datum, 5);
        let mover = spawn(move || new.take_from(old));
        timer.stop();
        join(mover);
        assert_eq!((new.check(5).1, old.check(5).1, datum.get()), (false, false, 0));
    });
}
