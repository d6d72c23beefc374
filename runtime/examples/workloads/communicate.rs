//! Switching, channels and locks: B2, B3, B4, B7.

use sigurg::chan;
use sigurg::sync::{Mutex, WaitGroup};

use crate::Args;
use crate::report::Pass;
use crate::work::{Gate, shared};

/// B2: nothing but switches.
pub(crate) fn yields(args: Args) -> Pass {
    let (all, gate) = (shared(WaitGroup::new()), shared(Gate::new()));
    let each = args.n / args.k;
    all.add(i32::try_from(args.k).expect("a count of goroutines"));
    for _ in 0..args.k {
        sigurg::go(move || {
            gate.wait();
            (0..each).for_each(|_| sigurg::yield_now());
            all.done();
        });
    }
    gate.open();
    all.wait();
    Pass::of(each * args.k)
}

/// B3, B3b and B3x: two goroutines, one message at a time.
pub(crate) fn ping_pong(args: Args, capacity: usize, locked: bool) -> Pass {
    let ((there_tx, there_rx), (back_tx, back_rx)) = (chan(capacity), chan(capacity));
    let a = sigurg::go(move || {
        if locked {
            sigurg::lock_os_thread();
        }
        for i in 0..args.n {
            there_tx.send(i).expect("the other side receives");
            assert_eq!(back_rx.recv(), Ok(i));
        }
    });
    let b = sigurg::go(move || {
        if locked {
            sigurg::lock_os_thread();
        }
        for i in there_rx {
            back_tx.send(i).expect("the other side receives");
        }
    });
    a.join().expect("every message came back");
    b.join().expect("every message was sent back");
    Pass::of(args.n)
}

/// B4: producers and consumers on one channel.
pub(crate) fn throughput(args: Args) -> Pass {
    let (tx, rx) = chan::<u64>(128);
    let each = args.n / args.k;
    let mut consumers = Vec::new();
    for _ in 0..args.k {
        let (tx, rx) = (tx.clone(), rx.clone());
        sigurg::go(move || (0..each).for_each(|i| tx.send(i).expect("somebody receives")));
        consumers.push(sigurg::go(move || rx.iter().sum::<u64>()));
    }
    // The last producer that is done closes the channel.
    drop(tx);
    let sum: u64 = consumers.into_iter().map(|consumer| consumer.join().expect("a sum")).sum();
    assert_eq!(sum, args.k * (each * (each - 1) / 2));
    Pass::of(each * args.k)
}

/// B7: many goroutines, one lock.
pub(crate) fn mutex(args: Args) -> Pass {
    let (all, value) = (shared(WaitGroup::new()), shared(Mutex::new(0)));
    let each = args.n / args.k;
    all.add(i32::try_from(args.k).expect("a count of goroutines"));
    for _ in 0..args.k {
        sigurg::go(move || {
            (0..each).for_each(|_| *value.lock() += 1);
            all.done();
        });
    }
    all.wait();
    assert_eq!(*value.lock(), each * args.k);
    Pass::of(each * args.k)
}
