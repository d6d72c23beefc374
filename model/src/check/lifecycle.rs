//! Birth, end, waking and stacks: the events that stand beside a status change.

use sigurg_traces::{Event, GStatus, Kind, Stack, Via};

use super::Checker;
use super::g::StatusChange;
use super::violation::{Verdict, broken};
use crate::profile::ReasonWriter;
use crate::rules::rule::Rule;
use crate::rules::sequence::Place;
use crate::rules::transition::{SUSPENDABLE_REASONS, known};

impl Checker {
    pub(crate) fn newproc(&mut self, e: &Event, gs: u32, parent: u64, parked: bool) -> Verdict {
        let goid = super::goid_of(e);
        // A timer creates its goroutine on g0, which is no goroutine.
        if goid == 0 || parent != e.by && (parent != 0 || e.on != Stack::G0) {
            return broken(
                Rule::Goid,
                format!("G struct {gs} becomes goroutine {goid}, child of {parent}"),
                format!("an id, and the creator G{}", e.by),
            );
        }
        let place = self.m(e.m).place;
        let announced = !matches!(place, Place::BornUnannounced | Place::BornParked);
        if announced && self.gs[gs as usize].status != GStatus::Dead {
            return broken(
                Rule::Birth,
                format!("{} is created again while it is {}", self.g_name(gs), self.gs[gs as usize].status),
                "a Gdead struct",
            );
        }
        if !announced && parked != (place == Place::BornParked) {
            return broken(
                Rule::Birth,
                format!("G{goid} is created parked={parked}"),
                "parked exactly if it begins in Gwaiting",
            );
        }
        self.m(e.m).born_parked = parked;
        self.gs[gs as usize].goid = goid;
        self.newest_goid = self.newest_goid.max(goid);
        Ok(())
    }

    /// T03 against T04.
    pub(crate) fn born_right(&mut self, gs: u32, m: i32, parked: bool) -> Verdict {
        if self.m(m).place == Place::Announced && self.m(m).born_parked != parked {
            return broken(
                Rule::Birth,
                format!("{} was announced with parked={}", self.g_name(gs), !parked),
                if parked { "Gdead -> Grunnable (T03)" } else { "Gdead -> Gwaiting (T04)" },
            );
        }
        Ok(())
    }

    pub(crate) fn gfput(&mut self, e: &Event, p: i32) -> Verdict {
        let own = self.m(e.m).p;
        if own != p {
            return broken(
                Rule::OneP,
                format!("M{} gives a dead G to P{p}", e.m),
                format!("to its own P{own}"),
            );
        }
        Ok(())
    }

    /// INV-44, INV-46. A ready may be claimed before the park whose effect it saw: that is not wrong yet.
    pub(crate) fn ready(&mut self, e: &Event, gs: u32) -> Verdict {
        let g = &self.gs[gs as usize];
        let parking = g.m >= 0 && {
            let m = &self.ms[(g.m + 1) as usize];
            m.about == gs && matches!(m.place, Place::Parking | Place::Leaving)
        };
        let waits = g.status.base() == GStatus::Waiting && !g.suspendable || parking || !self.claims;
        let place = self.m(e.m).place;
        if matches!(e.kind, Kind::Ready { .. }) {
            let go = self.site_is(e.site, known::GOREADY);
            let resume = self.site_is(e.site, known::RESUMEG);
            if go && place != Place::Goreadying || resume && place != Place::ResumedStopped {
                return broken(
                    Rule::ProgramOrder,
                    format!("M{} readies {} out of nothing", e.m, self.g_name(gs)),
                    "goready, or resumeG of a stopped G, first",
                );
            }
        }
        let g = &self.gs[gs as usize];
        if !waits {
            return broken(
                Rule::ReadyWaiting,
                format!("M{} readies {}, which is {}", e.m, self.g_name(gs), g.status),
                "a G that waits, or is about to",
            );
        }
        // X-DUMP: what a thread without a P stopped goes to the global queue.
        let m = self.m(e.m);
        let outsider = m.resuming > 0 && !m.ready_next;
        if self.m(e.m).p < 0 && !(outsider && self.profile.dumps_running_goroutines) {
            return broken(
                Rule::OneP,
                format!("M{} readies {} without a P", e.m, self.g_name(gs)),
                "ready puts on the queue of its P; without one there is injectglist",
            );
        }
        Ok(())
    }

