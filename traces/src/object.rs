//! What an event changes: which object, and to which version.
//!
//! Invariants:
//! 1. The version of an object is 0 before its first change and goes up by one with each change. It comes out of
//!    the very word that changed, so two changes of one object never carry the same version.
//! 2. An event changes at most one object. A batch is several events, one for each G.

use std::fmt;

use crate::event::{Event, Kind};
use crate::vocab::Queue;

/// Something that changes hands, and so has a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Object {
    /// The status word of a G struct, by [`Target::gs`](crate::Target::gs). Its version is `ver`.
    G(u32),
    /// The one-slot queue of a P: the version is in the same word as the G.
    Runnext(i32),
    /// The end of a P's ring to which the owner puts: the position after the put, so the version is `i + 1` for
    /// slot `i`. Positions never wrap.
    RingTail(i32),
    /// The end of a P's ring from which is taken: the position after the take, `i + 1` for slot `i`.
    RingHead(i32),
    /// What lies under `sched.lock`, the global and the disabled queue: the number of changes made under it.
    Sched,
    /// The status word of a P.
    P(i32),
    /// The signal word of an M: "a signal is pending" and the count of handled ones.
    Signal(i32),
    /// How often a G struct was given back for another life. No event carries this version: who orders counts.
    Freed(u32),
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::G(gs) => write!(f, "status of gs {gs}"),
            Self::Runnext(p) => write!(f, "runnext of P{p}"),
            Self::RingTail(p) => write!(f, "ring tail of P{p}"),
            Self::RingHead(p) => write!(f, "ring head of P{p}"),
            Self::Sched => write!(f, "what lies under sched.lock"),
            Self::P(p) => write!(f, "status of P{p}"),
            Self::Signal(m) => write!(f, "signal word of M{m}"),
            Self::Freed(gs) => write!(f, "gfput of gs {gs}"),
        }
    }
}

impl Event {
    /// The object that the event changes and its version after that change; `None` if it changes none, or its
    /// producer gives that object no version (`over` is 0).
    #[inline]
    pub fn changes(&self) -> Option<(Object, u64)> {
        if let (Kind::GStatus { ver, .. }, Some(target)) = (self.kind, self.target) {
            return Some((Object::G(target.gs), ver));
        }
        if self.over == 0 {
            return None;
        }
        let object = match self.kind {
            Kind::RunqPut { target_p, q: Queue::Local, .. } => Object::RingTail(target_p),
            Kind::RunqGet { target_p, q: Queue::Local, .. }
            | Kind::RunqSteal { target_p, q: Queue::Local }
            | Kind::RunqKick { target_p, q: Queue::Local } => Object::RingHead(target_p),
            Kind::RunqPut { target_p, q: Queue::Runnext, .. }
            | Kind::RunqGet { target_p, q: Queue::Runnext, .. }
            | Kind::RunqSteal { target_p, q: Queue::Runnext }
            | Kind::RunqKick { target_p, q: Queue::Runnext } => Object::Runnext(target_p),
            Kind::RunqPut { q: Queue::Global | Queue::Disabled, .. }
            | Kind::RunqGet { q: Queue::Global | Queue::Disabled, .. } => Object::Sched,
            Kind::ForEachPBegin { .. }
            | Kind::SafePointFn { .. }
            | Kind::ForEachPEnd
            | Kind::Procresize { .. } => Object::Sched,
            Kind::PStatus { target_p, .. } => Object::P(target_p),
            Kind::PreemptM { target_m, sent: true } => Object::Signal(target_m),
            Kind::SigAck { .. } => Object::Signal(self.m),
            _ => return None,
        };
        Some((object, self.over))
    }

