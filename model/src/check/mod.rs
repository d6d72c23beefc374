//! The checker: is this trace legal?
//!
//! It takes one event at a time, in an order in which the versions of every status word and the program of
//! every M are in sequence, and answers at the first event that breaks a rule.
//!
//! 1. Memory is constant per live object: nothing grows with the length of the trace.
//! 2. "Not yet" is not "wrong". Where the order of two events is not known, the checker waits for what must
//!    follow on the same M, and refuses only what no order of them would allow.
//! 3. One rule is named for one fault: what the object says first, then the program of the M, then what the
//!    event claims of its actor (file `naming.rs`).
//!
//! A prefix ends anywhere, and a whole trace ends while threads run: nothing is owed at the end.

mod actor;
mod beside;
mod coro;
mod effect;
mod execute;
mod flag;
mod foreachp;
mod g;
mod handler;
mod history;
mod lifecycle;
mod m;
mod naming;
mod object;
mod p;
mod preempt;
mod queue;
mod request;
mod signal;
mod stw;
mod suspend;
mod syscall;
mod violation;
mod word;

use sigurg_traces::header::{Header, Ordering};
use sigurg_traces::symbols::Symbols;
use sigurg_traces::{Event, Kind, Sym};

pub use self::beside::Known;
use self::foreachp::ForEachP;
use self::g::G;
use self::m::M;
use self::naming::Suspect;
use self::p::P;
use self::stw::Stw;
use self::suspend::Suspension;
pub use self::violation::{Failure, Malformed, Violation};
use self::violation::{Verdict, bad};
use crate::profile::Profile;
use crate::rules::p_status;
use crate::rules::queue::RING;
use crate::rules::rule::Rule;
use crate::rules::sequence::{self, Place, Sequences, Word};
use crate::rules::transition::{ROWS, SUSPENDABLE_REASONS, Site, Table, site_name};

/// Ids of Ms and Ps from here on are refused, so that no event makes a table of its own size.
const MAX_ID: i32 = 1 << 16;
/// More Ps than any release can have.
const MAX_PS: i32 = 1 << 16;

/// What the header of a trace says that matters to its rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckOptions {
    /// Events are numbered by one counter as they were claimed (`ordering: "ver"`). Without that the rules
    /// that compare claims of different Ms are silent.
    pub claims: bool,
    /// Whether the trace is no prefix.
    pub complete: bool,
    /// Somebody else sends the preemption signal, too: an acknowledgement need not have a sender.
    pub foreign_signals: bool,
    /// Slots of a P's ring: Go's number but for builds that are made small to be searched.
    pub ring: u32,
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self { claims: true, complete: true, ring: RING, foreign_signals: false }
    }
}

impl From<&Header> for CheckOptions {
    fn from(header: &Header) -> Self {
        Self { claims: header.ordering == Ordering::Ver, complete: !header.is_cut(), ..Self::default() }
    }
}

/// What was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Events judged.
    pub events: u64,
    /// Events after a lost one, which are read but not judged: what they rest on may be missing.
    pub unjudged: u64,
    /// How often each row of the transition table was taken, by its index in [`ROWS`].
    pub rows: Vec<u64>,
    /// How often each row of the P table was taken, by its index in [`p_status::ROWS`].
    pub p_rows: Vec<u64>,
    /// How often each step was taken, by [`Word::index`](crate::rules::sequence::Word::index).
    pub steps: Vec<u64>,
    /// Parks whose wait reason a suspender that lost T18 had written over.
    pub foreign_reasons: u64,
}

