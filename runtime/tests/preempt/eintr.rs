//! Calls that block give the same results under a storm of signals: no error of an interrupted call comes through.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use sigurg::net::{TcpListener, TcpStream, UdpSocket, UnixStream};
use sigurg::sync::{Condvar, Mutex, Semaphore, WaitGroup};
use sigurg::{chan, go, time};

use crate::stage::{Stop, storm};

fn network(stop: &Stop) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    while !stop.is_set() {
        let client = go(move || {
            let mut stream = TcpStream::connect(address).expect("a connection");
            let data: Vec<u8> = (0..300_000u32).map(|i| i as u8).collect();
            stream.write_all(&data).expect("written");
            stream.shutdown(std::net::Shutdown::Write).expect("shut down");
            let mut back = Vec::new();
            stream.read_to_end(&mut back).expect("read");
            assert!(back == data, "{} bytes", back.len());
        });
        let (mut stream, _) = listener.accept().expect("a client");
        let mut data = Vec::new();
        stream.read_to_end(&mut data).expect("read");
        stream.write_all(&data).expect("written");
        drop(stream);
        client.join().expect("the client's data came back");
    }
}

fn sleep(stop: &Stop) {
    while !stop.is_set() {
        let start = Instant::now();
        time::sleep(Duration::from_millis(2));
        assert!(start.elapsed() >= Duration::from_millis(2), "{:?}", start.elapsed());
    }
}

fn channel(stop: &Stop) {
    let (tx, rx) = chan::<u64>(3);
    let stop = stop.clone();
    let sender = go(move || {
        let mut sent = 0;
        while !stop.is_set() {
            tx.send(sent).expect("a receiver");
            sent += 1;
        }
        sent
    });
    let mut received = 0;
    for value in &rx {
        assert_eq!(value, received);
        received += 1;
    }
    assert_eq!(sender.join().expect("no panic"), received);
}

fn mutex(stop: &Stop) {
    let value = Arc::new(Mutex::new((0u64, 0u64)));
    let adders: Vec<_> = (0..3)
        .map(|_| {
            let (value, stop) = (Arc::clone(&value), stop.clone());
            go(move || {
                let mut added = 0;
                while !stop.is_set() {
                    let mut value = value.lock();
                    value.0 += 1;
                    sigurg::yield_now();
                    value.1 += 1;
                    assert_eq!(value.0, value.1);
                    added += 1;
                }
                added
            })
        })
        .collect();
    let added: u64 = adders.into_iter().map(|adder| adder.join().expect("nobody else was inside")).sum();
    assert_eq!(*value.lock(), (added, added));
}

fn blocking_call(stop: &Stop) {
    let (mut read, mut write) = std::io::pipe().expect("a pipe");
    while !stop.is_set() {
        let reader = go({
            let mut read = read.try_clone().expect("a descriptor");
            move || {
                sigurg::blocking(|| {
                    let mut data = [0u8; 8];
                    // read(2) itself, not a loop around it.
                    (
                        read.read(&mut data[..1]).expect("read at once"),
                        read.read(&mut data[1..]).expect("read"),
                    )
                })
            }
        });
        time::sleep(Duration::from_micros(300));
        assert_eq!(write.write(b"12345").expect("written"), 5);
        assert_eq!(reader.join().expect("no panic"), (1, 4));
    }
    drop(write);
    assert_eq!(read.read(&mut [0]).expect("the end"), 0);
}

/// Waits that end by their time, not by an event.
fn timeouts(stop: &Stop) {
    const SHORT: Duration = Duration::from_millis(2);
    let (tx, rx) = chan::<()>(0);
    let (value, changed) = (Mutex::new(()), Condvar::new());
    let permits = Semaphore::new(0);
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    while !stop.is_set() {
        let start = Instant::now();
        assert!(rx.recv_timeout(SHORT).is_err());
        let channel = start.elapsed();
        assert!(changed.wait_timeout(value.lock(), SHORT).1.timed_out());
        let condvar = start.elapsed();
        assert!(permits.acquire_timeout(1, SHORT).is_none());
        let semaphore = start.elapsed();
        socket.set_read_deadline(Some(Instant::now() + SHORT));
        assert_eq!(socket.recv(&mut [0]).expect_err("nobody sends").kind(), std::io::ErrorKind::TimedOut);
        let read = start.elapsed();
        let all = [channel, condvar - channel, semaphore - condvar, read - semaphore];
        assert!(all.iter().all(|lasted| *lasted >= SHORT), "{all:?}");
    }
    drop(tx);
}

