//! Code that holds the address of a thread-local is not stopped by an injected call, however it came to hold it: it would go on with
//! another thread's.

use std::cell::Cell;
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread::LocalKey;
use std::time::Duration;

use sigurg::safepoint::Decline;

use crate::kernels::KERNELS;
use crate::stage::storm;
use crate::tier::{compute, go};

/// Not inlined: what calls it is declined for other reasons than that.
#[inline(never)]
fn thread() -> i32 {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::gettid() }
}

thread_local! {
    /// Each thread's own number, and how often it was looked at.
    static CONST: Cell<(i32, u64)> = const { Cell::new((0, 0)) };
    static LAZY: Cell<(i32, u64)> = Cell::new((thread(), 0));
    static DROPPED: Vec<Cell<(i32, u64)>> = vec![Cell::new((thread(), 0))];
}

/// Holds the address for long.
#[inline(always)]
fn hold(cell: &Cell<(i32, u64)>) {
    let (_, before) = cell.get();
    cell.set((thread(), before + 1));
    compute(20_000);
    let (owner, after) = cell.get();
    assert_eq!(
        (owner, after),
        (thread(), before + 1),
        "the thread-local of another thread, or used by another goroutine"
    );
}

#[inline(never)]
fn held_by_helper(cell: &Cell<(i32, u64)>) {
    hold(cell);
}

#[inline(never)]
fn held_by_helper_of_helper(cell: &Cell<(i32, u64)>) {
    compute(1);
    held_by_helper(cell);
}

#[inline(never)]
fn inlined() {
    CONST.with(hold);
}

/// What [`inlined`] comes to where the compiler does inline it.
#[inline(never)]
fn thread_pointer() {
    #[inline(always)]
    fn read() -> usize {
        let pointer: usize;
        // SAFETY: the word that points to itself.
        unsafe {
            std::arch::asm!("mov {}, fs:0", out(reg) pointer, options(nostack, readonly, preserves_flags))
        };
        pointer
    }
    let (before, number) = (read(), thread());
    compute(20_000);
    assert_eq!((before, number), (read(), thread()), "the thread pointer of another thread");
}

/// Nothing is left of the frame that took the address.
#[inline(never)]
fn tail_call() {
    CONST.with(held_by_helper);
}

#[inline(never)]
fn through_two() {
    LAZY.with(held_by_helper_of_helper);
}

#[inline(never)]
fn of_a_key(key: &'static LocalKey<Cell<(i32, u64)>>) {
    key.with(hold);
}

/// The accessor is called through a pointer.
#[inline(never)]
fn passed_key() {
    of_a_key(black_box(&LAZY));
    of_a_key(black_box(&CONST));
}

#[inline(never)]
fn with_destructor() {
    DROPPED.with(|cells| cells.iter().for_each(hold));
}

/// A destructor runs while a panic goes through; std counts the panic for the thread.
#[inline(never)]
fn unwinding() {
    struct Slow;
    impl Drop for Slow {
        fn drop(&mut self) {
            assert!(std::thread::panicking());
            compute(20_000);
            assert!(std::thread::panicking());
        }
    }
    assert!(!std::thread::panicking());
    let panic = catch_unwind(AssertUnwindSafe(|| {
        let _slow = Slow;
        resume_unwind(Box::new(7));
    }));
    assert!(panic.is_err());
    compute(20_000);
    assert!(!std::thread::panicking());
}

#[test]
fn nobody_finds_the_thread_local_of_another_thread_under_a_storm() {
    let cases: [(&str, fn()); 7] = [
        ("inlined", inlined),
        ("the thread pointer", thread_pointer),
        ("tail call", tail_call),
        ("through two", through_two),
        ("a key passed on", passed_key),
        ("with a destructor", with_destructor),
        ("unwinding", unwinding),
    ];
    storm(2, Duration::from_secs(4), 50, |stop| {
        let mut hogs: Vec<_> = cases
            .into_iter()
            .flat_map(|case| [case, case])
            .map(|(name, case)| {
                let stop = stop.clone();
                let hog = go(move || {
                    while !stop.is_set() {
                        case();
                    }
                });
                (name, hog)
            })
            .collect();
        let stop_kernels = stop.clone();
        for kernel in KERNELS.iter().filter(|kernel| kernel.of_thread) {
            let hog = kernel.spawn(&stop_kernels);
            let joined = go(move || assert!(hog.join().expect("everything is as it was") > 0));
            hogs.push((kernel.name, joined));
        }
        // So that there is somebody to be moved to.
        for _ in 0..2 {
            let stop = stop.clone();
            let pure = go(move || {
                while !stop.is_set() {
                    compute(20_000);
                }
            });
            hogs.push(("pure", pure));
        }
        for (name, hog) in hogs {
            hog.join().unwrap_or_else(|_| panic!("{name}: not as it was"));
        }
        let reasons = sigurg::metrics().preemptions.not_injected;
        for reason in [Decline::ThreadLocal, Decline::CallsThreadLocal, Decline::AfterThreadLocal] {
            assert!(reasons.get(reason) > 0, "never {reason}: {reasons:?}");
        }
        assert!(reasons.get(Decline::Panicking) > 0, "never unwinding: {reasons:?}");
    });
}
