//! suspendG and resumeG, step by step (SG-1 to SG-9, RG-1 to RG-3; Go: `preempt.go`).
//!
//! The decisions are those of [`crate::rules::suspend`]; this file gives them their grain.

use super::Machine;
use super::state::{LastSignal, S, SPc, State, Status};
use super::step::{Act, Actor, Move};
use crate::profile::ReasonWriter;
use crate::rules::suspend::{Ask, Branch, EarlierRequest, needs_signal};

/// The steps of one suspender from one state.
struct On<'a, F> {
    s: &'a State,
    i: usize,
    out: &'a mut F,
}

impl<F: FnMut(Move, State)> On<'_, F> {
    fn emit(&mut self, step: Move, to: SPc, change: impl FnOnce(&mut State)) {
        let mut next = *self.s;
        next.s[self.i].set_pc(to);
        change(&mut next);
        (self.out)(step, next);
    }

    fn must(&mut self, act: Act, to: SPc, change: impl FnOnce(&mut State)) {
        self.emit(Move::obliged(Actor::Suspender(self.i as u8), act), to, change);
    }
}

impl Machine {
    pub(super) fn suspender_steps(&self, s: &State, i: usize, out: &mut impl FnMut(Move, State)) {
        let me = s.s[i];
        let g = usize::from(me.target());
        let gp = s.g[g];
        if me.limited() {
            let mut next = *s;
            next.s[i].set_limited(false);
            out(Move::obliged(Actor::Clock(i as u8), Act::TimePasses), next);
        }
        let mut on = On { s, i, out };
        match me.pc() {
            SPc::Idle => {
                for target in self.each_g() {
                    let call = Move::free(Actor::Suspender(i as u8), Act::CallSuspendG).of(target as u8);
                    on.emit(call, SPc::Read, |n| n.s[i].set_target(target as u8));
                }
            }

            // SG-1. A turn that waits changes nothing (SG-9), so it is no step.
            SPc::Read => match Branch::of(gp.gstatus()) {
                Branch::Dead => on.must(Act::SeesDead, SPc::Idle, |n| n.s[i] = S::default()),
                Branch::HeldByOther | Branch::Copying => {}
                Branch::TakePreempted => {
                    let writes_first =
                        self.config.reasons && self.config.profile.preempted_reason == ReasonWriter::Claimant;
                    let to = if writes_first { SPc::ReasonPreempted } else { SPc::TakePreempted };
                    on.must(Act::Sees, to, |_| {});
                }
                Branch::Claim => on.must(
                    Act::Sees,
                    match gp.status() {
                        Status::Runnable => SPc::ClaimRunnable,
                        Status::Syscall => SPc::ClaimSyscall,
                        _ => SPc::ClaimWaiting,
                    },
                    |_| {},
                ),
                Branch::Request => on.must(Act::Sees, SPc::SkipTest, |_| {}),
                Branch::Invalid => unreachable!("no G of the machine is Gidle"),
            },

            // B-pre: PR8. The winner owes a ready and claims in the same turn.
            SPc::ReasonPreempted => {
                on.must(Act::WriteReason, SPc::TakePreempted, |n| n.g[g].set_reason_preempted(true));
            }
            SPc::TakePreempted if gp.status() == Status::Preempted && !gp.scan() => {
                on.must(Act::TakePreempted, SPc::ClaimWaiting, |n| {
                    n.g[g].set_status(Status::Waiting);
                    n.s[i].set_stopped(true);
                    if self.config.reasons && self.config.profile.preempted_reason == ReasonWriter::Winner {
                        n.g[g].set_reason_preempted(true);
                    }
                });
            }
            SPc::TakePreempted => on.must(Act::TakePreemptedFails, SPc::Read, |_| {}),

            // B-claim: PR3.
            SPc::ClaimRunnable => claim(&mut on, Status::Runnable),
            SPc::ClaimSyscall => claim(&mut on, Status::Syscall),
            SPc::ClaimWaiting => claim(&mut on, Status::Waiting),

            // SG-2.
            SPc::ClearStop => on.must(Act::ClearStop, SPc::ClearPreempt, |n| n.g[g].set_stop(false)),
            SPc::ClearPreempt => {
                on.must(Act::ClearPreempt, SPc::ClearGuard, |n| n.g[g].set_preempt(false));
            }
            SPc::ClearGuard => on.must(Act::ClearGuard, SPc::Owns, |n| {
                n.g[g].set_poison(false);
                // What the call remembered of its requests ends with it.
                let mut returned = S::default();
                returned.set_pc(SPc::Owns);
                returned.set_target(me.target());
                returned.set_stopped(me.stopped());
                n.s[i] = returned;
            }),

            // RG-2, RG-3.
            SPc::Owns => on.must(Act::ResumeG, if me.stopped() { SPc::Ready } else { SPc::Idle }, |n| {
                n.g[g].set_scan(false);
                if !me.stopped() {
                    n.s[i] = S::default();
                }
            }),
            SPc::Ready if !gp.scan() => {
                on.must(Act::Ready, SPc::ReadyPut, |n| n.g[g].set_status(Status::Runnable));
            }
            SPc::Ready => {}
            SPc::ReadyPut => on.must(Act::PutGlobal, SPc::Idle, |n| {
                self.put_global(n, g);
                n.s[i] = S::default();
            }),

            // SG-3.
            SPc::SkipTest => {
                let earlier = EarlierRequest {
                    flags_stand: gp.stop() && gp.preempt() && gp.poison(),
                    same_m: me.async_m().is_some() && me.async_m() == gp.m(),
                    same_generation: me.same_generation(),
                    unsent: self.config.profile.remembers_unsent_request && me.needs_signal(),
                };
                match earlier.ask() {
                    Ask::No => on.must(Act::SkipTestPending, SPc::Read, |_| {}),
                    Ask::SendOnly => on.must(Act::SkipTestSend, SPc::RateLimit, |_| {}),
                    Ask::Yes => on.must(Act::SkipTestAsk, SPc::OpenWindow, |_| {}),
                }
            }
            // SG-4 to SG-7.
            SPc::OpenWindow if gp.status() == Status::Running && !gp.scan() => {
                on.must(Act::OpenWindow, SPc::SetStop, |n| n.g[g].set_scan(true));
            }
            SPc::OpenWindow => on.must(Act::OpenWindowFails, SPc::Read, |_| {}),
            SPc::SetStop => on.must(Act::SetStop, SPc::SetPreempt, |n| n.g[g].set_stop(true)),
            SPc::SetPreempt => on.must(Act::SetPreempt, SPc::SetGuard, |n| n.g[g].set_preempt(true)),
            SPc::SetGuard => on.must(Act::SetGuard, SPc::ReadM, |n| n.g[g].set_poison(true)),
            SPc::ReadM => on.must(Act::ReadM, SPc::CloseWindow, |n| {
                let same_m = me.async_m() == gp.m();
                let owed = self.config.profile.remembers_unsent_request && same_m && me.needs_signal();
                n.s[i].set_needs_signal(needs_signal(same_m, me.same_generation()) || owed);
                n.s[i].set_async_m(gp.m());
                n.s[i].set_same_generation(true);
            }),
            SPc::CloseWindow => on.must(Act::CloseWindow, SPc::RateLimit, |n| n.g[g].set_scan(false)),

            // SG-8.
            SPc::RateLimit if !me.needs_signal() => on.must(Act::NoSignalNeeded, SPc::Read, |_| {}),
            SPc::RateLimit if me.limited() => on.must(Act::RateLimited, SPc::Read, |n| {
                self.signal_not_sent(&mut n.s[i], LastSignal::RateLimited);
            }),
            SPc::RateLimit => on.must(Act::MaySignal, SPc::Gate, |n| n.s[i].set_limited(true)),
            // preemptM: the gate, then tgkill.
            SPc::Gate => {
                let m = usize::from(me.async_m().expect("SG-6 read an M"));
                if s.m[m].pending() && self.config.profile.has_signal_gate {
                    on.must(Act::GateClosed, SPc::Read, |n| {
                        self.signal_not_sent(&mut n.s[i], LastSignal::Gated);
                    });
                } else {
                    on.must(Act::GateOpen, SPc::Kill, |n| n.m[m].set_pending(true));
                }
            }
            SPc::Kill => {
                let m = usize::from(me.async_m().expect("SG-6 read an M"));
                on.must(Act::Kill, SPc::Read, |n| {
                    n.m[m].set_in_flight(true);
                    n.s[i].set_needs_signal(false);
                    n.s[i].set_last(LastSignal::Sent);
                });
            }
        }
    }

    /// A wanted signal was not sent: Go forgets it, X-REMEMBER does not.
    fn signal_not_sent(&self, me: &mut S, why: LastSignal) {
        if !self.config.profile.remembers_unsent_request {
            me.set_needs_signal(false);
        }
        if self.config.histories {
            me.set_last(why);
        }
    }
}

/// PR3 from a status that suspendG has read.
fn claim<F: FnMut(Move, State)>(on: &mut On<'_, F>, from: Status) {
    let g = usize::from(on.s.s[on.i].target());
    if on.s.g[g].status() == from && !on.s.g[g].scan() {
        on.must(Act::Claim, SPc::ClearStop, |n| n.g[g].set_scan(true));
    } else {
        on.must(Act::ClaimFails, SPc::Read, |_| {});
    }
}
