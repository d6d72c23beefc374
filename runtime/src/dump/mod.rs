//! What all goroutines are doing, as text.
//!
//! In the words of Go's dumps, so that tools for those read these:
//!
//! ```text
//! goroutine 12 [chan receive, 3 minutes]: worker
//! shop::orders::next()
//!         src/orders.rs:41
//! created by goroutine 1
//! ```
//!
//! The world is not stopped: each goroutine is looked at by itself (`glance.rs`), a running one stopped for a moment, so two
//! of them may be seen at moments that never were at once. A dump waits for nobody for long: see [`Patience`]. Of the runtime's own frames only the one that user code called is shown.
//!
//! Go: `goroutineheader`, `tracebackothers` (traceback.go).

mod glance;
pub(crate) mod held;
pub(crate) mod quit;
mod symbol;
mod target;
mod unwind;

use std::fmt::{self, Write as _};
use std::io;

use glance::Glance;
pub(crate) use symbol::{Detail, Symbols};
pub(crate) use target::interrupted;
pub(crate) use unwind::{Frame, Registers, Unwinder, words_of};

use crate::facade::{last_task, nanotime};
use crate::g::G;
use crate::proc::{current_g, current_g_with_p, with_suspendable};
use crate::sched::Sched;

/// Seconds that the backtraces of a dying process may take.
const LAST_SECONDS: u32 = 60;

/// What is needed to write about many goroutines.
struct Writer {
    glance: Glance,
    unwinder: Unwinder,
    symbols: Symbols,
    text: String,
}

impl Writer {
    fn new() -> Self {
        Self {
            glance: Glance::new(),
            unwinder: Unwinder::new(),
            symbols: Symbols::default(),
            text: String::new(),
        }
    }

    /// The text about the goroutine that was glanced at. `frames`: of the caller, who knows them.
    fn tell(&mut self, frames: Option<&[Frame]>) -> &str {
        let seen;
        let frames = match frames {
            Some(frames) => frames,
            None => {
                seen = self.glance.frames(&mut self.unwinder);
                &seen
            }
        };
        self.text.clear();
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{}", self.glance);
        self.symbols.describe(&mut self.text, frames, Detail::User);
        if self.glance.parent() != 0 {
            let _ = writeln!(self.text, "created by goroutine {}", self.glance.parent());
        }
        self.text.push('\n');
        &self.text
    }
}

/// How long a dump waits for goroutines that run to stop: usually that takes some microseconds, but one may be inside
/// [`preempt_off`](crate::preempt_off), or preemption by signal be switched off.
struct Patience {
    /// What is left for all, nanoseconds.
    left: i64,
}

impl Patience {
    const FOR_ONE_NS: i64 = 100_000_000;
    const FOR_ALL_NS: i64 = 1_000_000_000;

    fn new() -> Self {
        Self { left: Self::FOR_ALL_NS }
    }

    /// Calls `f` with a deadline, and takes what it used of the patience.
    fn with<T>(&mut self, f: impl FnOnce(i64) -> T) -> T {
        let start = nanotime();
        let result = f(start + self.left.min(Self::FOR_ONE_NS));
        self.left = (self.left - (nanotime() - start)).max(0);
        result
    }
}

/// The stack of the caller.
fn own_frames() -> Vec<Frame> {
    let mut frames = Vec::new();
    backtrace::trace(|frame| {
        // The outermost caller is nobody.
        frames.extend(frame.ip().addr().checked_sub(1).map(|address| Frame { address }));
        true
    });
    frames
}

/// Writes about all goroutines of `sched`; the one that calls, if one does, first. On a plain thread or a goroutine.
///
/// # Errors
///
/// What `out` says.
pub(crate) fn write(sched: &'static Sched, out: &mut dyn io::Write) -> io::Result<()> {
    let ours = |gp: &&'static G| std::ptr::eq(gp.sched(), sched);
    let mut writer = Writer::new();
    let mut patience = Patience::new();
    let me = current_g().filter(ours);
    if let Some(me) = me {
        writer.glance.take_own(me);
        out.write_all(writer.tell(Some(&own_frames())).as_bytes())?;
    }
    for gp in sched.slab.all().filter(|gp| !me.is_some_and(|me| std::ptr::eq(me, *gp))) {
        let glance = &mut writer.glance;
        let seen = patience.with(|deadline| {
            // Asked anew: `out` may have blocked.
            if current_g_with_p().is_some_and(|own| ours(&own)) {
                return with_suspendable(|mp| glance.take(gp, mp, deadline));
            }
            let mut seen = false;
            sched.template.with_guest(sched, |mp| seen = glance.take(gp, mp, deadline));
            seen
        });
        if seen {
            out.write_all(writer.tell(None).as_bytes())?;
        }
    }
    Ok(())
}

/// Writes about all goroutines of a process that is about to end because none of them can run. May be called on g0
/// and under `sched.lock`: what allocates happens in a lifeboat, and without it there are head lines only.
pub(crate) fn write_all(sched: &Sched, out: &mut (impl fmt::Write + ?Sized)) {
    let complete = last_task(LAST_SECONDS, &mut || {
        let mut writer = Writer::new();
        for gp in sched.slab.all() {
            if writer.glance.take_last(gp) {
                // Nobody is left to hear of an error, here and below.
                let _ = out.write_str(writer.tell(None));
            }
        }
    });
    if !complete {
        let _ = writeln!(out, "no backtraces could be made");
        for gp in sched.slab.all().filter(|gp| gp.goid() != 0) {
            let _ = writeln!(out, "goroutine {} [{}]", gp.goid(), gp.waitreason().as_str());
        }
    }
}

/// What all goroutines of this process are doing, as text in the words of Go's dumps.
///
/// The world is not stopped: goroutines are looked at one after the other. One that runs is stopped for some microseconds. If it
/// does not stop within a tenth of a second (it is inside [`preempt_off`](crate::preempt_off), or preemption by signal is switched
/// off) it is listed without a backtrace, and so is one in a system call.
///
/// Go: `runtime.Stack(buf, true)`.
///
/// ```no_run
/// eprintln!("{}", sigurg::dump_goroutines());
/// ```
#[must_use]
pub fn dump_goroutines() -> String {
    let mut text = Vec::new();
    for sched in quit::running() {
        // A vector takes everything.
        let _ = write(sched, &mut text);
    }
    String::from_utf8_lossy(&text).into_owned()
}
