use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use sigurg::sync::{Barrier, RwLock, RwLockWriteGuard};

use crate::crew::{Crew, on_all_crews, rounds, task, until};

on_all_crews!(
    readers_read_together,
    no_reader_reads_beside_a_writer,
    a_writer_that_waits_stops_new_readers,
    try_and_time_limits_take_what_is_free_and_nothing_else,
    a_panic_gives_the_lock_back,
);

/// All meet while each of them reads: a lock that let one in at a time would wait for ever.
fn readers_read_together(crew: Crew) {
    let value = RwLock::new(7);
    let met = Barrier::new(5);
    crew.run(
        (0..5)
            .map(|_| {
                task(|| {
                    let guard = value.read();
                    met.wait();
                    assert_eq!(*guard, 7);
                })
            })
            .collect(),
    );
}

fn no_reader_reads_beside_a_writer(crew: Crew) {
    let rounds = rounds(8_000);
    let value = RwLock::new((0usize, 0usize));
    crew.run(
        (0..8)
            .map(|w| {
                let value = &value;
                task(move || {
                    for round in 0..rounds {
                        if w % 4 == 0 {
                            let mut both = value.write();
                            assert_eq!(both.0, both.1, "two writers, round {round} of worker {w}");
                            both.0 += 1;
                            if round % 128 == 0 {
                                sigurg::yield_now();
                            }
                            both.1 += 1;
                            if round % 3 == 0 {
                                let seen = both.0;
                                let both = RwLockWriteGuard::downgrade(both);
                                assert_eq!(*both, (seen, seen), "a writer after a downgrade, worker {w}");
                            }
                        } else {
                            let both = value.read();
                            assert_eq!(
                                both.0, both.1,
                                "a reader beside a writer, round {round} of worker {w}"
                            );
                        }
                    }
                })
            })
            .collect(),
    );
    assert_eq!(value.into_inner(), (2 * rounds, 2 * rounds));
}

fn a_writer_that_waits_stops_new_readers(crew: Crew) {
    let value = RwLock::new(0);
    let reading = Barrier::new(3);
    crew.run(vec![
        task(|| {
            let first = value.read();
            reading.wait();
            // From when the writer waits no reader gets in, so this ends although the other reader goes on and on.
            until(|| value.try_read().is_none());
            assert_eq!(*first, 0);
        }),
        task(|| {
            reading.wait();
            *value.write() = 1;
        }),
        task(|| {
            reading.wait();
            while *value.read() == 0 {
                sigurg::yield_now();
            }
        }),
    ]);
}

fn try_and_time_limits_take_what_is_free_and_nothing_else(crew: Crew) {
    let value = RwLock::new(0);
    let step = Barrier::new(2);
    let short = Duration::from_millis(2);
    crew.run(vec![
        task(|| {
            let guard = value.read();
            step.wait();
            step.wait();
            drop(guard);
            let guard = value.write();
            step.wait();
            step.wait();
            drop(guard);
        }),
        task(|| {
            step.wait();
            drop(value.try_read().expect("beside a reader"));
            assert!(
                value.try_write().is_none() && value.try_write_for(short).is_none(),
                "a writer beside a reader"
            );
            drop(value.try_read_for(short).expect("a writer that gave up must not stop readers"));
            step.wait();
            step.wait();
            assert!(
                value.try_read().is_none() && value.try_read_for(short).is_none(),
                "a reader beside a writer"
            );
            assert!(value.try_write().is_none() && value.try_write_for(short).is_none(), "two writers");
            step.wait();
            *value.try_write_for(Duration::MAX).expect("it will be free") += 1;
        }),
    ]);
    assert!(!value.is_locked());
    assert_eq!(value.into_inner(), 1);
}

fn a_panic_gives_the_lock_back(crew: Crew) {
    let value = RwLock::new(0);
    crew.run(
        (0..4)
            .map(|w| {
                let value = &value;
                task(move || {
                    let panicked = catch_unwind(AssertUnwindSafe(|| {
                        let guards =
                            if w % 2 == 0 { (Some(value.read()), None) } else { (None, Some(value.write())) };
                        std::panic::resume_unwind(Box::new(guards.0.is_some()));
                    }));
                    assert!(panicked.is_err());
                })
            })
            .collect(),
    );
    assert!(value.try_write().is_some());
}
