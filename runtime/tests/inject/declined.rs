//! Where no call can be injected, and what happens instead.

use std::hint::black_box;
use std::time::{Duration, Instant};

use sigurg::safepoint::Decline;
use sigurg::{lock_os_thread, time};

use crate::stage::{STUCK, Stop, is_child, parked, run, spawn_child};
use crate::tier::{compute, go, stopped, warm_up};

/// Runs `code` again and again until it was declined for `reason` 5 times and parked instead.
fn declined(reason: Decline, code: impl Fn() + Send + 'static) {
    run(1, move || {
        warm_up();
        let count = || sigurg::metrics().preemptions.not_injected.get(reason);
        let before = (parked(), count());
        let stop = Stop::default();
        let hog = go({
            let stop = stop.clone();
            move || {
                while !stop.is_set() {
                    code();
                }
            }
        });
        let begin = Instant::now();
        while count() < before.1 + 5 || parked() == before.0 {
            time::sleep(Duration::from_millis(1));
            let seen = sigurg::metrics().preemptions;
            assert!(begin.elapsed() < STUCK / 2, "{reason}: before {before:?}, {seen:?}");
        }
        stop.set();
        hog.join().expect("no panic");
    });
}

#[test]
fn in_a_library_a_goroutine_is_stopped_in_its_handler() {
    let text = std::ffi::CString::new("x".repeat(1_000_000)).expect("no zero");
    declined(Decline::Outside, move || {
        // SAFETY: a string with its end.
        black_box(unsafe { libc::strlen(black_box(text.as_ptr())) });
    });
}

#[test]
fn code_that_calls_an_unknown_library_function_is_not_stopped() {
    declined(Decline::ForeignCall, || {
        compute(1);
        // SAFETY: takes nothing and cannot fail.
        let mut x = unsafe { libc::getpid() } as u64;
        for i in 0..20_000 {
            x = black_box(x ^ i);
        }
    });
}

#[test]
fn a_goroutine_that_is_locked_to_its_thread_stays_there() {
    let locked = std::cell::Cell::new(false);
    declined(Decline::Locked, move || {
        if !locked.replace(true) {
            lock_os_thread();
        }
        compute(20_000);
    });
}

#[test]
fn without_room_on_the_stack_there_is_no_injected_call() {
    /// Goes down until little is left, and computes there.
    #[inline(never)]
    fn down(lowest: usize) -> u64 {
        let frame = black_box([0u8; 400]);
        let result = if frame.as_ptr().addr() < lowest { compute(20_000) } else { down(lowest) };
        black_box(frame);
        result
    }
    /// Bytes of the stack of a goroutine, and how many of them to leave.
    const STACK: usize = 64 << 10;
    const LEFT: usize = 3 << 10;
    declined(Decline::LowStack, || {
        let here = 0u8;
        // The goroutine's own frames up to here take less than this.
        let top = (&raw const here).addr() + 2048;
        black_box(down(top - STACK + LEFT + 2048));
    });
}

#[test]
fn under_preempt_off_nothing_is_injected() {
    run(2, || {
        warm_up();
        let (stop, started) = (Stop::default(), Stop::default());
        let hog = go({
            let (stop, started) = (stop.clone(), started.clone());
            move || {
                sigurg::preempt_off(|| {
                    started.set();
                    while !stop.is_set() {
                        compute(1_000);
                    }
                });
            }
        });
        while !started.is_set() {
            time::sleep(Duration::from_millis(1));
        }
        let before = stopped();
        for _ in 0..50 {
            time::sleep(Duration::from_millis(1));
        }
        assert_eq!(stopped(), before);
        stop.set();
        hog.join().expect("no panic");
    });
}

#[test]
fn with_asyncpreemptoff_nothing_is_injected() {
    if is_child() {
        return run(1, || {
            let begun = Stop::default();
            go({
                let begun = begun.clone();
                move || {
                    println!("started");
                    begun.set();
                    loop {
                        compute(1_000);
                    }
                }
            });
            // Also where the kernel lets the thread wait for longer than that before the loop.
            while !begun.is_set() {
                time::sleep(Duration::from_millis(5));
            }
            println!("continued");
        });
    }
    let child = spawn_child(
        "declined::with_asyncpreemptoff_nothing_is_injected",
        &[("SIGURG_DEBUG", "asyncpreemptoff=1")],
    );
    assert!(child.says("started", STUCK));
    // Long enough for anything that is not kept from happening.
    assert!(!child.says("continued", Duration::from_secs(1)));
}
