//! A last task in a dying process, which may fail, hang or crash without stopping the process from dying as it should.
//!
//! The task wants malloc and files, and the dying thread may hold malloc's lock. So it runs in a child process
//! that shares the memory (`vfork` with a stack of its own): other threads go on and give their locks back; if the
//! lock that it needs is the dying thread's, an alarm ends the child, not the parent. A fork would copy all locks
//! as they are, and the page tables of a million stacks.

use std::ffi::{c_int, c_void};
use std::ptr;

use super::map;

/// Bytes of the child's stack, touched as needed: reading debug information takes some.
const STACK: usize = 8 << 20;

/// The child's end for whatever reason.
extern "C" fn leave(_: c_int) {
    // SAFETY: ends the child at once, without handlers of the process that it shares memory with.
    unsafe { libc::_exit(1) }
}

struct Task<'a> {
    run: &'a mut dyn FnMut(),
    seconds: u32,
    done: bool,
}

extern "C" fn child(task: *mut c_void) -> c_int {
    // SAFETY: `launch` waits for this child and gave it this pointer alone.
    let task = unsafe { &mut *task.cast::<Task>() };
    // SAFETY: the child has its own table of handlers, mask and alarm; `leave` only ends it.
    unsafe {
        let handler = leave as extern "C" fn(c_int) as libc::sighandler_t;
        let mut mask = std::mem::zeroed();
        libc::sigemptyset(&mut mask);
        for signal in [libc::SIGSEGV, libc::SIGBUS, libc::SIGABRT, libc::SIGALRM] {
            libc::signal(signal, handler);
            libc::sigaddset(&mut mask, signal);
        }
        libc::sigprocmask(libc::SIG_UNBLOCK, &mask, ptr::null_mut());
        libc::alarm(task.seconds);
    }
    (task.run)();
    task.done = true;
    0
}

/// Runs `task` as described above, for at most `seconds`; whether it came to its end. Async-signal-safe, for a process
/// that is about to die: what the task locked when it was cut short stays locked.
pub(crate) fn launch(seconds: u32, task: &mut dyn FnMut()) -> bool {
    let Some(stack) = map::reserve(STACK) else {
        return false;
    };
    let mut task = Task { run: task, seconds, done: false };
    let arg = (&raw mut task).cast();
    // SAFETY: the child runs on a stack of its own, and this thread stands still until it has ended (CLONE_VFORK), so
    // that `task` is used by one at a time.
    unsafe {
        let top = stack.add(STACK).as_ptr().cast();
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
        let pid = libc::clone(child, top, flags, arg);
        if pid > 0 {
            libc::waitpid(pid, ptr::null_mut(), 0);
        }
        // The child wrote it behind the compiler's back.
        let done = (&raw const task.done).read_volatile();
        map::unmap(stack, STACK);
        done
    }
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_ends_is_seen_and_so_is_what_it_did() {
        let mut text = String::new();
        assert!(launch(10, &mut || text = "x".repeat(1 << 20)));
        assert_eq!(text.len(), 1 << 20);
    }

    #[test]
    fn a_task_that_hangs_crashes_or_panics_harms_nobody() {
        assert!(!launch(1, &mut || loop {
            std::hint::spin_loop();
        }));
        // SAFETY: none: it is to fault.
        assert!(!launch(10, &mut || unsafe { ptr::without_provenance_mut::<u8>(8).write_volatile(1) }));
        assert!(!launch(10, &mut || panic!("a panic of the test's task")));
    }
}
