//! The seed of this project: a loop without a call, on one P.

use std::io::{Read, Write};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use sigurg::net::UnixStream;
use sigurg::{go, time};

use crate::stage::{STUCK, is_child, run, spawn_child};

/// Long enough for anything that is not kept from happening.
const NEVER: Duration = Duration::from_secs(1);

/// The loop has begun.
static BEGUN: AtomicBool = AtomicBool::new(false);

fn spin() -> ! {
    // Relaxed: a mark.
    BEGUN.store(true, Relaxed);
    let mut x = 0u64;
    loop {
        x = x.wrapping_sub(2);
    }
}

/// What the child does: says when the loop begins, and that main goes on.
fn child(hog: fn() -> !) {
    run(1, || {
        go(move || {
            println!("started");
            hog()
        });
        // Also where the kernel lets the thread wait for longer than that before the loop.
        while !BEGUN.load(Relaxed) {
            time::sleep(Duration::from_millis(5));
        }
        println!("continued");
    });
}

#[test]
fn main_goes_on_beside_a_loop_without_calls_on_one_p() {
    if is_child() {
        return child(|| spin());
    }
    let child = spawn_child("seed::main_goes_on_beside_a_loop_without_calls_on_one_p", &[]);
    assert!(child.says("started", STUCK));
    assert!(child.says("continued", STUCK));
}

#[test]
fn with_preempt_off_it_does_not() {
    if is_child() {
        return child(|| sigurg::preempt_off(|| spin()));
    }
    let child = spawn_child("seed::with_preempt_off_it_does_not", &[]);
    assert!(child.says("started", STUCK));
    assert!(!child.says("continued", NEVER));
}

#[test]
fn with_asyncpreemptoff_it_does_not() {
    if is_child() {
        return child(|| spin());
    }
    let child =
        spawn_child("seed::with_asyncpreemptoff_it_does_not", &[("SIGURG_DEBUG", "asyncpreemptoff=1")]);
    assert!(child.says("started", STUCK));
    assert!(!child.says("continued", NEVER));
}

/// While nothing runs the monitor sleeps for long; not on beside a loop that the network has woken.
#[test]
fn a_loop_that_the_network_woke_keeps_nobody_from_the_network() {
    run(1, || {
        let pair = || UnixStream::pair().expect("a pair");
        let ((mut begin, mut begins), (mut end, mut ends)) = (pair(), pair());
        let stop = Arc::new(AtomicBool::new(false));
        let (looping, started) = mpsc::channel();
        let a_loop = go({
            let stop = Arc::clone(&stop);
            move || {
                begins.read_exact(&mut [0]).expect("a byte");
                looping.send(()).expect("somebody listens");
                // Relaxed, both: a mark.
                while !stop.load(Relaxed) {}
            }
        });
        let other = go(move || {
            ends.read_exact(&mut [0]).expect("a byte");
            stop.store(true, Relaxed);
        });
        let outside = thread::spawn(move || {
            // Long enough for the monitor to fall asleep; if it was not, the loop has it easier.
            thread::sleep(Duration::from_millis(300));
            begin.write_all(&[1]).expect("a reader");
            started.recv().expect("it begins");
            end.write_all(&[1]).expect("a reader");
        });
        a_loop.join().expect("no panic");
        other.join().expect("no panic");
        outside.join().expect("no panic");
    });
}
