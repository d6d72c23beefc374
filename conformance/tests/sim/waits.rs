//! Waits that may end in several ways: by a value, a deadline, a close, one of several channels.

use std::time::Duration;

use sigurg_shuttle::sim::{self, point};
use sigurg_shuttle::{chan, go, set_gomaxprocs, sync, time, yield_now};

use crate::under_many_schedules;

const SOON: Duration = Duration::from_micros(20);

#[test]
fn a_value_is_sent_in_time_exactly_if_it_is_received_in_time() {
    under_many_schedules(200, || {
        sim::runtime(2).run(|| {
            let (tx, rx) = chan(0);
            let sender = go(move || {
                let sent = (0..6).filter(|i| tx.send_timeout(*i, SOON).is_ok()).collect::<Vec<_>>();
                (sent, tx)
            });
            let receiver = go(move || {
                let got = (0..6).filter_map(|_| rx.recv_timeout(SOON).ok()).collect::<Vec<_>>();
                (got, rx)
            });
            // The ends live until both are done: nothing is closed.
            let ((sent, _tx), (got, _rx)) = (sender.join().unwrap(), receiver.join().unwrap());
            assert_eq!(sent, got);
        });
    });
}

#[test]
fn a_close_ends_all_waits() {
    under_many_schedules(100, || {
        sim::runtime(2).run(|| {
            let (tx, rx) = chan::<u32>(0);
            let senders: Vec<_> = (0..2)
                .map(|i| {
                    let tx = tx.clone();
                    go(move || tx.send(i).is_err())
                })
                .collect();
            let (none, nothing) = chan::<u32>(1);
            let receiver = go(move || nothing.recv().is_err());
            yield_now();
            drop((rx, none));
            assert!(senders.into_iter().all(|sender| sender.join().unwrap()));
            assert!(receiver.join().unwrap());
        });
    });
}

#[test]
fn a_select_that_chose_is_on_no_queue_any_more() {
    under_many_schedules(200, || {
        sim::runtime(2).run(|| {
            let (a, from_a) = chan(0);
            let (b, from_b) = chan(0);
            let senders = [a, b].map(|tx| go(move || (0..3).for_each(|i| tx.send(i).unwrap())));
            let chooser = go(move || {
                let mut sum = 0;
                for _ in 0..6 {
                    sum += sigurg_shuttle::select! {
                        recv(from_a) -> got => got.unwrap_or(0),
                        recv(from_b) -> got => got.unwrap_or(0),
                    };
                }
                sum + from_a.iter().chain(from_b.iter()).sum::<u32>()
            });
            senders.into_iter().for_each(|sender| sender.join().unwrap());
            assert_eq!(chooser.join().unwrap(), 6);
        });
    });
}

#[test]
fn a_lock_is_had_in_time_or_not_at_all() {
    under_many_schedules(200, || {
        sim::runtime(2).run(|| {
            let count = std::sync::Arc::new(sync::Mutex::new(0));
            let workers: Vec<_> = (0..3)
                .map(|_| {
                    let count = std::sync::Arc::clone(&count);
                    go(move || {
                        let mut had = 0;
                        for _ in 0..3 {
                            if let Some(mut held) = count.try_lock_for(SOON) {
                                let before = *held;
                                point();
                                *held = before + 1;
                                had += 1;
                            }
                        }
                        had
                    })
                })
                .collect();
            let had: i32 = workers.into_iter().map(|worker| worker.join().unwrap()).sum();
            assert_eq!(*count.lock(), had);
        });
    });
}

#[test]
fn sleepers_on_ps_that_go_away_wake_up() {
    under_many_schedules(100, || {
        sim::runtime(3).run(|| {
            let sleepers: Vec<_> = (1..4)
                .map(|ms| {
                    go(move || {
                        let begin = sim::now();
                        time::sleep(Duration::from_millis(ms));
                        assert!(sim::now() - begin >= ms * 1_000_000);
                    })
                })
                .collect();
            yield_now();
            set_gomaxprocs(1);
            sleepers.into_iter().for_each(|sleeper| sleeper.join().unwrap());
        });
    });
}
