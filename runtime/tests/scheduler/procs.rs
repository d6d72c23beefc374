//! The number of Ps changes under load.

use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use sigurg::sync::Mutex;
use sigurg::{blocking, chan, go, gomaxprocs, set_gomaxprocs, time, yield_now};

use crate::stage::run;

#[test]
fn the_number_is_what_was_set_last_and_the_one_before_is_returned() {
    run(2, || {
        assert_eq!(gomaxprocs(), 2);
        assert_eq!(set_gomaxprocs(5), 2);
        assert_eq!((gomaxprocs(), set_gomaxprocs(1), gomaxprocs()), (5, 5, 1));
        assert_eq!(set_gomaxprocs(1), 1);
    });
}

#[test]
fn nothing_is_lost_while_it_changes() {
    run(1, || {
        let stop = Arc::new(AtomicBool::new(false));
        let (done, ended) = chan::<u64>(0);
        let counter = Arc::new(Mutex::new(0u64));
        // Each kind of goroutine does what it does until told to stop, and must be there to be told.
        let until_stopped = |round: Box<dyn Fn() + Send>| {
            let (stop, done) = (Arc::clone(&stop), done.clone());
            go(move || {
                let mut rounds = 0;
                while !stop.load(Relaxed) {
                    round();
                    rounds += 1;
                }
                done.send(rounds).expect("a receiver");
            });
        };
        for _ in 0..4 {
            until_stopped(Box::new(yield_now));
            until_stopped(Box::new(|| time::sleep(Duration::from_micros(50))));
            until_stopped(Box::new(|| go(|| ()).join().expect("no panic")));
            until_stopped(Box::new(|| blocking(|| std::thread::sleep(Duration::from_micros(30)))));
            let counter = Arc::clone(&counter);
            until_stopped(Box::new(move || {
                let mut counter = counter.lock();
                yield_now();
                *counter += 1;
            }));
            let (ask, asked) = chan(0);
            let (answer, answered) = chan(0);
            go(move || asked.iter().for_each(|n: u64| answer.send(n).expect("a receiver")));
            until_stopped(Box::new(move || {
                ask.send(7).expect("a receiver");
                assert_eq!(answered.recv(), Ok(7));
            }));
        }
        for procs in [4, 2, 8, 1].into_iter().cycle().take(100) {
            set_gomaxprocs(procs);
            time::sleep(Duration::from_micros(300));
        }
        stop.store(true, SeqCst);
        assert_eq!(ended.iter().take(24).filter(|rounds| *rounds > 0).count(), 24);
    });
}

#[test]
fn several_that_change_it_at_once_take_turns() {
    run(2, || {
        let changes = Arc::new(AtomicU64::new(0));
        let changers: Vec<_> = (1..=6)
            .map(|i| {
                let changes = Arc::clone(&changes);
                go(move || {
                    for n in 0..30 {
                        let before = set_gomaxprocs(1 + (i * 7 + n) % 9);
                        assert!((1..=9).contains(&before));
                        changes.fetch_add(1, Relaxed);
                        yield_now();
                    }
                })
            })
            .collect();
        changers.into_iter().for_each(|changer| changer.join().expect("no panic"));
        assert_eq!(changes.load(Relaxed), 6 * 30);
    });
}

#[test]
fn queued_goroutines_and_timers_of_ps_that_go_away_are_kept() {
    run(8, || {
        for procs in [1, 8, 3, 8, 1] {
            let sleepers: Vec<_> =
                (0..200).map(|i| go(move || time::sleep(Duration::from_micros(i * 10)))).collect();
            let runners: Vec<_> = (0..200).map(|_| go(yield_now)).collect();
            set_gomaxprocs(procs);
            sleepers.into_iter().chain(runners).for_each(|task| task.join().expect("no panic"));
        }
    });
}

#[test]
#[should_panic(expected = "set_gomaxprocs(0): not a number from 1 to 1024")]
fn no_ps_at_all_is_refused() {
    run(1, || set_gomaxprocs(0));
}
