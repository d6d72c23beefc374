//! The invariants of an accepted history, counted without the model's help: a second opinion on what it let pass.
//!
//! 1. The changes of a status word are a chain: each begins where the one before ended, with the next version.
//! 2. Custody: who is put on a queue is on none, and who is taken off one is on that one. Only who is runnable is put.
//! 3. Who is executed is on no queue.

use std::collections::HashMap;

use sigurg_traces::{Event, GStatus, Kind, Queue};

/// What a history has come to.
#[derive(Default)]
pub(super) struct Recount {
    words: HashMap<u32, (GStatus, u64)>,
    queued: HashMap<u32, (Queue, i32)>,
    /// Something is missing: nothing can be said any more.
    lossy: bool,
    /// The first invariant that did not hold.
    fault: Option<String>,
}

impl Recount {
    /// The next event. The model may have let it pass for the time being only: it waits for later events to tell which rule was broken.
    pub(super) fn see(&mut self, event: &Event) {
        self.lossy |= event.kind == Kind::Lost;
        if !self.lossy
            && self.fault.is_none()
            && let Some(target) = event.target
            && let Err(fault) = self.count(event, target.gs)
        {
            self.fault = Some(format!("gs {} {fault}, {event:?}", target.gs));
        }
    }

    /// The model has accepted all of it.
    pub(super) fn expect_none(&self) {
        assert!(self.fault.is_none(), "recount: {}", self.fault.as_deref().unwrap_or_default());
    }

    fn count(&mut self, event: &Event, gs: u32) -> Result<(), String> {
        let holds = |it: bool, fault: &dyn Fn() -> String| if it { Ok(()) } else { Err(fault()) };
        match event.kind {
            Kind::GStatus { from, to, ver, .. } => {
                let (status, last) = self.words.insert(gs, (to, ver)).unwrap_or((from, 0));
                holds((status, last + 1) == (from, ver), &|| format!("was {status:?} in version {last}"))
            }
            Kind::RunqPut { target_p, q, .. } => {
                let before = self.queued.insert(gs, (q, target_p));
                let moved = matches!(before, Some((Queue::Disabled, _)));
                holds(before.is_none() || moved, &|| format!("is on {before:?} already"))?;
                let status = self.words.get(&gs).map(|(status, _)| status.base());
                holds(status == Some(GStatus::Runnable), &|| format!("is put while {status:?}"))
            }
            Kind::RunqGet { q: Queue::None, .. } => Ok(()),
            Kind::RunqGet { target_p, q, .. }
            | Kind::RunqSteal { target_p, q }
            | Kind::RunqKick { target_p, q } => {
                let before = self.queued.remove(&gs);
                holds(before == Some((q, target_p)), &|| format!("is taken, and was on {before:?}"))
            }
            Kind::Execute { .. } => {
                let queue = self.queued.get(&gs);
                holds(queue.is_none(), &|| format!("is executed, and on {queue:?}"))
            }
            _ => Ok(()),
        }
    }
}
