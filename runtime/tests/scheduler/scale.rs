//! Many goroutines, and deep ones.

use std::hint::black_box;

use sigurg::{Builder, GoBuilder, chan, go};

use crate::stage::run;

#[test]
fn deep_recursion_fits_a_big_stack() {
    #[inline(never)]
    fn sum(n: u64) -> u64 {
        if n == 0 { 0 } else { black_box(n) + sum(n - 1) }
    }
    let depth = 200_000;
    let deep = run(1, || GoBuilder::new().stack_size(64 << 20).spawn(move || sum(depth)).join());
    assert_eq!(deep.expect("no panic"), depth * (depth + 1) / 2);
}

/// What a fresh page of its stack costs each parked goroutine, with what the kernel and the runtime need beside it.
const BYTES_EACH: u64 = 5 << 10;

fn available_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").expect("the kernel's figures");
    let line =
        text.lines().find_map(|line| line.strip_prefix("MemAvailable:")).expect("the available memory");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

fn parked_at_once(count: u64) {
    // SAFETY: nothing of a thread lives across a blocking call here.
    let runtime = unsafe { Builder::new().gomaxprocs(2).stack_size(16 << 10).build() }.expect("a runtime");
    let sum = runtime.run(|| {
        let (open, gate) = chan::<()>(0);
        let (tx, rx) = chan(1024);
        for n in 0..count {
            let (gate, tx) = (gate.clone(), tx.clone());
            go(move || {
                // Until it is closed.
                assert!(gate.recv().is_err());
                tx.send(n).expect("a receiver");
            });
        }
        drop(tx);
        open.close();
        rx.iter().sum::<u64>()
    });
    assert_eq!(sum, count * (count - 1) / 2);
}

#[test]
fn a_hundred_thousand_goroutines_wait_at_once() {
    parked_at_once(100_000);
}

#[test]
fn a_million_goroutines_wait_at_once() {
    let count = 1_000_000;
    let (available, needed) = (available_bytes(), count * BYTES_EACH + (3 << 30));
    if available < needed {
        println!("skipped: {} MiB of memory are available, {} are needed", available >> 20, needed >> 20);
        return;
    }
    parked_at_once(count);
}