/// An incremental judge of one trace.
#[derive(Clone, Debug)]
pub struct Checker {
    profile: &'static Profile,
    claims: bool,
    foreign_signals: bool,
    ring: u32,
    table: Table,
    sequences: Sequences,
    gs: Vec<G>,
    /// The highest goid that a creation has told.
    newest_goid: u64,
    /// By id plus one; the first is for events without an M.
    ms: Vec<M>,
    ps: Vec<P>,
    suspensions: Vec<Suspension>,
    /// A build with the race detector, which queues at random; and how many puts in runnext were seen.
    shuffles: bool,
    nexts: u8,
    stw: Stw,
    for_each_p: Option<ForEachP>,
    sites: Vec<Site>,
    p_site_names: Vec<(String, u32)>,
    p_sites: Vec<u32>,
    /// Whether a name is one of the reasons that make a G suspendable.
    suspendable: Vec<bool>,
    lossy: bool,
    /// How many G structs the order may show early.
    slack: u64,
    /// The wait reason of a G in Gpreempted.
    preempted_reason: Sym,
    /// The G of a fault that waits for its name.
    suspected: Option<u32>,
    suspect: Option<Box<Suspect>>,
    /// What the event that is judged says of its object was accepted; and the G that its M ran before.
    applied: Option<u32>,
    summary: Summary,
}

impl Checker {
    /// A checker for one trace under a profile.
    pub fn new(profile: &'static Profile, options: &CheckOptions) -> Self {
        Self {
            profile,
            claims: options.claims,
            foreign_signals: options.foreign_signals,
            ring: options.ring,
            table: Table::new(profile),
            sequences: Sequences::new(profile),
            gs: vec![G::new()],
            newest_goid: 0,
            ms: vec![M::new()],
            ps: Vec::new(),
            suspensions: Vec::new(),
            shuffles: false,
            nexts: 0,
            stw: Stw::NEW,
            for_each_p: None,
            sites: Vec::new(),
            p_site_names: p_status::sites(),
            p_sites: Vec::new(),
            suspendable: Vec::new(),
            lossy: false,
            // Streams show what one M did for some time before what another did meanwhile.
            slack: match options {
                CheckOptions { claims: false, .. } => 1 << 20,
                CheckOptions { complete: true, .. } => 64,
                CheckOptions { complete: false, .. } => 1 << 12,
            },
            preempted_reason: Sym::NONE,
            suspected: None,
            suspect: None,
            applied: None,
            summary: Summary {
                events: 0,
                unjudged: 0,
                rows: vec![0; ROWS.len()],
                p_rows: vec![0; p_status::ROWS.len()],
                steps: vec![0; Word::COUNT],
                foreign_reasons: 0,
            },
        }
    }

    /// Judges one event.
    ///
    /// # Errors
    ///
    /// The rule that it breaks, or why it cannot be. The checker is of no more use then.
    #[inline]
    pub fn event(&mut self, e: &Event, symbols: &Symbols) -> Result<(), Failure> {
        if self.suspect.is_some() {
            return self.settle(e);
        }
        match self.judge(e, symbols) {
            Ok(()) => Ok(()),
            Err(fault) => self.refuse(e, *fault, symbols),
        }
    }

    /// The end of the trace.
    ///
    /// # Errors
    ///
    /// A fault that waited for its name.
    pub fn finish(self) -> Result<Summary, Failure> {
        match self.suspect {
            Some(suspect) => Err(suspect.missing),
            None => Ok(self.summary),
        }
    }

    /// Whether a fault was found that waits for its name, so that [`Checker::finish`] fails.
    pub fn is_in_doubt(&self) -> bool {
        self.suspect.is_some()
    }

    /// As new, for another trace with the same options and names: those learned before are still known. For who judges many
    /// short traces, for which making the tables anew would be most of the work.
    pub fn begin_again(&mut self) {
        let Self {
            gs,
            newest_goid,
            ms,
            ps,
            suspensions,
            shuffles,
            nexts,
            stw,
            for_each_p,
            lossy,
            suspected,
            suspect,
            applied: _,
            summary,
            profile: _,
            claims: _,
            foreign_signals: _,
            ring: _,
            table: _,
            sequences: _,
            sites: _,
            p_site_names: _,
            p_sites: _,
            suspendable: _,
            slack: _,
            preempted_reason: _,
        } = self;
        gs.clear();
        gs.push(G::new());
        ms.clear();
        ms.push(M::new());
        ps.clear();
        suspensions.clear();
        (*newest_goid, *shuffles, *nexts, *lossy) = (0, false, 0, false);
        (*stw, *for_each_p, *suspected, *suspect) = (Stw::NEW, None, None, None);
        let Summary { events, unjudged, rows, p_rows, steps, foreign_reasons } = summary;
        (*events, *unjudged, *foreign_reasons) = (0, 0, 0);
        rows.fill(0);
        p_rows.fill(0);
        steps.fill(0);
    }

