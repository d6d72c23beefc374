//! Goroutine dumps: by call, by SIGQUIT, and at a deadlock.
#![cfg(not(miri))]

use std::hint::black_box;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sigurg::sync::WaitGroup;
use sigurg::{GoBuilder, GoStatus, go};

const CHILD: &str = "SIGURG_TEST_CHILD";

fn run<T: Send>(main: impl FnOnce() -> T + Send) -> T {
    // SAFETY: nothing of a thread lives across a blocking call here.
    unsafe { sigurg::Builder::new().gomaxprocs(2).build() }.expect("a runtime").run(main)
}

/// The part of a dump about the goroutine with that name.
fn part<'a>(dump: &'a str, name: &str) -> &'a str {
    let parts: Vec<_> =
        dump.split("\n\n").filter(|part| part.lines().any(|l| l.ends_with(&format!("]: {name}")))).collect();
    assert_eq!(parts.len(), 1, "{name} in {dump}");
    parts[0]
}

#[inline(never)]
fn waits_in_here(group: &WaitGroup) {
    group.wait();
    black_box(());
}

#[inline(never)]
fn asks_for_the_dump() -> String {
    black_box(sigurg::dump_goroutines())
}

#[test]
fn a_parked_goroutine_is_shown_with_its_reason_its_frames_and_its_creator() {
    let dump = run(|| {
        let group = WaitGroup::new();
        group.add(1);
        sigurg::scope(|scope| {
            let waiter = GoBuilder::new().name("waiter").spawn_scoped(scope, || waits_in_here(&group));
            while !matches!(waiter.status(), GoStatus::Waiting(_)) {
                sigurg::yield_now();
            }
            let dump = asks_for_the_dump();
            group.done();
            dump
        })
    });
    let waiter = part(&dump, "waiter");
    let lines: Vec<_> = waiter.lines().collect();
    assert!(
        lines[0].starts_with("goroutine ") && lines[0].ends_with(" [sync.WaitGroup.Wait]: waiter"),
        "{dump}"
    );
    assert!(waiter.contains("dump::waits_in_here()\n\t"), "{dump}");
    assert!(waiter.contains("dump.rs:"), "{dump}");
    assert!(
        lines[1].contains("WaitGroup") && lines[1].contains("wait()"),
        "what the user called is on top: {dump}"
    );
    assert!(!waiter.contains("mcall") && !waiter.contains("sigurg_gostart"), "{dump}");
    assert!(lines.last().is_some_and(|line| line.starts_with("created by goroutine ")), "{dump}");
    let first: Vec<_> = dump.lines().take(40).collect();
    assert!(first[0].contains("[running on M"), "who asks comes first: {dump}");
    assert!(first.iter().any(|line| line.contains("dump::asks_for_the_dump()")), "{dump}");
}

#[test]
fn a_goroutine_that_has_not_run_is_shown_by_what_it_will_run() {
    // Its only P is busy with the goroutine that asks, so that it stays in the queue, unless that one is preempted.
    // SAFETY: nothing of a thread lives across a blocking call here.
    let runtime = unsafe { sigurg::Builder::new().gomaxprocs(1).build() }.expect("a runtime");
    let dump = runtime.run(|| {
        loop {
            let before = sigurg::metrics().preemptions;
            let fresh = GoBuilder::new().name("fresh").spawn(|| ());
            let dump = sigurg::dump_goroutines();
            fresh.join().expect("no panic");
            if sigurg::metrics().preemptions == before {
                return dump;
            }
        }
    });
    let fresh = part(&dump, "fresh");
    assert!(fresh.lines().next().is_some_and(|line| line.contains(" [runnable]: ")), "{dump}");
    let entry = fresh.lines().nth(1).unwrap_or_default();
    assert!(
        entry.ends_with("()") && !entry.contains("gostart"),
        "a name, and not that of the common start: {dump}"
    );
}

#[test]
fn many_goroutines_that_come_and_go_can_be_dumped_from_everywhere() {
    let rounds = 30;
    run(|| {
        let stop = AtomicBool::new(false);
        sigurg::scope(|scope| {
            for _ in 0..4 {
                scope.go(|| {
                    while !stop.load(Ordering::Relaxed) {
                        go(sigurg::yield_now).join().expect("no panic");
                    }
                });
            }
            std::thread::scope(|threads| {
                let dumps = || (0..rounds).map(|_| sigurg::dump_goroutines()).collect::<Vec<_>>();
                let thread = threads.spawn(dumps);
                let mine = dumps();
                let theirs = thread.join().expect("no panic");
                for dump in mine.iter().chain(&theirs) {
                    assert!(dump.contains("goroutine 1 ["), "main is in every dump: {dump}");
                }
            });
            stop.store(true, Ordering::Relaxed);
        });
    });
}

#[test]
fn without_a_runtime_a_dump_is_empty() {
    assert_eq!(sigurg::dump_goroutines(), "");
    run(|| ());
    assert_eq!(sigurg::dump_goroutines(), "");
}

#[test]
fn sigquit_dumps_and_exits_with_2() {
    if std::env::var_os(CHILD).is_some() {
        run(|| {
            let group = WaitGroup::new();
            group.add(1);
            sigurg::scope(|scope| {
                let waiter = GoBuilder::new().name("waiter").spawn_scoped(scope, || waits_in_here(&group));
                while !matches!(waiter.status(), GoStatus::Waiting(_)) {
                    sigurg::yield_now();
                }
                println!("ready");
                sigurg::time::sleep(Duration::from_secs(60));
            });
        });
        return;
    }
    let mut child = Command::new(std::env::current_exe().expect("the path of the test program"));
    child.args(["--exact", "sigquit_dumps_and_exits_with_2", "--nocapture"]).env(CHILD, "1");
    // A shell may have told this process to ignore it, and what is ignored stays so.
    // SAFETY: an async-signal-safe call.
    unsafe {
        child.pre_exec(|| {
            libc::signal(libc::SIGQUIT, libc::SIG_DFL);
            Ok(())
        });
    }
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a child process");
    let mut lines = BufReader::new(child.stdout.take().expect("its stdout")).lines();
    assert!(
        lines.any(|line| line.is_ok_and(|line| line.ends_with("ready"))),
        "the child says when it is ready"
    );
    // SAFETY: a signal to the child.
    unsafe { libc::kill(child.id() as libc::pid_t, libc::SIGQUIT) };
    let mut stderr = String::new();
    child.stderr.take().expect("its stderr").read_to_string(&mut stderr).expect("text");
    let status = child.wait().expect("an exit status");
    assert_eq!((status.code(), status.signal()), (Some(2), None), "{stderr}");
    assert!(stderr.contains("SIGQUIT: quit\n"), "{stderr}");
    assert!(part(&stderr, "waiter").contains("dump::waits_in_here()"), "{stderr}");
}
