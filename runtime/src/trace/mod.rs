//! What happened: events for the conformance checker and for people.
//!
//! 1. Off, an event costs one predictable branch on a word of the M at hand.
//! 2. Recording never allocates through malloc, takes no lock that other code can hold, and never waits.
//! 3. The events of one M are in its program order; across Ms the order is in the versions that the objects
//!    themselves carry. Nothing here counts globally.
//!
//! An M fills its chunks (`buf`, `chunk`), a thread writes them to a file (`tracer`, `writer`).

mod buf;
mod chunk;
pub(crate) mod names;
mod site;
#[cfg(test)]
mod tests;
mod tracer;
mod writer;

use sigurg_traces::{Event, Kind, Stack, Target};

pub(crate) use buf::TraceBuf;
pub(crate) use names::{intern, reason};
pub(crate) use site::Site;
pub(crate) use tracer::Tracer;

use crate::facade::atomic::Ordering::Relaxed;
use crate::facade::{aside, seen};
use crate::g::G;
use crate::m::M;
use crate::p::PStatus;
use crate::status::GStatus;

/// Records what `mp`, the M of this thread, did to `gp`; `over` is the version of what changed, 0 if it has none.
#[inline]
pub(crate) fn event(mp: &M, gp: Option<&G>, site: Site, over: u64, kind: impl FnOnce() -> Kind) {
    // Relaxed: set before the M first runs.
    if mp.tracing.load(Relaxed) {
        record(mp, gp.map(target), site, over, kind());
    }
}

/// Who `gp` is now, for an event that is recorded when it may already be somebody else; nobody if nothing is recorded.
#[inline]
pub(crate) fn about(mp: &M, gp: &G) -> Option<Target> {
    // Relaxed: as in `event`.
    mp.tracing.load(Relaxed).then(|| target(gp))
}

/// As [`event`], about whom [`about`] named before.
#[inline]
pub(crate) fn event_about(mp: &M, about: Option<Target>, site: Site, over: u64, kind: impl FnOnce() -> Kind) {
    // Relaxed: as in `event`.
    if mp.tracing.load(Relaxed) {
        record(mp, about, site, over, kind());
    }
}

fn target(gp: &G) -> Target {
    Target { g: gp.goid(), gs: gp.gs().0 }
}

#[cold]
#[inline(never)]
fn record(mp: &M, target: Option<Target>, site: Site, over: u64, kind: Kind) {
    aside(|| {
        // A goroutine that is stopped between taking a slot and filling it would hold up the recording.
        mp.acquire();
        let here = (&raw const kind).addr();
        let curg = mp.curg();
        let on = match curg {
            // Relaxed: own.
            _ if mp.in_handler.load(Relaxed) => Stack::Gsignal,
            Some(gp) if (gp.stack_lo()..gp.stack_hi()).contains(&here) => Stack::G,
            _ => Stack::G0,
        };
        let event = Event {
            seq: 0,
            lo: 0,
            t_ns: 0,
            m: mp.id(),
            p: mp.p().map_or(-1, |pp| pp.id()),
            on,
            by: curg.map_or(0, G::goid),
            target,
            site: site.sym(),
            over,
            kind,
        };
        if !seen(&event) {
            mp.trace.push(event);
        }
        mp.unlock_quietly();
    });
}

/// A status by the vocabulary's name.
pub(crate) fn named(status: GStatus, scan: bool) -> sigurg_traces::GStatus {
    use sigurg_traces::GStatus as Named;
    let base = match status {
        GStatus::Idle => Named::Idle,
        GStatus::Runnable => Named::Runnable,
        GStatus::Running => Named::Running,
        GStatus::Syscall => Named::Syscall,
        GStatus::Waiting => Named::Waiting,
        GStatus::Dead => Named::Dead,
        GStatus::Copystack => Named::Copystack,
        GStatus::Preempted => Named::Preempted,
    };
    if scan { base.with_scan().unwrap_or(base) } else { base }
}

/// A status of a P by the vocabulary's name.
pub(crate) fn named_p(status: PStatus) -> sigurg_traces::PStatus {
    use sigurg_traces::PStatus as Named;
    match status {
        PStatus::Idle => Named::Idle,
        PStatus::Running => Named::Running,
        PStatus::Gcstop => Named::Gcstop,
        PStatus::Dead => Named::Dead,
    }
}
