//! A tree of goroutines: each node starts ten children and adds up what they send. `skynet [LEAVES]`, a power of ten; by
//! default 1,000,000.

mod common;

use std::time::Instant;

use sigurg::chan;
use sigurg::chan::Sender;

fn skynet(parent: Sender<u64>, num: u64, size: u64) {
    if size == 1 {
        return parent.send(num).expect("the parent waits");
    }
    let (tx, rx) = chan(10);
    for i in 0..10 {
        let tx = tx.clone();
        sigurg::go(move || skynet(tx, num + i * (size / 10), size / 10));
    }
    drop(tx);
    // Ends when the last child has sent and gone.
    parent.send(rx.iter().sum()).expect("the parent waits");
}

fn main() -> common::Outcome {
    let args = common::args()?;
    let leaves = args.rest.first().map_or(Ok(1_000_000), |text| text.parse::<u64>())?;
    if leaves == 0 || 10_u64.pow(leaves.ilog10()) != leaves {
        return Err(format!("{leaves} is not a power of ten").into());
    }
    common::run(args.trace, move || {
        let begin = Instant::now();
        let (tx, rx) = chan(1);
        sigurg::go(move || skynet(tx, 0, leaves));
        let sum = rx.recv()?;
        println!("{leaves} leaves add up to {sum} in {:?}", begin.elapsed());
        assert_eq!(sum, leaves * (leaves - 1) / 2);
        Ok(())
    })
}
