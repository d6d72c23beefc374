//! System calls: entering, leaving, and losing the P meanwhile.
//!
//! Since 1.26 the P stays Prunning and linked, and is taken under the scan bit of the G (PS10, PS11); until
//! 1.25 it is Psyscall and linked to nobody.

use sigurg_traces::{Event, GStatus};

use super::Checker;
use super::m::NO_M;
use super::p::PChange;
use super::violation::{Verdict, broken};
use crate::rules::rule::Rule;

impl Checker {
    pub(crate) fn entersyscall(&mut self, gs: u32) -> Verdict {
        let g = &self.gs[gs as usize];
        if !g.trapped {
            return broken(
                Rule::Syscall,
                format!("{} enters a system call with its guard in order", self.g_name(gs)),
                "stackguard0 is poisoned first (T34), so that no prologue passes unnoticed",
            );
        }
        Ok(())
    }

    pub(crate) fn exitsyscall(&mut self, gs: u32, m: i32) -> Verdict {
        if self.profile.exitsyscall_runs_first {
            self.m(m).exiting = gs;
        } else if self.m(m).p < 0 {
            return broken(
                Rule::Syscall,
                format!("{} leaves its system call on M{m}, which has no P", self.g_name(gs)),
                "until 1.25 a P comes first, else exitsyscall0 queues the G",
            );
        }
        Ok(())
    }

    pub(crate) fn exitsyscall_no_p(&mut self, gs: u32, m: i32) -> Verdict {
        let p = self.m(m).p;
        if p >= 0 {
            return broken(
                Rule::Syscall,
                format!("{} is queued after its system call, but M{m} has P{p}", self.g_name(gs)),
                "only an M without a P gives its G up",
            );
        }
        if self.profile.exitsyscall_runs_first && self.m(m).exiting != gs {
            return broken(
                Rule::Syscall,
                format!("{} gives up for want of a P outside of a system call", self.g_name(gs)),
                "exitsyscall only (T37)",
            );
        }
        self.m(m).exiting = 0;
        Ok(())
    }

    pub(crate) fn syscall_block(&mut self, e: &Event, gs: u32, p: i32, target_m: i32) -> Verdict {
        self.known_p(p)?;
        let blocking = self.m(e.m).blocking;
        let g = &self.gs[gs as usize];
        if g.scan_m != e.m || g.m != target_m || blocking != gs {
            return broken(
                Rule::Syscall,
                format!("M{} blocks {} on M{target_m} with P{p}", e.m, self.g_name(gs)),
                format!("its scan bit is held by M{}, and it is on M{}", g.scan_m, g.m),
            );
        }
        self.known_m(target_m)?;
        if self.m(target_m).p != p {
            return broken(
                Rule::Syscall,
                format!("M{target_m} is blocked with P{p}"),
                format!("it holds P{}", self.m(target_m).p),
            );
        }
        self.m(e.m).blocked_p = p;
        Ok(())
    }

    /// PS10, PS11: the link is cut by the holder of the scan bit of the G in the system call.
    pub(crate) fn cut(&mut self, e: &Event, c: PChange, wired: i32) -> Verdict {
        let (blocking, blocked_p) = (self.m(e.m).blocking, self.m(e.m).blocked_p);
        let curg = if wired == NO_M { 0 } else { self.m(wired).curg };
        let held = blocking != 0
            && blocking == curg
            && blocked_p == c.p
            && matches!(self.gs[curg as usize].status, GStatus::Scansyscall | GStatus::Scandeadextra);
        if !held {
            return broken(
                Rule::Syscall,
                format!("M{} takes P{} from M{wired}", e.m, c.p),
                "under the scan bit of the G that is in a system call there",
            );
        }
        self.m(wired).p = -1;
        self.p(c.p).m = NO_M;
        Ok(())
    }

    pub(crate) fn retake(&mut self, e: &Event, p: i32) -> Verdict {
        self.known_p(p)?;
        let m = self.m(e.m);
        let took = if m.blocking != 0 { m.blocked_p } else { m.gave };
        if took != p || m.curg != 0 {
            return broken(
                Rule::Syscall,
                format!("M{} retakes P{p}", e.m),
                format!("the monitor, which runs no G, retakes P{took}"),
            );
        }
        Ok(())
    }

    pub(crate) fn handoff(&mut self, e: &Event, p: i32) -> Verdict {
        self.known_p(p)?;
        let gave = core::mem::replace(&mut self.m(e.m).gave, NO_M);
        if gave != p && (!self.claims || self.ps[p as usize].m == NO_M) {
            return broken(
                Rule::PChain,
                format!("M{} hands P{p} off", e.m),
                format!("P{gave}, which it gave away or took last"),
            );
        }
        let held = &self.ps[p as usize];
        if self.claims && held.m != NO_M {
            return broken(
                Rule::PChain,
                format!("P{p} is handed off while M{} holds it", held.m),
                "a P that no M holds",
            );
        }
        Ok(())
    }
}
