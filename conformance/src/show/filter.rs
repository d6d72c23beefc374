//! Which events of a trace are wanted.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use sigurg_traces::{Event, Kind};

/// What is wanted; everything that is given must fit.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Events about or on behalf of this goroutine.
    pub g: Option<u64>,
    /// Events about this G struct.
    pub gs: Option<u32>,
    /// Events of or about this thread.
    pub m: Option<i32>,
    /// Events of these numbers.
    pub events: Option<RangeInclusive<u64>>,
    /// Only the neighbourhood of this event, which is shown whatever else is wanted.
    pub around: Option<u64>,
    /// How many wanted events before and after it.
    pub context: usize,
}

/// Goes through a trace event by event, and gives out the wanted ones.
#[derive(Debug)]
pub struct Sieve {
    filter: Filter,
    /// The latest wanted events before [`Filter::around`].
    before: VecDeque<Event>,
    /// Wanted events that may still be given out after it; `None` before it came.
    after: Option<usize>,
    seen_g: bool,
    seen_gs: bool,
    seen_m: bool,
}

impl Sieve {
    /// A sieve for one trace.
    #[must_use]
    pub fn new(filter: Filter) -> Self {
        Self { filter, before: VecDeque::new(), after: None, seen_g: false, seen_gs: false, seen_m: false }
    }

    /// Gives `give` what is wanted now that `event` came; the flag marks [`Filter::around`].
    ///
    /// # Errors
    /// Those of `give`.
    pub fn take<E>(
        &mut self,
        event: Event,
        mut give: impl FnMut(Event, bool) -> Result<(), E>,
    ) -> Result<(), E> {
        let wanted = self.fits(&event);
        let Some(around) = self.filter.around else {
            return if wanted { give(event, false) } else { Ok(()) };
        };
        if event.seq == around {
            for event in self.before.drain(..) {
                give(event, false)?;
            }
            self.after = Some(self.filter.context);
            return give(event, true);
        }
        match &mut self.after {
            _ if !wanted => Ok(()),
            None => {
                self.before.push_back(event);
                if self.before.len() > self.filter.context {
                    self.before.pop_front();
                }
                Ok(())
            }
            Some(0) => Ok(()),
            Some(left) => {
                *left -= 1;
                give(event, false)
            }
        }
    }

    fn fits(&mut self, event: &Event) -> bool {
        let filter = &self.filter;
        let g = filter.g.is_none_or(|g| event.by == g || event.target.is_some_and(|target| target.g == g));
        let gs = filter.gs.is_none_or(|gs| event.target.is_some_and(|target| target.gs == gs));
        let m = filter.m.is_none_or(|m| event.m == m || target_m(&event.kind) == Some(m));
        self.seen_g |= g;
        self.seen_gs |= gs;
        self.seen_m |= m;
        g && gs && m && filter.events.as_ref().is_none_or(|events| events.contains(&event.seq))
    }

    /// Whether nothing more can be wanted, and everything that was asked for is known to exist.
    #[must_use]
    pub fn is_done(&self, seq: u64) -> bool {
        let past = self.filter.events.as_ref().is_some_and(|events| seq >= *events.end());
        let over = match self.filter.around {
            Some(_) => self.after == Some(0) || (past && self.after.is_some()),
            None => past,
        };
        over && self.absent().is_none()
    }

    /// What was asked for and did not occur, in words.
    #[must_use]
    pub fn absent(&self) -> Option<String> {
        let filter = &self.filter;
        if let (Some(seq), None) = (filter.around, self.after) {
            return Some(format!("event {seq}"));
        }
        if let (Some(g), false) = (filter.g, self.seen_g) {
            return Some(format!("goroutine {g}"));
        }
        if let (Some(gs), false) = (filter.gs, self.seen_gs) {
            return Some(format!("G struct {gs}"));
        }
        if let (Some(m), false) = (filter.m, self.seen_m) {
            return Some(format!("M{m}"));
        }
        None
    }
}

/// The thread that an event is about, if it names one.
fn target_m(kind: &Kind) -> Option<i32> {
    match *kind {
        Kind::PreemptOne { target_m, .. }
        | Kind::PreemptM { target_m, .. }
        | Kind::Startlockedm { target_m }
        | Kind::SyscallBlock { target_m, .. } => Some(target_m),
        _ => None,
    }
}