    /// What was judged so far.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    #[inline]
    fn judge(&mut self, e: &Event, symbols: &Symbols) -> Verdict {
        self.summary.events += 1;
        self.applied = None;
        if self.lossy || e.kind == Kind::Lost {
            self.lossy = true;
            self.summary.unjudged += 1;
            return Ok(());
        }
        if e.seq < e.lo {
            return violation::broken(
                Rule::Interval,
                format!("event {} says that it began after event {}", e.seq, e.lo),
                "lo is not larger than seq",
            );
        }
        self.known_actor(e)?;
        if self.sites.len() <= symbols.len() {
            self.learn_sites(symbols);
        }
        if self.is_aside(e) {
            self.interrupted(e)?;
            return self.object(e, None);
        }
        self.settle_store(e);
        let curg = self.m(e.m).curg;
        let (word, gs, row) = self.word(e)?;
        let step = match word {
            Some(word) if e.m >= 0 => self.step(e, word, gs),
            _ => sequence::Verdict::Then(Place::Open),
        };
        let object = self.object(e, row);
        let place = match (step, object) {
            (sequence::Verdict::Then(place), Ok(())) => place,
            (step, object) => {
                self.applied = object.is_ok().then_some(curg);
                return self.arbitrate(e, word, step, object);
            }
        };
        self.applied = Some(curg);
        if e.m >= 0 {
            self.stack(e, word)?;
            self.actor(e, curg, word)?;
            self.alive(e, word)?;
            if let Some(word) = word {
                self.rest(e, word)?;
                self.stepped(e, word, gs, place)?;
            }
        }
        Ok(())
    }

    fn known_actor(&mut self, e: &Event) -> Verdict {
        if e.m < -1 || e.m >= MAX_ID || e.p < -1 || e.p >= MAX_ID {
            return bad(format!("M{} or P{} is no id", e.m, e.p));
        }
        let index = (e.m + 1) as usize;
        if index >= self.ms.len() {
            self.ms.resize_with(index + 1, M::new);
        }
        self.ms[index].known = true;
        Ok(())
    }

    /// The names that came with this event.
    #[cold]
    fn learn_sites(&mut self, symbols: &Symbols) {
        for index in self.sites.len()..=symbols.len() {
            let name = symbols.resolve(Sym(index as u32));
            let site = site_name(name);
            self.sites.push(self.table.site(&site));
            let rows = self.p_site_names.iter().find(|(known, _)| *known == site);
            self.p_sites.push(rows.map_or(0, |(_, rows)| *rows));
            self.suspendable.push(SUSPENDABLE_REASONS.contains(&name));
            if name == "preempted" {
                self.preempted_reason = Sym(index as u32);
            }
        }
    }

    /// Whether the event's function is the one of [`known`](crate::rules::transition::known).
    #[inline]
    fn site_is(&self, site: Sym, function: usize) -> bool {
        self.sites.get(site.0 as usize) == Some(&Table::known(function))
    }

    #[inline]
    fn m(&mut self, m: i32) -> &mut M {
        &mut self.ms[(m + 1) as usize]
    }

    #[inline]
    fn p(&mut self, p: i32) -> &mut P {
        &mut self.ps[p as usize]
    }

    fn g_name(&self, gs: u32) -> String {
        match self.gs[gs as usize].goid {
            0 => format!("G struct {gs}"),
            goid => format!("G{goid}"),
        }
    }
}

/// The goid that an event gives its target, 0 without one.
fn goid_of(e: &Event) -> u64 {
    e.target.map_or(0, |target| target.g)
}
