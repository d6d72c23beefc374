//! Goroutines that are stopped by signal on one thread and, between two stops, move to another.

use std::time::Duration;

use sigurg::{chan, go, time};

use crate::kernels::{KERNELS, Kernel, random};
use crate::stage::storm;

const WALKERS: u64 = 12;

fn all_kernels() -> Vec<Kernel> {
    #[allow(unused_mut, reason = "only where there is a test of registers")]
    let mut kernels = KERNELS.to_vec();
    #[cfg(target_arch = "x86_64")]
    kernels.extend(crate::registers::kernels());
    kernels
}

#[test]
fn goroutines_that_compute_wait_and_move_under_a_storm_lose_nothing() {
    storm(2, Duration::from_secs(4), 200, |stop| {
        let (put, take) = chan::<u64>(4);
        let walkers: Vec<_> = (0..WALKERS)
            .map(|i| {
                let (put, take, stop) = (put.clone(), take.clone(), stop.clone());
                let walk = move || {
                    let (kernels, mut seed, mut held) = (all_kernels(), i + 1, vec![i]);
                    while !stop.is_set() {
                        let kernel = kernels[random(&mut seed) as usize % kernels.len()];
                        (kernel.round)(seed);
                        match random(&mut seed) % 5 {
                            0 => time::sleep(Duration::from_micros(random(&mut seed) % 300)),
                            1 => sigurg::yield_now(),
                            2 => sigurg::blocking(|| std::thread::sleep(Duration::from_micros(50))),
                            3 => held.push(go(|| WALKERS).join().expect("it returns")),
                            // Each number is in one hand, or in the channel.
                            _ => {
                                if let Some(number) = held.pop()
                                    && let Err(error) = put.try_send(number)
                                {
                                    held.push(error.into_inner());
                                }
                                held.extend(take.try_recv().ok());
                            }
                        }
                    }
                    held
                };
                sigurg::GoBuilder::new().stack_size(2 << 20).spawn(walk)
            })
            .collect();
        drop(put);
        let mut all: Vec<u64> = Vec::new();
        for walker in walkers {
            all.extend(walker.join().expect("everything is as it was"));
        }
        all.extend(take.iter());
        all.retain(|number| *number < WALKERS);
        all.sort_unstable();
        assert_eq!(all, (0..WALKERS).collect::<Vec<_>>(), "a number was lost or is there twice");
    });
}
