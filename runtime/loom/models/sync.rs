//! `sync/`, among plain threads: who has it has it alone, and sees what those before did.
//!
//! The mutex spins a few times before it sleeps, which multiplies the orders without adding a case; hence the bounds.

use super::{Datum, join};
use crate::facade::loom::{Model, advance, keep, spawn};
use crate::sync::{Mutex, Once, RwLock, Semaphore};
use std::time::Duration;

/// May be looked at by many: loom reports who changes it meanwhile.
struct Shared(Datum);
// SAFETY: as above.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

impl Shared {
    fn new() -> Self {
        Self(Datum::new())
    }

    fn add(&self) {
        self.0.set(self.0.get() + 1);
    }
}

fn mutex(threads: u32, model: Model) {
    model.check(move || {
        let mutex = keep(Mutex::new(Shared::new()));
        let add = || mutex.lock().add();
        let others: Vec<_> = (1..threads).map(|_| spawn(add)).collect();
        add();
        others.into_iter().for_each(join);
        assert_eq!(mutex.lock().0.get(), threads);
    });
}

pub(super) fn a_mutex_has_one_holder_of_two() {
    mutex(2, Model::bounded(3));
}

pub(super) fn a_mutex_has_one_holder_of_three() {
    mutex(3, Model::bounded(1));
}

/// A waiter whose time is up leaves nothing behind that keeps another from the lock.
pub(super) fn a_waiter_for_a_mutex_may_give_up() {
    Model::bounded(2).check(|| {
        let mutex = keep(Mutex::new(Shared::new()));
        let guard = mutex.lock();
        let late = spawn(move || match mutex.try_lock_for(Duration::from_nanos(10)) {
            Some(guard) => {
                guard.add();
                1
            }
            None => 0,
        });
        let time = spawn(|| advance(10));
        guard.add();
        drop(guard);
        let taken = join(late);
        join(time);
        assert_eq!(mutex.lock().0.get(), 1 + taken);
    });
}

pub(super) fn readers_share_and_a_writer_is_alone() {
    Model::bounded(2).check(|| {
        let lock = keep(RwLock::new(Shared::new()));
        let reader = spawn(move || lock.read().0.get());
        lock.write().add();
        let seen = lock.read().0.get();
        assert_eq!(seen, 1);
        assert!(join(reader) <= 1);
    });
}

/// The last of two readers hands over, also what the other did.
pub(super) fn a_writer_waits_for_all_readers() {
    Model::bounded(2).check(|| {
        let lock = keep(RwLock::new([Shared::new(), Shared::new()]));
        let readers = [0, 1].map(|i| spawn(move || lock.read()[i].add()));
        let write = lock.write();
        assert!(write.iter().all(|shared| shared.0.get() <= 1));
        drop(write);
        readers.into_iter().for_each(join);
    });
}

pub(super) fn permits_are_neither_lost_nor_doubled() {
    Model::bounded(3).check(|| {
        let semaphore = keep(Semaphore::new(1));
        let shared = keep(Shared::new());
        let work = || {
            let _permit = semaphore.acquire(1);
            shared.add();
        };
        let other = spawn(work);
        work();
        join(other);
        assert_eq!((semaphore.available(), shared.0.get()), (1, 2));
    });
}

pub(super) fn once_is_once_and_seen_by_all() {
    Model::bounded(3).check(|| {
        let (once, shared) = (keep(Once::new()), keep(Shared::new()));
        let call = || {
            once.call_once(|| shared.add());
            assert_eq!(shared.0.get(), 1);
        };
        let other = spawn(call);
        call();
        join(other);
    });
}
