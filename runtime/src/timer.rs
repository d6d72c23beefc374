//! Timers of a P.

/// The timers of one P.
pub(crate) struct Timers {}

impl Timers {
    pub(crate) const fn new() -> Self {
        Self {}
    }

    /// Runs what is due at `now`. The time of the next timer, 0 if none; whether any ran.
    pub(crate) fn check(&self, now: i64) -> (i64, bool) {
        let _ = now;
        (0, false)
    }

    /// When the earliest timer is due; 0 if there is none. Any thread.
    pub(crate) fn wake_time(&self) -> i64 {
        0
    }
}

/// One timer. Its place in memory must not change while it is armed.
pub(crate) struct Timer {
    f: fn(*const ()),
    arg: *const (),
}

impl Timer {
    pub(crate) const fn new(f: fn(*const ()), arg: *const ()) -> Self {
        Self { f, arg }
    }

    /// Calls `f(arg)` on some M's scheduler stack at `when`, nanoseconds of the monotonic clock. On a goroutine only.
    ///
    /// # Safety
    ///
    /// The timer stays in place, and `arg` valid, until `stop` has returned.
    pub(crate) unsafe fn arm(&self, when: i64) {
        let _ = (self.f, self.arg, when);
    }

    /// After this `f` neither runs nor will run.
    pub(crate) fn stop(&self) {}
}
