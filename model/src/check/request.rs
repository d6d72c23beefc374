//! Writes of the request fields: `preempt`, `preemptStop`, `preemptShrink`, `stackguard0`, `p.preempt`.
//!
//! 1. `preemptStop` and `preemptShrink` change only under the scan bit or by the G's own M: they are known.
//! 2. `preempt` and `stackguard0` are also written by preemptone, without any lock: of them a trace knows
//!    what may be and what surely is ([`Flag`](super::flag::Flag)).

use sigurg_traces::{Event, GStatus, Guard, Request, Stack};

use super::Checker;
use super::m::Store;
use super::violation::{Verdict, bad, broken};
use crate::rules::rule::Rule;
use crate::rules::sequence::Place;
use crate::rules::transition::known;

impl Checker {
    pub(crate) fn g_request(&mut self, e: &Event, gs: u32, request: Request) -> Verdict {
        let m = e.m;
        let g = &self.gs[gs as usize];
        let holder = g.status.has_scan() && g.scan_m == m;
        let own = g.m == m;
        let dead = matches!(g.status, GStatus::Dead | GStatus::Deadextra);
        let since = self.m(m).previous;
        match request {
            Request::PreemptStop(true) => {
                if !self.stop_is_requested_by_call(gs, m) {
                    return broken(
                        Rule::RequestStop,
                        format!(
                            "M{m} sets preemptStop of {}, which is {}",
                            self.g_name(gs),
                            self.gs[gs as usize].status
                        ),
                        "an open suspend call sets it, inside its Gscanrunning window (SG-5)",
                    );
                }
                self.gs[gs as usize].stop = true;
                self.gs[gs as usize].stop_sure = u64::MAX;
            }
            Request::PreemptStop(false) => {
                let ends = dead && own && self.m(m).dying == gs;
                if !holder && !ends {
                    return self.foreign_write(
                        e,
                        gs,
                        "the holder of its scan bit, or the M on which it just ended",
                    );
                }
                let g = &mut self.gs[gs as usize];
                g.stop = false;
                (g.stop_sent, g.stop_told) = (false, false);
                if ends {
                    self.m(m).dying = 0;
                    // gdestroy goes on with dropg; the G of a foreign thread stays with its M.
                    if self.m(m).place == Place::Died {
                        self.drop_g(gs, m);
                    }
                }
            }
            Request::Preempt(true) => {
                self.gs[gs as usize].preempt.setting(e.seq);
                self.m(m).storing = Some(Store::Preempt(gs, e.seq));
            }
            Request::Preempt(false) => {
                if !holder && !own {
                    return self.foreign_write(e, gs, "its own M in execute, or the holder of its scan bit");
                }
                self.gs[gs as usize].preempt.cleared(since, e.seq);
            }
            Request::PreemptShrink(true) => {
                if !holder {
                    return self.foreign_write(e, gs, "the holder of its scan bit");
                }
                self.gs[gs as usize].shrink = true;
            }
            Request::PreemptShrink(false) => {
                if !own {
                    return self.foreign_write(e, gs, "its own M, in newstack");
                }
                self.gs[gs as usize].shrink = false;
            }
            Request::Stackguard0(guard) => {
                // The handler of a fatal signal freezes the world: preemptone on the signal stack.
                let asks = self.m(m).place == Place::AskingOneGuard || e.on == Stack::Gsignal;
                if !(holder || own || dead || guard == Guard::Preempt && asks) {
                    return self.foreign_write(e, gs, "its own M, the holder of its scan bit, or preemptone");
                }
                match guard {
                    Guard::Preempt => self.poisoned(e, gs, own)?,
                    Guard::Normal | Guard::Zero => {
                        self.guard_restored(e, gs, own, since)?;
                        // gfget and gfput change stacks of dead Gs, and so does the collector.
                        if dead {
                            self.gs[gs as usize].stack = 0;
                        }
                    }
                    Guard::Fork => self.gs[gs as usize].forking = true,
                    Guard::ForceMove => self.gs[gs as usize].force_move = true,
                }
            }
        }
        Ok(())
    }

    fn poisoned(&mut self, e: &Event, gs: u32, own: bool) -> Verdict {
        let m = e.m;
        if own && self.m(m).place != Place::AskingOneGuard {
            if self.m(m).exiting == gs
                && self.m(m).p >= 0
                && !self.gs[gs as usize].preempt.may_be_set()
                && self.claims
            {
                return broken(
                    Rule::RequestWrite,
                    format!("exitsyscall poisons {}, which nobody asked to stop", self.g_name(gs)),
                    "stackguard0=normal (T36)",
                );
            }
            self.m(m).exiting = 0;
            self.gs[gs as usize].trapped = true;
        }
        self.gs[gs as usize].poison.setting(e.seq);
        self.m(m).storing = Some(Store::Poison(gs, e.seq));
        Ok(())
    }

    fn guard_restored(&mut self, e: &Event, gs: u32, own: bool, since: u64) -> Verdict {
        let m = e.m;
        if own && self.m(m).exiting == gs {
            if self.claims && self.gs[gs as usize].preempt.surely_set(since) {
                return broken(
                    Rule::RequestWrite,
                    format!("exitsyscall restores the guard of {}, which is asked to stop", self.g_name(gs)),
                    "stackguard0=preempt (C12)",
                );
            }
            self.m(m).exiting = 0;
        } else if own
            && !self.sequences.is_closed(self.ms[(m + 1) as usize].place)
            && !self.gs[gs as usize].forking
        {
            return broken(
                Rule::RequestWrite,
                format!("M{m} restores the guard of {} out of nothing", self.g_name(gs)),
                "execute, newstack, copystack, exitsyscall, or the end of a fork",
            );
        }
        let g = &mut self.gs[gs as usize];
        g.forking = false;
        g.poison.cleared(since, e.seq);
        g.trapped = false;
        Ok(())
    }

    #[cold]
    fn foreign_write(&self, e: &Event, gs: u32, legal: &str) -> Verdict {
        let g = &self.gs[gs as usize];
        broken(
            Rule::RequestWrite,
            format!(
                "M{} writes a request field of {}, which is {} on M{}",
                e.m,
                self.g_name(gs),
                g.status,
                g.m
            ),
            legal,
        )
    }

    pub(crate) fn p_request(&mut self, e: &Event, p: i32, preempt: bool) -> Verdict {
        let m = e.m;
        if p < 0 {
            return bad(format!("a request names P{p}"));
        }
        self.known_p(p)?;
        let since = self.m(m).previous;
        if preempt {
            if self.m(m).asked_p != p {
                return broken(
                    Rule::ProgramOrder,
                    format!("preemptone sets preempt of P{p}"),
                    format!("of P{}, whose G it asked", self.m(m).asked_p),
                );
            }
            self.p(p).preempt.setting(e.seq);
            self.m(m).storing = Some(Store::PPreempt(p as u32, e.seq));
        } else {
            if self.m(m).p != p {
                return broken(
                    Rule::OneP,
                    format!("M{m} begins to schedule on P{p}"),
                    format!("its own P{}", self.m(m).p),
                );
            }
            // The monitor looks, may find nothing, and looks again another time.
            let again = core::mem::replace(&mut self.m(m).scheduling, true);
            if again && !self.site_is(e.site, known::RESCUE) {
                return broken(
                    Rule::ProgramOrder,
                    format!("M{m} begins to schedule again"),
                    "it runs what it finds, hands it to its M, or sets it aside, and then begins again",
                );
            }
            self.p(p).preempt.cleared(since, e.seq);
        }
        Ok(())
    }
}
