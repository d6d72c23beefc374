//! No P is idle while a goroutine could run: goroutines that wait for each other without giving way all get one.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use sigurg_shuttle::sim::{self, point};
use sigurg_shuttle::{go, preempt_off, set_gomaxprocs, yield_now};

use crate::under_many_schedules;

/// `count` goroutines, each of which goes on only when all run at once.
fn meet(count: u32) {
    let here = Arc::new(AtomicU32::new(0));
    let all: Vec<_> = (0..count)
        .map(|_| {
            let here = Arc::clone(&here);
            go(move || {
                preempt_off(|| {
                    here.fetch_add(1, Relaxed);
                    while here.load(Relaxed) < count {
                        point();
                    }
                });
            })
        })
        .collect();
    all.into_iter().for_each(|one| one.join().unwrap());
}

#[test]
fn as_many_goroutines_as_ps_run_at_once() {
    under_many_schedules(100, || sim::runtime(3).run(|| meet(3)));
}

#[test]
fn as_many_goroutines_as_ps_run_at_once_after_the_world_was_stopped() {
    under_many_schedules(100, || {
        sim::runtime(3).run(|| {
            let others: Vec<_> = (0..3).map(|_| go(yield_now)).collect();
            set_gomaxprocs(2);
            meet(2);
            set_gomaxprocs(3);
            meet(3);
            others.into_iter().for_each(|other| other.join().unwrap());
        });
    });
}

#[test]
fn as_many_goroutines_as_ps_run_at_once_though_they_were_idle_before() {
    under_many_schedules(100, || {
        sim::runtime(3).run(|| {
            for _ in 0..3 {
                meet(2);
                meet(3);
            }
        });
    });
}
