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
}

impl Recount {
    /// The model has accepted this event.
    pub(super) fn see(&mut self, event: &Event) {
        self.lossy |= event.kind == Kind::Lost;
        let (false, Some(target)) = (self.lossy, event.target) else { return };
        let gs = target.gs;
        match event.kind {
            Kind::GStatus { from, to, ver, .. } => {
                let before = self.words.insert(gs, (to, ver));
                let (status, last) = before.unwrap_or((from, 0));
                assert_eq!((status, last + 1), (from, ver), "recount: status word of gs {gs}, {event:?}");
            }
            Kind::RunqPut { target_p, q, .. } => {
                let before = self.queued.insert(gs, (q, target_p));
                let moved = matches!(before, Some((Queue::Disabled, _)));
                assert!(before.is_none() || moved, "recount: gs {gs} is on {before:?} already, {event:?}");
                let status = self.words.get(&gs).map(|(status, _)| status.base());
                assert_eq!(status, Some(GStatus::Runnable), "recount: gs {gs} is put, {event:?}");
            }
            Kind::RunqGet { q: Queue::None, .. } => {}
            Kind::RunqGet { target_p, q, .. }
            | Kind::RunqSteal { target_p, q }
            | Kind::RunqKick { target_p, q } => {
                let before = self.queued.remove(&gs);
                assert_eq!(before, Some((q, target_p)), "recount: gs {gs} is taken, {event:?}");
            }
            Kind::Execute { .. } => {
                let queue = self.queued.get(&gs);
                assert!(queue.is_none(), "recount: gs {gs} is on {queue:?} and is executed, {event:?}");
            }
            _ => {}
        }
    }
}
