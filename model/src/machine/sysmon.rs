//! sysmon: asks long runners to stop, and takes Ps from system calls (section 7 of the facts, INV-59).
//!
//! It sleeps while `gcwaiting` is set; that sleep is part of R-51.

use super::Machine;
use super::config::Sysmon;
use super::scheduler::unwire;
use super::state::{PStat, Preemptone, State, StwPc, SysmonPc};
use super::step::{Act, Actor, Move};
use super::stw::{Taken, release_scan};

impl Machine {
    pub(super) fn sysmon_steps(&self, s: &State, out: &mut impl FnMut(Move, State)) {
        let p = usize::from(s.world.sysmon_p());
        let must = |act| Move::obliged(Actor::Sysmon, act);
        let mut n = *s;
        match s.world.sysmon() {
            SysmonPc::Awake if s.world.gcwaiting() => {}
            SysmonPc::Awake => {
                for p in self.each_p() {
                    self.retake(s, p, out);
                }
            }
            SysmonPc::Preempting | SysmonPc::Done => {}
            SysmonPc::CutP => {
                let m = s.p[p].m().map(usize::from).expect("the scan bit keeps P and M together");
                unwire(&mut n, m, p, PStat::Idle);
                n.world.set_preemptone_m(m as u8);
                n.world.set_sysmon(SysmonPc::ReleaseScan);
                out(must(Act::CutP).of(p as u8), n);
            }
            SysmonPc::ReleaseScan => {
                release_scan(&mut n);
                n.world.set_sysmon(SysmonPc::Handoff);
                out(must(Act::ReleaseScan).of(p as u8), n);
            }
            // handoffp: an idle M will find the P (startm), unless the world is being stopped (PS07).
            SysmonPc::Handoff if self.sched_is_locked(s) => {}
            SysmonPc::Handoff => {
                if s.world.gcwaiting() && s.p[p].status() == PStat::Idle {
                    n.p[p].set_status(PStat::Gcstop);
                }
                self.sysmon_again(&mut n);
                out(must(Act::Handoff).of(p as u8), n);
            }
        }
    }

    fn retake(&self, s: &State, p: usize, out: &mut impl FnMut(Move, State)) {
        let registers_free = s.world.preemptone() == Preemptone::Off && !uses_registers(s);
        if !registers_free {
            return;
        }
        let step = |act| {
            let free = self.config.sysmon == Sysmon::Once;
            Move { actor: Actor::Sysmon, act, which: p as u8, free }
        };
        if let Some(mut n) = self.preemptone(s, p) {
            n.world.set_sysmon(SysmonPc::Preempting);
            n.world.set_sysmon_p(p as u8);
            out(step(Act::PreemptoneReads), n);
        }
        let work = self.each_g().any(|g| s.g[g].is_queued());
        let mut n = *s;
        if self.config.procs.is_some()
            && work
            && let Some(taken) = self.take_syscall_p(&mut n, p, PStat::Idle)
        {
            n.world.set_sysmon_p(p as u8);
            let act = match taken {
                Taken::UnderScanBit => {
                    n.world.set_sysmon(SysmonPc::CutP);
                    Act::TakeSyscallP
                }
                Taken::FromForeignCall => {
                    n.world.set_sysmon(SysmonPc::CutP);
                    Act::AdoptForeignCall
                }
                Taken::Whole => {
                    n.world.set_sysmon(SysmonPc::Handoff);
                    Act::TakePsyscall
                }
            };
            out(step(act), n);
        }
    }

    /// sysmon is through with this P.
    pub(super) fn sysmon_again(&self, n: &mut State) {
        n.world.set_sysmon_p(0);
        n.world.set_sysmon(if self.config.sysmon == Sysmon::Once { SysmonPc::Done } else { SysmonPc::Awake });
    }
}

/// Stop-the-world is between cutting a P off and releasing the scan bit.
fn uses_registers(s: &State) -> bool {
    s.world.stw() == StwPc::ReleaseScan
}
