//! Figures that one trace gives, none of which depends on how fast the machine is: how long goroutines are kept waiting, counted in
//! time slices of others, and what it takes to stop one.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use sigurg_traces::{Event, GStatus, Kind, Queue};

/// A suspender signals one target once in so many nanoseconds at most (SG-8).
const SIGNAL_EVERY_NS: u64 = 5_000;

/// The figures of one trace.
#[derive(Clone, Debug, Default)]
pub struct Measures {
    /// Time slices begun so far: on each P, and under -1 on all.
    slices: HashMap<i32, u64, RandomState>,
    /// Where each G struct is queued, a P or -1 for the global queue, and since which slice of those.
    queued: HashMap<u32, (i32, u64), RandomState>,
    /// Goroutines that are not dead, by count; and the most there ever were.
    live: u64,
    /// The most goroutines at a time.
    pub most_live: u64,
    /// The most slices that any P began while a goroutine was in the global queue, and which.
    pub overtaken: Overtaken,
    /// The most slices that a P began while a goroutine was in its queue, and which. What other Ps do meanwhile says nothing: a
    /// slice of theirs may be as short as they like.
    pub overtaken_on_p: Overtaken,
    /// Slices that were inherited.
    pub inherited: u64,
    /// suspendG calls that are open, by their number.
    open: HashMap<u64, Open, RandomState>,
    /// By the M that is in suspendG, the number of its call.
    by_m: HashMap<i32, u64, RandomState>,
    /// Stops: suspendG calls that ended.
    pub stops: u64,
    /// The most turns of a call.
    pub most_turns: u32,
    /// The most signals of a call.
    pub most_signals: u32,
    /// The first call that signalled more often than the rate limit allows.
    pub beyond_rate: Option<BeyondRate>,
}

/// A wait, and where it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overtaken {
    /// Slices that others began meanwhile.
    pub slices: u64,
    /// The goroutine.
    pub g: u64,
    /// The event with which it ended.
    pub seq: u64,
}

/// A call that signalled too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BeyondRate {
    /// Number of the call.
    pub sid: u64,
    /// Signals sent.
    pub signals: u32,
    /// Nanoseconds that it took.
    pub ns: u64,
    /// The event with which it ended.
    pub seq: u64,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    began_ns: u64,
    turns: u32,
    signals: u32,
}

impl Measures {
    /// Counts one event.
    pub fn count(&mut self, event: &Event) {
        match event.kind {
            Kind::GStatus { from, to, .. } => self.status(from, to),
            Kind::Execute { inherit_time: true } => self.inherited += 1,
            Kind::Execute { inherit_time: false } => {
                *self.slices.entry(-1).or_default() += 1;
                if event.p >= 0 {
                    *self.slices.entry(event.p).or_default() += 1;
                }
            }
            Kind::RunqPut { target_p, q, .. } => {
                let at = if matches!(q, Queue::Runnext | Queue::Local) { target_p } else { -1 };
                if let Some(target) = event.target {
                    self.queued.insert(target.gs, (at, self.slices_of(at)));
                }
            }
            Kind::RunqGet { .. } | Kind::RunqKick { .. } | Kind::RunqSteal { .. } => self.leaves_queue(event),
            Kind::SuspendBegin { sid } => {
                self.open.insert(sid, Open { began_ns: event.t_ns, turns: 0, signals: 0 });
                self.by_m.insert(event.m, sid);
            }
            Kind::SuspendStep { sid, iter, .. } => {
                if let Some(open) = self.open.get_mut(&sid) {
                    open.turns = open.turns.max(iter.saturating_add(1));
                }
            }
            Kind::PreemptM { sent: true, .. } => {
                if let Some(open) = self.by_m.get(&event.m).and_then(|sid| self.open.get_mut(sid)) {
                    open.signals += 1;
                }
            }
            Kind::SuspendEnd { sid, .. } => self.ends(event, sid),
            _ => {}
        }
    }

