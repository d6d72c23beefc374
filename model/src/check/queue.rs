//! Custody: every runnable G is in exactly one slot or one hand.
//!
//! 1. A put moves from hand to slot, a get or a steal from slot to hand. Puts are claimed before they take
//!    effect and takes after, so a take always finds its G in the slot.
//! 2. A displaced runnext is in no slot and no hand until its owner kicks it or a thief had been quicker.
//! 3. An M lets go of every hand before it rests ([`Checker::rest`]).

use sigurg_traces::{Event, GStatus, PutHow, Queue, Stack, TakeHow};

use super::Checker;
use super::history::{Record, Taken};
use super::m::NO_M;
use super::violation::{Verdict, bad, broken};
use crate::rules::queue::{Grip, placement, steal_size};
use crate::rules::rule::Rule;

/// Where a G is, as far as run queues go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// On no queue and in no hand.
    Nowhere,
    Hand,
    Runnext,
    Local,
    Global,
    Disabled,
    /// Was in a runnext that has a new G; the kick or the steal that removed it is still to come.
    Displaced,
}

impl Slot {
    const fn of(queue: Queue) -> Self {
        match queue {
            Queue::Runnext => Self::Runnext,
            Queue::Local => Self::Local,
            Queue::Global => Self::Global,
            Queue::Disabled => Self::Disabled,
            Queue::None => Self::Nowhere,
        }
    }
}

impl Checker {
    /// The G became runnable and is in the hand of the M.
    #[inline]
    pub(crate) fn hand_in(&mut self, gs: u32, m: i32, grip: Grip) {
        let g = &mut self.gs[gs as usize];
        g.slot = Slot::Hand;
        g.grip = grip;
        g.at = m;
        // What another M hands over may come before this one is ready for it.
        if grip != Grip::Handed {
            self.m(m).hands += 1;
        }
    }

    /// The hand opens without a put.
    pub(crate) fn let_go(&mut self, gs: u32, m: i32, doing: &str, rule: Rule) -> Verdict {
        let g = &self.gs[gs as usize];
        if g.slot != Slot::Hand || g.at != m && g.at != NO_M {
            return broken(
                rule,
                format!("M{m} {doing}: {}, which is {}", self.g_name(gs), self.place_of(gs)),
                format!("a G in the hand of M{m}"),
            );
        }
        self.open_hand(gs, m);
        Ok(())
    }

    #[inline]
    fn open_hand(&mut self, gs: u32, m: i32) {
        let g = &mut self.gs[gs as usize];
        g.slot = Slot::Nowhere;
        if g.at == m && g.grip != Grip::Handed {
            let m = self.m(m);
            m.hands = m.hands.saturating_sub(1);
        }
    }

    /// The G that yields carries away what its M held for it, in the rare case that it yields in the middle
    /// of injectglist: from then on any M may put it.
    #[cold]
    pub(crate) fn loosen_hands(&mut self, m: i32) {
        for g in &mut self.gs {
            if g.slot == Slot::Hand && g.at == m {
                g.at = NO_M;
            }
        }
        self.m(m).hands = 0;
    }

