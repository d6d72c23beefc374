//! What is run.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use sigurg_shuttle::sim::{self, point};
use sigurg_shuttle::{GoBuilder, Preemptions, chan, go, join, metrics, stacks, sync, time, yield_now};

/// Computes until `stop`.
pub(crate) fn hog(stop: &AtomicBool) {
    while !stop.load(Relaxed) {
        point();
    }
}

/// Three Ms at most that run goroutines, four goroutines, a hog among them: the one that speed is measured with.
pub(crate) fn four_goroutines() {
    sim::runtime(2).run(|| {
        let stop = Arc::new(AtomicBool::new(false));
        let (tx, rx) = chan(1);
        let stops = Arc::clone(&stop);
        let hog = go(move || hog(&stops));
        let sender = go(move || (0..3).for_each(|i| tx.send(i).unwrap()));
        let scanner = go(|| stacks::scan(|_| ()));
        let sum: u64 = rx.iter().sum();
        sender.join().unwrap();
        scanner.join().unwrap();
        stop.store(true, Relaxed);
        hog.join().unwrap();
        assert_eq!(sum, 3);
    });
}

/// A tree of goroutines: more than a ring holds.
pub(crate) fn tree() {
    fn count(depth: u32) -> u32 {
        if depth == 0 {
            return 1;
        }
        let (left, right) = join(|| count(depth - 1), || count(depth - 1));
        left + right
    }
    sim::runtime(3).run(|| {
        let many: Vec<_> = (0..12).map(|i| go(move || i)).collect();
        assert_eq!(count(3), 8);
        let sum: i32 = many.into_iter().map(|one| one.join().unwrap()).sum();
        assert_eq!(sum, 66);
    });
}

/// Senders and receivers over a channel with `room`.
pub(crate) fn channel(room: usize) {
    sim::runtime(2).run(move || {
        let (tx, rx) = chan(room);
        let senders: Vec<_> = (0..2u32)
            .map(|i| {
                let tx = tx.clone();
                go(move || (0..3).for_each(|j| tx.send(10 * i + j).unwrap()))
            })
            .collect();
        drop(tx);
        let receivers: Vec<_> = (0..2)
            .map(|_| {
                let rx = rx.clone();
                go(move || rx.iter().collect::<Vec<_>>())
            })
            .collect();
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        let mut all: Vec<_> = receivers.into_iter().flat_map(|receiver| receiver.join().unwrap()).collect();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 10, 11, 12]);
    });
}

/// Two channels, and selects over both: their locks are taken in one order.
pub(crate) fn selects() {
    sim::runtime(2).run(|| {
        let (a, from_a) = chan(0);
        let (b, from_b) = chan(1);
        let _open = (a.clone(), b.clone());
        let sender = go(move || {
            for i in 0..3 {
                sigurg_shuttle::select! {
                    send(a, i) -> sent => sent.unwrap(),
                    send(b, i) -> sent => sent.unwrap(),
                }
            }
        });
        let receiver = go(move || {
            let mut sum = 0;
            for _ in 0..3 {
                sum += sigurg_shuttle::select! {
                    recv(from_b) -> got => got.unwrap(),
                    recv(from_a) -> got => got.unwrap(),
                };
            }
            sum
        });
        sender.join().unwrap();
        assert_eq!(receiver.join().unwrap(), 3);
    });
}

/// A counter under a lock, whose holders are interrupted, and let others run: who is woken for it finds it taken again.
pub(crate) fn mutex() {
    sim::runtime(2).run(|| {
        let count = Arc::new(sync::Mutex::new(0));
        let workers: Vec<_> = (0..3)
            .map(|_| {
                let count = Arc::clone(&count);
                go(move || {
                    for turn in 0..3 {
                        let mut held = count.lock();
                        let before = *held;
                        if turn == 1 {
                            yield_now()
                        } else {
                            point()
                        }
                        *held = before + 1;
                    }
                })
            })
            .collect();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        assert_eq!(*count.lock(), 9);
    });
}

/// Sleeps end in the order of their deadlines, each not before it, for each sleeper looks at the clock.
pub(crate) fn sleeps() {
    sim::runtime(2).run(|| {
        let sleepers: Vec<_> = [30u64, 10, 20]
            .map(|ms| {
                go(move || {
                    let begin = sim::now();
                    time::sleep(Duration::from_millis(ms));
                    assert!(sim::now() - begin >= ms * 1_000_000);
                })
            })
            .into();
        sleepers.into_iter().for_each(|sleeper| sleeper.join().unwrap());
    });
}

/// Goroutines in system calls, whose Ps others need.
pub(crate) fn system_calls() {
    sim::runtime(1).run(|| {
        let calls: Vec<_> = (0..2u32)
            .map(|i| {
                go(move || {
                    sigurg_shuttle::blocking(|| sim::sleep(50_000_000 * (i + 1)));
                    i
                })
            })
            .collect();
        let other = go(|| (0..3).map(|_| go(|| 1).join().unwrap()).sum::<u32>());
        assert_eq!(other.join().unwrap(), 3);
        assert_eq!(calls.into_iter().map(|call| call.join().unwrap()).sum::<u32>(), 1);
    });
}

