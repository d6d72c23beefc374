//! Who goes before whom at a [`RwLock`], where the order can be seen only from inside.

use std::sync::Mutex as Log;
use std::thread;

use crate::sync::RwLock;

fn until(what: impl Fn() -> bool) {
    while !what() {
        thread::yield_now();
    }
}

#[test]
fn readers_that_wait_go_before_the_next_writer() {
    let lock = RwLock::new(0);
    let log = Log::new(Vec::new());
    thread::scope(|s| {
        let mut first = lock.write();
        for _ in 0..3 {
            s.spawn(|| {
                let seen = *lock.read();
                log.lock().unwrap().push(seen);
            });
        }
        until(|| lock.raw().waiting_readers() == 3);
        s.spawn(|| *lock.write() = 2);
        until(|| lock.raw().waiting_writers() == 1);
        *first = 1;
    });
    assert_eq!(log.into_inner().unwrap(), [1, 1, 1], "a reader saw what the second writer wrote");
    assert_eq!(*lock.read(), 2);
}

#[test]
fn a_writer_that_waits_goes_before_the_next_reader() {
    let lock = RwLock::new(0);
    thread::scope(|s| {
        let first = lock.read();
        s.spawn(|| *lock.write() = 1);
        until(|| lock.try_read().is_none());
        s.spawn(|| assert_eq!(*lock.read(), 1, "a later reader overtook the writer"));
        until(|| lock.raw().waiting_readers() == 1);
        assert_eq!(*first, 0);
    });
}

#[test]
fn a_writer_whose_time_is_up_lets_the_readers_behind_it_in() {
    let lock = RwLock::new(0);
    thread::scope(|s| {
        let first = lock.read();
        let writer = s.spawn(|| lock.try_write_for(std::time::Duration::from_millis(30)).is_some());
        // Either they queue behind the writer or its time is up already: in both cases they must get in beside `first`.
        let readers: Vec<_> = (0..3).map(|_| s.spawn(|| *lock.read())).collect();
        readers.into_iter().for_each(|reader| assert_eq!(reader.join().unwrap(), 0));
        assert!(!writer.join().unwrap(), "it wrote beside a reader");
        drop(first);
    });
    assert!(lock.raw().is_idle());
}

#[test]
fn downgrade_lets_readers_in_and_writers_not() {
    let lock = RwLock::new(0);
    thread::scope(|s| {
        let mut writing = lock.write();
        s.spawn(|| assert_eq!(*lock.read(), 1));
        until(|| lock.raw().waiting_readers() == 1);
        *writing = 1;
        let reading = super::super::RwLockWriteGuard::downgrade(writing);
        assert!(lock.try_write().is_none(), "a writer beside a reader");
        drop(lock.try_read().expect("a reader beside a reader"));
        assert_eq!(*reading, 1);
    });
    assert!(lock.raw().is_idle());
}
