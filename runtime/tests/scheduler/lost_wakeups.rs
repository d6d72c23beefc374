//! Whoever is readied runs, however the ready and the park fall together.

use std::sync::Arc;
use std::thread;

use sigurg::sync::{Mutex, Semaphore};
use sigurg::{chan, go};

use crate::stage::run;

const RACES: usize = 1_000_000;

#[test]
fn a_million_tokens_between_goroutines_on_channels() {
    let pairs = 8;
    let rounds = RACES / 2 / pairs;
    run(2, move || {
        let players: Vec<_> = (0..pairs)
            .flat_map(|_| {
                let (there, back) = (chan(0), chan(0));
                let (tx, rx) = (there.0, back.1);
                let first = go(move || {
                    for n in 0..rounds {
                        tx.send(n).expect("a receiver");
                        assert_eq!(rx.recv(), Ok(n));
                    }
                });
                let (tx, rx) = (back.0, there.1);
                let second = go(move || rx.iter().for_each(|n| tx.send(n).expect("a receiver")));
                [first, second]
            })
            .collect();
        players.into_iter().for_each(|player| player.join().expect("no panic"));
    });
}

#[test]
fn a_hundred_thousand_tokens_on_semaphores_between_goroutines_that_come_and_go() {
    run(2, || {
        for _ in 0..RACES / 20 {
            let ready = Arc::new(Semaphore::new(0));
            let waiter = {
                let ready = Arc::clone(&ready);
                go(move || ready.acquire(1).forget())
            };
            ready.release(1);
            waiter.join().expect("no panic");
        }
    });
}

#[test]
fn a_mutex_that_everybody_wants_is_had_by_everybody() {
    let (goroutines, rounds) = (20, 5_000);
    let sum = run(2, move || {
        let sum = Arc::new(Mutex::new(0));
        let adders: Vec<_> = (0..goroutines)
            .map(|_| {
                let sum = Arc::clone(&sum);
                go(move || {
                    for _ in 0..rounds {
                        let mut sum = sum.lock();
                        // Others come to wait meanwhile.
                        sigurg::yield_now();
                        *sum += 1;
                    }
                })
            })
            .collect();
        adders.into_iter().for_each(|adder| adder.join().expect("no panic"));
        *sum.lock()
    });
    assert_eq!(sum, goroutines * rounds);
}

#[test]
fn tokens_between_plain_threads_and_goroutines() {
    let (pairs, rounds) = (3, 10_000);
    thread::scope(|scope| {
        let (goroutines, threads): (Vec<_>, Vec<_>) = (0..pairs)
            .map(|_| {
                let (there, back) = (chan(0), chan(0));
                ((there.1, back.0), (there.0, back.1))
            })
            .unzip();
        for (tx, rx) in threads {
            scope.spawn(move || {
                for n in 0..rounds {
                    tx.send(n).expect("a receiver");
                    assert_eq!(rx.recv(), Ok(n));
                }
            });
        }
        run(2, move || {
            let echo = |(rx, tx): (chan::Receiver<i32>, chan::Sender<i32>)| {
                go(move || rx.iter().for_each(|n| tx.send(n).expect("a receiver")))
            };
            let echoes: Vec<_> = goroutines.into_iter().map(echo).collect();
            echoes.into_iter().for_each(|echo| echo.join().expect("no panic"));
        });
    });
}
