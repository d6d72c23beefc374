use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use sigurg::sync::{Barrier, Mutex};

use crate::crew::{Crew, on_all_crews, rounds, task, until};

on_all_crews!(
    one_at_a_time_reaches_the_value,
    try_lock_takes_what_is_free_and_nothing_else,
    a_time_limit_ends_a_wait_and_leaves_the_lock_alone,
    a_panic_gives_the_lock_back,
    a_guard_may_be_kept_across_a_blocking_call,
);

fn one_at_a_time_reaches_the_value(crew: Crew) {
    let (workers, rounds) = (8, rounds(20_000));
    // Two halves that only a second holder could see apart.
    let value = Mutex::new((0usize, 0usize));
    crew.run(
        (0..workers)
            .map(|w| {
                let value = &value;
                task(move || {
                    for round in 0..rounds {
                        let mut both = value.lock();
                        assert_eq!(both.0, both.1, "two holders, round {round} of worker {w}");
                        both.0 += 1;
                        if round % 256 == w {
                            sigurg::yield_now();
                        }
                        both.1 += 1;
                    }
                })
            })
            .collect(),
    );
    assert_eq!(value.into_inner(), (workers * rounds, workers * rounds));
}

fn try_lock_takes_what_is_free_and_nothing_else(crew: Crew) {
    let value = Mutex::new(0);
    let (held, looked) = (Barrier::new(2), Barrier::new(2));
    crew.run(vec![
        task(|| {
            let guard = value.lock();
            held.wait();
            looked.wait();
            drop(guard);
            held.wait();
        }),
        task(|| {
            held.wait();
            assert!(value.is_locked());
            assert!(value.try_lock().is_none(), "took a lock that is held");
            looked.wait();
            held.wait();
            *value.try_lock().expect("free") += 1;
        }),
    ]);
    assert_eq!(value.into_inner(), 1);
}

fn a_time_limit_ends_a_wait_and_leaves_the_lock_alone(crew: Crew) {
    let value = Mutex::new(0);
    let (held, looked) = (Barrier::new(2), Barrier::new(2));
    crew.run(vec![
        task(|| {
            let mut guard = value.lock();
            held.wait();
            looked.wait();
            *guard = 1;
        }),
        task(|| {
            held.wait();
            let begin = Instant::now();
            assert!(value.try_lock_for(Duration::ZERO).is_none());
            assert!(value.try_lock_for(Duration::from_millis(3)).is_none());
            assert!(value.try_lock_until(begin).is_none(), "a limit that has passed");
            assert!(begin.elapsed() >= Duration::from_millis(3), "gave up early");
            looked.wait();
            let guard = value.try_lock_for(Duration::MAX).expect("it will be free");
            assert_eq!(*guard, 1);
        }),
    ]);
    assert!(!value.is_locked());
}

fn a_panic_gives_the_lock_back(crew: Crew) {
    let value = Mutex::new(0);
    crew.run(
        (0..4)
            .map(|_| {
                task(|| {
                    let panicked = catch_unwind(AssertUnwindSafe(|| {
                        *value.lock() += 1;
                        let _guard = value.lock();
                        std::panic::resume_unwind(Box::new("on purpose"));
                    }));
                    assert!(panicked.is_err());
                })
            })
            .collect(),
    );
    assert_eq!(*value.try_lock().expect("nobody holds it"), 4);
}

fn a_guard_may_be_kept_across_a_blocking_call(crew: Crew) {
    let (outer, inner) = (Mutex::new(0), Mutex::new(0));
    let held = Barrier::new(2);
    crew.run(vec![
        task(|| {
            let guard = inner.lock();
            held.wait();
            // The other holds `outer` and is on its way to `inner`.
            until(|| outer.is_locked());
            drop(guard);
        }),
        task(|| {
            held.wait();
            let mut first = outer.lock();
            *inner.lock() += 1;
            *first += 1;
        }),
    ]);
    assert_eq!((outer.into_inner(), inner.into_inner()), (1, 1));
}

#[test]
fn a_guard_may_be_dropped_on_another_thread() {
    let value = Mutex::new(1);
    let guard = value.lock();
    std::thread::scope(|s| drop(s.spawn(move || drop(guard))));
    assert_eq!(*value.lock(), 1);
}

#[test]
fn the_value_is_reached_without_locking_by_who_owns_it() {
    let mut value = Mutex::from(String::from("G"));
    value.get_mut().push('P');
    assert_eq!(format!("{value:?}"), r#"Mutex { value: "GP", .. }"#);
    let guard = value.lock();
    assert_eq!(format!("{guard} {value:?}"), "GP Mutex { value: <locked>, .. }");
    drop(guard);
    assert_eq!(value.into_inner(), "GP");
}
