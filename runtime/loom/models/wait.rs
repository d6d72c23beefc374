//! `wait.rs`, for plain threads: a waiter is woken once, by its waker or by its deadline.

use super::{Datum, join};
use crate::facade::loom::{Model, advance, keep, spawn};
use crate::lock::Lock;
use crate::wait::Wait;
use crate::waitreason::WaitReason;

/// Where its waker finds it.
struct Found(Option<*const Wait>);
// SAFETY: under a lock; who waits is there.
unsafe impl Send for Found {}

fn wait_with(deadline: Option<i64>, model: Model) {
    model.check(move || {
        let (found, datum) = (keep(Lock::new(Found(None))), keep(Datum::new()));
        let wait = Wait::new();
        *found.lock() = Found(Some(&raw const wait));
        let waker = spawn(move || {
            let guard = found.lock();
            let Some(wait) = guard.0 else { return false };
            datum.set(1);
            // SAFETY: under the lock of its queue it is there; claimed, it stays until it is readied.
            unsafe {
                let won = (*wait).claim();
                drop(guard);
                if won {
                    Wait::ready(wait);
                }
                won
            }
        });
        let time = deadline.map(|_| spawn(|| advance(10)));
        let woken = wait.block_until(deadline, WaitReason::ChanReceive, || ());
        if woken {
            assert_eq!(datum.get(), 1);
        }
        found.lock().0 = None;
        drop(wait);
        assert_eq!(join(waker), woken, "who claims it, and only who does, wakes it");
        time.map(join);
    });
}

pub(super) fn a_waiter_is_woken() {
    wait_with(None, Model::exhaustive());
}

/// Bounded: who waits for a time looks at the clock again and again.
pub(super) fn a_waker_and_a_deadline_do_not_both_win() {
    wait_with(Some(10), Model::bounded(2));
}
