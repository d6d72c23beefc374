//! Stopping the world, changing the number of Ps, goroutines with threads of their own.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use sigurg_shuttle::sim;
use sigurg_shuttle::{go, gomaxprocs, lock_os_thread, set_gomaxprocs, unlock_os_thread, yield_now};

use crate::programs::hog;
use crate::under_many_schedules;

#[test]
fn the_number_of_ps_changes_while_goroutines_run() {
    under_many_schedules(100, || {
        sim::runtime(2).run(|| {
            let stop = Arc::new(AtomicBool::new(false));
            let stops = Arc::clone(&stop);
            let runs = go(move || hog(&stops));
            let others: Vec<_> = (0..3).map(|i| go(move || (yield_now(), i).1)).collect();
            for procs in [3, 1, 2] {
                set_gomaxprocs(procs);
                assert_eq!(gomaxprocs(), procs);
            }
            stop.store(true, Relaxed);
            runs.join().unwrap();
            assert_eq!(others.into_iter().map(|other| other.join().unwrap()).sum::<i32>(), 3);
        });
    });
}

#[test]
fn the_world_stops_while_goroutines_are_in_system_calls() {
    under_many_schedules(100, || {
        sim::runtime(2).run(|| {
            let calls: Vec<_> =
                (0..2).map(|_| go(|| sigurg_shuttle::blocking(|| sim::sleep(30_000_000)))).collect();
            yield_now();
            set_gomaxprocs(1);
            calls.into_iter().for_each(|call| call.join().unwrap());
        });
    });
}

#[test]
fn a_locked_goroutine_stays_on_its_thread() {
    under_many_schedules(100, || {
        sim::runtime(2).run(|| {
            let locked = go(|| {
                lock_os_thread();
                let thread = sim::thread_number();
                for _ in 0..3 {
                    yield_now();
                    assert_eq!(sim::thread_number(), thread);
                }
                unlock_os_thread();
            });
            let others: Vec<_> = (0..2).map(|_| go(yield_now)).collect();
            locked.join().unwrap();
            others.into_iter().for_each(|other| other.join().unwrap());
        });
    });
}
