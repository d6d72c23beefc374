//! The choice between parking and yielding, and the handler that brings a G to it.
//!
//! Who sets `preemptStop` decides (C1, C2); a G that parks unasked would wait in Gpreempted for ever.

use sigurg_traces::{Event, GStatus, Reject};

use super::Checker;
use super::violation::{Verdict, broken};
use crate::rules::rule::Rule;

/// What a `newstack` event says.
#[derive(Clone, Copy)]
pub(crate) struct Trap {
    pub(crate) preempt: bool,
    pub(crate) stop: bool,
    pub(crate) shrink: bool,
}

impl Checker {
    /// NS-2 to NS-5.
    pub(crate) fn newstack(&mut self, e: &Event, gs: u32, trap: Trap) -> Verdict {
        self.is_own(e, gs, "traps")?;
        let since = self.m(e.m).previous;
        let g = &self.gs[gs as usize];
        let claims = self.claims;
        let wrong = if trap.preempt && claims && !g.poison.may_be_set() {
            Some("finds its guard poisoned, but nobody poisoned it")
        } else if trap.shrink != g.shrink {
            Some("reads preemptShrink otherwise than it was written")
        } else if claims && trap.stop && !g.stop {
            Some("reads preemptStop, but no suspender set it")
        } else if claims && !trap.stop && g.stop && g.stop_sure < since {
            Some("misses preemptStop, which a suspender had set before")
        } else {
            None
        };
        match wrong {
            None => {
                self.m(e.m).read_stop = trap.stop;
                Ok(())
            }
            Some(wrong) => broken(
                Rule::PreemptChoice,
                format!("newstack of {} {wrong}", self.g_name(gs)),
                format!("preempt_stop={}, preempt_shrink={}", g.stop, g.shrink),
            ),
        }
    }

    pub(crate) fn preempt_park(&mut self, e: &Event, gs: u32, by_signal: bool) -> Verdict {
        self.is_own(e, gs, "parks")?;
        if self.claims && !self.gs[gs as usize].stop {
            return self.unrequested_park(gs);
        }
        if self.m(e.m).hands > 0 {
            self.loosen_hands(e.m);
        }
        self.stays(e, gs);
        self.injected(e, gs, by_signal)
    }

    #[cold]
    pub(crate) fn unrequested_park(&self, gs: u32) -> Verdict {
        broken(
            Rule::ParkRequested,
            format!("{} parks for a suspender, but its preemptStop is not set", self.g_name(gs)),
            "it yields (gopreempt_m)",
        )
    }

    pub(crate) fn preempt_yield(&mut self, e: &Event, gs: u32, by_signal: bool) -> Verdict {
        self.is_own(e, gs, "yields")?;
        let since = self.m(e.m).previous;
        // At a safe point it may have been told after newstack had looked, which then says so.
        let read_stop = core::mem::take(&mut self.m(e.m).read_stop);
        let g = &self.gs[gs as usize];
        let told = if by_signal { g.stop_told } else { read_stop };
        if self.claims && g.stop && g.stop_sure < since || told {
            return broken(
                Rule::PreemptChoice,
                format!("{} yields, but its preemptStop is set", self.g_name(gs)),
                "it parks for the suspender that set it (preemptPark)",
            );
        }
        self.m(e.m).yield_preempted = true;
        self.stays(e, gs);
        self.injected(e, gs, by_signal)
    }

    /// An asynchronous preemption follows an injected call, and an injected call is one.
    fn injected(&mut self, e: &Event, gs: u32, by_signal: bool) -> Verdict {
        let injected = core::mem::take(&mut self.m(e.m).injected);
        if by_signal != (injected == gs) {
            return broken(
                Rule::SafePoint,
                format!("{} stops by_signal={by_signal}", self.g_name(gs)),
                if injected == 0 {
                    "no handler found it at a safe point".into()
                } else {
                    format!("the handler injected a call into {}", self.g_name(injected))
                },
            );
        }
        Ok(())
    }