    pub(crate) fn runq_put(&mut self, e: &Event, gs: u32, p: i32, queue: Queue, how: PutHow) -> Verdict {
        let m = e.m;
        let g = &self.gs[gs as usize];
        let (slot, grip, at) = (g.slot, g.grip, g.at);
        if g.status.base() != GStatus::Runnable {
            return broken(
                Rule::QueueState,
                format!("{} is put on {queue} while it is {}", self.g_name(gs), g.status),
                "only a Grunnable G is put on a queue",
            );
        }
        let held = slot == Slot::Hand && (at == m || at == NO_M);
        let enabled = slot == Slot::Disabled && queue == Queue::Global;
        if !held && !enabled {
            return broken(
                Rule::QueueDup,
                format!("M{m} puts {} on {queue}, but it is {}", self.g_name(gs), self.place_of(gs)),
                format!("a G in the hand of M{m}"),
            );
        }
        if held {
            self.placed_right(e, gs, grip, queue, how)?;
        }
        match queue {
            Queue::Runnext | Queue::Local
                if p < 0 || self.m(m).p != p && !self.comes_to(m, p, queue, grip) =>
            {
                return broken(
                    Rule::QueueOwner,
                    format!("M{m} puts {} on {queue} of P{p}", self.g_name(gs)),
                    format!("its own P{}", self.m(m).p),
                );
            }
            Queue::Global | Queue::Disabled if p != -1 => {
                return bad(format!("queue {queue} belongs to no P, but the event names P{p}"));
            }
            Queue::None => return bad("a G is put on no queue".into()),
            _ => {}
        }
        if held {
            self.open_hand(gs, m);
        }
        let position = match queue {
            Queue::Runnext => {
                let old = core::mem::replace(&mut self.p(p).runnext, gs);
                if old != 0 {
                    self.gs[old as usize].slot = Slot::Displaced;
                    self.m(m).displaced = old;
                }
                0
            }
            Queue::Local => {
                let (ps, slots) = (self.ps.len() as u32, self.ring);
                let ring = &mut self.p(p).ring;
                ring.count += 1;
                if ring.count > slots + slots / 2 * ps {
                    return broken(
                        Rule::QueueOrder,
                        format!("the ring of P{p} holds {} Gs", ring.count),
                        format!("{slots}, and what thieves took and have not said yet"),
                    );
                }
                ring.tail = ring.tail.wrapping_add(1);
                ring.tail.wrapping_sub(1)
            }
            Queue::Disabled => {
                self.m(m).scheduling = false;
                0
            }
            _ => 0,
        };
        let g = &mut self.gs[gs as usize];
        g.slot = Slot::of(queue);
        g.at = p;
        g.position = position;
        g.history.push(Record::put(e.seq, m, p, queue, how));
        Ok(())
    }

    /// An M without a P that finds the global queue filled after all takes its share for an idle P first, and
    /// then that P (findRunnable, 1.22).
    #[cold]
    fn comes_to(&mut self, m: i32, p: i32, queue: Queue, grip: Grip) -> bool {
        let looks = self.m(m).p < 0 && self.m(m).scheduling && grip == Grip::Popped;
        looks && queue == Queue::Local && self.profile.minor >= 22 && self.p(p).is_idle()
    }

    /// INV-52, table 8.3.
    fn placed_right(&mut self, e: &Event, gs: u32, grip: Grip, queue: Queue, how: PutHow) -> Verdict {
        let m = e.m;
        let queues = placement(grip, self.profile);
        let to_stw = self.m(m).yields_to_stw;
        // A queue that was full sends what did not fit to the global queue, in one batch.
        let spills = queue == Queue::Global && self.m(m).spilled > 0;
        let dropped = self.drops_next(grip, queue, spills);
        let right_queue = queues.contains(queue)
            && match (grip, queue) {
                (Grip::Preempted, Queue::Global) => !(to_stw && self.profile.stw_preempted_goes_to_runnext),
                (Grip::Preempted, Queue::Runnext) => self.stw.may_be_stopping() || !self.claims,
                (Grip::ReadyLast | Grip::Goyielded | Grip::Kicked, Queue::Global) => spills,
                (Grip::Stolen, Queue::Global) => e.on == Stack::Gsignal || self.m(m).monitor,
                _ => true,
            }
            || spills && matches!(grip, Grip::Popped | Grip::Stolen)
            || dropped;
        let right_how = match grip {
            Grip::Injected => how == PutHow::Batch,
            Grip::Popped if queue == Queue::Local => {
                how == if self.profile.minor >= 25 { PutHow::Batch } else { PutHow::One }
            }
            Grip::Stolen if queue == Queue::Local => how == PutHow::Steal,
            Grip::Drained => matches!(how, PutHow::Batch | PutHow::Head),
            Grip::Popped if queue == Queue::Global => true,
            Grip::Spilled => how == PutHow::Batch,
            _ => how == if spills { PutHow::Batch } else { PutHow::One } || spills && how == PutHow::One,
        };
        if right_queue && right_how {
            return Ok(());
        }
        let names: Vec<_> = queues.iter().map(Queue::as_str).collect();
        broken(
            Rule::Placement,
            format!("M{m} puts {}, which it holds as {grip:?}, on {queue} ({how})", self.g_name(gs)),
            if names.is_empty() { "it is run at once, not queued".into() } else { names.join(" or ") },
        )
    }

