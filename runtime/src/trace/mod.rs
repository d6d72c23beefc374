//! What happened: events for the conformance checker and for people.
//!
//! 1. Off, an event costs one predictable branch on a word of the M at hand.
//! 2. Recording never allocates through malloc, takes no lock that other code can hold, and never waits.
//! 3. The events of one M are in its program order; across Ms the order is in the versions that the objects
//!    themselves carry. Nothing here counts globally.

mod buf;
mod site;

use sigurg_traces::{Event, Kind, Stack, Target};

pub(crate) use buf::TraceBuf;
pub(crate) use site::Site;

use crate::facade::atomic::Ordering::Relaxed;
use crate::g::G;
use crate::m::M;

/// Records what `mp`, the M of this thread, did to `gp`; `over` is the version of what changed, 0 if it has none.
#[inline]
pub(crate) fn event(mp: &M, gp: Option<&G>, site: Site, over: u64, kind: impl FnOnce() -> Kind) {
    // Relaxed: set before the M first runs.
    if mp.tracing.load(Relaxed) {
        record(mp, gp, site, over, kind());
    }
}

#[cold]
#[inline(never)]
fn record(mp: &M, gp: Option<&G>, site: Site, over: u64, kind: Kind) {
    let here = (&raw const kind).addr();
    let curg = mp.curg();
    let on = match curg {
        Some(gp) if (gp.stack_lo()..gp.stack_hi()).contains(&here) => Stack::G,
        _ => Stack::G0,
    };
    mp.trace.push(Event {
        seq: 0,
        lo: 0,
        t_ns: 0,
        m: mp.id(),
        p: mp.p().map_or(-1, |pp| pp.id()),
        on,
        by: curg.map_or(0, G::goid),
        target: gp.map(|gp| Target { g: gp.goid(), gs: gp.gs().0 }),
        site: site.sym(),
        over,
        kind,
    });
}
