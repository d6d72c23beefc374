//! How goroutines are stopped here: by injected calls.

use std::hint::black_box;
use std::time::Duration;

use sigurg::{GoBuilder, JoinHandle, time};

use crate::stage::Stop;

/// How goroutines are made that may be moved at any instruction.
pub(crate) fn builder() -> GoBuilder {
    // SAFETY: where code of these tests touches thread-locals, the map is to find it; that is what is tested.
    unsafe { GoBuilder::new().injectable() }
}

pub(crate) fn go<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    builder().spawn(f)
}

/// Goroutines stopped by injected calls so far.
pub(crate) fn stopped() -> u64 {
    sigurg::metrics().preemptions.injected
}

/// Computes, without a call.
#[inline(never)]
pub(crate) fn compute(turns: u64) -> u64 {
    (0..turns).fold(1, |x: u64, i| black_box(x.wrapping_mul(3) ^ i))
}

/// Waits until the safe-point map is there and in use.
pub(crate) fn warm_up() {
    let before = stopped();
    let stop = Stop::default();
    let hogs: Vec<_> = (0..2 * sigurg::gomaxprocs())
        .map(|_| {
            let stop = stop.clone();
            go(move || {
                while !stop.is_set() {
                    compute(1_000);
                }
            })
        })
        .collect();
    while stopped() == before {
        time::sleep(Duration::from_millis(1));
    }
    stop.set();
    for hog in hogs {
        hog.join().expect("no panic");
    }
}
