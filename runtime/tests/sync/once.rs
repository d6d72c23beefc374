use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use sigurg::sync::{Once, OnceLock};

use crate::crew::{Crew, on_all_crews, rounds, task};

on_all_crews!(a_call_happens_once, a_call_that_panics_leaves_it_to_the_next, a_value_is_made_once);

fn a_call_happens_once(crew: Crew) {
    for round in 0..if crew == Crew::Threads { rounds(300) } else { 5 } {
        let (once, calls) = (Once::new(), AtomicUsize::new(0));
        crew.run(
            (0..4)
                .map(|_| {
                    task(|| {
                        once.call_once(|| {
                            // Not one step: a second call in between would be counted.
                            let before = calls.load(Relaxed);
                            sigurg::yield_now();
                            calls.store(before + 1, Relaxed);
                        });
                        assert_eq!(
                            calls.load(Relaxed),
                            1,
                            "came back before the call had ended, round {round}"
                        );
                    })
                })
                .collect(),
        );
        assert!(once.is_completed());
    }
}

fn a_call_that_panics_leaves_it_to_the_next(crew: Crew) {
    let (once, tries, panics) = (Once::new(), AtomicUsize::new(0), AtomicUsize::new(0));
    crew.run(
        (0..5)
            .map(|_| {
                task(|| {
                    let call = || {
                        once.call_once(|| {
                            if tries.fetch_add(1, Relaxed) < 3 {
                                std::panic::resume_unwind(Box::new("on purpose"));
                            }
                        });
                    };
                    if catch_unwind(AssertUnwindSafe(call)).is_err() {
                        panics.fetch_add(1, Relaxed);
                    } else {
                        assert!(once.is_completed());
                    }
                })
            })
            .collect(),
    );
    assert_eq!((tries.into_inner(), panics.into_inner()), (4, 3));
}

fn a_value_is_made_once(crew: Crew) {
    for _ in 0..if crew == Crew::Threads { rounds(300) } else { 5 } {
        let lock = OnceLock::new();
        let made = AtomicUsize::new(0);
        crew.run(
            (0..4)
                .map(|w| {
                    let (lock, made) = (&lock, &made);
                    task(move || {
                        let value: &Arc<usize> = lock.get_or_init(|| {
                            made.fetch_add(1, Relaxed);
                            Arc::new(w)
                        });
                        assert!(Arc::ptr_eq(value, lock.get().unwrap()));
                        assert!(lock.set(Arc::new(9)).is_err());
                    })
                })
                .collect(),
        );
        assert_eq!(made.into_inner(), 1);
    }
}

#[test]
fn a_value_is_dropped_once() {
    let value = Arc::new(());
    let mut lock = OnceLock::from(Arc::clone(&value));
    assert_eq!(Arc::strong_count(&value), 2);
    drop(lock.take());
    assert_eq!((Arc::strong_count(&value), lock.get()), (1, None));
    assert!(lock.set(Arc::clone(&value)).is_ok());
    drop(lock);
    assert_eq!(Arc::strong_count(&value), 1);
    assert!(OnceLock::<Arc<()>>::new().into_inner().is_none());
}
