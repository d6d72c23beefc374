//! A pipeline of goroutines: a source, workers that share it, and a sink that gives up when nothing comes for a while.
//! `pipeline [NUMBERS]`, by default 100,000.

mod common;

use std::time::Duration;

use sigurg::chan::{Receiver, Sender};
use sigurg::{JoinHandle, chan, select};

const WORKERS: u64 = 4;
/// The sink waits so long for the next result.
const PATIENCE: Duration = Duration::from_millis(100);

/// Sends numbers from 0 until nobody wants more; how many were sent.
fn source(out: &Sender<u64>, count: u64, stop: &Receiver<()>) -> u64 {
    for n in 0..count {
        select! {
            send(out, n) -> sent => if sent.is_err() { return n },
            recv(stop) -> _ => return n,
        }
    }
    count
}

/// Squares what comes in; how many results were passed on.
fn worker(numbers: &Receiver<u64>, out: &Sender<u64>, stop: &Receiver<()>) -> u64 {
    let mut done = 0;
    loop {
        let n = select! {
            recv(numbers) -> n => match n {
                Ok(n) => n,
                Err(_) => return done,
            },
            recv(stop) -> _ => return done,
        };
        select! {
            send(out, n * n) -> sent => if sent.is_err() { return done },
            recv(stop) -> _ => return done,
        }
        done += 1;
    }
}

/// What is left when all is over.
struct Report {
    sum: u64,
    results: u64,
    sent: u64,
    timed_out: bool,
}

/// Builds the pipeline and runs it until the source is dry, or until nothing comes any more: after `stall_after` numbers
/// the source falls asleep.
fn pipeline(count: u64, stall_after: u64) -> Report {
    let (numbers_tx, numbers_rx) = chan(16);
    let (results_tx, results_rx) = chan(16);
    let (cancel, stop) = chan::<()>(0);
    let first = {
        let stop = stop.clone();
        sigurg::go(move || {
            let sent = source(&numbers_tx, count.min(stall_after), &stop);
            if sent == stall_after {
                // Until the sink has lost its patience.
                stop.recv().expect_err("nothing is ever sent here");
            }
            sent
        })
    };
    let workers: Vec<JoinHandle<u64>> = (0..WORKERS)
        .map(|_| {
            let (numbers, results, stop) = (numbers_rx.clone(), results_tx.clone(), stop.clone());
            sigurg::go(move || worker(&numbers, &results, &stop))
        })
        .collect();
    // The last worker closes the channel of results.
    drop(results_tx);
    let mut report = Report { sum: 0, results: 0, sent: 0, timed_out: false };
    loop {
        select! {
            recv(results_rx) -> result => match result {
                Ok(square) => (report.sum, report.results) = (report.sum + square, report.results + 1),
                Err(_) => break,
            },
            timeout(PATIENCE) => {
                report.timed_out = true;
                break;
            },
        }
    }
    cancel.close();
    report.sent = first.join().expect("the source returns");
    let passed_on: u64 = workers.into_iter().map(|worker| worker.join().expect("a worker returns")).sum();
    assert_eq!(passed_on, report.results, "every result that was passed on came");
    report
}

fn main() -> common::Outcome {
    let args = common::args()?;
    let count = args.rest.first().map_or(Ok(100_000), |text| text.parse::<u64>())?;
    common::run(args.trace, move || {
        let whole = pipeline(count, u64::MAX);
        println!("{} results, sum {}", whole.results, whole.sum);
        let squares: u64 = (0..count).map(|n| n * n).sum();
        assert_eq!((whole.sum, whole.results, whole.sent, whole.timed_out), (squares, count, count, false));

        let stalled = pipeline(count, 10);
        println!("{} results before the source fell asleep", stalled.results);
        assert_eq!(
            (stalled.results, stalled.sent, stalled.timed_out),
            (10.min(count), 10.min(count), count >= 10)
        );
        Ok(())
    })
}
