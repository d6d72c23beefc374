//! `facade/lock.rs`: the lock that is built from a word and the kernel's wait queue.

use super::{Datum, join};
use crate::facade::loom::{FutexLock, Model, keep, spawn};

fn count_to(threads: u32, model: Model) {
    model.check(move || {
        let (lock, datum) = (keep(FutexLock::new()), keep(Datum::new()));
        let add = || {
            lock.lock();
            datum.set(datum.get() + 1);
            lock.unlock();
        };
        let others: Vec<_> = (1..threads).map(|_| spawn(add)).collect();
        add();
        others.into_iter().for_each(join);
        lock.lock();
        assert_eq!(datum.get(), threads);
    });
}

pub(super) fn one_at_a_time_of_two() {
    count_to(2, Model::exhaustive());
}

/// A third is needed for the state "held and somebody may sleep" to outlive a sleeper. Bounded: a contended lock is tried
/// again and again, which makes hundreds of thousands of orders that differ in how often.
pub(super) fn one_at_a_time_of_three() {
    count_to(3, Model::bounded(2));
}
