//! A P does not wait for the system call of its goroutine.

use std::io::{Read, Write, pipe};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use sigurg::{blocking, chan, go, lock_os_thread, scope, time, yield_now};

use crate::stage::{gettid, run};

#[test]
fn others_run_on_the_only_p_while_a_goroutine_blocks_in_read() {
    run(1, || {
        let (mut reader, mut writer) = pipe().expect("a pipe");
        let blocked = go(move || {
            let mut byte = [0];
            blocking(|| reader.read_exact(&mut byte)).expect("a byte");
            // Back on a P: the calls of the runtime work.
            yield_now();
            byte[0]
        });
        // Only another goroutine of the same P can end the read, and only after many turns.
        let others = go(move || {
            for _ in 0..1000 {
                go(yield_now).join().expect("no panic");
            }
            writer.write_all(&[42]).expect("a reader");
        });
        assert_eq!(blocked.join().expect("no panic"), 42);
        others.join().expect("no panic");
    });
}

#[test]
fn a_hundred_calls_block_at_once_on_one_p_and_all_come_back() {
    const CALLS: u32 = 100;
    run(1, || {
        let (reader, mut writer) = pipe().expect("a pipe");
        let inside = AtomicU32::new(0);
        scope(|scope| {
            let calls: Vec<_> = (0..CALLS)
                .map(|_| {
                    let mut reader = reader.try_clone().expect("a descriptor");
                    let inside = &inside;
                    scope.go(move || {
                        let mut byte = [0];
                        inside.fetch_add(1, SeqCst);
                        blocking(|| reader.read_exact(&mut byte)).expect("a byte");
                        yield_now();
                        u32::from(byte[0])
                    })
                })
                .collect();
            while inside.load(SeqCst) < CALLS {
                yield_now();
            }
            writer.write_all(&[1; CALLS as usize]).expect("a reader");
            assert_eq!(calls.into_iter().map(|call| call.join().expect("no panic")).sum::<u32>(), CALLS);
        });
    });
}

#[test]
fn a_locked_goroutine_comes_back_from_its_call_on_its_thread() {
    run(1, || {
        let (mut reader, mut writer) = pipe().expect("a pipe");
        let locked = go(move || {
            lock_os_thread();
            let tid = gettid();
            for _ in 0..50 {
                blocking(|| reader.read_exact(&mut [0])).expect("a byte");
                assert_eq!(gettid(), tid);
                yield_now();
                assert_eq!(gettid(), tid);
            }
        });
        for _ in 0..50 {
            // Long enough now and then for the P to be taken.
            time::sleep(Duration::from_micros(200));
            writer.write_all(&[1]).expect("a reader");
        }
        locked.join().expect("no panic");
    });
}

#[test]
fn short_calls_by_many_lose_nobody() {
    for procs in [1, 2, 4] {
        let sum: u32 = run(procs, || {
            let callers: Vec<_> = (0..50)
                .map(|_| {
                    go(|| {
                        let call = |i| {
                            blocking(|| {
                                if i % 16 == 0 {
                                    std::thread::sleep(Duration::from_micros(50));
                                }
                                1
                            })
                        };
                        (0..200).map(call).sum::<u32>()
                    })
                })
                .collect();
            callers.into_iter().map(|caller| caller.join().expect("no panic")).sum()
        });
        assert_eq!(sum, 50 * 200, "{procs} Ps");
    }
}

#[test]
fn a_call_readies_goroutines_that_run_before_it_returns() {
    run(1, || {
        let (tx, rx) = chan(0);
        let (reply, replied) = chan(0);
        go(move || rx.iter().for_each(|n: u32| reply.send(n + 1).expect("a receiver")));
        // Inside a call the goroutine has no claim to its P: the other can only run on it if that changes hands.
        let answer = blocking(|| {
            tx.send(41).expect("a receiver");
            replied.recv()
        });
        assert_eq!(answer, Ok(42));
    });
}
