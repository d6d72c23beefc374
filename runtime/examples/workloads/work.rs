//! What goroutines of a workload share.

use sigurg::chan;
use sigurg::chan::{Receiver, Sender};

/// A value that goroutines share for the rest of the process, as a garbage-collected language shares it: without a
/// count of its users. A pass makes one or two.
pub(crate) fn shared<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
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
