//! What happened to an object lately, for people: a small ring of 16-byte records.
//!
//! Invariant: memory per object is constant; the newest [`LENGTH`] records are kept.

use sigurg_traces::symbols::Symbols;
use sigurg_traces::{GStatus, PutHow, Queue, Sym, TakeHow, Via};

/// Records kept per object.
pub(crate) const LENGTH: usize = 8;

/// One thing that happened to a G.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Record {
    seq: u64,
    site: Sym,
    m: i16,
    what: u16,
}

const PUT: u16 = 1 << 14;
const TAKE: u16 = 2 << 14;
const EXECUTE: u16 = 3 << 14;

impl Record {
    #[inline]
    pub(crate) fn change(seq: u64, m: i32, site: Sym, from: GStatus, to: GStatus, via: Via) -> Self {
        let what = from as u16 | (to as u16) << 5 | (via as u16) << 10;
        Self { seq, site, m: m as i16, what }
    }

    /// `p` is the P of the queue, or -1.
    #[inline]
    pub(crate) fn put(seq: u64, m: i32, p: i32, queue: Queue, how: PutHow) -> Self {
        Self { seq, site: Sym(p as u32), m: m as i16, what: PUT | queue as u16 | (how as u16) << 4 }
    }

    #[inline]
    pub(crate) fn take(seq: u64, m: i32, p: i32, queue: Queue, how: Taken) -> Self {
        Self { seq, site: Sym(p as u32), m: m as i16, what: TAKE | queue as u16 | (how.code()) << 4 }
    }

    #[inline]
    pub(crate) fn execute(seq: u64, m: i32) -> Self {
        Self { seq, site: Sym::NONE, m: m as i16, what: EXECUTE }
    }

    /// The status change it tells of: from, to.
    fn as_change(self) -> Option<(GStatus, GStatus)> {
        if self.seq == u64::MAX || self.what >> 14 != 0 {
            return None;
        }
        Some((GStatus::from_index(self.what as u8 & 31)?, GStatus::from_index((self.what >> 5) as u8 & 31)?))
    }

    fn show(self, symbols: &Symbols) -> String {
        let Self { seq, m, what, site } = self;
        let queue = |what: u16| Queue::from_index(what as u8 & 15).map_or("?", Queue::as_str);
        let at = || if site.0 as i32 >= 0 { format!(" of P{}", site.0 as i32) } else { String::new() };
        match what & (3 << 14) {
            PUT => {
                let how = PutHow::from_index((what >> 4) as u8 & 15).map_or("?", PutHow::as_str);
                format!("{seq}: M{m} puts it on {}{} ({how})", queue(what), at())
            }
            TAKE => {
                format!("{seq}: M{m} takes it from {}{} ({})", queue(what), at(), Taken::name(what >> 4 & 15))
            }
            EXECUTE => format!("{seq}: M{m} executes it"),
            _ => {
                let (from, to) = self.as_change().unwrap_or((GStatus::Idle, GStatus::Idle));
                let via = Via::from_index((what >> 10) as u8 & 15).map_or("?", Via::as_str);
                let site = symbols.resolve(site);
                let by = if site.is_empty() { String::new() } else { format!(" in {site}") };
                format!("{seq}: M{m} {from} -> {to} by {via}{by}")
            }
        }
    }
}

/// How a G left a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    Get(TakeHow),
    Kick,
    Steal,
}

impl Taken {
    const fn code(self) -> u16 {
        match self {
            Self::Get(how) => how as u16,
            Self::Kick => 8,
            Self::Steal => 9,
        }
    }

    fn name(code: u16) -> &'static str {
        match code {
            8 => "kick",
            9 => "steal",
            _ => TakeHow::from_index(code as u8).map_or("?", TakeHow::as_str),
        }
    }
}

/// The newest records of one object.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    records: [Record; LENGTH],
    count: u32,
}

impl History {
    #[inline]
    pub(crate) fn push(&mut self, record: Record) {
        self.records[self.count as usize % LENGTH] = record;
        self.count = self.count.wrapping_add(1);
    }

    fn newest_first(&self) -> impl Iterator<Item = Record> + '_ {
        let kept = (self.count as usize).min(LENGTH);
        (1..=kept).map(move |back| self.records[(self.count as usize).wrapping_sub(back) % LENGTH])
    }

    /// Oldest first, one line each.
    pub(crate) fn show(&self, symbols: &Symbols) -> Vec<String> {
        let mut lines: Vec<_> = self.newest_first().map(|record| record.show(symbols)).collect();
        lines.reverse();
        lines
    }

    /// The status that version `ver` left, and the number of the event that ended it, where both are still
    /// known; `newest` is the version of the newest change.
    pub(crate) fn status_at(&self, ver: u64, newest: u64) -> Option<(GStatus, u64)> {
        let mut at = newest;
        let mut ended = None;
        for record in self.newest_first() {
            let Some((from, to)) = record.as_change() else { continue };
            if at == ver {
                return Some((to, ended?));
            }
            if at == ver + 1 {
                return Some((from, record.seq));
            }
            ended = Some(record.seq);
            at = at.checked_sub(1)?;
        }
        None
    }
}
