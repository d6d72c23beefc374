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
//! The world is not stopped: each goroutine is looked at by itself (`glance.rs`), so two of them may be seen at
//! moments that never were at once. Of the runtime's own frames only the one that user code called is shown.
//!
//! Go: `goroutineheader`, `tracebackothers` (traceback.go).

mod glance;
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

use crate::facade::{getm, last_task};
use crate::g::G;
use crate::m::M;
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

    /// The text about `gp`; empty if it is no goroutine just now. `frames`: of one that runs and is the caller.
    fn about(&mut self, gp: &'static G, mp: Option<&'static M>, frames: Option<&[Frame]>) -> &str {
        self.text.clear();
        if self.glance.take(gp, mp) {
            let seen;
            let frames = match frames {
                Some(frames) => frames,
                None => {
                    seen = self.glance.frames(&mut self.unwinder);
                    &seen
                }
            };
            // Writing to a string cannot fail.
            let _ = writeln!(self.text, "{}", self.glance);
            self.symbols.describe(&mut self.text, frames, Detail::User);
            if self.glance.parent() != 0 {
                let _ = writeln!(self.text, "created by goroutine {}", self.glance.parent());
            }
            self.text.push('\n');
        }
        &self.text
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
    let own = getm().filter(|mp| std::ptr::eq(mp.sched(), sched));
    let mut writer = Writer::new();
    let me = own.and_then(M::curg);
    if let Some(me) = me {
        out.write_all(writer.about(me, None, Some(&own_frames())).as_bytes())?;
    }
    for gp in sched.slab.all().filter(|gp| !me.is_some_and(|me| std::ptr::eq(me, *gp))) {
        // Asked anew: `out` may have blocked, and this goroutine may be on another thread.
        let text = match getm().filter(|mp| std::ptr::eq(mp.sched(), sched)) {
            Some(mp) => writer.about(gp, Some(mp), None),
            None => {
                sched.template.with_guest(sched, |mp| {
                    writer.about(gp, Some(mp), None);
                });
                &writer.text
            }
        };
        out.write_all(text.as_bytes())?;
    }
    Ok(())
}

/// Writes about all goroutines of a process that is about to end because none of them can run. May be called on g0
/// and under `sched.lock`: what allocates happens in a lifeboat, and without it there are head lines only.
pub(crate) fn write_all(sched: &Sched, out: &mut (impl fmt::Write + ?Sized)) {
    let complete = last_task(LAST_SECONDS, &mut || {
        let mut writer = Writer::new();
        for gp in sched.slab.all() {
            // Nobody is left to hear of an error, here and below.
            let _ = out.write_str(writer.about(gp, None, None));
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
/// Goroutines that run, or are in a system call, are listed without a backtrace, but for the one that calls. The world
/// is not stopped: goroutines are looked at one after the other.
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
