//! stopTheWorldWithSema and startTheWorldWithSema (section 9 of the facts; PS06 to PS12, T39, T41).
//!
//! Go tries the Ps in system calls once, right after it asked everybody to stop; the wait that follows
//! repeats only the asking. A P that could not be taken then is not tried again (R-51, R-51w). X-RETRY
//! tries them in every round.

use super::Machine;
use super::scheduler::unwire;
use super::state::{Handler, MPc, PStat, Preemptone, State, Status, StwPc};
use super::step::{Act, Actor, Move};

impl Machine {
    pub(super) fn stw_steps(&self, s: &State, out: &mut impl FnMut(Move, State)) {
        let p = usize::from(s.world.stw_p());
        let must = |act| Move::obliged(Actor::Stw, act);
        let mut n = *s;
        match s.world.stw() {
            StwPc::Off => {
                n.world.set_stw(StwPc::Ask);
                out(Move::free(Actor::Stw, Act::StwBegin), n);
            }
            StwPc::Ask => {
                n.world.set_gcwaiting(true);
                n.world.set_stw_first(true);
                n.world.set_stw(StwPc::PreemptAll);
                out(must(Act::StwAsk), n);
            }
            // preemptall; a preemptone under way makes its own steps.
            StwPc::PreemptAll if s.world.preemptone() == Preemptone::Off => match self.preemptone(s, p) {
                Some(n) => out(must(Act::PreemptoneReads).of(p as u8), n),
                None => {
                    self.stw_next_p(&mut n);
                    out(must(Act::PreemptallSkips).of(p as u8), n);
                }
            },
            StwPc::PreemptAll => {}
            StwPc::TakeSyscalls => {
                let act = match self.take_syscall_p(&mut n, p, PStat::Gcstop) {
                    Some(Taken::UnderScanBit) => {
                        n.world.set_stw(StwPc::CutP);
                        Act::TakeSyscallP
                    }
                    Some(Taken::FromForeignCall) => {
                        n.world.set_stw(StwPc::CutP);
                        Act::AdoptForeignCall
                    }
                    Some(Taken::Whole) => {
                        self.stw_next_p(&mut n);
                        Act::TakePsyscall
                    }
                    None => {
                        self.stw_next_p(&mut n);
                        Act::TakeSyscallPFails
                    }
                };
                out(must(act).of(p as u8), n);
            }
            StwPc::CutP => {
                let m = s.p[p].m().map(usize::from).expect("the scan bit keeps P and M together");
                unwire(&mut n, m, p, PStat::Gcstop);
                // The G whose scan bit is held is found again through the M.
                n.world.set_preemptone_m(m as u8);
                n.world.set_stw(StwPc::ReleaseScan);
                out(must(Act::CutP).of(p as u8), n);
            }
            StwPc::ReleaseScan => {
                release_scan(&mut n);
                self.stw_next_p(&mut n);
                out(must(Act::ReleaseScan).of(p as u8), n);
            }
            StwPc::TakeIdle => {
                for p in self.each_p() {
                    if s.p[p].status() == PStat::Idle {
                        n.p[p].set_status(PStat::Gcstop);
                    }
                }
                n.world.set_stw_first(false);
                n.world.set_stw(StwPc::Wait);
                out(must(Act::TakeIdle), n);
            }
            StwPc::Wait => {
                if self.each_p().all(|p| s.p[p].status() == PStat::Gcstop) {
                    n.world.set_stw(StwPc::Stopped);
                    out(must(Act::StwStopped), n);
                } else {
                    n.world.set_stw(StwPc::PreemptAll);
                    out(must(Act::StwTimeout), n);
                }
            }
            StwPc::Stopped => {
                for p in self.each_p() {
                    n.p[p].set_status(PStat::Idle);
                }
                n.world.set_gcwaiting(false);
                n.world.set_stw(StwPc::Off);
                out(must(Act::StwStart), n);
            }
        }
    }

    /// The loop over the Ps goes on, or to what follows it.
    pub(super) fn stw_next_p(&self, n: &mut State) {
        let next = usize::from(n.world.stw_p()) + 1;
        if self.each_p().contains(&next) {
            n.world.set_stw_p(next as u8);
            if n.world.stw() != StwPc::PreemptAll {
                n.world.set_stw(StwPc::TakeSyscalls);
            }
            return;
        }
        n.world.set_stw_p(0);
        let first = n.world.stw_first();
        n.world.set_stw(match n.world.stw() {
            StwPc::PreemptAll if first || self.config.profile.retries_syscall_ps => StwPc::TakeSyscalls,
            StwPc::PreemptAll => StwPc::Wait,
            _ if first => StwPc::TakeIdle,
            _ => StwPc::Wait,
        });
    }

    /// setBlockOnExitSyscall (1.26), or the compare-and-swap on Psyscall before; and X-ADOPT.
    pub(super) fn take_syscall_p(&self, n: &mut State, p: usize, to: PStat) -> Option<Taken> {
        if !self.config.profile.retakes_by_scan_bit {
            if n.p[p].status() != PStat::Syscall {
                return None;
            }
            n.p[p].set_status(to);
            return Some(Taken::Whole);
        }
        if n.p[p].status() != PStat::Running {
            return None;
        }
        let m = usize::from(n.p[p].m()?);
        let g = usize::from(n.m[m].curg()?);
        // X-ADOPT: its thread is seen to sleep. Whether it computes when it is back or comes for a P at once is all one:
        // it is in a system call until then.
        let asleep = n.m[m].pc() == MPc::ForeignCall && n.m[m].handler() == Handler::None;
        if self.config.profile.adopts_foreign_calls
            && asleep
            && n.g[g].status() == Status::Running
            && !n.g[g].scan()
        {
            n.g[g].set_status(Status::Syscall);
            n.g[g].set_scan(true);
            n.m[m].set_pc(MPc::InSyscall);
            return Some(Taken::FromForeignCall);
        }
        // The test masks the scan bit, the compare-and-swap then fails on it: one try.
        if n.g[g].status() != Status::Syscall || n.g[g].scan() {
            return None;
        }
        n.g[g].set_scan(true);
        Some(Taken::UnderScanBit)
    }
}

/// How a P was taken from a system call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// The scan bit is held; the P has still to be cut off.
    UnderScanBit,
    /// The same, of a G that knew of no system call (X-ADOPT).
    FromForeignCall,
    /// In one compare-and-swap.
    Whole,
}

/// T41: the M was cut from its P and noted in the world.
pub(super) fn release_scan(n: &mut State) {
    let m = usize::from(n.world.preemptone_m());
    let g = n.m[m].curg().map(usize::from).expect("a G in a system call keeps its M");
    n.g[g].set_scan(false);
    n.world.set_preemptone_m(0);
}
