//! Ps: the chain of their status, and which M holds which.

use sigurg_traces::{Event, PStatus};

use super::flag::Flag;
use super::m::NO_M;
use super::violation::{Verdict, bad, broken};
use super::{Checker, MAX_PS};
use crate::rules::p_status::{Link, ROWS, When, rows};
use crate::rules::rule::Rule;
use crate::rules::sequence::Place;

/// The ring of a P: counters as Go's `runqhead` and `runqtail`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ring {
    /// Puts so far.
    pub(crate) tail: u32,
    /// One past the newest that the owner took.
    pub(crate) head: u32,
    /// Gs in it, as far as takes were claimed.
    pub(crate) count: u32,
}

/// What is known of one P.
#[derive(Clone, Debug)]
pub(crate) struct P {
    pub(crate) status: PStatus,
    pub(crate) m: i32,
    pub(crate) runnext: u32,
    pub(crate) ring: Ring,
    pub(crate) preempt: Flag,
    /// It was set up by procresize.
    ready: bool,
    /// An M that waits is given it.
    pub(crate) offer: Offer,
}

/// Whether a P without an M is on its way to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    /// It lies on the idle list, or is in the hand of the M that gave it away.
    No,
    /// This M gives it to one that waits (startm, startlockedm).
    By(i32),
    /// The start of the world may give it to one.
    Maybe,
}

impl P {
    pub(crate) const NEW: Self = Self {
        status: PStatus::Idle,
        m: NO_M,
        runnext: 0,
        ring: Ring { tail: 0, head: 0, count: 0 },
        preempt: Flag::CLEAR,
        ready: false,
        offer: Offer::No,
    };
}

impl P {
    /// It lies on the idle list, as far as is known.
    pub(crate) fn is_idle(&self) -> bool {
        self.m == NO_M && self.status == PStatus::Idle && !matches!(self.offer, Offer::By(_))
    }
}

/// One `p_status` event.
#[derive(Clone, Copy)]
pub(crate) struct PChange {
    pub(crate) p: i32,
    pub(crate) from: PStatus,
    pub(crate) to: PStatus,
    pub(crate) cas: bool,
}

impl Checker {
    /// The P exists. Without claims an event may speak of a P before procresize is told.
    #[inline]
    pub(crate) fn known_p(&mut self, p: i32) -> Verdict {
        if (p as usize) < self.ps.len() { Ok(()) } else { self.unknown_p(p) }
    }

    #[cold]
    fn unknown_p(&mut self, p: i32) -> Verdict {
        if p < 0 || self.claims || p >= MAX_PS {
            return bad(format!("P{p} does not exist: there are {}", self.ps.len()));
        }
        self.ps.resize_with(p as usize + 1, || P::NEW);
        Ok(())
    }

    /// The row of a change: by function where the trace names one, else the first that fits the link.
    fn p_row(&mut self, e: &Event, c: PChange) -> Option<usize> {
        let own = self.m(e.m).p;
        let wired = self.p(c.p).m;
        let site = self.p_site(e.site);
        let fits = |link: Link| match link {
            Link::Free => wired == NO_M,
            Link::Take => wired == NO_M && own < 0,
            Link::Give | Link::Keep => own == c.p || wired == NO_M,
            Link::Cut => wired != NO_M && wired != e.m,
        };
        let mut first = None;
        for (index, row) in rows(self.profile, c.from, c.to, c.cas) {
            if site.is_some_and(|sites| sites & 1 << index == 0) {
                continue;
            }
            if fits(row.link) {
                return Some(index);
            }
            first = first.or(Some(index));
        }
        first
    }