    /// The object that the event looked at without changing it, and the version that it must at least have had:
    /// a failed or repeated look at a status word saw a version, and so did who is about to make a G runnable, to give it
    /// a new life or to ask it to stop; who takes slot `i` of a ring saw its tail beyond `i`.
    #[inline]
    pub fn reads(&self) -> Option<(Object, u64)> {
        match (self.kind, self.target) {
            (Kind::GStatusFail { ver, .. } | Kind::SuspendStep { ver, .. }, Some(target)) => {
                Some((Object::G(target.gs), ver))
            }
            (
                Kind::Newproc { .. }
                | Kind::Ready { .. }
                | Kind::Goready { .. }
                | Kind::PreemptOne { .. }
                | Kind::SuspendBegin { .. },
                Some(target),
            ) => (self.over != 0).then_some((Object::G(target.gs), self.over)),
            (
                Kind::RunqGet { target_p, q: Queue::Local, .. }
                | Kind::RunqSteal { target_p, q: Queue::Local }
                | Kind::RunqKick { target_p, q: Queue::Local },
                _,
            ) => (self.over != 0).then_some((Object::RingTail(target_p), self.over)),
            // A handler looks before it acknowledges.
            (Kind::SigPreempt { .. }, _) => (self.over != 0).then_some((Object::Signal(self.m), self.over)),
            // A mark that was set already was seen in some version of the word.
            (Kind::PreemptM { target_m, sent: false }, _) => {
                (self.over != 0).then_some((Object::Signal(target_m), self.over))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Sym, Target};
    use crate::vocab::{GStatus, PStatus, PutHow, TakeHow, Via};

    #[test]
    fn each_kind_changes_and_reads_its_object() {
        let (p, from, to) = (3, GStatus::Waiting, GStatus::Runnable);
        let put = |q| Kind::RunqPut { target_p: p, q, how: PutHow::One };
        let get = |q| Kind::RunqGet { target_p: p, q, how: TakeHow::Pop };
        let steal = |q| Kind::RunqSteal { target_p: p, q };
        let kick = |q| Kind::RunqKick { target_p: p, q };
        let fail =
            Kind::GStatusFail { want_from: from, want_to: to, saw: GStatus::Dead, via: Via::Direct, ver: 8 };
        use Object::{G, P, RingHead, RingTail, Runnext, Sched, Signal};
        for (kind, changes, reads) in [
            (Kind::GStatus { from, to, via: Via::Direct, ver: 8, reason: Sym::NONE }, Some((G(7), 8)), None),
            (fail, None, Some((G(7), 8))),
            (Kind::SuspendStep { sid: 1, iter: 0, saw: from, ver: 8 }, None, Some((G(7), 8))),
            (put(Queue::Runnext), Some((Runnext(p), 5)), None),
            (get(Queue::Runnext), Some((Runnext(p), 5)), None),
            (steal(Queue::Runnext), Some((Runnext(p), 5)), None),
            (kick(Queue::Runnext), Some((Runnext(p), 5)), None),
            (put(Queue::Local), Some((RingTail(p), 5)), None),
            (get(Queue::Local), Some((RingHead(p), 5)), Some((RingTail(p), 5))),
            (steal(Queue::Local), Some((RingHead(p), 5)), Some((RingTail(p), 5))),
            (kick(Queue::Local), Some((RingHead(p), 5)), Some((RingTail(p), 5))),
            (put(Queue::Global), Some((Sched, 5)), None),
            (get(Queue::Disabled), Some((Sched, 5)), None),
            (get(Queue::None), None, None),
            (
                Kind::PStatus { target_p: p, from: PStatus::Idle, to: PStatus::Running, cas: true },
                Some((P(p), 5)),
                None,
            ),
            (Kind::PreemptM { target_m: 2, sent: true }, Some((Signal(2), 5)), None),
            (Kind::PreemptM { target_m: 2, sent: false }, None, Some((Signal(2), 5))),
            (Kind::SigAck { generation: 1 }, Some((Signal(4), 5)), None),
            (Kind::SigPreempt { want: false, safe: false, reject: None }, None, Some((Signal(4), 5))),
            (Kind::Newproc { entry: Sym::NONE, parent: 1, parked: false }, None, Some((G(7), 5))),
            (Kind::Ready { next: true }, None, Some((G(7), 5))),
            (Kind::PreemptOne { target_p: p, target_m: 2 }, None, Some((G(7), 5))),
            (Kind::Goready { next: None }, None, Some((G(7), 5))),
            (Kind::SuspendBegin { sid: 1 }, None, Some((G(7), 5))),
            (Kind::Goyield, None, None),
        ] {
            let event = Event { m: 4, target: Some(Target { g: 9, gs: 7 }), over: 5, kind, ..Event::lost(0) };
            assert_eq!((event.changes(), event.reads()), (changes, reads), "{kind:?}");
            let unversioned = Event { over: 0, ..event };
            let has_ver =
                matches!(kind, Kind::GStatus { .. } | Kind::GStatusFail { .. } | Kind::SuspendStep { .. });
            let by_ver = |object: Option<(Object, u64)>| object.filter(|_| has_ver);
            assert_eq!(
                (unversioned.changes(), unversioned.reads()),
                (by_ver(changes), by_ver(reads)),
                "{kind:?}"
            );
        }
    }
}
