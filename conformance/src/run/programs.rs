//! Programs that the native layer records: together they use everything that moves goroutines.
//!
//! Each ends by itself, checks what comes out, and draws its sizes from the seed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use sigurg::sync::Mutex;
use sigurg::{JoinHandle, blocking, chan, go, lock_os_thread, set_gomaxprocs, stacks, time, yield_now};
use sigurg_model::rules::sequence::Step;

use super::Draw;

/// A program.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// What must happen in it at least once in a while, or it shows nothing.
    pub shows: &'static [Step],
    /// Runs it on a goroutine.
    pub run: fn(&mut Draw),
}

/// Every program.
pub const ALL: &[Program] = &[
    Program {
        name: "births",
        about: "many goroutines are born and die",
        shows: &[Step::Newproc, Step::Gdestroy, Step::Spill],
        run: births,
    },
    Program {
        name: "channels",
        about: "senders and receivers on channels of several capacities",
        shows: &[Step::Gopark, Step::Goready],
        run: channels,
    },
    Program {
        name: "locks",
        about: "goroutines take a lock in turn, and yield with it in hand",
        shows: &[Step::GoschedImpl, Step::PutGlobal],
        run: locks,
    },
    Program {
        name: "timers",
        about: "goroutines sleep, and timers wake them",
        shows: &[Step::Gopark, Step::Ready],
        run: timers,
    },
    Program {
        name: "blocking",
        about: "system calls, short and long: processors are taken from them",
        shows: &[Step::SyscallBlock, Step::Handoffp],
        run: system_calls,
    },
    Program {
        name: "hogs",
        about: "loops without a call are stopped by signal for those who wake",
        shows: &[Step::HandlerYield, Step::PreemptM, Step::Startlockedm],
        run: beside_hogs,
    },
    Program {
        name: "scans",
        about: "goroutines stop each other, running or not, to read their stacks",
        shows: &[Step::SuspendBegin, Step::StepClaim, Step::ResumeEnd],
        run: scans,
    },
    Program {
        name: "processors",
        about: "the number of processors changes beside loops and system calls",
        shows: &[Step::Procresize, Step::StwStopped],
        run: processors,
    },
    Program {
        name: "everything",
        about: "all of it at once, with goroutines that are locked to threads",
        shows: &[Step::Stoplockedm, Step::GoschedImpl],
        run: everything,
    },
];

/// The program of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<Program> {
    ALL.iter().copied().find(|program| program.name == name)
}

fn join_all<T>(handles: Vec<JoinHandle<T>>) -> Vec<T> {
    handles
        .into_iter()
        .map(|handle| handle.join().expect("a goroutine of a program does not panic"))
        .collect()
}

fn births(draw: &mut Draw) {
    let many = draw.between(600, 2_000);
    let sum: u64 = join_all((0..many).map(|i| go(move || i)).collect()).iter().sum();
    assert_eq!(sum, many * (many - 1) / 2);
}

fn channels(draw: &mut Draw) {
    for capacity in [0, 1, 16] {
        let (senders, each) = (draw.between(2, 8), draw.between(50, 150));
        let (tx, rx) = chan::<u64>(capacity);
        let send = |_| {
            let tx = tx.clone();
            go(move || (0..each).for_each(|_| tx.send(1).expect("somebody receives")))
        };
        let sent: Vec<_> = (0..senders).map(send).collect();
        drop(tx);
        let receive = |_| {
            let rx = rx.clone();
            go(move || rx.iter().sum::<u64>())
        };
        let received: u64 = join_all((0..draw.between(1, 4)).map(receive).collect()).iter().sum();
        join_all(sent);
        assert_eq!(received, senders * each);
    }
}

fn locks(draw: &mut Draw) {
    let (many, each) = (draw.between(4, 16), draw.between(40, 120));
    let sum = Arc::new(Mutex::new(0u64));
    let adder = |_| {
        let sum = Arc::clone(&sum);
        go(move || {
            for _ in 0..each {
                let mut sum = sum.lock();
                *sum += 1;
                yield_now();
            }
        })
    };
    join_all((0..many).map(adder).collect());
    assert_eq!(*sum.lock(), many * each);
}

fn timers(draw: &mut Draw) {
    let sleeper = |_| {
        let us = draw.between(20, 900);
        go(move || (0..4).for_each(|n| time::sleep(Duration::from_micros(us + 37 * n))))
    };
    join_all((0..50).map(sleeper).collect());
}

