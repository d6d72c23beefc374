//! Without signals every call of the runtime is where a goroutine gives way, and so is every loop of a `preemptible` function.

use std::hint::black_box;
use std::time::Duration;

use sigurg::chan::TryRecvError;
use sigurg::net::UdpSocket;
use sigurg::select::Select;
use sigurg::sync::{Barrier, Condvar, Mutex, Once, OnceLock, RwLock, Semaphore, WaitGroup};
use sigurg::{
    blocking, chan, current, go, gomaxprocs, metrics, preempt_off, preemptible, select, time, try_current,
};

use crate::stage::{STUCK, Stop, is_child, run, spawn_child};

/// Signals are off: who does not come to a safe point is not stopped.
const SYNCHRONOUS: &[(&str, &str)] = &[("SIGURG_DEBUG", "asyncpreemptoff=1")];

/// A name, and what makes one round of a loop.
type Case = (&'static str, fn() -> Box<dyn FnMut() + Send>);

fn case<F: FnMut() + Send + 'static>(round: F) -> Box<dyn FnMut() + Send> {
    Box::new(round)
}

const CALLS: &[Case] = &[
    ("Mutex::lock", || {
        let mutex = Mutex::new(0u32);
        case(move || *mutex.lock() += 1)
    }),
    ("Mutex::try_lock", || {
        let mutex = Mutex::new(0u32);
        case(move || *mutex.try_lock().expect("free") += 1)
    }),
    ("RwLock::read", || {
        let lock = RwLock::new(0u32);
        case(move || _ = *lock.read())
    }),
    ("RwLock::try_write", || {
        let lock = RwLock::new(0u32);
        case(move || *lock.try_write().expect("free") += 1)
    }),
    ("RwLock::write", || {
        let lock = RwLock::new(0u32);
        case(move || *lock.write() += 1)
    }),
    ("Condvar::notify_one", || {
        let condvar = Condvar::new();
        case(move || condvar.notify_one())
    }),
    ("WaitGroup::add", || {
        let group = WaitGroup::new();
        case(move || {
            group.add(1);
            group.done();
        })
    }),
    ("WaitGroup::wait", || {
        let group = WaitGroup::new();
        case(move || group.wait())
    }),
    ("Once::call_once", || {
        let once = Once::new();
        case(move || once.call_once(|| ()))
    }),
    ("OnceLock::get_or_init", || {
        let once = OnceLock::new();
        case(move || _ = once.get_or_init(|| 3))
    }),
    ("Semaphore::try_acquire", || {
        let semaphore = Semaphore::new(1);
        case(move || drop(semaphore.try_acquire(1)))
    }),
    ("Barrier::wait", || {
        let barrier = Barrier::new(1);
        case(move || _ = barrier.wait())
    }),
    ("select!", || {
        let ends = chan::<u8>(0);
        case(move || {
            let (_tx, rx) = &ends;
            select! {
                recv(rx) -> _ => unreachable!("nobody sends"),
                default => {}
            }
        })
    }),
    ("Select::try_select", || case(|| _ = Select::new().try_select())),
    ("chan", || {
        let (tx, rx) = chan(1);
        case(move || {
            tx.send(3).expect("there is room");
            rx.recv().expect("a value");
        })
    }),
    ("try_recv", || {
        let ends = chan::<u8>(1);
        case(move || {
            let (_tx, rx) = &ends;
            assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        })
    }),
    ("is_closed", || {
        let ends = chan::<u8>(1);
        case(move || {
            let (tx, _rx) = &ends;
            assert!(!tx.is_closed());
        })
    }),
    ("time::sleep", || case(|| time::sleep(Duration::ZERO))),
    ("Ticker::reset", || {
        let mut ticker = time::interval(Duration::from_secs(1));
        case(move || ticker.reset(Duration::from_secs(1)))
    }),
    ("UdpSocket::send_to", || {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let own = socket.local_addr().expect("an address");
        case(move || _ = socket.send_to(b"x", own).expect("there is room, or it is dropped"))
    }),
    ("preempt_off", || case(|| preempt_off(|| ()))),
    ("current", || case(|| _ = current())),
    ("try_current", || case(|| _ = try_current())),
    ("gomaxprocs", || case(|| _ = gomaxprocs())),
    ("metrics", || case(|| _ = metrics())),
    ("JoinHandle::is_finished", || {
        let handle = go(|| ());
        case(move || _ = handle.is_finished())
    }),
    ("blocking", || case(|| blocking(|| ()))),
    ("a function", || {
        #[preemptible]
        fn add(a: u32, b: u32) -> u32 {
            black_box(a + b)
        }
        case(|| _ = add(1, 2))
    }),
];