fn ticks(stop: &Stop) {
    let mut every = time::interval(Duration::from_millis(1));
    let mut last = every.tick();
    while !stop.is_set() {
        let next = every.tick();
        assert!(next > last);
        last = next;
    }
}

fn select(stop: &Stop) {
    let ((first, one), (second, two)) = (chan::<u64>(0), chan::<u64>(0));
    let send = |to: chan::Sender<u64>| {
        let stop = stop.clone();
        go(move || {
            let mut sent = 0;
            while !stop.is_set() {
                to.send(sent).expect("a receiver");
                sent += 1;
            }
            sent
        })
    };
    let senders = [send(first), send(second)];
    let (mut next, mut open) = ([0u64; 2], [Some(one), Some(two)]);
    while open.iter().any(Option::is_some) {
        let (which, received) = sigurg::select! {
            recv(&open[0]) -> value => (0, value),
            recv(&open[1]) -> value => (1, value),
        };
        match received {
            Ok(value) => {
                assert_eq!(value, next[which]);
                next[which] += 1;
            }
            Err(_) => open[which] = None,
        }
    }
    assert_eq!(senders.map(|sender| sender.join().expect("no panic")), next);
}

fn unix_sockets(stop: &Stop) {
    let (mut here, mut there) = UnixStream::pair().expect("a pair");
    let echo = go(move || {
        let mut byte = [0];
        while there.read(&mut byte).expect("read") == 1 {
            there.write_all(&byte).expect("written");
        }
    });
    let mut sent = 0u8;
    while !stop.is_set() {
        let mut back = [0];
        here.write_all(&[sent]).expect("written");
        here.read_exact(&mut back).expect("read");
        assert_eq!(back, [sent]);
        sent = sent.wrapping_add(1);
    }
    drop(here);
    echo.join().expect("every byte came back");
}

fn wait_group(stop: &Stop) {
    while !stop.is_set() {
        let (group, done) = (Arc::new(WaitGroup::new()), Arc::new(AtomicU64::new(0)));
        group.add(3);
        for _ in 0..3 {
            let (group, done) = (Arc::clone(&group), Arc::clone(&done));
            go(move || {
                time::sleep(Duration::from_micros(100));
                done.fetch_add(1, Relaxed);
                group.done();
            });
        }
        group.wait();
        assert_eq!(done.load(Relaxed), 3);
    }
}

/// What the handler restarts, std tries again or std tells: no call that nobody announced is worse off than on a plain thread.
fn foreign_calls(stop: &Stop) {
    let (mut read, mut write) = std::io::pipe().expect("a pipe");
    while !stop.is_set() {
        let start = Instant::now();
        std::thread::sleep(Duration::from_millis(2));
        assert!(start.elapsed() >= Duration::from_millis(2));
        let reader = go({
            let mut read = read.try_clone().expect("a descriptor");
            move || {
                let mut byte = [0];
                // read(2) itself, not a loop around it.
                (read.read(&mut byte).expect("not interrupted"), byte)
            }
        });
        time::sleep(Duration::from_micros(300));
        assert_eq!(write.write(b"z").expect("written"), 1);
        assert_eq!(reader.join().expect("no panic"), (1, *b"z"));
    }
    drop(write);
    assert_eq!(read.read(&mut [0]).expect("the end"), 0);
}

type Call = (&'static str, fn(&Stop));

#[test]
fn blocking_calls_are_not_disturbed_by_a_storm_of_signals() {
    storm(2, Duration::from_secs(3), 100, |stop| {
        let calls: [Call; 11] = [
            ("network", network),
            ("sleep", sleep),
            ("channel", channel),
            ("mutex", mutex),
            ("blocking call", blocking_call),
            ("timeouts", timeouts),
            ("ticks", ticks),
            ("select", select),
            ("unix sockets", unix_sockets),
            ("wait group", wait_group),
            ("foreign calls", foreign_calls),
        ];
        let calls = calls.map(|(name, call)| {
            let stop = stop.clone();
            (name, go(move || call(&stop)))
        });
        // Beside something that is to be preempted at any instruction.
        let mut x = 1u64;
        while !stop.is_set() {
            x = std::hint::black_box(x.wrapping_mul(3));
        }
        for (name, call) in calls {
            call.join().unwrap_or_else(|_| panic!("{name}: disturbed"));
        }
    });
}
