//! Switching, channels and locks: B2, B3b, B4, B7.

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc, watch};

use crate::Args;
use crate::report::Pass;
use crate::spawn::Countdown;

pub(crate) async fn yields(args: Args) -> Pass {
    let all = Countdown::new(args.k);
    let (open, gate) = watch::channel(false);
    let each = args.n / args.k;
    for _ in 0..args.k {
        let (all, mut gate) = (Arc::clone(&all), gate.clone());
        tokio::spawn(async move {
            gate.wait_for(|open| *open).await.expect("it opens");
            for _ in 0..each {
                tokio::task::yield_now().await;
            }
            all.done();
        });
    }
    open.send(true).expect("they wait");
    all.wait().await;
    Pass::of(each * args.k)
}

pub(crate) async fn ping_pong(args: Args) -> Pass {
    let ((there_tx, mut there_rx), (back_tx, mut back_rx)) = (mpsc::channel(1), mpsc::channel(1));
    let a = tokio::spawn(async move {
        for i in 0..args.n {
            there_tx.send(i).await.expect("the other side receives");
            assert_eq!(back_rx.recv().await, Some(i));
        }
    });
    while let Some(i) = there_rx.recv().await {
        back_tx.send(i).await.expect("the other side receives");
    }
    a.await.expect("every message came back");
    Pass::of(args.n)
}

pub(crate) async fn throughput(args: Args) -> Pass {
    let each = args.n / args.k;
    let mut sum = 0;
    if args.k == 1 {
        let (tx, mut rx) = mpsc::channel(128);
        tokio::spawn(async move {
            for i in 0..each {
                tx.send(i).await.expect("somebody receives");
            }
        });
        let consumer = tokio::spawn(async move {
            let mut sum = 0;
            while let Some(i) = rx.recv().await {
                sum += i;
            }
            sum
        });
        sum += consumer.await.expect("a sum");
    } else {
        let (tx, rx) = async_channel::bounded(128);
        let mut consumers = Vec::new();
        for _ in 0..args.k {
            let (tx, rx) = (tx.clone(), rx.clone());
            tokio::spawn(async move {
                for i in 0..each {
                    tx.send(i).await.expect("somebody receives");
                }
            });
            consumers.push(tokio::spawn(async move {
                let mut sum = 0;
                while let Ok(i) = rx.recv().await {
                    sum += i;
                }
                sum
            }));
        }
        drop(tx);
        for consumer in consumers {
            sum += consumer.await.expect("a sum");
        }
    }
    assert_eq!(sum, args.k * (each * (each - 1) / 2));
    Pass::of(each * args.k)
}

pub(crate) async fn mutex(args: Args) -> Pass {
    let (all, value) = (Countdown::new(args.k), Arc::new(Mutex::new(0)));
    let each = args.n / args.k;
    for _ in 0..args.k {
        let (all, value) = (Arc::clone(&all), Arc::clone(&value));
        tokio::spawn(async move {
            for _ in 0..each {
                *value.lock().await += 1;
            }
            all.done();
        });
    }
    all.wait().await;
    assert_eq!(*value.lock().await, each * args.k);
    Pass::of(each * args.k)
}
