//! What workloads are made of.

use std::hint::black_box;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use sigurg::chan;
use sigurg::chan::{Receiver, Sender};

/// A value that goroutines share for the rest of the process, as a garbage-collected language shares it: without a
/// count of its users. A pass makes one or two.
pub(crate) fn shared<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// Computes: no calls, no memory.
#[inline(never)]
pub(crate) fn spin(iters: u64, seed: u64) -> u64 {
    let mut x = seed | 1;
    for _ in 0..iters {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    x
}

/// Computes until told to stop, and never calls or yields: how often it went round.
#[inline(never)]
pub(crate) fn hog(stop: &AtomicU32) -> u64 {
    let (mut x, mut n) = (88_172_645_463_325_252_u64, 0);
    // Relaxed: when it stops does not matter.
    while stop.load(Relaxed) == 0 {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        n += 1;
    }
    black_box(x);
    n
}

/// Opens once, for everybody: a channel that is closed.
pub(crate) struct Gate {
    tx: Sender<()>,
    rx: Receiver<()>,
}

impl Gate {
    pub(crate) fn new() -> Self {
        let (tx, rx) = chan(0);
        Self { tx, rx }
    }

    pub(crate) fn open(&self) {
        self.tx.close();
    }

    pub(crate) fn wait(&self) {
        assert!(self.rx.recv().is_err(), "nothing is ever sent here");
    }
}
