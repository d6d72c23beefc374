//! Foreign calls that block lose nothing but the P (X-ADOPT): nobody waits for them, nothing interrupts them, and
//! what comes back from them gets a P before it goes on for long.

use std::io::{PipeWriter, Read, Write};
use std::os::fd::AsRawFd;
use std::ptr;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use sigurg::{GoStatus, JoinHandle, chan, go, stacks, time};

use crate::stage::{STUCK, Stop, parked, run};

fn adopted() -> u64 {
    sigurg::metrics().preemptions.adopted
}

/// Wakes often, beside goroutines that want the P all the time, until `is` holds.
fn until(what: &str, is: impl Fn() -> bool) {
    let start = Instant::now();
    while !is() {
        assert!(start.elapsed() < STUCK / 2, "not within {:?}: {what}", start.elapsed());
        time::sleep(Duration::from_millis(1));
    }
}

/// A goroutine that computes until told to stop, and how far it came.
fn hog(stop: &Stop) -> (JoinHandle<()>, Arc<AtomicU64>) {
    let turns = Arc::new(AtomicU64::new(0));
    let (mine, stop) = (Arc::clone(&turns), stop.clone());
    let handle = go(move || {
        while !stop.is_set() {
            // Relaxed: a figure.
            mine.store(mine.load(Relaxed) + 1, Relaxed);
        }
    });
    (handle, turns)
}

/// Sleeps by nanosleep(2) until `lasts` is over: how often that was interrupted.
fn count_interruptions(lasts: Duration) -> u64 {
    let mut left =
        libc::timespec { tv_sec: lasts.as_secs() as i64, tv_nsec: i64::from(lasts.subsec_nanos()) };
    let mut interrupted = 0;
    // SAFETY: a valid time, which may also be the place for what is left.
    while unsafe { libc::nanosleep(&left, &mut left) } != 0 {
        assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(libc::EINTR));
        interrupted += 1;
    }
    interrupted
}

/// A goroutine that reads a pipe by one read(2), until the other end is dropped: what that returned.
fn foreign_read() -> (JoinHandle<std::io::Result<usize>>, PipeWriter) {
    let (mut from, to) = std::io::pipe().expect("a pipe");
    (go(move || from.read(&mut [0])), to)
}

#[test]
fn foreign_calls_that_never_end_keep_nobody() {
    run(1, || {
        let stop = Stop::default();
        let hogs = [hog(&stop), hog(&stop)];
        let before = adopted();
        let (readers, ends): (Vec<_>, Vec<_>) = (0..8).map(|_| foreign_read()).unzip();
        until("all are in their calls, without a P", || {
            readers.iter().all(|reader| reader.status() == GoStatus::Syscall)
        });
        assert!(adopted() >= before + 8, "{}", adopted() - before);
        for _ in 0..3 {
            let marks = hogs.each_ref().map(|(_, turns)| turns.load(Relaxed));
            until("the others go on", || {
                hogs.iter().zip(marks).all(|((_, turns), mark)| turns.load(Relaxed) > mark)
            });
        }
        drop(ends);
        for reader in readers {
            assert_eq!(reader.join().expect("no panic").expect("not interrupted"), 0);
        }
        stop.set();
        for (hog, _) in hogs {
            hog.join().expect("no panic");
        }
    });
}

#[test]
fn a_foreign_sleep_is_hardly_ever_interrupted() {
    run(1, || {
        let stop = Stop::default();
        let hogs = [hog(&stop), hog(&stop)];
        let sleepers: Vec<_> =
            (0..8).map(|_| go(|| count_interruptions(Duration::from_millis(500)))).collect();
        // Somebody wakes meanwhile, and asks for the P each time.
        until("all have slept", || sleepers.iter().all(JoinHandle::is_finished));
        for sleeper in sleepers {
            // Once: the signal was on its way when it fell asleep. Where P and signal alternated it would be fifty times.
            let interrupted = sleeper.join().expect("no panic");
            assert!(interrupted <= 5, "interrupted {interrupted} times");
        }
        stop.set();
        for (hog, _) in hogs {
            hog.join().expect("no panic");
        }
    });
}

