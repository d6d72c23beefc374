//! A panic ends its goroutine and nothing else; that of main comes out of `run`.

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};

use sigurg::{GoBuilder, go, scope, yield_now};

use crate::stage::run;

#[test]
fn the_panic_of_a_goroutine_is_an_error_where_it_is_joined_and_others_live_on() {
    let (message, sum) = run(2, || {
        let others: Vec<_> = (0..100)
            .map(|i| {
                go(move || {
                    (0..10).for_each(|_| yield_now());
                    i
                })
            })
            .collect();
        let panic = go(|| panic!("on purpose: {}", black_box(7))).join().expect_err("it panicked");
        let sum = others.into_iter().map(|other| other.join().expect("no panic")).sum::<i32>();
        (panic.downcast_ref::<String>().cloned(), sum)
    });
    assert_eq!(message.as_deref(), Some("on purpose: 7"));
    assert_eq!(sum, (0..100).sum::<i32>());
}

#[test]
fn a_panic_that_nobody_joins_harms_nobody() {
    assert_eq!(
        run(1, || {
            drop(go(|| panic!("on purpose")));
            yield_now();
            go(|| 42).join().expect("no panic")
        }),
        42
    );
}

#[test]
fn the_panic_of_main_comes_out_of_run_with_its_value() {
    #[derive(Debug, PartialEq)]
    struct Value(u32);
    let panic = catch_unwind(|| run(2, || panic_any(Value(7)))).expect_err("main panicked");
    assert_eq!(panic.downcast_ref(), Some(&Value(7)));
    assert!(!std::thread::panicking());
    assert_eq!(run(2, || 42), 42, "the next runtime is not touched");
}

#[test]
fn a_panic_of_main_leaves_no_goroutine_that_uses_what_main_borrowed() {
    let mut borrowed = vec![1, 2, 3];
    let panic = catch_unwind(AssertUnwindSafe(|| {
        run(2, || {
            scope(|scope| {
                scope.go(|| {
                    (0..100).for_each(|_| yield_now());
                    borrowed.push(4);
                });
                panic_any("in the scope");
            })
        })
    }));
    assert_eq!(panic.expect_err("main panicked").downcast_ref(), Some(&"in the scope"));
    assert_eq!(borrowed, [1, 2, 3, 4], "the scope waited before it let the panic out");
}

#[test]
fn panics_of_many_at_once_all_arrive() {
    run(2, || {
        let panics: Vec<_> = (0..500u32)
            .map(|i| {
                GoBuilder::new().stack_size(1 << 17).spawn(move || {
                    yield_now();
                    std::panic::resume_unwind(Box::new(i));
                })
            })
            .collect();
        for (i, panic) in (0..500u32).zip(panics) {
            let panic: Box<dyn std::any::Any + Send> = match panic.join() {
                Ok(()) => panic!("{i} did not panic"),
                Err(panic) => panic,
            };
            assert_eq!(panic.downcast_ref(), Some(&i));
        }
    });
}
