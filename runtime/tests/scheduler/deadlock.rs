//! "All goroutines are asleep": said when nothing can ever happen again, and only then.
//!
//! Each test runs itself in a child process without any thread but the runtime's own: while there is a foreign
//! thread, which may hold a channel, nothing is said.

use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use sigurg::net::UnixStream;
use sigurg::sync::WaitGroup;
use sigurg::{GoBuilder, GoStatus, blocking, chan, go, lock_os_thread, time, yield_now};

use crate::stage::{alone, child, run};

/// Longer than any look for deadlocks takes.
const A_WHILE: Duration = Duration::from_millis(200);

/// What every test below but one lets its child end in.
fn wait_for_ever() {
    let (_tx, rx) = chan::<()>(0);
    let _ = rx.recv();
    unreachable!("nobody sends");
}

/// `main`, in a child, ends in a deadlock that is reported; what was written.
fn is_reported(test: &str, procs: u32, main: fn()) -> String {
    let Some((output, text)) = child(&format!("deadlock::{test}")) else { alone(|| run(procs, main)) };
    assert_eq!((output.status.code(), output.status.signal()), (Some(2), None), "{text}");
    assert_eq!(text.matches("fatal error: all goroutines are asleep - deadlock!").count(), 1, "{text}");
    assert!(text.contains("goroutine 1 [") && text.contains("wait_for_ever()\n"), "{text}");
    text
}

/// `main`, in a child, ends in peace.
fn is_not_reported(test: &str, procs: u32, main: fn()) {
    match child(&format!("deadlock::{test}")) {
        None => alone(|| run(procs, main)),
        Some((output, text)) => assert!(output.status.success(), "{text}"),
    }
}

macro_rules! reported {
    ($($name:ident on $procs:literal: $main:expr;)+) => {
        $(#[test] fn $name() { is_reported(stringify!($name), $procs, $main); })+
    };
}

macro_rules! not_reported {
    ($($name:ident on $procs:literal: $main:expr;)+) => {
        $(#[test] fn $name() { is_not_reported(stringify!($name), $procs, $main); })+
    };
}

#[test]
fn the_report_shows_every_goroutine_with_what_it_waits_for() {
    let text = is_reported("the_report_shows_every_goroutine_with_what_it_waits_for", 2, || {
        let stuck = GoBuilder::new().name("stuck").spawn(|| {
            let group = WaitGroup::new();
            group.add(1);
            group.wait();
        });
        while !matches!(stuck.status(), GoStatus::Waiting(_)) {
            yield_now();
        }
        wait_for_ever();
    });
    assert!(text.contains("goroutine 1 [chan receive]"), "{text}");
    assert!(text.contains("[sync.WaitGroup.Wait]: stuck"), "{text}");
}

reported! {
    main_alone_on_one_p on 1: wait_for_ever;
    main_alone_on_four_ps on 4: wait_for_ever;
    after_much_work on 4: || {
        let work: Vec<_> = (0..1000).map(|_| go(yield_now)).collect();
        work.into_iter().for_each(|work| work.join().expect("no panic"));
        wait_for_ever();
    };
    after_a_timer on 2: || {
        time::sleep(Duration::from_millis(5));
        wait_for_ever();
    };
    after_a_blocking_call on 2: || {
        blocking(|| thread::sleep(Duration::from_millis(30)));
        wait_for_ever();
    };
    after_the_network on 2: || {
        let (mut here, there) = UnixStream::pair().expect("a pair");
        go(move || drop(there));
        assert_eq!(here.read(&mut [0]).expect("its end"), 0);
        drop(here);
        wait_for_ever();
    };
    while_a_locked_goroutine_waits_too on 2: || {
        let locked = go(|| {
            lock_os_thread();
            wait_for_ever();
        });
        let _ = locked.join();
    };
    when_main_is_locked on 2: || {
        lock_os_thread();
        wait_for_ever();
    };
    after_the_threads_of_locked_goroutines_have_ended on 2: || {
        for _ in 0..10 {
            go(lock_os_thread).join().expect("no panic");
        }
        wait_for_ever();
    };
    after_a_plain_thread_has_woken_somebody_and_ended on 2: || {
        let (tx, rx) = chan(0);
        let thread = thread::spawn(move || tx.send(()));
        rx.recv().expect("a sender");
        blocking(|| thread.join()).expect("no panic").expect("a receiver");
        wait_for_ever();
    };
}

not_reported! {
    while_a_timer_is_armed on 2: || {
        let (tx, rx) = chan(0);
        go(move || {
            time::sleep(A_WHILE);
            tx.send(()).expect("a receiver");
        });
        rx.recv().expect("a sender");
    };
    while_only_main_sleeps on 1: || time::sleep(A_WHILE);
    while_a_goroutine_waits_for_the_network on 2: || {
        let (mut here, there) = UnixStream::pair().expect("a pair");
        // Another process, so that no thread of this one could do it.
        let mut writer = Command::new("sh");
        writer.args(["-c", "sleep 0.3; echo x"]).stdout(Stdio::from(OwnedFd::from(there)));
        let mut writer = blocking(|| writer.spawn()).expect("a shell");
        here.read_exact(&mut [0, 0]).expect("a line");
        blocking(|| writer.wait()).expect("its end");
    };
    while_a_blocking_call_lasts on 2: || {
        let (tx, rx) = chan(0);
        go(move || {
            blocking(|| thread::sleep(A_WHILE));
            tx.send(()).expect("a receiver");
        });
        rx.recv().expect("a sender");
    };
    while_a_blocking_call_lasts_on_the_only_p on 1: || blocking(|| thread::sleep(A_WHILE));
    while_a_plain_thread_lives on 2: || {
        let (tx, rx) = chan(0);
        thread::spawn(move || {
            thread::sleep(A_WHILE);
            tx.send(()).expect("a receiver");
        });
        rx.recv().expect("a sender");
    };
    while_a_plain_thread_lives_that_has_woken_somebody_before on 2: || {
        let (tx, rx) = chan(0);
        thread::spawn(move || {
            for n in 0..3 {
                thread::sleep(A_WHILE);
                tx.send(n).expect("a receiver");
            }
        });
        (0..3).for_each(|n| assert_eq!(rx.recv(), Ok(n)));
    };
    while_the_last_of_many_plain_threads_lives on 2: || {
        let (tx, rx) = chan(0);
        for n in 0..20 {
            let tx = tx.clone();
            thread::spawn(move || {
                // At once all of them but one, which so may have been counted among those that are gone.
                if n == 19 {
                    thread::sleep(A_WHILE * 2);
                }
                tx.send(n).expect("a receiver");
            });
        }
        (0..20).for_each(|_| assert!(rx.recv().is_ok()));
    };
}
