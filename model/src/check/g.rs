//! One G struct: its status chain, who runs it, who holds its scan bit.
//!
//! 1. The status is the one that its last change left; versions count every change.
//! 2. `m` is the M it runs on (Go's `g.m`): set from T10 or T32 until dropg. A G in Gwaiting may have one.
//! 3. The scan bit has one holder, `scan_m`, from the change that sets it to the one that clears it.

use sigurg_traces::{Event, GStatus, Guard, Kind, Request, Sym, Target, Via};

use super::Checker;
use super::flag::Flag;
use super::history::{History, Record};
use super::m::NO_M;
use super::queue::Slot;
use super::violation::{Verdict, bad, broken};
use crate::rules::queue::Grip;
use crate::rules::rule::Rule;
use crate::rules::transition::{Actor, ROWS};

/// What is known of one G struct.
#[derive(Clone, Debug)]
pub(crate) struct G {
    pub(crate) goid: u64,
    pub(crate) ver: u64,
    /// Largest `lo` of its changes: no later change may be claimed before.
    begun: u64,
    pub(crate) status: GStatus,
    /// Whether any event spoke of it.
    pub(crate) known: bool,
    pub(crate) m: i32,
    pub(crate) scan_m: i32,
    pub(crate) slot: Slot,
    pub(crate) grip: Grip,
    /// The hand's M, or the queue's P.
    pub(crate) at: i32,
    /// Its place in a ring.
    pub(crate) position: u32,
    /// `preemptStop`, and since when every read of its own M finds it.
    pub(crate) stop: bool,
    pub(crate) stop_sure: u64,
    pub(crate) shrink: bool,
    pub(crate) preempt: Flag,
    pub(crate) poison: Flag,
    /// Waiting for suspendG (T53): nobody may ready it, and its M stays linked.
    pub(crate) suspendable: bool,
    /// Its own guard is poisoned for a system call, or was by a lock.
    pub(crate) trapped: bool,
    /// The reason that gopark was given.
    pub(crate) reason: Sym,
    /// The suspend call that owns it, if any.
    pub(crate) owner: Option<u64>,
    /// A test hook asked for its stack to move.
    pub(crate) force_move: bool,
    /// A fork poisoned its guard.
    pub(crate) forking: bool,
    /// The M in whose signal handler it stays, if any (X-PARK).
    pub(crate) handler: i32,
    /// A signal was sent after its preemptStop was set; and it was handled on the M of this G.
    pub(crate) stop_sent: bool,
    pub(crate) stop_told: bool,
    /// Size of its stack in bytes, 0 if not known.
    pub(crate) stack: u64,
    pub(crate) history: History,
}

impl G {
    pub(crate) fn new() -> Self {
        Self {
            goid: 0,
            ver: 0,
            begun: 0,
            status: GStatus::Idle,
            known: false,
            m: NO_M,
            scan_m: NO_M,
            slot: Slot::Nowhere,
            grip: Grip::Born,
            at: NO_M,
            position: 0,
            stop: false,
            stop_sure: u64::MAX,
            shrink: false,
            preempt: Flag::CLEAR,
            poison: Flag::CLEAR,
            suspendable: false,
            trapped: false,
            reason: Sym::NONE,
            owner: None,
            force_move: false,
            forking: false,
            handler: NO_M,
            stop_sent: false,
            stop_told: false,
            stack: 0,
            history: History::default(),
        }
    }
}

/// How far a goid may lie above the newest that a creation has told: Ps draw them sixteen at a time, and a
/// goroutine can be named before the event of its creation is claimed.
const UNTOLD_GOIDS: u64 = 1 << 12;

/// One `g_status` event.
#[derive(Clone, Copy)]
pub(crate) struct StatusChange {
    pub(crate) from: GStatus,
    pub(crate) to: GStatus,
    pub(crate) via: Via,
    pub(crate) ver: u64,
    pub(crate) reason: Sym,
}

impl Checker {
    /// The G that an event is about, made known if this event may be its first.
    #[inline]
    pub(crate) fn target(&mut self, e: &Event, first: bool) -> Verdict<u32> {
        let Some(Target { gs, g }) = e.target else { return bad("the event names no goroutine".into()) };
        match self.gs.get(gs as usize) {
            Some(known) if known.known => {
                if g != known.goid && g != 0 {
                    self.other_goid(e, gs, g)
                } else {
                    Ok(gs)
                }
            }
            _ => self.unknown_g(gs, first),
        }
    }