/// A thread that is none of the runtime's sends to a goroutine and receives from it.
pub(crate) fn plain_thread() {
    let (tx, rx) = chan(0);
    let (back, answer) = chan(0);
    let outside = sim::spawn(move || {
        for i in 0..3 {
            tx.send(i).unwrap();
        }
        drop(tx);
        answer.recv().unwrap()
    });
    let seen = Rc::new(Cell::new(0));
    let sum = sim::runtime(2).run(move || {
        let worker = go(move || {
            let sum: i32 = rx.iter().sum();
            back.send(sum).unwrap();
            sum
        });
        worker.join().unwrap()
    });
    seen.set(outside.join());
    assert_eq!((sum, seen.get()), (3, 3));
}

/// Goroutines that compute where they may be moved: what stopped them, and how many went on in other threads.
pub(crate) fn movable_hogs() -> (Preemptions, usize) {
    sim::runtime(2).run(|| {
        let stop = Arc::new(AtomicBool::new(false));
        let hogs: Vec<_> = (0..3)
            .map(|_| {
                let stop = Arc::clone(&stop);
                // SAFETY: nothing in its body belongs to a thread.
                unsafe { GoBuilder::new().injectable() }.spawn(move || {
                    let mut moves = 0;
                    let mut at = sim::thread_number();
                    while !stop.load(Relaxed) {
                        point();
                        let now = sim::thread_number();
                        moves += usize::from(now != at);
                        at = now;
                    }
                    moves
                })
            })
            .collect();
        let scans = go(|| stacks::scan(|_| ()));
        let stops = Arc::clone(&stop);
        let stopper = go(move || {
            yield_now();
            stops.store(true, Relaxed);
        });
        stopper.join().unwrap();
        scans.join().unwrap();
        let moves = hogs.into_iter().map(|hog| hog.join().unwrap()).sum();
        (metrics().preemptions, moves)
    })
}

/// The same where they may not.
pub(crate) fn unsafe_hogs() -> Preemptions {
    sim::runtime(1).run(|| {
        let stop = Arc::new(AtomicBool::new(false));
        let stops = Arc::clone(&stop);
        let stopper = go(move || stops.store(true, Relaxed));
        // SAFETY: nothing in its body belongs to a thread.
        let hog = unsafe { GoBuilder::new().injectable() }.spawn(move || {
            while !stop.load(Relaxed) {
                sim::unsafe_point();
            }
        });
        hog.join().unwrap();
        stopper.join().unwrap();
        metrics().preemptions
    })
}

/// More hogs than Ps: each runs when the others are stopped, and some one has to stop all.
pub(crate) fn three_hogs_on_one_p() -> Preemptions {
    sim::runtime(1).run(|| {
        let begun = Arc::new(AtomicBool::new(false));
        let stop = Arc::new(AtomicBool::new(false));
        let hogs: Vec<_> = (0..3)
            .map(|i| {
                let (begun, stop) = (Arc::clone(&begun), Arc::clone(&stop));
                go(move || {
                    if i == 0 {
                        begun.store(true, Relaxed);
                    }
                    hog(&stop);
                })
            })
            .collect();
        while !begun.load(Relaxed) {
            yield_now();
        }
        stop.store(true, Relaxed);
        hogs.into_iter().for_each(|hog| hog.join().unwrap());
        metrics().preemptions
    })
}

/// Goroutines that sleep in foreign calls, of which nobody knew that they would, and one that needs their P.
pub(crate) fn foreign_calls() -> Preemptions {
    sim::runtime(1).run(|| {
        let calls: Vec<_> = (1..3u32).map(|i| go(move || sim::sleep(60_000_000 * i))).collect();
        let other = go(|| (0..3).map(|_| go(|| 1).join().unwrap()).sum::<u32>());
        assert_eq!(other.join().unwrap(), 3);
        calls.into_iter().for_each(|call| call.join().unwrap());
        metrics().preemptions
    })
}

/// A goroutine that comes back from such a call and computes, so that it gets no P by itself.
pub(crate) fn back_from_a_foreign_call() -> Preemptions {
    sim::runtime(1).run(|| {
        let stop = Arc::new(AtomicBool::new(false));
        let stops = Arc::clone(&stop);
        let caller = go(move || {
            sim::sleep(30_000_000);
            hog(&stop);
        });
        let stopper = go(move || {
            time::sleep(Duration::from_millis(100));
            stops.store(true, Relaxed);
        });
        stopper.join().unwrap();
        caller.join().unwrap();
        metrics().preemptions
    })
}

/// Scans while goroutines are in such calls, come back and go again.
pub(crate) fn scanned_in_a_foreign_call() -> Preemptions {
    sim::runtime(2).run(|| {
        let calls: Vec<_> = (0..2)
            .map(|_| {
                go(|| {
                    for _ in 0..2 {
                        sim::sleep(15_000_000);
                        (0..20).for_each(|_| point());
                    }
                })
            })
            .collect();
        let scanner = go(|| {
            for _ in 0..3 {
                assert!(stacks::scan(|_| ()) >= 1);
                time::sleep(Duration::from_millis(10));
            }
        });
        scanner.join().unwrap();
        calls.into_iter().for_each(|call| call.join().unwrap());
        metrics().preemptions
    })
}