/// A name, and a loop until it is told to stop.
type Loop = (&'static str, fn(&Stop));

const LOOPS: &[Loop] = &[
    ("loop", {
        #[preemptible]
        fn run(stop: &Stop) {
            loop {
                if stop.is_set() {
                    break;
                }
            }
        }
        run
    }),
    ("while", {
        #[preemptible]
        fn run(stop: &Stop) {
            while !stop.is_set() {}
        }
        run
    }),
    ("for", {
        #[preemptible]
        fn run(stop: &Stop) {
            for _ in 0u64.. {
                if stop.is_set() {
                    return;
                }
            }
        }
        run
    }),
    ("nested loops of few rounds", {
        #[preemptible]
        fn run(stop: &Stop) {
            'out: loop {
                for _ in 0..3 {
                    for _ in 0..3 {
                        if stop.is_set() {
                            break 'out;
                        }
                    }
                }
            }
        }
        run
    }),
    ("continue", {
        #[preemptible]
        fn run(stop: &Stop) {
            let mut x = 0u64;
            while !stop.is_set() {
                x = black_box(x + 1);
                if x > 0 {
                    continue;
                }
            }
        }
        run
    }),
    ("a closure", {
        #[preemptible]
        fn run(stop: &Stop) {
            let wait = || while !stop.is_set() {};
            wait();
        }
        run
    }),
];

/// On one P: main comes back from its sleep beside each of `hogs`, and says so.
fn all_give_way(hogs: impl IntoIterator<Item = (&'static str, Box<dyn FnOnce(&Stop) + Send>)> + Send) {
    run(1, || {
        for (name, hog) in hogs {
            let (stop, begun) = (Stop::default(), Stop::default());
            let hog = go({
                let (stop, begun) = (stop.clone(), begun.clone());
                move || {
                    // From here to the loop is no safe point.
                    begun.set();
                    hog(&stop);
                }
            });
            // Also where the kernel lets the thread wait for longer than that before the loop.
            while !begun.is_set() {
                time::sleep(Duration::from_millis(3));
            }
            stop.set();
            hog.join().expect("no panic");
            println!("{name} gave way");
        }
        assert_eq!(metrics().preemptions.parked, 0, "no signal had a part in it");
    });
}

fn expect(test: &str, names: impl Iterator<Item = &'static str>) {
    let child = spawn_child(test, SYNCHRONOUS);
    for name in names {
        assert!(child.says(&format!("{name} gave way"), STUCK), "a loop of {name} keeps its processor");
    }
}

#[test]
fn every_call_of_the_runtime_is_a_safe_point() {
    if is_child() {
        return all_give_way(CALLS.iter().map(|&(name, make)| {
            let hog: Box<dyn FnOnce(&Stop) + Send> = Box::new(move |stop| {
                let mut round = make();
                while !stop.is_set() {
                    round();
                }
            });
            (name, hog)
        }));
    }
    expect("safe_points::every_call_of_the_runtime_is_a_safe_point", CALLS.iter().map(|(name, _)| *name));
}

#[test]
fn every_loop_of_a_preemptible_function_is_a_safe_point() {
    if is_child() {
        return all_give_way(LOOPS.iter().map(|&(name, run)| {
            let hog: Box<dyn FnOnce(&Stop) + Send> = Box::new(run);
            (name, hog)
        }));
    }
    expect(
        "safe_points::every_loop_of_a_preemptible_function_is_a_safe_point",
        LOOPS.iter().map(|(name, _)| *name),
    );
}

#[test]
fn with_preempt_off_a_call_is_none() {
    if is_child() {
        return all_give_way([(
            "preempt_off",
            Box::new(|stop: &Stop| {
                let mutex = Mutex::new(());
                preempt_off(|| {
                    while !stop.is_set() {
                        drop(mutex.lock())
                    }
                });
            }) as Box<dyn FnOnce(&Stop) + Send>,
        )]);
    }
    let child = spawn_child("safe_points::with_preempt_off_a_call_is_none", SYNCHRONOUS);
    assert!(!child.says("preempt_off gave way", Duration::from_secs(1)));
}