    /// The event names another goroutine than the one that the struct is known to be. That is wrong where
    /// nobody can be changing it, and everywhere if there can be no such goroutine yet.
    #[cold]
    fn other_goid(&self, e: &Event, gs: u32, goid: u64) -> Verdict<u32> {
        if !matches!(e.kind, Kind::Newproc { .. }) && goid > self.newest_goid + UNTOLD_GOIDS {
            return bad(format!("goroutine {goid} was never created (the newest is {})", self.newest_goid));
        }
        if self.goid_is_settled(e, gs) { self.wrong_goid(gs, goid) } else { Ok(gs) }
    }

    #[cold]
    fn unknown_g(&mut self, gs: u32, first: bool) -> Verdict<u32> {
        if gs == 0 || u64::from(gs) > self.summary.events + 1 + self.slack {
            return bad(format!("G struct {gs} does not exist: no event could have created so many"));
        }
        if !first && self.claims {
            return bad(format!("G struct {gs} was never created"));
        }
        if self.gs.len() <= gs as usize {
            self.gs.resize_with(gs as usize + 1, G::new);
        }
        self.gs[gs as usize].known = true;
        Ok(gs)
    }

    fn goid_is_settled(&self, e: &Event, gs: u32) -> bool {
        use Kind::*;
        let g = &self.gs[gs as usize];
        match e.kind {
            // It gets its id around the change from Gdead, and loses it with the change to it.
            GStatus { .. } => g.status != self::GStatus::Dead && g.goid != 0,
            Newproc { .. } => false,
            GStatusFail { .. } | SuspendBegin { .. } | SuspendStep { .. } | SuspendEnd { .. } => false,
            ResumeBegin { dead: true, .. } | SigPreempt { .. } | SigAck { .. } => false,
            // preemptone asks whoever the M runs; a resumed G may have ended before that is told.
            PreemptOne { .. } | ResumeEnd { .. } => false,
            GRequest { request } if asks(request) => false,
            GRequest { .. } if !self.claims => false,
            GRequest { .. } | StackShrink | Gfput { .. } => {
                !matches!(g.status, self::GStatus::Dead | self::GStatus::Deadextra) && g.goid != 0
            }
            _ => g.goid != 0,
        }
    }

    #[cold]
    fn wrong_goid(&self, gs: u32, goid: u64) -> Verdict<u32> {
        let g = &self.gs[gs as usize];
        match self.gs.iter().position(|other| other.known && other.goid == goid) {
            None => {
                bad(format!("goroutine {goid} was never created (G struct {gs} is goroutine {})", g.goid))
            }
            Some(other) => broken(
                Rule::Goid,
                format!("the event names G{goid}, but G struct {gs} is G{}", g.goid),
                format!("G{goid} is struct {other}"),
            ),
        }
    }

    /// Checks one change against the chain, the table and its actor, and applies what it does to the G.
    pub(crate) fn g_status(&mut self, e: &Event, gs: u32, c: StatusChange, row: Option<u8>) -> Verdict {
        let m = e.m;
        let g = &self.gs[gs as usize];
        if c.ver != g.ver + 1 {
            return broken(
                Rule::VerChain,
                format!("{} {} -> {} has version {}", self.g_name(gs), c.from, c.to, c.ver),
                format!("version {}, the one after that of its last change", g.ver + 1),
            );
        }
        if c.from != g.status {
            return self.broken_chain(gs, c);
        }
        let Some(row) = row else { return self.no_row(gs, c, e) };
        if self.claims && e.seq < g.begun {
            return broken(
                Rule::Interval,
                format!(
                    "{} {} -> {} is event {}, but an earlier change of it began after event {}",
                    self.g_name(gs),
                    c.from,
                    c.to,
                    e.seq,
                    g.begun
                ),
                format!("a number from {} on", g.begun),
            );
        }
        self.summary.rows[usize::from(row)] += 1;
        let row = &ROWS[usize::from(row)];
        let (g_m, scan_m) = (g.m, g.scan_m);
        match row.actor {
            Actor::ItsM | Actor::Itself if g_m != m => return self.foreign_stop(gs, c, m),
            Actor::Holder if scan_m != m => {
                return broken(
                    Rule::ScanOwner,
                    format!("{} {} -> {}: the scan bit is cleared by M{m}", self.g_name(gs), c.from, c.to),
                    format!("M{scan_m}, which set it, clears it"),
                );
            }
            _ => {}
        }
        self.apply(e, gs, c, row.change)?;
        let g = &mut self.gs[gs as usize];
        g.status = c.to;
        g.ver = c.ver;
        g.begun = g.begun.max(e.lo);
        g.history.push(Record::change(e.seq, m, e.site, c.from, c.to, c.via));
        Ok(())
    }

