//! Endless computations on one processor that are moved at any instruction, without a thread for each. `injected [HOGS]`, by
//! default 100. It ends when every one of them has run, and says how they were stopped, and why not.

mod common;

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use sigurg::{GoBuilder, time};

fn compute(turns: u64) -> u64 {
    (0..turns).fold(1, |x: u64, i| black_box(x.wrapping_mul(3) ^ i))
}

fn main() -> common::Outcome {
    let args = common::args()?;
    let hogs = args.rest.first().map_or(Ok(100), |text| text.parse::<usize>())?;
    common::run(args.trace, move || {
        sigurg::set_gomaxprocs(1);
        let turns: Arc<Vec<AtomicU64>> = Arc::new((0..hogs).map(|_| AtomicU64::new(0)).collect());
        for i in 0..hogs {
            let turns = Arc::clone(&turns);
            // SAFETY: pure arithmetic.
            let builder = unsafe { GoBuilder::new().injectable() };
            builder.spawn(move || {
                loop {
                    compute(1_000);
                    // Relaxed, both: a figure.
                    turns[i].fetch_add(1, Relaxed);
                }
            });
        }
        while turns.iter().any(|turns| turns.load(Relaxed) == 0) {
            time::sleep(Duration::from_micros(100));
        }
        let metrics = sigurg::metrics();
        let stops = metrics.preemptions;
        println!("{hogs} endless computations, {} threads", metrics.ms);
        println!("stopped by an injected call: {}, in the signal handler: {}", stops.injected, stops.parked);
        for (reason, count) in stops.not_injected.iter() {
            println!("{count:>9} {:<18} {reason}", reason.id());
        }
        Ok(())
    })
}
