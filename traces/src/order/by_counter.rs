//! The order of a trace whose events were numbered by one counter (`ordering: "ver"`).
//!
//! `seq` is the order, with one exception: the event of a status change may be claimed after the event of a *later*
//! change of the same G, by another M. Then the later one is held, with everything behind it, until the earlier
//! one arrives, which is put in front of it. That is legal exactly if the earlier one's `lo` is not above
//! the `seq` of the held one, because then its action may well have come first.
//!
//! Invariants:
//! 1. Every event comes out once; the changes of each G come out with `ver` 1, 2, 3, ….
//! 2. An event passes others only to fill a hole, and never one that its interval does not reach.
//! 3. At most [`WINDOW`] events are held.

use std::collections::{HashMap, VecDeque};

use foldhash::fast::RandomState;

use super::inconsistent::{Inconsistent, OrderRule};
use crate::event::{Event, Kind};
use crate::object::Object;
use crate::vocab::{GStatus, Stack};

/// How many events are held while a hole is open. A thread would have to be stopped between its change and its
/// claim while the others make this many: a tenth of a second and more. The recordings of Go never need more
/// than two.
pub const WINDOW: usize = 1 << 19;

/// Struct numbers below this have their place in a table; they are given out from 1.
const DENSE: usize = 1 << 16;

/// Puts events into a legal order.
#[derive(Debug, Default)]
pub struct ByCounter {
    dense: Vec<Word>,
    sparse: HashMap<u32, Word, RandomState>,
    /// Events from the first hole on, in order of `seq`; `None` where one has already come out.
    held: VecDeque<Option<Event>>,
    /// How many entries have left `held` at its front.
    gone: u64,
    /// The status changes in `held`, by G and version: how many entries were ever held before them.
    late: HashMap<(u32, u64), u64, RandomState>,
    /// Whether the front of `held` has to wait for more events.
    hole: bool,
    /// By M: whether it is awake, and so may have changed a status word without having claimed it yet.
    awake: Vec<bool>,
    holds: u64,
}

/// What is known of one G struct.
#[derive(Clone, Copy, Debug)]
struct Word {
    ver: u64,
    status: GStatus,
}

impl Word {
    const NEW: Self = Self { ver: 0, status: GStatus::Idle };
}

impl ByCounter {
    /// An order with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next event of the file: true if it comes out at once, false if it is held. Call
    /// [`ByCounter::pop`] until it is empty before the next one.
    ///
    /// # Errors
    ///
    /// If the event's interval is reversed, its version was there before, or too many events are held.
    #[inline]
    pub fn admit(&mut self, event: &Event) -> Result<bool, Box<Inconsistent>> {
        if event.lo > event.seq {
            return Err(reversed(event));
        }
        self.note(event);
        if self.held.is_empty() {
            if self.fits(event)? {
                return Ok(true);
            }
            self.holds += 1;
        }
        self.hold(*event)?;
        Ok(false)
    }

    /// The next event that was held and can come out.
    ///
    /// # Errors
    ///
    /// If the events held contradict each other.
    #[inline]
    pub fn pop(&mut self) -> Result<Option<Event>, Box<Inconsistent>> {
        if self.held.is_empty() || self.hole { Ok(None) } else { self.release() }
    }

    /// How often an event had to be held.
    pub fn holds(&self) -> u64 {
        self.holds
    }

    /// Ends the input and says how many events never came out: none, unless `prefix` and the trace was cut within
    /// a hole.
    ///
    /// # Errors
    ///
    /// If a hole stayed open that no cut explains: the trace is no prefix, or every M that was awake has claimed
    /// another event since, so that none is left whose claim could have been cut off.
    pub fn finish(&self, prefix: bool) -> Result<u64, Box<Inconsistent>> {
        match self.held.front() {
            Some(Some(front)) if !(prefix && self.somebody_is_silent()) => {
                Err(self.never(front, "the end of the trace"))
            }
            _ => Ok(self.held.iter().flatten().count() as u64),
        }
    }

    /// Whether an M that was awake when the hole opened has claimed nothing since. A signal handler claims in
    /// between, so it does not count.
    fn somebody_is_silent(&self) -> bool {
        let mut silent = self.awake.clone();
        for event in self.held.iter().flatten().filter(|event| event.on != Stack::Gsignal) {
            if let Some(awake) = usize::try_from(event.m).ok().and_then(|m| silent.get_mut(m)) {
                *awake = false;
            }
        }
        silent.contains(&true)
    }

    #[inline]
    fn note(&mut self, event: &Event) {
        let Ok(m) = usize::try_from(event.m) else { return };
        if m >= self.awake.len() {
            if m >= DENSE {
                return;
            }
            self.awake.resize(m + 1, false);
        }
        self.awake[m] = !matches!(event.kind, Kind::Stopm | Kind::MExit);
    }

    /// Whether `event` may come out next; if so, it is counted as having done so.
    #[inline]
    fn fits(&mut self, event: &Event) -> Result<bool, Box<Inconsistent>> {
        let (Kind::GStatus { to, ver, .. }, Some(target)) = (event.kind, event.target) else {
            return Ok(true);
        };
        let word = self.word(target.gs);
        if ver == word.ver.wrapping_add(1) {
            *word = Word { ver, status: to };
            return Ok(true);
        }
        if ver > word.ver { Ok(false) } else { Err(again(event, target.gs, ver, word.ver)) }
    }

