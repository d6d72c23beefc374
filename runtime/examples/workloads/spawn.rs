//! Starting goroutines and sharing work out: B1, B5, B6.

use std::hint::black_box;
use std::time::Instant;

use sigurg::chan;
use sigurg::chan::Sender;
use sigurg::sync::WaitGroup;

use crate::Args;
use crate::kernels::{spin, uneven_size};
use crate::report::{Pass, Watch, millis};
use crate::work::shared;

fn spawn_all(all: &'static WaitGroup, n: u64) {
    all.add(i32::try_from(n).expect("a count of goroutines"));
    for _ in 0..n {
        sigurg::go(|| all.done());
    }
    all.wait();
}

/// B1a: many goroutines at once.
pub(crate) fn burst(args: Args) -> Pass {
    spawn_all(shared(WaitGroup::new()), args.n);
    Pass::of(args.n)
}

/// B1b: one goroutine after the other.
pub(crate) fn one_by_one(args: Args) -> Pass {
    for _ in 0..args.n {
        sigurg::go(|| ()).join().expect("it returns");
    }
    Pass::of(args.n)
}

/// B1c: a thousand at a time.
pub(crate) fn batches(args: Args) -> Pass {
    const BATCH: u64 = 1000;
    let rounds = (args.n / BATCH).max(1);
    let all = shared(WaitGroup::new());
    for _ in 0..rounds {
        spawn_all(all, BATCH);
    }
    Pass::of(rounds * BATCH)
}

/// B5: a tree of goroutines.
pub(crate) fn skynet(args: Args) -> Pass {
    let (tx, rx) = chan(1);
    sigurg::go(move || node(tx, 0, args.n));
    let sum = rx.recv().expect("the root answers");
    assert_eq!(sum, args.n * (args.n - 1) / 2);
    Pass::of(args.n * 10 / 9)
}

fn node(parent: Sender<u64>, num: u64, size: u64) {
    if size == 1 {
        return parent.send(num).expect("the parent waits");
    }
    let (tx, rx) = chan(10);
    for i in 0..10 {
        let tx = tx.clone();
        sigurg::go(move || node(tx, num + i * size / 10, size / 10));
    }
    let sum = (0..10).map(|_| rx.recv().expect("every child answers")).sum();
    parent.send(sum).expect("the parent waits");
}

/// B6a: the smallest tasks there are.
pub(crate) fn fork_join(args: Args) -> Pass {
    let (mut fibs, mut spawns) = ((0, 1), (0, 0));
    for _ in 0..args.n {
        fibs = (fibs.1, fibs.0 + fibs.1);
        spawns = (spawns.1, 1 + spawns.0 + spawns.1);
    }
    assert_eq!(fib(args.n), fibs.0);
    Pass::of(spawns.0)
}

fn fib(n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let (here, other) = sigurg::join(|| fib(n - 2), || fib(n - 1));
    here + other
}

/// B6b: tasks of very different length.
pub(crate) fn uneven(args: Args) -> Pass {
    let begin = Instant::now();
    for i in 0..args.n {
        black_box(spin(uneven_size(i), i));
    }
    let seq = begin.elapsed();
    let watch = Watch::start();
    let all = shared(WaitGroup::new());
    all.add(i32::try_from(args.n).expect("a count of goroutines"));
    for i in 0..args.n {
        sigurg::go(move || {
            black_box(spin(uneven_size(i), i));
            all.done();
        });
    }
    all.wait();
    let span = watch.stop();
    let mut pass = Pass { measured: Some(span), ..Pass::of(args.n) };
    pass.set("seq_ms", millis(seq));
    pass.set("speedup", seq.as_secs_f64() / span.wall.as_secs_f64());
    pass
}
