//! What becomes of a process whose goroutine runs off its stack. Each test runs itself again in a child process, which dies.
#![cfg(not(miri))]

use std::hint::black_box;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};

const CHILD: &str = "SIGURG_TEST_CHILD";

/// Runs the test `name` in a child process: what came of it, and what it wrote on stderr. In that child: `None`.
fn child(name: &str) -> Option<(Output, String)> {
    if std::env::var_os(CHILD).is_some() {
        return None;
    }
    let mut child = Command::new(std::env::current_exe().expect("the path of the test program"));
    child.args(["--exact", name, "--nocapture"]).env(CHILD, "1");
    let output = child.output().expect("a child process");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    Some((output, stderr))
}

fn run(main: impl FnOnce() + Send) {
    // SAFETY: nothing of a thread lives across a blocking call here.
    unsafe { sigurg::Builder::new().gomaxprocs(2).build() }.expect("a runtime").run(main);
}

#[inline(never)]
fn recurse(n: u64) -> u64 {
    if black_box(n) == u64::MAX { 0 } else { recurse(n + 1) + black_box(1) }
}

/// Frames of several pages, which are touched by the compiler's probes.
#[inline(never)]
fn recurse_with_large_frames(n: u64) -> u64 {
    let frame = black_box([n; 5000]);
    if n == u64::MAX { 0 } else { recurse_with_large_frames(n + 1) + frame[7] }
}

fn overflow_named_deep(f: fn(u64) -> u64) {
    run(move || {
        let _ = sigurg::GoBuilder::new().name("deep").spawn(move || black_box(f(0))).join();
    });
}

#[test]
fn an_overflow_names_the_goroutine_and_its_frames_and_aborts() {
    let Some((output, stderr)) = child("an_overflow_names_the_goroutine_and_its_frames_and_aborts") else {
        return overflow_named_deep(recurse);
    };
    assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{stderr}");
    let head = stderr.lines().find(|line| line.starts_with("goroutine ")).unwrap_or_default();
    assert!(head.ends_with(" [deep] overflowed its stack of 65536 bytes"), "{stderr}");
    assert!(stderr.contains("stack_overflow::recurse()\n\t"), "{stderr}");
    assert!(stderr.contains("stack_overflow.rs:"), "{stderr}");
    assert!(stderr.contains("frames elided"), "{stderr}");
    assert!(
        stderr.contains("stack_overflow::overflow_named_deep::"),
        "the outermost frame is there: {stderr}"
    );
}

#[test]
fn an_overflow_by_a_large_frame_is_met_by_the_guard_too() {
    let Some((output, stderr)) = child("an_overflow_by_a_large_frame_is_met_by_the_guard_too") else {
        return overflow_named_deep(recurse_with_large_frames);
    };
    assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{stderr}");
    assert!(stderr.contains("[deep] overflowed"), "{stderr}");
    assert!(stderr.contains("recurse_with_large_frames()\n\t"), "{stderr}");
    assert!(
        stderr.contains("stack_overflow::overflow_named_deep::"),
        "the walk leaves the probe loop: {stderr}"
    );
}

#[test]
fn a_larger_stack_holds_what_a_default_one_does_not() {
    #[inline(never)]
    fn depth(n: u64) -> u64 {
        let frame = black_box([n; 128]);
        if n == 0 { 0 } else { depth(n - 1) + frame[3] / n }
    }
    let mut deep = 0;
    run(|| {
        deep = sigurg::GoBuilder::new().stack_size(8 << 20).spawn(|| depth(5000)).join().expect("no panic")
    });
    assert_eq!(deep, 5000);
}

#[test]
fn another_fault_of_a_goroutine_is_not_called_an_overflow() {
    let Some((output, stderr)) = child("another_fault_of_a_goroutine_is_not_called_an_overflow") else {
        return run(|| {
            // SAFETY: none: it is to fault.
            unsafe { std::ptr::without_provenance_mut::<u8>(black_box(8)).write_volatile(1) };
        });
    };
    assert_eq!(output.status.signal(), Some(libc::SIGSEGV), "{stderr}");
    assert!(!stderr.contains("overflowed"), "{stderr}");
}

#[test]
fn the_overflow_of_a_plain_thread_is_still_reported_by_std() {
    let Some((output, stderr)) = child("the_overflow_of_a_plain_thread_is_still_reported_by_std") else {
        run(|| ());
        black_box(recurse(0));
        return;
    };
    assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{stderr}");
    assert!(stderr.contains("has overflowed its stack"), "{stderr}");
    assert!(!stderr.contains("goroutine"), "{stderr}");
}

#[test]
fn a_fault_signal_from_outside_still_kills() {
    let Some((output, stderr)) = child("a_fault_signal_from_outside_still_kills") else {
        run(|| ());
        // Std's own handler takes the first for a fault and waits for it to come again.
        for _ in 0..2 {
            // SAFETY: to this thread, which takes it before the call returns.
            unsafe { libc::raise(libc::SIGBUS) };
        }
        return;
    };
    assert_eq!(output.status.signal(), Some(libc::SIGBUS), "{stderr}");
}
