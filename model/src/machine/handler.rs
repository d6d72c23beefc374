//! The preemption signal: delivered at any instruction, judged, acknowledged (SR-1 to SR-3, AS).
//!
//! 1. It acknowledges also when it declines. Otherwise the gate stays closed and nobody can ask again.
//! 2. The decision to inject comes first, then the generation and the pending mark in the profile's order.
//! 3. What it injects begins when the handler returns.

use super::Machine;
use super::config::UnsafePoints;
use super::state::{Handler, MPc, State};
use super::step::{Act, Actor, Move};
use crate::rules::preempt::{Acknowledge, Landing, acknowledgement, want_async_preempt};
use sigurg_traces::Reject;

/// What the handler does about the interrupted G.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Ignore,
    Unsafe,
    Inject,
    Park,
}

impl Machine {
    /// The kernel delivers a signal, wherever the M is.
    pub(super) fn deliver(&self, s: &State, i: usize, out: &mut impl FnMut(Move, State)) {
        let m = s.m[i];
        // Blocked: in another handler, and around needm and dropm.
        let blocked = m.handler() != Handler::None
            || matches!(m.pc(), MPc::NeedmEnter | MPc::DropmCas | MPc::DropmClear | MPc::ParkedInHandler);
        // A thread that sleeps in the kernel takes no steps, and is woken for each signal.
        let asleep = matches!(m.pc(), MPc::ForeignCall | MPc::InSyscall | MPc::Idle | MPc::InC);
        if !m.in_flight() || blocked || !(m.moved() || asleep) {
            return;
        }
        let mut n = *s;
        n.m[i].set_in_flight(false);
        let act = if m.pc() == MPc::InC {
            Act::Swallow
        } else {
            n.m[i].set_handler(Handler::Decide);
            n.m[i].set_moved(!self.config.paced_signals);
            Act::Deliver
        };
        out(Move::obliged(Actor::M(i as u8), act), n);
    }

    pub(super) fn handler_steps(&self, s: &State, i: usize, out: &mut impl FnMut(Move, State)) {
        let order = acknowledgement(self.config.profile.clears_pending_first);
        match s.m[i].handler() {
            Handler::Decide => self.verdicts(s, i, |verdict| {
                let (act, n) = self.after(s, i, verdict);
                out(Move::obliged(Actor::M(i as u8), act), n);
            }),
            Handler::AckFirst => self.acknowledge(s, i, order[0], Handler::AckSecond, out),
            Handler::AckSecond => self.acknowledge(s, i, order[1], Handler::None, out),
            Handler::None => {}
        }
    }

    /// wantAsyncPreempt and isAsyncSafePoint; what the PC says is the environment's choice.
    fn verdicts(&self, s: &State, i: usize, mut visit: impl FnMut(Verdict)) {
        let m = s.m[i];
        let on_g_stack = matches!(m.pc(), MPc::User | MPc::ForeignCall);
        let (Some(g), true) = (m.gp().map(usize::from), on_g_stack) else { return visit(Verdict::Ignore) };
        let gp = s.g[g];
        let p_preempt = self.p_of(s, i).is_some_and(|p| s.p[p].preempt());
        if !want_async_preempt(gp.preempt(), p_preempt, gp.gstatus()) {
            return visit(Verdict::Ignore);
        }
        // X-PARK: any instruction will do, if an idle M is at hand to take the P.
        let parks = self.config.profile.parks_in_handler
            && self.can_preempt_m(s, i)
            && self.each_m().any(|other| other != i && s.m[other].pc() == MPc::Idle);
        if m.pc() == MPc::ForeignCall {
            return visit(if parks { Verdict::Park } else { Verdict::Unsafe });
        }
        let landing =
            Landing { on_curg: true, can_preempt: self.can_preempt_m(s, i), room_on_stack: true, pc: None };
        if landing.decline().is_some() {
            return visit(Verdict::Unsafe);
        }
        if parks {
            visit(Verdict::Park);
        }
        visit(Verdict::Inject);
        let may_be_unsafe = match self.config.unsafe_points {
            UnsafePoints::Always => true,
            UnsafePoints::AtMost(_) => s.world.unsafe_points() > 0,
        };
        if may_be_unsafe && (Landing { pc: Some(Reject::UnsafePoint), ..landing }).decline().is_some() {
            visit(Verdict::Unsafe);
        }
    }

    fn after(&self, s: &State, i: usize, verdict: Verdict) -> (Act, State) {
        let mut n = *s;
        n.m[i].set_handler(Handler::AckFirst);
        let act = match verdict {
            Verdict::Ignore => Act::HandlerIgnores,
            Verdict::Unsafe => {
                if s.m[i].pc() == MPc::User && matches!(self.config.unsafe_points, UnsafePoints::AtMost(_)) {
                    n.world.set_unsafe_points(s.world.unsafe_points().saturating_sub(1));
                }
                Act::HandlerUnsafe
            }
            Verdict::Inject => {
                n.m[i].set_injected(true);
                Act::HandlerInjects
            }
            Verdict::Park => {
                let g = usize::from(s.m[i].gp().expect("a G was interrupted"));
                n.m[i].set_injected(true);
                n.g[g].set_locked(true);
                Act::HandlerParks
            }
        };
        (act, n)
    }

    fn acknowledge(
        &self,
        s: &State,
        i: usize,
        store: Acknowledge,
        then: Handler,
        out: &mut impl FnMut(Move, State),
    ) {
        let mut n = *s;
        let act = match store {
            Acknowledge::Generation => {
                for suspender in &mut n.s {
                    if suspender.async_m() == Some(i as u8) {
                        suspender.set_same_generation(false);
                    }
                }
                Act::AckGeneration
            }
            Acknowledge::Pending => {
                n.m[i].set_pending(false);
                Act::AckPending
            }
        };
        n.m[i].set_handler(then);
        if then == Handler::None && s.m[i].injected() {
            n.m[i].set_injected(false);
            n.m[i].set_pc(MPc::AsyncPreempt);
        }
        out(Move::obliged(Actor::M(i as u8), act), n);
    }
}