#[test]
fn a_c_library_that_polls_is_left_alone() {
    run(1, || {
        let stop = Stop::default();
        let (hog, turns) = hog(&stop);
        let before = adopted();
        let (from, mut to) = std::io::pipe().expect("a pipe");
        let poller = go(move || {
            let mut fd = libc::pollfd { fd: from.as_raw_fd(), events: libc::POLLIN, revents: 0 };
            let mut interrupted = 0;
            // SAFETY: one descriptor, which is open.
            while unsafe { libc::poll(&mut fd, 1, -1) } != 1 {
                interrupted += 1;
            }
            interrupted
        });
        until("it is adopted", || adopted() > before);
        let mark = turns.load(Relaxed);
        until("the other goes on", || turns.load(Relaxed) > mark);
        to.write_all(b"x").expect("written");
        let interrupted = poller.join().expect("no panic");
        assert!(interrupted <= 5, "interrupted {interrupted} times");
        stop.set();
        hog.join().expect("no panic");
    });
}

#[test]
fn what_computes_after_a_foreign_call_gets_a_p_and_shares_it() {
    run(1, || {
        let stop = Stop::default();
        let others = hog(&stop);
        let before = adopted();
        let back = Arc::new(AtomicU64::new(0));
        let (mut from, to) = std::io::pipe().expect("a pipe");
        let reader = go({
            let (back, stop) = (Arc::clone(&back), stop.clone());
            move || {
                assert_eq!(from.read(&mut [0]).expect("not interrupted"), 0);
                // No call of the runtime from here on.
                while !stop.is_set() {
                    back.store(back.load(Relaxed) + 1, Relaxed);
                }
            }
        });
        until("it is adopted", || adopted() > before);
        drop(to);
        until("it comes back", || back.load(Relaxed) > 0);
        until("it is scheduled again", || matches!(reader.status(), GoStatus::Running | GoStatus::Runnable));
        for _ in 0..3 {
            let marks = (back.load(Relaxed), others.1.load(Relaxed));
            until("both go on", || back.load(Relaxed) > marks.0 && others.1.load(Relaxed) > marks.1);
        }
        stop.set();
        reader.join().expect("no panic");
        others.0.join().expect("no panic");
    });
}

/// Sleeps in foreign code; the P is taken meanwhile, for a hog wants it.
fn foreign_sleep() {
    thread::sleep(Duration::from_millis(15));
}

/// Each call of the runtime finds a P, whatever comes first after a foreign call that lost it.
#[test]
fn every_call_of_the_runtime_is_a_way_back() {
    for procs in [1, 2] {
        run(procs, || {
            let stop = Stop::default();
            let hogs: Vec<_> = (0..procs).map(|_| hog(&stop)).collect();
            let before = adopted();
            let mutex = Arc::new(sigurg::sync::Mutex::new(0u32));
            let (tx, rx) = chan::<u32>(0);
            let echo = go({
                let rx = rx.clone();
                move || rx.iter().sum::<u32>()
            });
            let worker = go(move || {
                foreign_sleep();
                tx.send(1).expect("a receiver");
                foreign_sleep();
                assert_eq!(go(|| 2).join().expect("no panic"), 2);
                foreign_sleep();
                time::sleep(Duration::from_micros(10));
                foreign_sleep();
                *mutex.lock() += 1;
                foreign_sleep();
                sigurg::yield_now();
                foreign_sleep();
                sigurg::blocking(foreign_sleep);
                foreign_sleep();
                sigurg::lock_os_thread();
                foreign_sleep();
                sigurg::yield_now();
                sigurg::unlock_os_thread();
                foreign_sleep();
                assert!(stacks::scan(|_| ()) > 0);
                foreign_sleep();
                assert!(sigurg::metrics().goroutines > 0);
                foreign_sleep();
                assert_eq!(sigurg::set_gomaxprocs(procs as usize), procs as usize);
                foreign_sleep();
                let (early, late) = chan::<()>(1);
                assert!(late.recv_timeout(Duration::from_millis(1)).is_err());
                foreign_sleep();
                drop(early);
                foreign_sleep();
                let mut ticker = time::interval(Duration::from_millis(1));
                foreign_sleep();
                ticker.tick();
                foreign_sleep();
                let socket = sigurg::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
                foreign_sleep();
                socket.send_to(b"x", socket.local_addr().expect("an address")).expect("sent");
                foreign_sleep();
                assert_eq!(socket.recv_from(&mut [0; 4]).expect("received").0, 1);
                foreign_sleep();
                drop(tx);
                foreign_sleep();
                let gone = go(|| {
                    foreign_sleep();
                    panic!("after a foreign call");
                });
                foreign_sleep();
                assert!(gone.join().is_err());
                // The end of the goroutine, too.
                foreign_sleep();
            });
            worker.join().expect("each call found a P");
            drop(rx);
            assert_eq!(echo.join().expect("no panic"), 1);
            assert!(adopted() > before, "nothing was adopted");
            stop.set();
            for (hog, _) in hogs {
                hog.join().expect("no panic");
            }
        });
    }
}

