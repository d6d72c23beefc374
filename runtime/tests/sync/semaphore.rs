use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use sigurg::sync::{Barrier, Semaphore};

use crate::crew::{Crew, on_all_crews, rounds, task};

on_all_crews!(no_more_permits_are_out_than_there_are, a_time_limit_ends_a_wait_and_keeps_the_permits);

fn no_more_permits_are_out_than_there_are(crew: Crew) {
    let (permits, rounds) = (4, rounds(10_000));
    let semaphore = Semaphore::new(permits);
    let out = AtomicUsize::new(0);
    crew.run(
        (0..6)
            .map(|w| {
                let (semaphore, out) = (&semaphore, &out);
                task(move || {
                    for round in 0..rounds {
                        let n = 1 + (w + round) % permits;
                        let permit = semaphore.acquire(n);
                        let now = out.fetch_add(n, SeqCst) + n;
                        assert!(
                            now <= permits,
                            "{now} of {permits} permits are out, round {round} of worker {w}"
                        );
                        if round % 64 == 0 {
                            sigurg::yield_now();
                        }
                        out.fetch_sub(n, SeqCst);
                        assert_eq!(permit.permits(), n);
                    }
                })
            })
            .collect(),
    );
    assert_eq!(semaphore.available(), permits);
}

fn a_time_limit_ends_a_wait_and_keeps_the_permits(crew: Crew) {
    let semaphore = Semaphore::new(2);
    let (held, looked) = (Barrier::new(2), Barrier::new(2));
    crew.run(vec![
        task(|| {
            let one = semaphore.acquire(1);
            held.wait();
            looked.wait();
            drop(one);
        }),
        task(|| {
            held.wait();
            assert!(semaphore.acquire_timeout(2, Duration::from_millis(2)).is_none());
            drop(semaphore.try_acquire(1).expect("a waiter that gave up must not stop others"));
            looked.wait();
            semaphore.acquire_timeout(2, Duration::MAX).expect("they will be free").forget();
        }),
    ]);
    assert_eq!(semaphore.available(), 0);
    semaphore.release(2);
    assert_eq!(semaphore.available(), 2);
}
