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

/// Two readers are in; the last to go hands over what the other did, too.
pub(super) fn the_last_reader_hands_over_for_all() {
    Model::bounded(2).check(|| {
        let lock = keep(RwLock::new([Shared::new(), Shared::new()]));
        let (here, there) = (lock.read(), lock.read());
        let other = spawn(move || there[1].add());
        let writer = spawn(move || lock.write().iter().map(|shared| shared.0.get()).sum::<u32>());
        here[0].add();
        drop(here);
        join(other);
        assert_eq!(join(writer), 2);
    });
}

/// A reader that finds a writer waiting steps back, and may be the last to go then.
pub(super) fn a_reader_that_steps_back_hands_over() {
    Model::bounded(2).check(|| {
        let lock = keep(RwLock::new(Shared::new()));
        let here = lock.read();
        let writer = spawn(move || lock.write().0.get());
        let late = spawn(move || drop(lock.read()));
        here.add();
        drop(here);
        assert_eq!(join(writer), 1);
        join(late);
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

/// Two give a permit each; who gets both has seen what both did.
fn permits_of_two(take: fn(&Semaphore)) {
    Model::bounded(2).check(move || {
        let semaphore = keep(Semaphore::new(0));
        let data = keep([Shared::new(), Shared::new()]);
        let givers = [0, 1].map(|i| {
            spawn(move || {
                data[i].add();
                semaphore.release(1);
            })
        });
        take(semaphore);
        assert_eq!(data.iter().map(|shared| shared.0.get()).sum::<u32>(), 2);
        givers.into_iter().for_each(join);
    });
}

pub(super) fn who_gets_two_permits_at_once_sees_what_both_givers_did() {
    permits_of_two(|semaphore| semaphore.acquire(2).forget());
}

pub(super) fn who_gets_two_permits_one_by_one_sees_what_both_givers_did() {
    permits_of_two(|semaphore| (0..2).for_each(|_| semaphore.acquire(1).forget()));
}

/// More permits come than who waits wants.
pub(super) fn what_a_waiter_leaves_is_handed_over_too() {
    Model::bounded(2).check(|| {
        let (semaphore, shared) = (keep(Semaphore::new(0)), keep(Shared::new()));
        let waiter = spawn(move || semaphore.acquire(1).forget());
        let next = spawn(move || {
            if let Some(permit) = semaphore.try_acquire(1) {
                permit.forget();
                assert_eq!(shared.0.get(), 1);
            }
        });
        shared.add();
        semaphore.release(2);
        join(waiter);
        join(next);
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