    pub(crate) fn stopm(&mut self, e: &Event) -> Verdict {
        let m = self.m(e.m);
        let (p, curg) = (m.p, m.curg);
        if p >= 0 || curg != 0 {
            return broken(
                Rule::PChain,
                format!(
                    "M{} stops with P{p} and {}",
                    e.m,
                    if curg == 0 { "no G".into() } else { self.g_name(curg) }
                ),
                "an M gives its P away and runs none before it stops",
            );
        }
        Ok(())
    }

    pub(crate) fn preempt_one(&mut self, e: &Event, p: i32, target: i32) -> Verdict {
        self.target(e, false)?;
        self.known_p(p)?;
        self.known_m(target)?;
        if target == e.m {
            return broken(
                Rule::RequestWrite,
                format!("M{target} asks itself to stop"),
                "another M (preemptone)",
            );
        }
        self.stw.asked(e.m);
        // preemptall for forEachP comes from a suspendable G (since 1.22); otherwise a crash freezes the world.
        let curg = self.m(e.m).curg;
        if self.site_is(e.site, known::PREEMPTALL) && !self.gs[curg as usize].suspendable {
            self.stw.freezes();
        }
        let m = self.m(e.m);
        m.asked_m = target;
        m.asked_p = p;
        Ok(())
    }

    pub(crate) fn stack_copy(&mut self, e: &Event, gs: u32, old: u64, new: u64) -> Verdict {
        let g = &self.gs[gs as usize];
        let grows = g.status == GStatus::Copystack && g.m == e.m;
        let moved = core::mem::take(&mut self.gs[gs as usize].force_move);
        let g = &self.gs[gs as usize];
        let right = if grows { new > old || moved && new == old } else { new.checked_mul(2) == Some(old) };
        let allowed = grows || self.stack_is_mine(e, gs);
        if !right || !allowed || g.stack != 0 && g.stack != old {
            return broken(
                Rule::ProgramOrder,
                format!(
                    "the stack of {} ({}) is copied from {old} to {new} bytes",
                    self.g_name(gs),
                    g.status
                ),
                "larger in Gcopystack, half under the scan bit or by its own M; from the size it has",
            );
        }
        self.gs[gs as usize].stack = new;
        Ok(())
    }

    fn stack_is_mine(&self, e: &Event, gs: u32) -> bool {
        let g = &self.gs[gs as usize];
        g.status.has_scan() && g.scan_m == e.m || g.m == e.m && g.status.base() == GStatus::Running
    }

    pub(crate) fn stack_shrink(&mut self, e: &Event, gs: u32) -> Verdict {
        if self.stack_is_mine(e, gs) {
            return Ok(());
        }
        broken(
            Rule::ScanOwner,
            format!("M{} shrinks the stack of {}", e.m, self.g_name(gs)),
            "the holder of its scan bit, or its own M (INV-40)",
        )
    }

    /// INV-54. R-09: a suspender that lost T18 may have written its reason over the G's own.
    #[cold]
    pub(crate) fn foreign_reason(&mut self, gs: u32, c: StatusChange) -> Verdict {
        if c.reason == self.preempted_reason && self.profile.preempted_reason == ReasonWriter::Claimant {
            self.summary.foreign_reasons += 1;
            return Ok(());
        }
        broken(
            Rule::WaitReason,
            format!("{} waits for another reason than it gave to gopark", self.g_name(gs)),
            "the reason given to gopark",
        )
    }

    /// T53a since 1.24: stop-the-world is announced before its initiator makes itself suspendable.
    pub(crate) fn asks_first(&mut self, e: &Event, gs: u32) -> Verdict {
        if self.site_is(e.site, known::STOP_THE_WORLD) && self.m(e.m).place != Place::StwAsking {
            return broken(
                Rule::StwOrder,
                format!("{} makes itself suspendable to stop the world", self.g_name(gs)),
                "stw_begin first",
            );
        }
        Ok(())
    }

    /// PR6: the reason is one of a fixed set, but for a heap dump.
    pub(crate) fn suspendable_reason(&self, gs: u32, c: StatusChange) -> Verdict {
        let in_set = self.suspendable.get(c.reason.0 as usize).copied().unwrap_or(false);
        if c.reason.is_some() && !in_set && c.via != Via::CasGToWaiting {
            return broken(
                Rule::WaitReason,
                format!("{} makes itself suspendable for a reason outside of the set", self.g_name(gs)),
                SUSPENDABLE_REASONS.join(", "),
            );
        }
        Ok(())
    }
}
