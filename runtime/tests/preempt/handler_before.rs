//! A handler of SIGURG that the program had before its runtime.

use std::hint::black_box;
use std::ptr;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use libc::c_int;
use sigurg::go;

use crate::stage::storm;

/// Signals that the program's own handler has heard of.
static HEARD: AtomicU64 = AtomicU64::new(0);

fn set_errno(errno: c_int) {
    // SAFETY: errno is the calling thread's own.
    unsafe { *libc::__errno_location() = errno };
}

fn errno() -> c_int {
    // SAFETY: as above.
    unsafe { *libc::__errno_location() }
}

extern "C" fn careless(_: c_int) {
    // Relaxed: a count.
    HEARD.fetch_add(1, Relaxed);
    set_errno(libc::EPROTO);
}

#[test]
fn it_hears_every_signal_and_what_it_does_to_errno_reaches_nobody() {
    // SAFETY: what the handler does may be done at any instruction.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = careless as extern "C" fn(c_int) as usize;
        action.sa_flags = libc::SA_RESTART;
        assert_eq!(libc::sigaction(libc::SIGURG, &action, ptr::null_mut()), 0);
    }
    storm(2, Duration::from_secs(1), 50, |stop| {
        let work: Vec<_> = (1..=3)
            .map(|mine: c_int| {
                let stop = stop.clone();
                go(move || {
                    let mut rounds = 0u64;
                    // No call of the runtime in between: who is stopped by signal stays on its thread.
                    while !stop.is_set() {
                        set_errno(mine);
                        (0..2_000u32).for_each(|i| _ = black_box(i));
                        assert_eq!(errno(), mine, "after {rounds} rounds");
                        rounds += 1;
                    }
                })
            })
            .collect();
        for work in work {
            work.join().expect("errno is as it was set");
        }
    });
    // Relaxed: a count. At least those by which somebody was stopped.
    assert!(HEARD.load(Relaxed) >= 50, "heard {} signals", HEARD.load(Relaxed));
}