    pub(crate) fn gosched_impl(&mut self, e: &Event, gs: u32, preempted: Option<bool>) -> Verdict {
        self.is_own(e, gs, "yields")?;
        let expected = self.m(e.m).yield_preempted;
        if preempted.is_some_and(|preempted| preempted != expected) {
            return broken(
                Rule::ProgramOrder,
                format!("goschedImpl of {} is told preempted={}", self.g_name(gs), !expected),
                format!("preempted={expected}"),
            );
        }
        if self.m(e.m).hands > 0 {
            self.loosen_hands(e.m);
        }
        Ok(())
    }

    /// The target is the G that the M runs, and it runs.
    pub(crate) fn is_own(&self, e: &Event, gs: u32, does: &str) -> Verdict {
        let g = &self.gs[gs as usize];
        if g.m == e.m && g.status.base() == GStatus::Running {
            return Ok(());
        }
        broken(
            Rule::OneM,
            format!("{} {does} on M{}, but it is {} on M{}", self.g_name(gs), e.m, g.status, g.m),
            "the G that the M runs",
        )
    }

    /// SR-3: what the handler found.
    ///
    /// `gs` is 0 where it interrupted no G.
    pub(crate) fn sig_preempt(
        &mut self,
        e: &Event,
        gs: u32,
        want: bool,
        safe: bool,
        reject: Option<Reject>,
    ) -> Verdict {
        let m = e.m;
        let shape = if safe && !want {
            Some("is at a safe point that nobody asked for")
        } else if reject.is_some() && (safe || !want) {
            Some("is rejected, but it was safe or not wanted")
        } else if want && !safe && reject.is_none() {
            Some("is wanted, not safe, and no reason is given")
        } else {
            None
        };
        if let Some(shape) = shape {
            return broken(
                Rule::SafePoint,
                format!("{} {shape}", self.g_name(gs)),
                "safe only if wanted; a reason exactly if wanted and not safe",
            );
        }
        if !safe && !self.claims {
            return self.looks(m);
        }
        self.signal_handled(m, "handles")?;
        let state = self.m(m);
        let (p, since, injected) = (state.p, state.previous, state.injected);
        let g = &self.gs[gs as usize];
        let p_preempt = usize::try_from(p).ok().and_then(|p| self.ps.get(p)).map(|p| p.preempt);
        let on_curg = gs != 0 && g.m == m;
        // The change at either end of a system call is made on the G's own stack, and told a little later.
        let runs = matches!(g.status.base(), GStatus::Running | GStatus::Syscall);
        if want && !(on_curg && runs && (g.trapped || g.status.base() == GStatus::Running)) {
            return broken(
                Rule::SafePoint,
                format!("{} is wanted on M{m} while it is {} on M{}", self.g_name(gs), g.status, g.m),
                "only the G that runs on the interrupted M is wanted",
            );
        }
        if want && self.claims && !g.preempt.may_be_set() && !p_preempt.is_some_and(|p| p.may_be_set()) {
            return broken(
                Rule::SafePoint,
                format!("{} is wanted, but neither it nor its P was asked", self.g_name(gs)),
                "a request is set before anyone acts on it",
            );
        }
        if !want
            && self.claims
            && on_curg
            && g.status == GStatus::Running
            && !g.trapped
            && e.target.is_some_and(|t| t.g != 0)
            && g.preempt.surely_set(since)
        {
            return broken(
                Rule::SafePoint,
                format!("{} was asked to stop, and the handler does not want it", self.g_name(gs)),
                "wanted (wantAsyncPreempt)",
            );
        }
        if safe {
            if p < 0 {
                return broken(
                    Rule::SafePoint,
                    format!("{} is at a safe point on M{m}, which has no P", self.g_name(gs)),
                    "AS-02",
                );
            }
            if injected != 0 {
                return broken(
                    Rule::SafePoint,
                    format!("a second call is injected into {}", self.g_name(gs)),
                    "the first one has not stopped it yet (INV-39)",
                );
            }
            self.m(m).injected = gs;
        }
        Ok(())
    }
}
