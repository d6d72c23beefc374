//! `SIGURG_DEBUG=threadlocals`: goroutines that break the one contract are told of by name.
#![cfg(all(not(miri), target_os = "linux"))]

use std::cell::Cell;
use std::hint::black_box;
use std::process::{Command, Output};
use std::time::Duration;

use sigurg::{GoBuilder, chan, go, time};

const CHILD: &str = "SIGURG_TEST_CHILD";

thread_local!(static KEY: Cell<u32> = const { Cell::new(1) });

#[inline(never)]
fn blocks_with_a_thread_local() {
    KEY.with(|key| {
        time::sleep(Duration::from_micros(10));
        key.set(black_box(key.get()));
    });
}

#[inline(never)]
fn blocks_twice_the_second_time_with_a_thread_local() {
    time::sleep(Duration::from_micros(10));
    KEY.with(|key| {
        time::sleep(Duration::from_micros(10));
        key.set(black_box(key.get()));
    });
}

#[inline(never)]
fn stays_on_its_thread() {
    sigurg::lock_os_thread();
    KEY.with(|key| {
        time::sleep(Duration::from_micros(10));
        key.set(black_box(key.get()));
    });
    sigurg::unlock_os_thread();
}

#[inline(never)]
fn uses_one_and_then_blocks() {
    KEY.set(KEY.get() + 1);
    time::sleep(Duration::from_micros(10));
    KEY.with(|key| key.set(black_box(3)));
}

fn child() {
    // SAFETY: nothing; the child shows what becomes of those who break the contract, and what it holds is plain memory of threads
    // that live on.
    let runtime = unsafe { sigurg::Builder::new().gomaxprocs(2).build() }.expect("a runtime");
    runtime.run(|| {
        for _ in 0..3 {
            GoBuilder::new().name("culprit").spawn(blocks_with_a_thread_local).join().expect("no panic");
            go(blocks_twice_the_second_time_with_a_thread_local).join().expect("no panic");
            go(stays_on_its_thread).join().expect("no panic");
            go(uses_one_and_then_blocks).join().expect("no panic");
        }
        let (tx, rx) = chan::<u32>(0);
        let sender = go(move || tx.send(7));
        assert_eq!(rx.recv().ok(), Some(7));
        sender.join().expect("no panic").expect("a receiver");
    });
}

fn spawn(test: &str, settings: &str) -> Output {
    let mut command = Command::new(std::env::current_exe().expect("the path of the test program"));
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command.env(CHILD, "1").env("SIGURG_DEBUG", settings).output().expect("a child process")
}

#[test]
fn a_function_that_blocks_inside_a_thread_local_is_reported_once_by_name() {
    if std::env::var_os(CHILD).is_some() {
        return child();
    }
    let name = "a_function_that_blocks_inside_a_thread_local_is_reported_once_by_name";
    let output = spawn(name, "threadlocals=1");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let reports: Vec<_> = said.lines().filter(|line| line.starts_with("sigurg: ")).collect();
    assert_eq!(reports.len(), 2, "{said}");
    let about = |name: &str| reports.iter().find(|line| line.contains(name));
    let first = about("thread_locals::blocks_with_a_thread_local").unwrap_or_else(|| panic!("{said}"));
    assert!(first.contains(" blocked [sleep] ") && first.contains("(culprit)"), "{said}");
    assert!(about("thread_locals::blocks_twice_the_second_time").is_some(), "{said}");
    assert!(said.contains("thread_locals.rs:"), "a backtrace: {said}");

    let quiet = spawn(name, "");
    assert!(quiet.status.success() && !String::from_utf8_lossy(&quiet.stderr).contains("sigurg:"));
}

#[test]
fn where_it_is_fatal_the_program_ends() {
    if std::env::var_os(CHILD).is_some() {
        return child();
    }
    let output = spawn("where_it_is_fatal_the_program_ends", "threadlocals=2");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("fatal error: ") && said.contains("blocked inside a thread-local"), "{said}");
}