    fn slices_of(&self, p: i32) -> u64 {
        self.slices.get(&p).copied().unwrap_or(0)
    }

    fn leaves_queue(&mut self, event: &Event) {
        let Some(target) = event.target else { return };
        let Some((at, since)) = self.queued.remove(&target.gs) else { return };
        let slices = self.slices_of(at).saturating_sub(since);
        let most = if at < 0 { &mut self.overtaken } else { &mut self.overtaken_on_p };
        if slices > most.slices {
            *most = Overtaken { slices, g: target.g, seq: event.seq };
        }
    }

    fn status(&mut self, from: GStatus, to: GStatus) {
        match (from, to) {
            (GStatus::Dead | GStatus::Idle, to) if to != GStatus::Dead => self.live += 1,
            (_, GStatus::Dead) if from != GStatus::Idle => self.live = self.live.saturating_sub(1),
            _ => {}
        }
        self.most_live = self.most_live.max(self.live);
    }

    fn ends(&mut self, event: &Event, sid: u64) {
        self.by_m.remove(&event.m);
        let Some(Open { began_ns, turns, signals }) = self.open.remove(&sid) else { return };
        self.stops += 1;
        self.most_turns = self.most_turns.max(turns);
        self.most_signals = self.most_signals.max(signals);
        let ns = event.t_ns.saturating_sub(began_ns);
        // The clock of a trace is calibrated, not exact.
        let allowed = 2 + (ns + ns / 10) / SIGNAL_EVERY_NS;
        if u64::from(signals) > allowed && self.beyond_rate.is_none() {
            self.beyond_rate = Some(BeyondRate { sid, signals, ns, seq: event.seq });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sigurg_traces::{PutHow, TakeHow, Target};

    fn at(seq: u64, kind: Kind, gs: Option<u32>) -> Event {
        let mut event = Event::lost(seq);
        event.t_ns = 1_000 * seq;
        event.m = 0;
        event.target = gs.map(|gs| Target { g: gs.into(), gs });
        event.kind = kind;
        event
    }

    #[test]
    fn a_wait_is_counted_in_slices_of_those_who_could_have_ended_it() {
        let mut measures = Measures::default();
        let put = |target_p, q| Kind::RunqPut { target_p, q, how: PutHow::One };
        let get = |target_p, q| Kind::RunqGet { target_p, q, how: TakeHow::Pop };
        measures.count(&at(0, put(-1, Queue::Global), Some(7)));
        measures.count(&at(0, put(1, Queue::Local), Some(8)));
        for seq in 1..=5 {
            let mut event = at(seq, Kind::Execute { inherit_time: seq == 3 }, Some(1));
            event.p = i32::from(seq == 4);
            measures.count(&event);
        }
        measures.count(&at(6, get(-1, Queue::Global), Some(7)));
        measures.count(&at(7, get(1, Queue::Local), Some(8)));
        assert_eq!(measures.overtaken, Overtaken { slices: 4, g: 7, seq: 6 });
        assert_eq!(measures.overtaken_on_p, Overtaken { slices: 1, g: 8, seq: 7 });
        assert_eq!(measures.inherited, 1);
    }

    #[test]
    fn a_call_that_signals_faster_than_the_rate_is_found() {
        let mut measures = Measures::default();
        for (sid, signals) in [(1, 2), (2, 9)] {
            measures.count(&at(0, Kind::SuspendBegin { sid }, Some(3)));
            for seq in 0..signals {
                measures.count(&at(seq, Kind::PreemptM { target_m: 1, sent: true }, None));
            }
            measures.count(&at(10, Kind::SuspendEnd { sid, dead: false, stopped: true }, Some(3)));
        }
        assert_eq!(measures.beyond_rate, Some(BeyondRate { sid: 2, signals: 9, ns: 10_000, seq: 10 }));
        assert_eq!((measures.stops, measures.most_signals), (2, 9));
    }
}