    #[cold]
    fn broken_chain(&self, gs: u32, c: StatusChange) -> Verdict {
        let g = &self.gs[gs as usize];
        let what = format!("{} {} -> {} while it is {}", self.g_name(gs), c.from, c.to, g.status);
        let runnable = |status: GStatus| status.base() == GStatus::Runnable;
        if c.from == GStatus::Waiting && runnable(c.to) && runnable(g.status) {
            return broken(Rule::DoubleReady, what, "one ready for one wait: it is Grunnable already");
        }
        if g.status == GStatus::Dead && runnable(c.to) {
            return broken(Rule::Birth, what, "newproc1 alone makes a dead G runnable (T03)");
        }
        broken(Rule::StatusChain, what, format!("a change from {}", g.status))
    }

    #[cold]
    fn no_row(&self, gs: u32, c: StatusChange, e: &Event) -> Verdict {
        let what = format!(
            "{} {} -> {} by {} ({} as M{})",
            self.g_name(gs),
            c.from,
            c.to,
            c.via,
            self.profile.name,
            e.m
        );
        if c.from == GStatus::Dead {
            return broken(Rule::Birth, what, "newproc1 (T03, T04), or needm for a foreign thread (T07)");
        }
        let successors: Vec<_> = self.table.successors(c.from).map(GStatus::as_str).collect();
        let sites: Vec<_> = ROWS
            .iter()
            .filter(|row| row.from == c.from && row.to == c.to && row.holds(self.profile))
            .map(|row| format!("{} in {} ({})", row.via[0], row.sites[0], row.id))
            .collect();
        let legal = if sites.is_empty() {
            format!("from {}: {}", c.from, successors.join(", "))
        } else {
            sites.join(", ")
        };
        broken(Rule::LegalTransition, what, legal)
    }

    #[cold]
    pub(crate) fn foreign_stop(&self, gs: u32, c: StatusChange, m: i32) -> Verdict {
        let on = match self.gs[gs as usize].m {
            NO_M => "on no M".into(),
            m => format!("on M{m}"),
        };
        broken(
            Rule::OneM,
            format!("{} {} -> {} by M{m}, but it is {on}", self.g_name(gs), c.from, c.to),
            "the M on which it runs",
        )
    }

    /// A change that another status word's event would have had to precede.
    pub(crate) fn status_fail(&self, e: &Event, gs: u32) -> Verdict {
        let Kind::GStatusFail { want_from, want_to, saw, via, ver } = e.kind else {
            return Ok(());
        };
        if saw == want_from {
            return broken(
                Rule::StatusChain,
                format!("{}: {via} wanted {want_from} and failed although it saw it", self.g_name(gs)),
                "an attempt fails because it sees another status",
            );
        }
        if !crate::rules::primitive::accepts(via, want_from, want_to) {
            return broken(
                Rule::LegalTransition,
                format!("{}: {via} does not accept {want_from} -> {want_to}", self.g_name(gs)),
                "the pairs of its primitive (PR2 to PR9)",
            );
        }
        if via == Via::Casgstatus && want_from == GStatus::Waiting && saw == GStatus::Runnable {
            return broken(
                Rule::DoubleReady,
                format!("{}: {via} waits for Gwaiting but sees Grunnable", self.g_name(gs)),
                "one ready for one wait (PR2 throws)",
            );
        }
        self.saw(e, gs, saw, ver)
    }

    /// Whether a read of the status word can have found `saw` at version `ver`.
    pub(crate) fn saw(&self, e: &Event, gs: u32, saw: GStatus, ver: u64) -> Verdict {
        let g = &self.gs[gs as usize];
        let (status, ended) = if ver == g.ver {
            (g.status, u64::MAX)
        } else if ver < g.ver {
            match g.history.status_at(ver, g.ver) {
                Some(known) => known,
                None => return Ok(()),
            }
        } else {
            return Ok(()); // Not yet: the change that it saw is still to come.
        };
        if saw != status {
            return broken(
                Rule::StatusChain,
                format!("{} is said to be {saw} at version {ver}", self.g_name(gs)),
                format!("{status}"),
            );
        }
        if self.claims && ended < e.lo {
            return broken(
                Rule::Interval,
                format!(
                    "{} is seen at version {ver}, which had ended before (event {ended})",
                    self.g_name(gs)
                ),
                "a version that was still current when the event began",
            );
        }
        Ok(())
    }
}

/// A request that preemptone makes without a lock.
fn asks(request: Request) -> bool {
    matches!(request, Request::Preempt(true) | Request::Stackguard0(Guard::Preempt))
}