fn system_calls(draw: &mut Draw) {
    let caller = |i| {
        let us = draw.between(500, 4_000);
        go(move || {
            for _ in 0..5 {
                blocking(|| std::thread::sleep(Duration::from_micros(if i % 2 == 0 { us } else { 0 })));
            }
        })
    };
    join_all((0..10).map(caller).collect());
}

/// Loops that never call the runtime: in registers, and in malloc.
fn hogs(many: u64, stop: &Arc<AtomicBool>) -> Vec<JoinHandle<u64>> {
    let hog = |kind| {
        let stop = Arc::clone(stop);
        go(move || {
            let (mut x, mut kept) = (1u64, Vec::new());
            // Relaxed: the flag stands for itself.
            while !stop.load(Relaxed) {
                x = std::hint::black_box(x.wrapping_mul(3));
                if kind % 2 == 1 {
                    kept.push(x.to_string());
                    kept.truncate(100);
                }
            }
            x
        })
    };
    (0..many).map(hog).collect()
}

fn beside(many: u64, meanwhile: impl FnOnce()) {
    let stop = Arc::new(AtomicBool::new(false));
    let hogs = hogs(many, &stop);
    meanwhile();
    // Relaxed: as above.
    stop.store(true, Relaxed);
    join_all(hogs);
}

/// Sleeps, often, until signals have stopped so many goroutines; how soon, the machine's load decides.
fn until_stopped(times: u64) {
    let until = Instant::now() + Duration::from_secs(20);
    while sigurg::metrics().preemptions.parked < times && Instant::now() < until {
        time::sleep(Duration::from_millis(1));
    }
}

fn beside_hogs(draw: &mut Draw) {
    let (many, times) = (draw.between(3, 6), draw.between(8, 16));
    beside(many, || until_stopped(times));
}

fn scans(draw: &mut Draw) {
    let (tx, rx) = chan::<()>(0);
    let waits = |_| {
        let rx = rx.clone();
        go(move || assert!(rx.recv().is_err()))
    };
    let waiting: Vec<_> = (0..draw.between(4, 12)).map(waits).collect();
    let scanners = draw.between(1, 3);
    beside(draw.between(1, 3), || {
        let scan = |_| {
            go(|| {
                let mut scanned = 0;
                for _ in 0..4 {
                    scanned += stacks::scan(|stack| {
                        std::hint::black_box(stack.words().len());
                    });
                    yield_now();
                }
                scanned
            })
        };
        assert!(join_all((0..scanners).map(scan).collect()).iter().all(|scanned| *scanned > 0));
    });
    drop(tx);
    join_all(waiting);
}

fn processors(draw: &mut Draw) {
    let stop = Arc::new(AtomicBool::new(false));
    let busy = |i: u64| {
        let stop = Arc::clone(&stop);
        go(move || {
            // Relaxed: the flag stands for itself.
            while !stop.load(Relaxed) {
                match i % 3 {
                    0 => yield_now(),
                    1 => drop(go(|| ()).join()),
                    _ => blocking(|| std::thread::sleep(Duration::from_micros(200))),
                }
            }
        })
    };
    let busy: Vec<_> = (0..9).map(busy).collect();
    beside(draw.between(1, 3), || {
        for _ in 0..6 {
            set_gomaxprocs(draw.between(1, 6) as usize);
            time::sleep(Duration::from_millis(1));
        }
    });
    stop.store(true, Relaxed);
    join_all(busy);
}

fn everything(draw: &mut Draw) {
    let (tx, rx) = chan::<u64>(4);
    let sum = Arc::new(Mutex::new(0u64));
    let mix = |i: u64| {
        let (tx, sum, salt) = (tx.clone(), Arc::clone(&sum), draw.between(0, 5));
        go(move || {
            for n in 0..25 {
                match (i + n + salt) % 6 {
                    0 => yield_now(),
                    1 => time::sleep(Duration::from_micros(50)),
                    2 => blocking(|| std::thread::sleep(Duration::from_micros(300))),
                    3 => *sum.lock() += 1,
                    4 => tx.send(1).expect("somebody receives"),
                    _ => go(yield_now).join().expect("it does not panic"),
                }
            }
            if i.is_multiple_of(10) {
                lock_os_thread();
                yield_now();
                time::sleep(Duration::from_micros(100));
            }
        })
    };
    let mix: Vec<_> = (0..40).map(mix).collect();
    drop(tx);
    let received = go(move || rx.iter().sum::<u64>());
    join_all(mix);
    assert!(received.join().expect("it does not panic") + *sum.lock() > 300);
}
