//! How many executions a second the simulator does: three Ms, four goroutines, signals; judged by the model or not.
//!
//! Also by the second of processor time, which is the same on a busy machine.
//!
//! `cargo run --release -p sigurg-conformance --example sim_speed -- [SECONDS] [THREADS]`

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use sigurg_conformance::sim::Sim;
use sigurg_shuttle::sim::{self, Limits, Random, Simulator, point};
use sigurg_shuttle::{chan, go, stacks};

/// Two Ps and so up to three Ms that run goroutines; a hog that is stopped by signals, a sender, a scan, the main goroutine.
fn program() {
    sim::runtime(2).run(|| {
        let stop = Arc::new(AtomicBool::new(false));
        let (tx, rx) = chan(1);
        let stops = Arc::clone(&stop);
        let hog = go(move || {
            while !stops.load(Relaxed) {
                point();
            }
        });
        let sender = go(move || (0..3).for_each(|i| tx.send(i).unwrap()));
        let scan = go(|| stacks::scan(|_| ()));
        assert_eq!(rx.iter().sum::<u64>(), 3);
        sender.join().unwrap();
        scan.join().unwrap();
        stop.store(true, Relaxed);
        hog.join().unwrap();
    });
}

/// What one thread did.
#[derive(Default)]
struct Done {
    executions: u64,
    ops: u64,
    turns: u64,
    signals: u64,
    events: u64,
    /// Time on a processor, nanoseconds.
    cpu_ns: u64,
}

/// Time that this thread has had a processor, by the kernel's count.
fn cpu_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or_default()
}

fn run(seed: u64, time: Duration, judged: bool) -> Done {
    let (mut sim, mut simulator) = (Sim::new(Limits::default()), Simulator::new(Limits::default()));
    let (begin, began_at, mut done) = (Instant::now(), cpu_ns(), Done::default());
    while begin.elapsed() < time {
        let mut random = Random::new(seed.wrapping_add(done.executions));
        let events = &mut done.events;
        let outcome = if judged {
            sim.run_and_hear(&mut random, &mut |_, _| *events += 1, program).outcome
        } else {
            simulator.run(
                &mut random,
                &mut |_, _| {
                    *events += 1;
                    Ok(())
                },
                program,
            )
        };
        assert!(outcome.is_ok(), "{outcome}");
        done.executions += 1;
        done.ops += outcome.ops;
        done.turns += outcome.turns;
        let signal = |slice: &&sim::Slice| matches!(slice.actor, sim::Actor::Signal(_));
        done.signals += outcome.schedule.slices.iter().filter(signal).count() as u64;
    }
    done.cpu_ns = cpu_ns() - began_at;
    done
}

fn main() {
    let mut numbers = std::env::args().skip(1).map(|arg| arg.parse().expect("a number"));
    let seconds = numbers.next().unwrap_or(3);
    let threads =
        numbers.next().unwrap_or_else(|| thread::available_parallelism().map_or(1, |n| n.get() as u64));
    for judged in [false, true] {
        let begin = Instant::now();
        let workers: Vec<_> = (0..threads)
            .map(|i| thread::spawn(move || run(i << 32, Duration::from_secs(seconds), judged)))
            .collect();
        let done: Vec<_> = workers.into_iter().map(|worker| worker.join().expect("no failure")).collect();
        let sum = |of: fn(&Done) -> u64| done.iter().map(of).sum::<u64>() as f64;
        let executions = sum(|done| done.executions);
        println!(
            "{}: {:.0} executions/s on {threads} threads, {:.1} us of processor time each; {:.0} operations, {:.0} turns, {:.1} signals, {:.0} events",
            if judged { "judged" } else { "not judged" },
            executions / begin.elapsed().as_secs_f64(),
            sum(|done| done.cpu_ns) / executions / 1e3,
            sum(|done| done.ops) / executions,
            sum(|done| done.turns) / executions,
            sum(|done| done.signals) / executions,
            sum(|done| done.events) / executions,
        );
    }
}
