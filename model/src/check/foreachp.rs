//! forEachP: a function is run for every P, once, by whoever has it.

use sigurg_traces::{Event, PStatus};

use super::Checker;
use super::violation::{Verdict, broken};
use crate::rules::rule::Rule;

/// A forEachP that runs: who asked, and the Ps that it still waits for.
#[derive(Clone, Debug)]
pub(crate) struct ForEachP {
    m: i32,
    waits_for: Vec<i32>,
}

impl Checker {
    #[cold]
    fn for_each_p_broken(&self, what: String, legal: impl Into<String>) -> Verdict {
        broken(Rule::ForEachP, what, legal)
    }

    pub(crate) fn for_each_p_begin(&mut self, e: &Event, procs: i64) -> Verdict {
        let m = e.m;
        if let Some(other) = &self.for_each_p {
            return self.for_each_p_broken(
                format!("M{m} begins a forEachP, and that of M{} has not ended", other.m),
                "one at a time (worldsema)",
            );
        }
        let curg = self.m(m).curg;
        if !self.gs[curg as usize].suspendable {
            return self.for_each_p_broken(
                format!("M{m} begins a forEachP for {}, which cannot be suspended", self.g_name(curg)),
                "it waits for a reason of the suspendable set first (T53b)",
            );
        }
        // Without claims the Ps of other Ms may be told late.
        if self.claims && (!self.stw.runs() || procs != self.stw.procs()) {
            return self.for_each_p_broken(
                format!("M{m} begins a forEachP over {procs} Ps"),
                format!("over {}, while the world runs", self.stw.procs()),
            );
        }
        let waits_for = (0..i32::try_from(procs).unwrap_or(0)).collect();
        self.for_each_p = Some(ForEachP { m, waits_for });
        Ok(())
    }

    /// INV-49.
    pub(crate) fn safe_point_fn(&mut self, e: &Event, p: i32) -> Verdict {
        let owed = self.for_each_p.as_mut().and_then(|running| {
            let at = running.waits_for.iter().position(|waits| *waits == p)?;
            Some(running.waits_for.swap_remove(at))
        });
        if owed.is_none() {
            return self.for_each_p_broken(
                format!("M{} runs a safe point function for P{p}", e.m),
                "once for each P, while a forEachP runs",
            );
        }
        if !self.claims {
            return Ok(());
        }
        self.known_p(p)?;
        let (own, blocked) = (self.m(e.m).p == p, self.m(e.m).blocked_p == p);
        let free = self.ps[p as usize].status == PStatus::Idle;
        if own || blocked || free {
            return Ok(());
        }
        self.for_each_p_broken(
            format!("M{} runs a safe point function for P{p}, which is {}", e.m, self.ps[p as usize].status),
            "for its own P, an idle one, or one whose system call it blocks",
        )
    }

    pub(crate) fn for_each_p_end(&mut self, e: &Event) -> Verdict {
        match self.for_each_p.take() {
            Some(running) if running.m == e.m && running.waits_for.is_empty() => Ok(()),
            Some(running) => self.for_each_p_broken(
                format!("M{} ends the forEachP of M{}", e.m, running.m),
                format!("by M{}, after every P: P{:?} are missing", running.m, running.waits_for),
            ),
            None => self.for_each_p_broken(format!("M{} ends a forEachP", e.m), "none has begun"),
        }
    }
}
