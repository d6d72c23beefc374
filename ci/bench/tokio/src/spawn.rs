//! Starting tasks and sharing work out: B1, B5, B6.

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::AcqRel;
use std::time::Instant;

use tokio::sync::{Notify, mpsc};

use crate::Args;
use crate::kernels::{spin, uneven_size};
use crate::report::{Pass, Watch, millis};

/// Whose last count down wakes one waiter.
pub(crate) struct Countdown {
    left: AtomicU64,
    done: Notify,
}

impl Countdown {
    pub(crate) fn new(n: u64) -> Arc<Self> {
        Arc::new(Self { left: AtomicU64::new(n), done: Notify::new() })
    }

    pub(crate) fn done(&self) {
        if self.left.fetch_sub(1, AcqRel) == 1 {
            self.done.notify_one();
        }
    }

    pub(crate) async fn wait(&self) {
        self.done.notified().await;
    }
}

async fn spawn_all(n: u64) {
    let all = Countdown::new(n);
    for _ in 0..n {
        let all = Arc::clone(&all);
        tokio::spawn(async move { all.done() });
    }
    all.wait().await;
}

pub(crate) async fn burst(args: Args) -> Pass {
    spawn_all(args.n).await;
    Pass::of(args.n)
}

pub(crate) async fn one_by_one(args: Args) -> Pass {
    for _ in 0..args.n {
        tokio::spawn(async {}).await.expect("it returns");
    }
    Pass::of(args.n)
}

pub(crate) async fn batches(args: Args) -> Pass {
    let rounds = (args.n / 1000).max(1);
    for _ in 0..rounds {
        spawn_all(1000).await;
    }
    Pass::of(rounds * 1000)
}

pub(crate) async fn skynet(args: Args) -> Pass {
    let (tx, mut rx) = mpsc::channel(1);
    tokio::spawn(node(tx, 0, args.n));
    assert_eq!(rx.recv().await, Some(args.n * (args.n - 1) / 2));
    Pass::of(args.n * 10 / 9)
}

fn node(parent: mpsc::Sender<u64>, num: u64, size: u64) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        if size == 1 {
            return parent.send(num).await.expect("the parent waits");
        }
        let (tx, mut rx) = mpsc::channel(10);
        for i in 0..10 {
            tokio::spawn(node(tx.clone(), num + i * size / 10, size / 10));
        }
        let mut sum = 0;
        for _ in 0..10 {
            sum += rx.recv().await.expect("every child answers");
        }
        parent.send(sum).await.expect("the parent waits");
    })
}

pub(crate) async fn fork_join(args: Args) -> Pass {
    let (mut fibs, mut spawns) = ((0, 1), (0, 0));
    for _ in 0..args.n {
        fibs = (fibs.1, fibs.0 + fibs.1);
        spawns = (spawns.1, 1 + spawns.0 + spawns.1);
    }
    assert_eq!(fib(args.n).await, fibs.0);
    Pass::of(spawns.0)
}

fn fib(n: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move {
        if n < 2 {
            return n;
        }
        let other = tokio::spawn(fib(n - 1));
        let here = fib(n - 2).await;
        here + other.await.expect("it returns")
    })
}

pub(crate) async fn uneven(args: Args) -> Pass {
    let begin = Instant::now();
    for i in 0..args.n {
        black_box(spin(uneven_size(i), i));
    }
    let seq = begin.elapsed();
    let watch = Watch::start();
    let all = Countdown::new(args.n);
    for i in 0..args.n {
        let all = Arc::clone(&all);
        tokio::spawn(async move {
            black_box(spin(uneven_size(i), i));
            all.done();
        });
    }
    all.wait().await;
    let span = watch.stop();
    let mut pass = Pass { measured: Some(span), ..Pass::of(args.n) };
    pass.set("seq_ms", millis(seq));
    pass.set("speedup", seq.as_secs_f64() / span.wall.as_secs_f64());
    pass
}
