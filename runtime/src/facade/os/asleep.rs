//! What the kernel tells of another thread of this process.
//!
//! Neither call disturbs that thread, allocates, or waits for anything.

use core::fmt::Write;

/// The stack pointer with which thread `tid` made the system call that it sleeps in. `None` if it runs or waits for a processor,
/// if it sleeps for another reason (a page fault), is gone, or where the kernel does not say: no /proc, or not this file.
///
/// The kernel looks while it holds the thread off its processor. So what the caller wrote before is seen by all that the thread
/// does after this sleep, without a fence on its side.
pub(crate) fn sleeps_in_call(tid: i32) -> Option<usize> {
    let mut path = Text { bytes: [0; 48], len: 0 };
    write!(path, "/proc/self/task/{tid}/syscall\0").ok()?;
    let mut text = [0u8; 256];
    // SAFETY: the path ends in a zero; `text` is as long as said.
    let len = unsafe {
        let fd = libc::open(path.bytes.as_ptr().cast(), libc::O_RDONLY | libc::O_CLOEXEC);
        if fd < 0 {
            return None;
        }
        let len = libc::read(fd, text.as_mut_ptr().cast(), text.len());
        libc::close(fd);
        usize::try_from(len).ok()?
    };
    parse(core::str::from_utf8(&text[..len]).ok()?)
}

/// "running"; "-1 SP PC" of a thread that sleeps outside of system calls; or "NUMBER ARGUMENTS SP PC".
fn parse(text: &str) -> Option<usize> {
    let mut words = text.split_ascii_whitespace();
    words.next()?.parse::<u32>().ok()?;
    usize::from_str_radix(words.rev().nth(1)?.strip_prefix("0x")?, 16).ok()
}

/// How long thread `tid` has computed, nanoseconds. `None` if it is gone.
pub(crate) fn thread_cputime(tid: i32) -> Option<i64> {
    // What pthread_getcpuclockid returns: the thread of that id, its time on processors by the scheduler's count.
    const PER_THREAD_SCHED: i32 = 6;
    let mut ts = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `ts` is a valid place to write to.
    let failed = unsafe { libc::clock_gettime((!tid << 3) | PER_THREAD_SCHED, &mut ts) };
    (failed == 0).then_some(ts.tv_sec * 1_000_000_000 + ts.tv_nsec)
}

/// A short text in place.
struct Text {
    bytes: [u8; 48],
    len: usize,
}

impl Write for Text {
    fn write_str(&mut self, s: &str) -> core::fmt::Result {
        let to = self.bytes.get_mut(self.len..self.len + s.len()).ok_or(core::fmt::Error)?;
        to.copy_from_slice(s.as_bytes());
        self.len += s.len();
        Ok(())
    }
}

#[cfg(all(test, not(miri)))]
mod tests {
    use std::hint::black_box;
    use std::sync::atomic::{AtomicBool, AtomicI32, Ordering::Relaxed};
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn what_the_kernel_writes_is_understood() {
        assert_eq!(parse("running\n"), None);
        assert_eq!(parse("-1 0x7ffc0 0x7f10\n"), None);
        assert_eq!(parse("0 0x3 0x7f00 0x1 0x0 0x0 0x0 0x7ffc0 0x7f10\n"), Some(0x7ffc0));
        assert_eq!(parse(""), None);
        assert_eq!(parse("7"), None);
    }

    /// Linux numbers threads below this.
    const NOBODY: i32 = 1 << 22;

    #[test]
    fn a_thread_that_sleeps_in_a_call_is_told_from_one_that_computes() {
        let (tids, stop) = ([AtomicI32::new(0), AtomicI32::new(0)], AtomicBool::new(false));
        // SAFETY: takes nothing.
        let gettid = || unsafe { libc::gettid() };
        std::thread::scope(|scope| {
            let (sleeper, computer) = (&tids[0], &tids[1]);
            let slept = scope.spawn(|| {
                sleeper.store(gettid(), Relaxed);
                std::thread::park();
            });
            scope.spawn(|| {
                computer.store(gettid(), Relaxed);
                let mut x = 1u64;
                while !stop.load(Relaxed) {
                    x = black_box(x.wrapping_mul(3));
                }
            });
            let until = Instant::now() + Duration::from_secs(60);
            let wait_for = |what: &str, is: &dyn Fn() -> bool| {
                while !is() {
                    assert!(Instant::now() < until, "{what}");
                    std::thread::sleep(Duration::from_millis(1));
                }
            };
            wait_for("both begin", &|| tids.iter().all(|tid| tid.load(Relaxed) != 0));
            wait_for("it sleeps", &|| sleeps_in_call(sleeper.load(Relaxed)).is_some());
            let before = thread_cputime(computer.load(Relaxed));
            wait_for("it computes", &|| thread_cputime(computer.load(Relaxed)) > before);
            assert_eq!(sleeps_in_call(computer.load(Relaxed)), None);
            stop.store(true, Relaxed);
            slept.thread().unpark();
        });
        assert_eq!((sleeps_in_call(NOBODY), thread_cputime(NOBODY)), (None, None));
    }
}