    #[inline]
    fn word(&mut self, gs: u32) -> &mut Word {
        let at = gs as usize;
        if at < DENSE {
            if at >= self.dense.len() {
                self.dense.resize((at + 1).next_power_of_two(), Word::NEW);
            }
            &mut self.dense[at]
        } else {
            self.sparse.entry(gs).or_insert(Word::NEW)
        }
    }

    #[cold]
    fn hold(&mut self, event: Event) -> Result<(), Box<Inconsistent>> {
        let front = self.held.front().copied().flatten().unwrap_or(event);
        if self.held.len() >= WINDOW {
            return Err(self.never(&front, &format!("{WINDOW} events later")));
        }
        if let (Kind::GStatus { ver, .. }, Some(target)) = (event.kind, event.target) {
            let place = self.gone + self.held.len() as u64;
            if self.late.insert((target.gs, ver), place).is_some() {
                return Err(again(&event, target.gs, ver, ver));
            }
            // Only the version that the front waits for can end the wait.
            self.hole &= Some((target.gs, ver)) != self.awaited(&front);
        }
        self.hole |= self.held.is_empty();
        self.held.push_back(Some(event));
        Ok(())
    }

    /// G and version that `front` waits for.
    fn awaited(&mut self, front: &Event) -> Option<(u32, u64)> {
        let gs = front.target?.gs;
        Some((gs, self.word(gs).ver + 1))
    }

    #[cold]
    fn release(&mut self) -> Result<Option<Event>, Box<Inconsistent>> {
        let Some(front) = self.held.front().copied().flatten() else {
            return Ok(None);
        };
        if self.fits(&front)? {
            self.forget(0, &front);
            return Ok(Some(front));
        }
        let Some(at) = self.awaited(&front).and_then(|awaited| self.late.get(&awaited)).copied() else {
            self.hole = true;
            self.holds += 1;
            return Ok(None);
        };
        let at = (at - self.gone) as usize;
        let earlier = self.held[at].expect("a change that came out is no longer late");
        if earlier.lo > front.seq {
            return Err(self.too_late(&earlier, &front));
        }
        let fits = self.fits(&earlier)?;
        assert!(fits, "the awaited version fits");
        self.forget(at, &earlier);
        Ok(Some(earlier))
    }

    /// Takes `event`, which is at `at`, out of what is held.
    fn forget(&mut self, at: usize, event: &Event) {
        self.held[at] = None;
        if let (Kind::GStatus { ver, .. }, Some(target)) = (event.kind, event.target) {
            self.late.remove(&(target.gs, ver));
        }
        while let Some(None) = self.held.front() {
            self.held.pop_front();
            self.gone += 1;
        }
    }

    /// The error for a hole in front of `front` that nothing filled until `when`.
    #[cold]
    fn never(&self, front: &Event, when: &str) -> Box<Inconsistent> {
        let gs = front.target.map_or(0, |target| target.gs);
        let known = self.dense.get(gs as usize).or_else(|| self.sparse.get(&gs)).map_or(0, |word| word.ver);
        let found = front.changes().map_or(0, |(_, ver)| ver);
        Box::new(Inconsistent {
            rule: OrderRule::VerChain,
            object: Object::G(gs),
            expected: known + 1,
            found,
            seq: front.seq,
            others: Vec::new(),
            reason: format!("ver {found} follows ver {known}; ver {} has not come by {when}", known + 1),
        })
    }

    /// The error for a change that has to come before `front` and began after it.
    #[cold]
    fn too_late(&mut self, earlier: &Event, front: &Event) -> Box<Inconsistent> {
        let gs = front.target.map_or(0, |target| target.gs);
        let word = *self.word(gs);
        let (_, found) = front.changes().unwrap_or((Object::G(gs), 0));
        let (rule, reason) = match earlier.kind {
            // If the versions were exchanged, the statuses do not fit either, and that says more.
            Kind::GStatus { from, ver, .. } if from != word.status => (
                OrderRule::StatusChain,
                format!(
                    "ver {ver} (seq {}) begins in {from}, but ver {} ended in {}",
                    earlier.seq, word.ver, word.status
                ),
            ),
            _ => (
                OrderRule::Interval,
                format!(
                    "its ver {found} was claimed before its ver {} began (lo {}, seq {})",
                    word.ver + 1,
                    earlier.lo,
                    earlier.seq
                ),
            ),
        };
        Box::new(Inconsistent {
            rule,
            object: Object::G(gs),
            expected: word.ver + 1,
            found,
            seq: front.seq,
            others: vec![earlier.seq],
            reason,
        })
    }
}

#[cold]
fn reversed(event: &Event) -> Box<Inconsistent> {
    let (object, ver) = event.changes().unwrap_or((Object::G(event.target.map_or(0, |target| target.gs)), 0));
    Box::new(Inconsistent {
        rule: OrderRule::Interval,
        object,
        expected: ver,
        found: ver,
        seq: event.seq,
        others: Vec::new(),
        reason: format!("the interval is reversed: lo {} is above seq {}", event.lo, event.seq),
    })
}

#[cold]
fn again(event: &Event, gs: u32, found: u64, known: u64) -> Box<Inconsistent> {
    Box::new(Inconsistent {
        rule: OrderRule::VerChain,
        object: Object::G(gs),
        expected: known.saturating_add(1),
        found,
        seq: event.seq,
        others: Vec::new(),
        reason: format!("ver {found} comes when ver {known} has been there; each ver comes once"),
    })
}
