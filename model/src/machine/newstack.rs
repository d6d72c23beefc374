//! newstack: what a trapped prologue leads to (C1, NS-2 to NS-6, T55, T56), and the renewed poison (C11).

use super::state::{MPc, State, Status};
use super::step::{Act, Move};
use super::{Machine, OnM};
use crate::rules::preempt::{Choice, Newstack};

impl Machine {
    pub(super) fn newstack_steps(&self, on: &mut OnM<'_, impl FnMut(Move, State)>) {
        let (s, i, g) = (on.s, on.i, on.g());
        match on.m().pc() {
            // C1. The guard is read again here, on g0.
            MPc::Newstack => match Newstack::decide(s.g[g].poison(), self.can_preempt_m(s, i), s.g[g].stop())
            {
                Newstack::Grow => on.must(Act::CallGrow, MPc::GrowCas, |_| {}),
                Newstack::Decline => on.must(Act::NewstackDeclines, MPc::DeclineGuard, |_| {}),
                Newstack::Preempt(Choice::Park) => on.must(Act::NewstackParks, MPc::StopCas, |_| {}),
                Newstack::Preempt(Choice::Yield) => {
                    on.must(Act::NewstackYields, MPc::YieldCas, |n| self.mark_preempted(n, i));
                }
            },
            MPc::GrowCas => on.cas_from_running(Act::Grow, Status::Copystack, MPc::GrowGuard),
            // copystack writes the guard of the new stack and may so erase a poison.
            MPc::GrowGuard => on.must(Act::GrowGuard, MPc::GrowBack, |n| n.g[g].set_poison(false)),
            MPc::GrowBack => on.must(Act::GrowBack, MPc::User, |n| n.g[g].set_status(Status::Running)),
            MPc::DeclineGuard => on.must(Act::DeclineGuard, MPc::User, |n| n.g[g].set_poison(false)),
            MPc::UnlockPoison => on.must(Act::UnlockPoison, MPc::User, |n| n.g[g].set_poison(true)),
            _ => unreachable!("not a step of newstack"),
        }
    }
}
