//! preemptone: three plain stores and a signal, without any lock (section 6.1 of the facts).
//!
//! It may hit a G that it did not mean, or be lost; whoever called it calls again. One
//! call at a time is modelled, whoever makes it.

use super::Machine;
use super::state::{MPc, PStat, Preemptone, State, Status, StwPc, SysmonPc};
use super::step::{Act, Actor, Move};

impl Machine {
    /// Reads `p.m` and `m.curg`; `None` if there is nothing to ask of this P.
    pub(super) fn preemptone(&self, s: &State, p: usize) -> Option<State> {
        let m = match self.config.procs {
            None => p,
            Some(_) if s.p[p].status() != PStat::Running => return None,
            Some(_) => usize::from(s.p[p].m()?),
        };
        let g = s.m[m].curg()?;
        let in_syscall = s.g[usize::from(g)].status() == Status::Syscall;
        if self.config.profile.preemptone_skips_syscall && in_syscall {
            return None;
        }
        // X-ADOPT: who sleeps in a foreign call is not signalled; its P is taken.
        if self.config.profile.adopts_foreign_calls && s.m[m].pc() == MPc::ForeignCall {
            return None;
        }
        let mut n = *s;
        n.world.set_preemptone(Preemptone::Preempt);
        n.world.set_preemptone_g(g);
        n.world.set_preemptone_m(m as u8);
        Some(n)
    }

    /// Whose preemptone is under way.
    fn preemptone_caller(&self, s: &State) -> Actor {
        if s.world.stw() == StwPc::PreemptAll {
            Actor::Stw
        } else if s.world.sysmon() == SysmonPc::Preempting {
            Actor::Sysmon
        } else {
            Actor::Waker
        }
    }

    pub(super) fn preemptone_steps(&self, s: &State, out: &mut impl FnMut(Move, State)) {
        let world = s.world;
        let (g, m) = (usize::from(world.preemptone_g()), usize::from(world.preemptone_m()));
        let mut n = *s;
        let act = match world.preemptone() {
            Preemptone::Off => return,
            Preemptone::Preempt => {
                n.g[g].set_preempt(true);
                n.world.set_preemptone(Preemptone::Guard);
                Act::PreemptonePreempt
            }
            Preemptone::Guard => {
                n.g[g].set_poison(true);
                n.world.set_preemptone(Preemptone::PPreempt);
                Act::PreemptoneGuard
            }
            Preemptone::PPreempt => {
                // The P that was asked; where Ps do not change hands it is the M's own.
                let p = match self.config.procs {
                    None => m,
                    Some(_) => match self.preemptone_caller(s) {
                        Actor::Stw => usize::from(world.stw_p()),
                        Actor::Sysmon => usize::from(world.sysmon_p()),
                        _ => s.m[m].p().map_or(0, usize::from),
                    },
                };
                n.p[p].set_preempt(true);
                n.world.set_preemptone(Preemptone::Gate);
                Act::PreemptoneP
            }
            Preemptone::Gate if s.m[m].pending() && self.config.profile.has_signal_gate => {
                self.preemptone_done(&mut n);
                Act::GateClosed
            }
            Preemptone::Gate => {
                n.m[m].set_pending(true);
                n.world.set_preemptone(Preemptone::Kill);
                Act::GateOpen
            }
            Preemptone::Kill => {
                n.m[m].set_in_flight(true);
                self.preemptone_done(&mut n);
                Act::Kill
            }
        };
        out(Move::obliged(self.preemptone_caller(s), act), n);
    }

    fn preemptone_done(&self, n: &mut State) {
        let caller = self.preemptone_caller(n);
        n.world.set_preemptone(Preemptone::Off);
        n.world.set_preemptone_g(0);
        n.world.set_preemptone_m(0);
        match caller {
            Actor::Stw => self.stw_next_p(n),
            Actor::Sysmon => self.sysmon_again(n),
            _ => {}
        }
    }
}
