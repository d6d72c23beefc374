//! suspendG and resumeG from the outside: one [`Suspension`] per call, from its begin to its resume.
//!
//! Invariant: a call that found its G dead, or was resumed, is forgotten; so memory follows the open calls.

use sigurg_traces::{Event, GStatus};

use super::Checker;
use super::violation::{Verdict, broken};
use crate::rules::rule::Rule;
use crate::rules::sequence::Place;
use crate::rules::suspend::Suspended;
use crate::rules::transition::known;

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Looking,
    Owning,
    Resuming,
}

/// One open call of suspendG.
#[derive(Clone, Debug)]
pub(crate) struct Suspension {
    sid: u64,
    m: i32,
    gs: u32,
    phase: Phase,
    /// It won T18.
    stopped: bool,
    /// Its G was readied.
    readied: bool,
}

impl Checker {
    fn call(&self, sid: u64) -> Option<usize> {
        self.suspensions.iter().rposition(|call| call.sid == sid)
    }

    fn owner<T>(&self, what: String, legal: &str) -> Verdict<T> {
        broken(Rule::SuspendOwner, what, legal)
    }

    pub(crate) fn suspend_begin(&mut self, e: &Event, gs: u32, sid: u64) -> Verdict {
        if self.call(sid).is_some() {
            return self.owner(format!("suspend call {sid} begins again"), "a call begins once");
        }
        let m = e.m;
        let curg = self.m(m).curg;
        // SG-0, the exact status: a scan bit on it makes Go's own test miss.
        if curg != 0 && self.gs[curg as usize].status == GStatus::Running && curg != gs {
            return broken(
                Rule::Suspender,
                format!("M{m} suspends {} while its own {} is Grunning", self.g_name(gs), self.g_name(curg)),
                "the suspender's own G parks first (T53), or two could wait for each other (R-13)",
            );
        }
        self.suspensions.push(Suspension {
            sid,
            m,
            gs,
            phase: Phase::Looking,
            stopped: false,
            readied: false,
        });
        Ok(())
    }

    pub(crate) fn suspend_step(&mut self, e: &Event, gs: u32, sid: u64, saw: GStatus, ver: u64) -> Verdict {
        match self.call(sid).map(|at| &self.suspensions[at]) {
            Some(call) if call.phase == Phase::Looking && call.m == e.m && call.gs == gs => {}
            _ => {
                return self.owner(
                    format!("suspend call {sid} looks at {} without having begun", self.g_name(gs)),
                    "suspend_begin first",
                );
            }
        }
        self.saw(e, gs, saw, ver)
    }

    /// T18: the winner owes one ready.
    pub(crate) fn take_preempted(&mut self, gs: u32, m: i32) -> Verdict {
        let call = self
            .suspensions
            .iter_mut()
            .find(|call| call.m == m && call.gs == gs && call.phase == Phase::Looking);
        match call {
            Some(call) => {
                call.stopped = true;
                Ok(())
            }
            None => self.no_call(gs, m),
        }
    }

    /// T43 to T47 happen inside a call.
    pub(crate) fn claim_needs_call(&mut self, gs: u32, m: i32) -> Verdict {
        if self.suspensions.iter().any(|call| call.m == m && call.gs == gs && call.phase == Phase::Looking) {
            return Ok(());
        }
        self.no_call(gs, m)
    }

    #[cold]
    fn no_call(&self, gs: u32, m: i32) -> Verdict {
        self.owner(format!("M{m} claims {} without a suspend call", self.g_name(gs)), "suspend_begin first")
    }

    pub(crate) fn suspend_end(&mut self, e: &Event, gs: u32, sid: u64, dead: bool, stopped: bool) -> Verdict {
        let m = e.m;
        let Some(at) = self.call(sid) else {
            return self.owner(format!("suspend call {sid} ends and never began"), "suspend_begin first");
        };
        let call = self.suspensions[at].clone();
        if call.phase != Phase::Looking || call.m != m || call.gs != gs {
            return self.owner(
                format!("suspend call {sid} ends on M{m} with {}", self.g_name(gs)),
                "a call ends once, where it began",
            );
        }
        let g = &self.gs[gs as usize];
        if dead {
            if call.stopped || stopped {
                return broken(
                    Rule::StoppedClaim,
                    format!("suspend call {sid} stopped {} and calls it dead", self.g_name(gs)),
                    "the G that it took out of Gpreempted",
                );
            }
            self.m(m).found_dead = Some(sid);
            self.suspensions.swap_remove(at);
            return Ok(());
        }
        if let Some(owner) = g.owner {
            return self.owner(
                format!("suspend calls {owner} and {sid} own {} at the same time", self.g_name(gs)),
                "one owner at a time",
            );
        }
        let result = if stopped { Suspended::Stopped } else { Suspended::Claimed };
        if !g.status.has_scan() || g.scan_m != m || !result.fits(g.status) {
            let holder = if g.status.has_scan() { format!(", held by M{}", g.scan_m) } else { String::new() };
            return broken(
                Rule::StoppedClaim,
                format!(
                    "suspend call {sid} returns {result:?} with {} {}{holder}",
                    self.g_name(gs),
                    g.status
                ),
                format!("a scan state that M{m} entered"),
            );
        }
        if stopped != call.stopped {
            return broken(
                Rule::StoppedClaim,
                format!(
                    "suspend call {sid} returns stopped={stopped}, but it {} {} out of Gpreempted",
                    if call.stopped { "took" } else { "did not take" },
                    self.g_name(gs)
                ),
                format!("stopped={}", call.stopped),
            );
        }
        self.gs[gs as usize].owner = Some(sid);
        self.suspensions[at].phase = Phase::Owning;
        Ok(())
    }

