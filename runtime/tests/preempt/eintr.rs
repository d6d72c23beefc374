//! Calls that block give the same results under a storm of signals: no error of an interrupted call comes through.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sigurg::net::{TcpListener, TcpStream};
use sigurg::sync::Mutex;
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

type Call = (&'static str, fn(&Stop));

#[test]
fn blocking_calls_are_not_disturbed_by_a_storm_of_signals() {
    storm(2, Duration::from_secs(3), 100, |stop| {
        let calls: [Call; 5] = [
            ("network", network),
            ("sleep", sleep),
            ("channel", channel),
            ("mutex", mutex),
            ("blocking call", blocking_call),
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
