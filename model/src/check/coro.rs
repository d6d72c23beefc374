//! Coroutine switches, and Gs that are locked to an M.

use sigurg_traces::{Event, GStatus, Stack};

use super::Checker;
use super::p::Offer;
use super::queue::Slot;
use super::violation::{Verdict, broken};
use crate::rules::queue::Grip;
use crate::rules::rule::Rule;

impl Checker {
    /// The switch: `m.curg` goes over before the status of the next G changes.
    pub(crate) fn coro_to(&mut self, e: &Event, gs: u32) -> Verdict {
        let g = &self.gs[gs as usize];
        let waits = g.status.base() == GStatus::Waiting && !g.suspendable && g.slot == Slot::Nowhere;
        if self.claims && !waits {
            return broken(
                Rule::Coroutine,
                format!("M{} switches to {}, which is {}", e.m, self.g_name(gs), self.place_of(gs)),
                "a coroutine that waits",
            );
        }
        self.m(e.m).curg = gs;
        Ok(())
    }

    /// The P and the G go to the M that the G is locked to.
    pub(crate) fn startlockedm(&mut self, e: &Event, gs: u32, target: i32) -> Verdict {
        self.known_m(target)?;
        if target == e.m {
            return broken(
                Rule::LockedM,
                format!("M{target} hands {} to itself", self.g_name(gs)),
                "another M (startlockedm throws)",
            );
        }
        self.leaves_handler(gs, target, "is handed")?;
        let grip = self.gs[gs as usize].grip;
        if matches!(grip, Grip::Born | Grip::Continued) {
            return broken(
                Rule::LockedM,
                format!("M{} hands on {}, which it holds as {grip:?}", e.m, self.g_name(gs)),
                "a G that schedule found",
            );
        }
        self.let_go(gs, e.m, "hands to its M", Rule::LockedM)?;
        self.hand_in(gs, target, Grip::Handed);
        self.m(e.m).scheduling = false;
        let p = self.m(e.m).p;
        if p >= 0 {
            self.p(p).offer = Offer::By(e.m);
        }
        Ok(())
    }

    pub(crate) fn stoplockedm(&mut self, e: &Event, gs: u32) -> Verdict {
        let curg = self.m(e.m).curg;
        if curg != 0 {
            return broken(
                Rule::LockedM,
                format!("M{} stops for {} and still runs {}", e.m, self.g_name(gs), self.g_name(curg)),
                "an M that runs none",
            );
        }
        if e.on == Stack::Gsignal && self.gs[gs as usize].handler != e.m {
            return broken(
                Rule::LockedM,
                format!("M{} stops in its handler for {}", e.m, self.g_name(gs)),
                "the G that stays there",
            );
        }
        self.m(e.m).locked = gs;
        Ok(())
    }

    /// An M in stoplockedm runs its own G next, and a handed G is run by the M it was handed to.
    pub(crate) fn locked_right(&mut self, gs: u32, m: i32) -> Verdict {
        let handed = self.gs[gs as usize].grip == Grip::Handed;
        let locked = core::mem::take(&mut self.m(m).locked);
        if locked != if handed { gs } else { 0 } {
            let waits = if locked == 0 { "for no G".into() } else { format!("for {}", self.g_name(locked)) };
            return broken(
                Rule::LockedM,
                format!("M{m} runs {}, and waited {waits}", self.g_name(gs)),
                "the G that it is locked to",
            );
        }
        Ok(())
    }
}
