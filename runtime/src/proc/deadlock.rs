//! Noticing that nothing will ever happen again.
//!
//! All Ms idle, no timer armed, nobody in the poller, and no thread in the process that is not ours: then nobody is left who
//! could ready a goroutine. A thread of somebody else may hold a channel or a lock, so while there is one
//! nothing is said; sysmon looks now and then whether there still is.
//!
//! Go: `checkdead`.

use core::fmt::Write;

use crate::dump;
use crate::facade::atomic::Ordering::Relaxed;
use crate::facade::threads;
use crate::proc::syscall::wake_sysmon_locked;
use crate::sched::{Sched, State};
use crate::throw::{Stderr, fatal};

/// sched.lock held, before an M goes to sleep for good.
pub(crate) fn checkdead(sched: &Sched, state: &State) {
    if is_doubtful(sched, state) {
        wake_sysmon_locked(sched);
    }
}

/// sched.lock held: ends the process if nothing can happen any more. Whether only threads that are none of ours keep this from
/// being so: then sysmon looks again, for nobody tells of their end.
pub(crate) fn is_doubtful(sched: &Sched, state: &State) -> bool {
    // Relaxed: once true nothing more is expected to happen.
    if sched.ended.load(Relaxed) || !sched.main_started.load(Relaxed) {
        return false;
    }
    let ms = state.mnext - state.nmfreed;
    if ms + state.nwanted - state.nmidle - state.nmidlelocked - state.nmsys > 0
        || sched.ps().any(|pp| pp.timers.wake_time() != 0)
    {
        return false;
    }
    // Relaxed: a thread of ours that is not counted yet, or no more, looks foreign, and nothing is said this time.
    let ours = ms - state.nmguest + sched.threads.load(Relaxed) + dump::quit::threads();
    if threads().is_none_or(|all| all > ours) {
        return true;
    }
    let _ = writeln!(Stderr, "fatal error: all goroutines are asleep - deadlock!\n");
    dump::write_all(sched, &mut Stderr);
    fatal!("deadlock");
}