    /// With the race detector runqput drops `next` half of the time, and batches are shuffled. That shows among the
    /// first few puts, or never.
    fn drops_next(&mut self, grip: Grip, queue: Queue, spills: bool) -> bool {
        const FIRST: u8 = 16;
        let dropped = queue == Queue::Local || spills;
        match grip {
            Grip::Born | Grip::ReadyNext => {
                self.shuffles |= dropped && self.nexts < FIRST;
                self.nexts = self.nexts.saturating_add(1);
                dropped && self.shuffles
            }
            Grip::Preempted => dropped && self.shuffles && self.stw.may_be_stopping(),
            _ => false,
        }
    }

    pub(crate) fn runq_get(&mut self, e: &Event, gs: u32, p: i32, queue: Queue, how: TakeHow) -> Verdict {
        let m = e.m;
        if how == TakeHow::Pop && queue != Queue::Disabled {
            self.may_dispatch(e, gs)?;
            self.must_schedule(e, gs)?;
        }
        let own = self.m(m).p;
        match (how, queue) {
            (TakeHow::Destroy, Queue::None) => {
                let g = &self.gs[gs as usize];
                let there = matches!(g.slot, Slot::Runnext | Slot::Local) && g.at == p;
                if !there {
                    return self.not_there(e, gs, p, queue);
                }
            }
            // Where the ends of a ring are versions they never go back: the queue is named, and emptied from its head.
            (TakeHow::Destroy, Queue::Runnext | Queue::Local) if e.over != 0 => {}
            (TakeHow::Destroy, _) | (_, Queue::None) => {
                return bad(format!("a G is taken from {queue} by {how}"));
            }
            (_, Queue::Runnext | Queue::Local) if own != p => {
                if self.gs[gs as usize].at != p {
                    return self.not_there(e, gs, p, queue);
                }
                return broken(
                    Rule::QueueOwner,
                    format!("M{m} takes {} from {queue} of P{p}", self.g_name(gs)),
                    format!("its own P{own}; from others it steals"),
                );
            }
            (TakeHow::Spill, Queue::Runnext | Queue::Global | Queue::Disabled) => {
                return broken(
                    Rule::QueueOrder,
                    format!("{queue} spills {}", self.g_name(gs)),
                    "only rings spill",
                );
            }
            _ => {}
        }
        self.take(e, gs, p, queue, Taken::Get(how))?;
        let grip = match (how, queue) {
            (TakeHow::Pop, Queue::Runnext) => Grip::PoppedNext,
            (TakeHow::Pop, _) => Grip::Popped,
            (TakeHow::Spill, _) => Grip::Spilled,
            (TakeHow::Drain | TakeHow::Destroy, _) => Grip::Drained,
        };
        self.hand_in(gs, m, grip);
        if how == TakeHow::Spill {
            self.m(m).spilled += 1;
        }
        Ok(())
    }

    pub(crate) fn runq_kick(&mut self, e: &Event, gs: u32, p: i32, queue: Queue) -> Verdict {
        let m = e.m;
        let g = &self.gs[gs as usize];
        if queue != Queue::Runnext {
            return bad(format!("a G is kicked out of {queue}"));
        }
        if g.slot != Slot::Displaced || g.at != p || self.m(m).displaced != gs {
            return self.not_there(e, gs, p, queue);
        }
        if self.m(m).p != p {
            return broken(
                Rule::QueueOwner,
                format!("M{m} kicks {} out of runnext of P{p}", self.g_name(gs)),
                "the owner of the P",
            );
        }
        self.m(m).displaced = 0;
        self.gs[gs as usize].history.push(Record::take(e.seq, m, p, queue, Taken::Kick));
        self.hand_in(gs, m, Grip::Kicked);
        Ok(())
    }

    pub(crate) fn runq_steal(&mut self, e: &Event, gs: u32, p: i32, queue: Queue) -> Verdict {
        let m = e.m;
        self.may_dispatch(e, gs)?;
        self.must_schedule(e, gs)?;
        let own = self.m(m).p;
        if own < 0 || own == p {
            return broken(
                Rule::QueueOwner,
                format!("M{m} with P{own} steals {} from P{p}", self.g_name(gs)),
                "an M with a P steals from another P",
            );
        }
        if !matches!(queue, Queue::Runnext | Queue::Local) {
            return bad(format!("a G is stolen from {queue}"));
        }
        let position = self.gs[gs as usize].position;
        let tail = self.p(p).ring.tail;
        self.take(e, gs, p, queue, Taken::Steal)?;
        let batch = &mut self.m(m).steal;
        let n = batch.extend(p, queue, position);
        // Without claims the last puts that the thief saw may still come: then it is half of a full ring at most.
        let full = !self.claims;
        let too_many = n.is_none_or(|(first, n)| {
            queue == Queue::Local && n > steal_size(if full { self.ring } else { tail.wrapping_sub(first) })
        });
        if too_many && !self.shuffles {
            return broken(
                Rule::QueueOrder,
                format!("M{m} steals {} from {queue} of P{p} in one batch with others", self.g_name(gs)),
                "the oldest half of a ring, rounded up, or a runnext alone",
            );
        }
        self.hand_in(gs, m, Grip::Stolen);
        Ok(())
    }