/// The stack of a goroutine in a foreign call stands still while it is scanned, though nobody waits for the call's end.
#[test]
fn the_stack_of_a_goroutine_in_a_foreign_call_can_be_scanned() {
    const MARK: usize = 0x5159_7ca1_0bad_cafe;
    run(1, || {
        let stop = Stop::default();
        let (hog, _) = hog(&stop);
        let before = adopted();
        let (mut reader, mut writer) = std::io::pipe().expect("a pipe");
        let begun = Arc::new(AtomicU64::new(0));
        let sleeper = go({
            let begun = Arc::clone(&begun);
            move || {
                let mark = std::hint::black_box([MARK; 4]);
                begun.store(1, Release);
                let mut byte = [0];
                let read = reader.read(&mut byte);
                (std::hint::black_box(&mark)[3] == MARK, read.map_err(|error| error.kind()), byte)
            }
        });
        until("it is adopted", || adopted() > before && begun.load(Relaxed) == 1);
        for _ in 0..20 {
            let mut found = 0;
            stacks::scan(|stack| {
                let all = stack.words().iter().chain(stack.registers());
                found += all.filter(|word| **word == MARK).count();
            });
            assert!(found >= 4, "the marks lie on the stack: {found}");
        }
        writer.write_all(b"y").expect("written");
        assert_eq!(sleeper.join().expect("no panic"), (true, Ok(1), *b"y"));
        stop.set();
        hog.join().expect("no panic");
    });
}

/// Who waits in the kernel for a lock of a goroutine that was stopped lets that goroutine have the P.
#[test]
fn waiters_for_a_std_mutex_do_not_hold_up_its_holder() {
    run(1, || {
        let (value, turns) = (Arc::new(Mutex::new(0u64)), 200);
        let before = adopted();
        let workers: Vec<_> = (0..8)
            .map(|_| {
                let value = Arc::clone(&value);
                go(move || {
                    for _ in 0..turns {
                        let mut value = value.lock().expect("no panic");
                        // Now and then it is stopped with the lock held.
                        for _ in 0..50_000 {
                            *value = std::hint::black_box(*value).wrapping_add(1);
                        }
                    }
                })
            })
            .collect();
        until("all are through", || workers.iter().all(JoinHandle::is_finished));
        let sum = *value.lock().expect("no panic");
        assert_eq!(sum, 8 * turns * 50_000);
        eprintln!("adopted {}, stopped {}", adopted() - before, parked());
    });
}

/// A thread that takes no signals lets go of the P all the same, and the world can be stopped.
#[test]
fn a_foreign_call_with_signals_masked_keeps_nobody() {
    run(1, || {
        let stop = Stop::default();
        let (hog, _) = hog(&stop);
        let before = adopted();
        let (mut from, to) = std::io::pipe().expect("a pipe");
        let reader = go(move || {
            // SAFETY: sets of signals of this thread, which the goroutine does not leave in between: it calls nothing of
            // the runtime.
            unsafe {
                let (mut all, mut old) = (std::mem::zeroed(), std::mem::zeroed());
                libc::sigfillset(&mut all);
                libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut old);
                let read = from.read(&mut [0]);
                libc::pthread_sigmask(libc::SIG_SETMASK, &old, ptr::null_mut());
                read
            }
        });
        until("it is adopted", || adopted() > before);
        sigurg::set_gomaxprocs(2);
        sigurg::set_gomaxprocs(1);
        drop(to);
        assert_eq!(reader.join().expect("no panic").expect("not interrupted"), 0);
        stop.set();
        hog.join().expect("no panic");
    });
}

/// Under `preempt_off` the processor stays with the goroutine also while it sleeps.
#[test]
fn preempt_off_keeps_the_p_in_a_foreign_call() {
    run(1, || {
        let woken = Arc::new(AtomicU64::new(0));
        go({
            let woken = Arc::clone(&woken);
            move || woken.store(1, Relaxed)
        });
        let before = adopted();
        let meanwhile = sigurg::preempt_off(|| {
            thread::sleep(Duration::from_millis(60));
            (woken.load(Relaxed), adopted() - before)
        });
        assert_eq!(meanwhile, (0, 0));
    });
}
