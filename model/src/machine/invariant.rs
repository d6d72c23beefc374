//! What must hold in every state (section 10 of the facts), and the two hazards that show in one state.
//!
//! Only invariants that speak of one snapshot stand here; those of a history are the promises, and the
//! checker's business.

use super::config::Config;
use super::state::{Handler, MPc, PStat, Preemptone, SPc, State, Status, StwPc, SysmonPc};
use super::{Machine, holds_scan};
use crate::rules::hazard::Hazard;
use crate::space::Finding;

/// Defines the invariants: id, sentence, and the function that finds them broken.
macro_rules! invariants {
    ($($id:literal, $title:literal, $broken:ident;)+) => {
        const INVARIANTS: &[(&str, &str)] = &[$(($id, $title)),+];

        impl Machine {
            fn broken_invariants(&self, s: &State) -> u32 {
                let mut bits = 0;
                let mut bit = 1;
                $(
                    if self.$broken(s) {
                        bits |= bit;
                    }
                    bit <<= 1;
                )+
                let _ = bit;
                bits
            }
        }
    };
}

invariants! {
    "INV-03", "the scan bit is set exactly while one actor holds it", scan_bit_without_holder;
    "INV-05", "a runnable G is in exactly one queue or one hand, any other G in none", custody_broken;
    "INV-08", "a G in Gpreempted has no M, and no M has it", preempted_with_m;
    "INV-11", "at most one suspender owes a G its ready, and only while the G waits", ready_owed_wrongly;
    "INV-15", "user code runs only in Grunning, and execute sees Grunnable", runs_without_running;
    "INV-18", "preemptStop is clear when suspendG returns", stop_after_claim;
    "INV-19", "preemptStop stands only while a suspender is at work on the G", stop_without_suspender;
    "INV-21", "user code runs only on an M with a running P", runs_without_p;
    "INV-22", "a running G and its M point at each other", running_without_m;
    "INV-24", "a G is the curg of at most one M", two_curgs;
    "INV-25", "a P and its M point at each other, and only while the P runs", p_wired_wrongly;
    "INV-47", "while the world is stopped no P runs and no user code", runs_in_stopped_world;
}

/// The safety findings of a configuration: every invariant, and the hazards that it can show.
pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let invariant = |&(id, title)| Finding { id, title, expected: false };
    let hazard = |hazard: Hazard| Finding {
        id: hazard.id(),
        title: hazard.title(),
        expected: hazard.is_in(&config.profile),
    };
    let mut all: Vec<Finding> = INVARIANTS.iter().map(invariant).collect();
    all.push(hazard(Hazard::SwallowedSignal));
    all.push(hazard(Hazard::LateLoserWritesReason));
    all
}

impl Machine {
    pub(super) fn broken_in(&self, s: &State) -> u32 {
        let mut bits = self.broken_invariants(s);
        let hazards = INVARIANTS.len();
        if self.config.c_threads && self.pending_orphaned(s) {
            bits |= 1 << hazards;
        }
        if self.config.reasons && self.reason_forged(s) {
            bits |= 1 << (hazards + 1);
        }
        bits
    }

    fn scan_bit_without_holder(&self, s: &State) -> bool {
        self.each_g().any(|g| {
            let is = |index: u8| usize::from(index) == g;
            let suspenders = s.s.iter().filter(|sus| holds_scan(sus.pc()) && is(sus.target())).count();
            let parking =
                s.m.iter()
                    .filter(|m| {
                        matches!(m.pc(), MPc::StopDropM | MPc::StopDropCurg | MPc::StopRelease)
                            && m.gp().is_some_and(is)
                    })
                    .count();
            let retaking =
                usize::from(retaken_g(s, s.world.stw() == StwPc::CutP, s.world.stw_p()).is_some_and(is))
                    + usize::from(
                        retaken_g(s, s.world.sysmon() == SysmonPc::CutP, s.world.sysmon_p()).is_some_and(is),
                    )
                    + usize::from(
                        (s.world.stw() == StwPc::ReleaseScan || s.world.sysmon() == SysmonPc::ReleaseScan)
                            && s.m[usize::from(s.world.preemptone_m())].curg().is_some_and(is),
                    );
            suspenders + parking + retaking != usize::from(s.g[g].scan())
        })
    }

    fn custody_broken(&self, s: &State) -> bool {
        self.each_g().any(|g| {
            let runnable = s.g[g].status() == Status::Runnable;
            let in_hands =
                s.m.iter()
                    .filter(|m| m.gp() == Some(g as u8))
                    .filter(|m| {
                        matches!(
                            m.pc(),
                            MPc::ExecuteLink
                                | MPc::ExecuteCas
                                | MPc::StartLocked
                                | MPc::YieldDropM
                                | MPc::YieldDropCurg
                                | MPc::YieldPut
                                | MPc::GoyieldDropM
                                | MPc::GoyieldDropCurg
                                | MPc::GoyieldPut
                                | MPc::CoroRun
                                | MPc::ExitsyscallDrop
                                | MPc::ExitsyscallPut
                        )
                    })
                    .count()
                    + s.s
                        .iter()
                        .filter(|sus| sus.pc() == SPc::ReadyPut && usize::from(sus.target()) == g)
                        .count();
            in_hands + usize::from(s.g[g].is_queued()) != usize::from(runnable)
        })
    }