    /// Takes a G out of the slot it is in.
    fn take(&mut self, e: &Event, gs: u32, p: i32, queue: Queue, how: Taken) -> Verdict {
        let g = &self.gs[gs as usize];
        let slot = Slot::of(queue);
        // Whoever was quicker than the kick took what was displaced.
        let displaced = g.slot == Slot::Displaced && queue == Queue::Runnext && how == Taken::Steal;
        if queue != Queue::None && (g.slot != slot && !displaced || g.at != p) {
            return self.not_there(e, gs, p, queue);
        }
        let (position, shuffles) = (g.position, self.shuffles);
        match g.slot {
            Slot::Runnext => self.p(p).runnext = 0,
            Slot::Local => {
                let ring = &mut self.p(p).ring;
                ring.count -= 1;
                if queue == Queue::None {
                    // The world is stopped; the ring is emptied from its tail (PS17).
                    ring.tail = ring.tail.wrapping_sub(1);
                    if position != ring.tail && !shuffles {
                        return broken(
                            Rule::QueueOrder,
                            format!(
                                "{} leaves the ring of P{p} before one that was put later",
                                self.g_name(gs)
                            ),
                            "a P that goes away empties its ring from the tail",
                        );
                    }
                } else if how != Taken::Steal {
                    if (position.wrapping_sub(ring.head) as i32) < 0 && !shuffles {
                        return broken(
                            Rule::QueueOrder,
                            format!(
                                "{} leaves the ring of P{p} after one that was put later",
                                self.g_name(gs)
                            ),
                            "first in, first out",
                        );
                    }
                    ring.head = position.wrapping_add(1);
                }
            }
            _ => {}
        }
        let g = &mut self.gs[gs as usize];
        g.slot = Slot::Nowhere;
        g.history.push(Record::take(e.seq, e.m, p, queue, how));
        Ok(())
    }

    #[cold]
    fn not_there<T>(&self, e: &Event, gs: u32, p: i32, queue: Queue) -> Verdict<T> {
        let of = if p < 0 { String::new() } else { format!(" of P{p}") };
        broken(
            Rule::QueueTake,
            format!("M{} takes {} from {queue}{of}", e.m, self.g_name(gs)),
            format!("it is {}", self.place_of(gs)),
        )
    }

    #[cold]
    pub(crate) fn still_holds(&self, m: i32, doing: &str) -> Verdict {
        let held: Vec<_> = (1..self.gs.len() as u32)
            .filter(|gs| self.gs[*gs as usize].slot == Slot::Hand && self.gs[*gs as usize].at == m)
            .take(4)
            .map(|gs| format!("{} ({:?})", self.g_name(gs), self.gs[gs as usize].grip))
            .collect();
        broken(
            Rule::QueueTake,
            format!("M{m} {doing} and still holds {}", held.join(", ")),
            "every runnable G in its hand is queued, run or handed on before",
        )
    }

    /// Where the G is, in words.
    pub(crate) fn place_of(&self, gs: u32) -> String {
        let g = &self.gs[gs as usize];
        match g.slot {
            Slot::Nowhere => format!("on no queue ({})", g.status),
            Slot::Hand if g.at == NO_M => "in the hand of a goroutine".into(),
            Slot::Hand => format!("in the hand of M{} ({:?})", g.at, g.grip),
            Slot::Runnext => format!("in runnext of P{}", g.at),
            Slot::Local => format!("in the ring of P{}", g.at),
            Slot::Global => "on the global queue".into(),
            Slot::Disabled => "set aside".into(),
            Slot::Displaced => format!("displaced from runnext of P{}", g.at),
        }
    }
}
