//! Numbers and names of goroutines.

use std::collections::HashSet;

use sigurg::{GoBuilder, GoStatus, chan, current, go, try_current, yield_now};

use crate::stage::run;

#[test]
fn every_goroutine_has_a_number_of_its_own_though_its_stack_is_used_again() {
    let ids = run(2, || {
        let mut ids = vec![current().id()];
        for _ in 0..50 {
            let batch: Vec<_> = (0..200)
                .map(|_| {
                    go(|| {
                        yield_now();
                        current().id()
                    })
                })
                .collect();
            for task in batch {
                let told = task.id();
                ids.push(task.join().expect("no panic"));
                assert_eq!(ids.last(), Some(&told), "the handle and the goroutine agree");
            }
        }
        ids
    });
    assert_eq!(ids[0].as_u64(), 1, "main");
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 10_001);
}

#[test]
fn a_goroutine_knows_its_name_and_the_next_on_its_stack_does_not() {
    run(1, || {
        for i in 0..100 {
            let name = format!("worker {i}");
            let named = GoBuilder::new().name(name.as_str()).spawn(current);
            assert_eq!(named.name(), Some(name.as_str()));
            assert_eq!(named.join().expect("no panic").name(), Some(name.as_str()));
            assert_eq!(go(current).join().expect("no panic").name(), None);
        }
    });
}

#[test]
fn current_is_the_same_after_every_wait() {
    run(2, || {
        let tasks: Vec<_> = (0..50)
            .map(|_| {
                go(|| {
                    let me = current().id();
                    for _ in 0..50 {
                        yield_now();
                        assert_eq!(current().id(), me);
                        go(|| ()).join().expect("no panic");
                        assert_eq!(sigurg::blocking(|| current().id()), me);
                    }
                })
            })
            .collect();
        tasks.into_iter().for_each(|task| task.join().expect("no panic"));
    });
}

#[test]
fn a_plain_thread_is_no_goroutine() {
    assert_eq!(try_current(), None);
    run(1, || assert_eq!(sigurg::blocking(|| std::thread::spawn(try_current).join().ok().flatten()), None));
    assert!(std::panic::catch_unwind(|| go(|| ())).is_err(), "a goroutine needs a runtime");
}

#[test]
fn a_handle_tells_what_its_goroutine_is_doing() {
    run(1, || {
        let (tx, rx) = chan::<()>(0);
        let task = go(move || rx.recv().is_ok());
        assert_eq!(task.status(), GoStatus::Runnable);
        while task.status() == GoStatus::Runnable {
            yield_now();
        }
        assert_eq!(task.status(), GoStatus::Waiting("chan receive"), "it never runs while this one looks");
        tx.send(()).expect("a receiver");
        while !task.is_finished() {
            yield_now();
        }
        assert_eq!(task.status(), GoStatus::Dead);
    });
}