    fn preempted_with_m(&self, s: &State) -> bool {
        self.each_g().any(|g| {
            s.g[g].status() == Status::Preempted
                && !s.g[g].scan()
                && (s.g[g].m().is_some() || s.m.iter().any(|m| m.curg() == Some(g as u8)))
        })
    }

    fn ready_owed_wrongly(&self, s: &State) -> bool {
        self.each_g().any(|g| {
            let owing = s.s.iter().filter(|sus| sus.stopped() && usize::from(sus.target()) == g);
            let before_ready = owing.clone().any(|sus| sus.pc() != SPc::ReadyPut);
            owing.count() > 1 || (before_ready && s.g[g].status() != Status::Waiting)
        })
    }

    fn runs_without_running(&self, s: &State) -> bool {
        s.m.iter().any(|m| {
            let status = m.gp().map(|g| s.g[usize::from(g)].status());
            match m.pc() {
                MPc::User | MPc::AsyncPreempt | MPc::ForeignCall => status != Some(Status::Running),
                MPc::ExecuteLink | MPc::ExecuteCas => status != Some(Status::Runnable),
                _ => false,
            }
        })
    }

    fn stop_after_claim(&self, s: &State) -> bool {
        s.s.iter().any(|sus| sus.pc() == SPc::Owns && s.g[usize::from(sus.target())].stop())
    }

    fn stop_without_suspender(&self, s: &State) -> bool {
        self.each_g().any(|g| {
            s.g[g].stop()
                && !matches!(s.g[g].status(), Status::Dead | Status::Deadextra)
                && !s.s.iter().any(|sus| sus.pc() != SPc::Idle && usize::from(sus.target()) == g)
        })
    }

    fn runs_without_p(&self, s: &State) -> bool {
        self.config.procs.is_some()
            && self.each_m().any(|i| {
                matches!(s.m[i].pc(), MPc::User | MPc::AsyncPreempt | MPc::ExecuteCas)
                    && self.p_of(s, i).is_none_or(|p| s.p[p].status() != PStat::Running)
            })
    }

    fn running_without_m(&self, s: &State) -> bool {
        self.each_g().any(|g| {
            s.g[g].status() == Status::Running
                && s.g[g].m().is_none_or(|m| s.m[usize::from(m)].curg() != Some(g as u8))
        })
    }

    fn two_curgs(&self, s: &State) -> bool {
        self.config.ms == 2 && s.m[0].curg().is_some() && s.m[0].curg() == s.m[1].curg()
    }

    fn p_wired_wrongly(&self, s: &State) -> bool {
        self.config.procs.is_some()
            && self.each_p().any(|p| match s.p[p].m() {
                Some(m) => s.p[p].status() != PStat::Running || s.m[usize::from(m)].p() != Some(p as u8),
                None => s.p[p].status() == PStat::Running,
            })
    }

    fn runs_in_stopped_world(&self, s: &State) -> bool {
        s.world.stw() == StwPc::Stopped
            && (self.each_p().any(|p| s.p[p].status() != PStat::Gcstop)
                || s.m.iter().any(|m| matches!(m.pc(), MPc::User | MPc::AsyncPreempt | MPc::ExecuteCas)))
    }

    /// the mark stands, but no signal is on its way, no handler runs and nobody is about to send.
    fn pending_orphaned(&self, s: &State) -> bool {
        self.each_m().any(|i| {
            let about_to_send = s.s.iter().any(|sus| sus.pc() == SPc::Kill && sus.async_m() == Some(i as u8))
                || (s.world.preemptone() == Preemptone::Kill && usize::from(s.world.preemptone_m()) == i);
            let m = s.m[i];
            let handled = m.handler() != Handler::None || m.in_flight();
            m.pending() && !handled && !about_to_send && matches!(m.pc(), MPc::User)
        })
    }

    /// R-09, INV-54: a G that parked by itself says that it waits because it was preempted.
    fn reason_forged(&self, s: &State) -> bool {
        self.each_g().any(|g| {
            s.g[g].status() == Status::Waiting
                && s.g[g].reason_preempted()
                && !s.g[g].is_queued()
                && !s.s.iter().any(|sus| sus.stopped() && usize::from(sus.target()) == g)
        })
    }
}

/// The G whose scan bit a retaker of this P holds.
fn retaken_g(s: &State, cutting: bool, p: u8) -> Option<u8> {
    if !cutting {
        return None;
    }
    s.p[usize::from(p)].m().and_then(|m| s.m[usize::from(m)].curg())
}