    pub(crate) fn p_status(&mut self, e: &Event, c: PChange) -> Verdict {
        let PChange { p, from, to, cas } = c;
        self.known_p(p)?;
        let m = e.m;
        let chain = |what: String, legal: String| broken(Rule::PChain, what, legal);
        let status = self.p(p).status;
        if status != from {
            return chain(
                format!("P{p} {from} -> {to} while it is {status}"),
                format!("a change from {status}"),
            );
        }
        let Some(index) = self.p_row(e, c) else {
            return chain(
                format!("P{p} {from} -> {to} (cas {cas}) in {}", self.profile.name),
                "a row of the P table, through its function".into(),
            );
        };
        let row = &ROWS[index];
        let own = self.m(m).p;
        let wired = self.p(p).m;
        let what = || format!("P{p} {from} -> {to} ({}) by M{m}", row.id);
        match row.link {
            Link::Take => {
                if wired != NO_M {
                    return chain(what(), format!("M{wired} still holds it"));
                }
                if own >= 0 {
                    return chain(what(), format!("M{m} holds P{own}, and gives it away first"));
                }
                self.offered(e, p)?;
                self.m(m).p = p;
                self.m(m).gave = NO_M;
                self.p(p).m = m;
            }
            Link::Give if row.id == "PS18" => {
                // The caller's own P goes away: it lets go of it and takes the first one.
                let wired = core::mem::replace(&mut self.m(m).p, -1);
                if wired >= 0 {
                    self.p(wired).m = NO_M;
                }
            }
            Link::Give => {
                if own != p || wired != m {
                    return broken(Rule::OneP, what(), format!("M{m} holds P{own}"));
                }
                self.m(m).p = -1;
                self.m(m).gave = p;
                self.p(p).m = NO_M;
            }
            Link::Keep => {
                if wired != NO_M && wired != m || own >= 0 && own != p {
                    return broken(
                        Rule::OneP,
                        what(),
                        format!("P{p} is held by M{wired}, M{m} holds P{own}"),
                    );
                }
                self.m(m).p = p;
                self.p(p).m = m;
            }
            Link::Free => {
                if wired != NO_M {
                    let gives_up = e.p == -1 && wired == m && row.id == "PS02";
                    if !gives_up {
                        return broken(Rule::OneP, what(), format!("M{wired} holds it"));
                    }
                }
                if row.id == "PS02" && e.p == -1 && own >= 0 {
                    self.m(m).p = -1;
                    self.p(own).m = NO_M;
                }
            }
            Link::Cut => self.cut(e, c, wired)?,
        }
        if self.claims
            && !match row.stw {
                When::Any => true,
                When::Resizing => self.stw.is_resizing(m),
                When::Stopping => self.stw.is_stopping_by(m),
                When::Waiting => self.stw.can_be_waiting(),
            }
        {
            return broken(Rule::StwOrder, what(), format!("only while {}", row.stw.says()));
        }
        match row.id {
            "PS08" => self.stw.asked(m),
            "PS06" | "PS07" => self.stw.freezes(),
            "PS01" => self.p(p).ready = true,
            "PS02" => self.p(p).offer = Offer::Maybe,
            "PS11" | "PS15" => self.m(m).gave = p,
            _ => {}
        }
        if row.link != Link::Take && to != PStatus::Idle {
            self.p(p).offer = Offer::No;
        }
        if to == PStatus::Dead && (self.p(p).ring.count != 0 || self.p(p).runnext != 0) {
            return broken(
                Rule::Custody,
                format!("P{p} goes away with {} Gs in its queue", self.p(p).ring.count),
                "they are moved to the global queue first",
            );
        }
        self.p(p).status = to;
        self.summary.p_rows[index] += 1;
        Ok(())
    }

    /// An M takes a P from the idle list, or one that was given to it while it waited.
    fn offered(&mut self, e: &Event, p: i32) -> Verdict {
        let place = self.m(e.m).place;
        let waits = matches!(place, Place::Stopped | Place::StopLocked)
            || !self.m(e.m).scheduling && self.m(e.m).curg == 0;
        let must = place == Place::Stopped;
        let offer = self.p(p).offer;
        let given = matches!(offer, Offer::By(_));
        if place == Place::Starting && offer == Offer::By(e.m) {
            // newm borrows it; the offer stands.
            return Ok(());
        }
        self.p(p).offer = Offer::No;
        if !self.p(p).ready {
            return bad(format!("P{p} was never set up"));
        }
        let lost = offer == Offer::No && must && !self.is_revived(e);
        if self.claims && (given && !waits || lost) {
            let was = if given { "was given to an M that waits" } else { "was given to nobody" };
            return broken(
                Rule::OneP,
                format!("M{} takes P{p}, which {was}", e.m),
                "an M that waited takes the P that startm or startlockedm gave it; others take idle ones",
            );
        }
        Ok(())
    }

    /// With simulated time checkdead gives a P to the M that stopped last, when none is in use.
    #[cold]
    fn is_revived(&self, e: &Event) -> bool {
        let stopped_last = self.ms[(e.m + 1) as usize].previous + 1 == e.seq;
        stopped_last && self.ps.iter().all(|p| !matches!(p.status, PStatus::Running | PStatus::Syscall))
    }

    /// A P goes to an M that waits, or to a new one.
    pub(crate) fn startm(&mut self, e: &Event, p: i32) -> Verdict {
        if p < 0 {
            return Ok(());
        }
        self.known_p(p)?;
        let claims = self.claims;
        let held = self.p(p);
        if claims && !held.is_idle() {
            return broken(
                Rule::OneP,
                format!(
                    "M{} starts an M with P{p}, which is {} (M{}, {:?})",
                    e.m, held.status, held.m, held.offer
                ),
                "a Pidle that nobody has",
            );
        }
        held.offer = Offer::By(e.m);
        Ok(())
    }

    /// Every P that procresize made was set up.
    pub(crate) fn all_ready(&self) -> bool {
        self.ps.iter().all(|p| p.ready)
    }

    /// Rows that the function of a trace may stand for, as a bit set; `None` if it is not known.
    fn p_site(&self, site: sigurg_traces::Sym) -> Option<u32> {
        match self.p_sites.get(site.0 as usize).copied() {
            None | Some(0) => None,
            Some(rows) => Some(rows),
        }
    }
}
