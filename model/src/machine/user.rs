//! What user code on an M may do, and how it is interrupted at a safe point (C1 to C5, C11).

use super::state::{MPc, State, Status};
use super::step::{Act, Move};
use super::{Machine, OnM};
use crate::rules::preempt::{Choice, MView};
use sigurg_traces::{GStatus, PStatus};

impl Machine {
    pub(super) fn user_steps(&self, on: &mut OnM<'_, impl FnMut(Move, State)>) {
        let (s, i, g) = (on.s, on.i, on.g());
        let gp = s.g[g];
        match on.m().pc() {
            MPc::User => {
                if on.m().locks() {
                    return self.steps_under_lock(on);
                }
                self.free_steps(on);
                // The loop of the user goes on: nothing changes but that the M has moved.
                if !on.m().moved() {
                    on.must(Act::Compute, MPc::User, |_| {});
                }
            }
            // asyncPreempt2, on g0: C2. canPreemptM is not asked again.
            MPc::AsyncPreempt => match Choice::of(gp.stop()) {
                Choice::Park => on.must(Act::AsyncPark, MPc::StopCas, |_| {}),
                Choice::Yield => on.must(Act::AsyncYield, MPc::YieldCas, |n| self.mark_preempted(n, i)),
            },
            MPc::ForeignCall => on.may(Act::ForeignReturns, MPc::User, |_| {}),
            _ => unreachable!("not a step of user code"),
        }
    }

    fn free_steps(&self, on: &mut OnM<'_, impl FnMut(Move, State)>) {
        let (s, i, g) = (on.s, on.i, on.g());
        let (gp, user) = (s.g[g], self.config.user);
        if user.calls {
            self.prologue(on);
        }
        if user.grows && !gp.poison() {
            on.may(Act::CallGrow, MPc::GrowCas, |_| {});
        }
        if user.locks {
            on.may(Act::Lock, MPc::User, |n| n.m[i].set_locks(true));
        }
        if user.parks {
            on.may(Act::CallGopark, MPc::ParkCas, |_| {});
        }
        if user.gosched {
            on.may(Act::CallGosched, MPc::YieldCas, |_| {});
        }
        if user.goyield {
            on.may(Act::CallGoyield, MPc::GoyieldCas, |_| {});
        }
        if user.exits {
            on.may(Act::CallExit, MPc::ExitCas, |_| {});
        }
        if user.syscalls || self.config.c_threads {
            on.may(Act::CallSyscall, MPc::SyscallGuard, |_| {});
        }
        if user.coroswitch && s.g[1 - g].status() == Status::Waiting && s.g[1 - g].m().is_none() {
            on.may(Act::CallCoroswitch, MPc::CoroLeave, |_| {});
        }
        if user.foreign_calls {
            on.may(Act::CallForeign, MPc::ForeignCall, |_| {});
        }
    }

    fn steps_under_lock(&self, on: &mut OnM<'_, impl FnMut(Move, State)>) {
        let (i, g) = (on.i, on.g());
        if self.config.user.calls {
            self.prologue(on);
        }
        // A lock is held for a bounded time. C11: the last unlock renews the poison of a standing request.
        let to = if on.s.g[g].preempt() { MPc::UnlockPoison } else { MPc::User };
        on.must(Act::Unlock, to, |n| n.m[i].set_locks(false));
    }

    /// A call: its prologue compares the stack pointer with the guard, and traps on the poison (growth is a
    /// step of its own).
    fn prologue(&self, on: &mut OnM<'_, impl FnMut(Move, State)>) {
        if on.s.g[on.g()].poison() {
            on.may(Act::Prologue, MPc::Newstack, |_| {});
        }
    }

    /// goschedImpl is told whether the G was preempted; it matters only where queues are told apart.
    pub(super) fn mark_preempted(&self, n: &mut State, i: usize) {
        n.m[i].set_preempted(self.config.queues);
    }

    /// canPreemptM.
    pub(super) fn can_preempt_m(&self, s: &State, i: usize) -> bool {
        MView {
            held: s.m[i].locks(),
            p: self.p_of(s, i).map(|p| match (self.config.procs, s.p[p].status()) {
                (None, _) | (_, super::PStat::Running) => PStatus::Running,
                (_, super::PStat::Idle) => PStatus::Idle,
                (_, super::PStat::Syscall) => PStatus::Syscall,
                (_, super::PStat::Gcstop) => PStatus::Gcstop,
            }),
            curg: s.m[i].curg().map(|g| match s.g[usize::from(g)].status() {
                Status::Syscall => GStatus::Syscall,
                _ => GStatus::Running,
            }),
        }
        .can_preempt(self.config.profile.preemptone_skips_syscall)
    }
}