    pub(crate) fn resume_begin(
        &mut self,
        e: &Event,
        gs: u32,
        sid: u64,
        dead: bool,
        stopped: bool,
    ) -> Verdict {
        let m = e.m;
        if dead {
            if self.m(m).found_dead.take() != Some(sid) {
                return self.owner(
                    format!("M{m} resumes call {sid} as dead"),
                    "the call that just found its G dead",
                );
            }
            return Ok(());
        }
        let Some(at) = self.call(sid) else {
            return self.owner(
                format!("{} is resumed for call {sid}, which does not own it", self.g_name(gs)),
                "the owner resumes, once",
            );
        };
        let call = &self.suspensions[at];
        if call.phase != Phase::Owning || call.gs != gs || call.m != m {
            return self.owner(
                format!("M{m} resumes {} for call {sid}", self.g_name(gs)),
                "the owner resumes the G that it owns, once",
            );
        }
        if self.site_is(e.site, known::MARKROOT) && self.ms[(m + 1) as usize].place == Place::Owning {
            return broken(
                Rule::ProgramOrder,
                format!("the collector resumes {} without having scanned its stack", self.g_name(gs)),
                "shrinkstack, or preemptShrink=true",
            );
        }
        if call.stopped != stopped {
            return broken(
                Rule::ResumeStopped,
                format!("call {sid} returned stopped={} and is resumed with stopped={stopped}", call.stopped),
                "resumeG is called with the result of suspendG",
            );
        }
        self.suspensions[at].phase = Phase::Resuming;
        self.m(m).resuming += 1;
        Ok(())
    }

    /// RG-3.
    pub(crate) fn readied(&mut self, gs: u32, m: i32) {
        if self.m(m).resuming == 0 {
            return;
        }
        for call in &mut self.suspensions {
            if call.m == m && call.gs == gs && call.phase == Phase::Resuming && call.stopped {
                call.readied = true;
            }
        }
    }

    pub(crate) fn resume_end(&mut self, e: &Event, gs: u32, sid: u64, stopped: bool) -> Verdict {
        let m = e.m;
        let Some(at) = self.call(sid) else {
            return self.owner(format!("resume of call {sid} ends and never began"), "resume_begin first");
        };
        let call = self.suspensions[at].clone();
        if call.phase != Phase::Resuming || call.gs != gs || call.m != m {
            return self
                .owner(format!("resume of call {sid} ends on M{m}"), "a resume ends once, where it began");
        }
        let g = &self.gs[gs as usize];
        if g.scan_m == m && g.status.has_scan() {
            return broken(
                Rule::ScanOwner,
                format!("resume of call {sid} ends and {} is still {}", self.g_name(gs), g.status),
                "the scan bit is released (RG-2)",
            );
        }
        if stopped != call.stopped || call.readied != call.stopped {
            let verb = if call.readied { "readied" } else { "did not ready" };
            return broken(
                Rule::ResumeStopped,
                format!(
                    "resume of call {sid} {verb} {}, ends with stopped={stopped}; suspendG returned stopped={}",
                    self.g_name(gs),
                    call.stopped
                ),
                "one ready if stopped, none otherwise",
            );
        }
        self.m(m).resuming -= 1;
        self.suspensions.swap_remove(at);
        Ok(())
    }

    /// Who handles a signal that a suspender sends after its window finds preemptStop set.
    pub(crate) fn stop_is_sent(&mut self, m: i32, target: i32) {
        for call in &self.suspensions {
            let g = &mut self.gs[call.gs as usize];
            g.stop_sent |= call.m == m && call.phase == Phase::Looking && g.stop && g.m == target;
        }
    }

    /// INV-17, INV-19.
    pub(crate) fn stop_is_requested_by_call(&self, gs: u32, m: i32) -> bool {
        let g = &self.gs[gs as usize];
        g.status == GStatus::Scanrunning
            && g.scan_m == m
            && self
                .suspensions
                .iter()
                .any(|call| call.m == m && call.gs == gs && call.phase == Phase::Looking)
    }
}
