//! What is known of the objects of an event, beside what the event says of them: for the story of a refusal.
//!
//! Invariant: an event that is accepted differs in nothing; a test judges the recordings so.

use core::fmt;

use sigurg_traces::{Event, GStatus, Kind, Queue};

use super::Checker;
use super::m::NO_M;
use super::queue::Slot;

/// One thing that the model knows of a G, an M or a P.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Of what: `G7`, `M2`, `P0`.
    pub object: String,
    /// Which: `status`, `holds`.
    pub what: &'static str,
    /// What the model expects there.
    pub expected: String,
    /// What the event says, if it says something of that.
    pub said: Option<String>,
    /// Whether the two cannot both be.
    pub differs: bool,
}

/// The lines of a table of what is known.
pub(crate) struct Lines<'a>(pub(crate) &'a [Known]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |of: fn(&Known) -> usize| self.0.iter().map(of).max().unwrap_or(0);
        let (object, what, expected) =
            (width(|k| k.object.len()), width(|k| k.what.len()), width(|k| k.expected.chars().count()));
        for Known { object: o, what: w, expected: e, said, differs } in self.0 {
            write!(f, "  {o:object$} {w:what$}  {e}")?;
            if let Some(said) = said {
                let gap = expected - e.chars().count();
                write!(f, "{:gap$}  event: {said}{}", "", if *differs { "   <- differs" } else { "" })?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// A table that is being written.
#[derive(Default)]
struct Rows(Vec<Known>);

impl Rows {
    fn known(&mut self, object: &str, what: &'static str, expected: impl Into<String>) {
        let (object, expected) = (object.to_owned(), expected.into());
        self.0.push(Known { object, what, expected, said: None, differs: false });
    }

    fn beside(&mut self, object: &str, what: &'static str, expected: String, said: Option<(String, bool)>) {
        let (said, differs) = said.unzip();
        let differs = differs.unwrap_or(false);
        self.0.push(Known { object: object.to_owned(), what, expected, said, differs });
    }
}

impl Checker {
    /// What is known of the G, the Ms and the Ps that `e` speaks of, beside what it says. To be asked before the event is judged.
    #[must_use]
    pub fn beside(&self, e: &Event) -> Vec<Known> {
        self.state(e, None)
    }

    /// The same; `applied`: what the event says of its object was accepted, and is part of what is known by now; before, its M ran that G.
    pub(super) fn state(&self, e: &Event, applied: Option<u32>) -> Vec<Known> {
        let mut rows = Rows::default();
        let gs = e.target.map_or(0, |target| target.gs);
        if self.gs.get(gs as usize).is_some_and(|g| g.known) {
            self.of_g(&mut rows, e, gs, applied.is_some());
        }
        let on = self.gs.get(gs as usize).map_or(NO_M, |g| g.m);
        let mut ms = vec![e.m];
        ms.extend((on != e.m).then_some(on));
        for m in ms {
            self.of_m(&mut rows, e, m, applied);
        }
        let mut ps = vec![e.p];
        ps.extend(target_p(&e.kind).filter(|p| *p != e.p));
        for p in ps {
            self.of_p(&mut rows, e, p, applied.is_some());
        }
        rows.0
    }

    fn of_g(&self, rows: &mut Rows, e: &Event, gs: u32, applied: bool) {
        let (g, name) = (&self.gs[gs as usize], self.g_name(gs));
        // What an event tells of the past, or of what another M did meanwhile, is not compared.
        let status = match e.kind {
            Kind::GStatus { from, .. } => Some((from, true)),
            Kind::GStatusFail { saw, ver, .. } | Kind::SuspendStep { saw, ver, .. } => {
                Some((saw, ver == g.ver))
            }
            _ => None,
        };
        let status = status.filter(|(_, now)| *now && !applied);
        let said = match e.kind {
            // Only what is runnable is put on a queue.
            Kind::RunqPut { .. } if !applied => {
                Some((GStatus::Runnable.to_string(), g.status.base() != GStatus::Runnable))
            }
            _ => status.map(|(said, _)| (said.to_string(), said != g.status)),
        };
        rows.beside(&name, "status", g.status.to_string(), said);
        if let (Kind::GStatus { to, ver, .. }, false) = (e.kind, applied) {
            let next: Vec<_> = self.table.successors(g.status).collect();
            let names: Vec<_> = next.iter().map(|next| next.as_str()).collect();
            rows.beside(
                &name,
                "next status",
                names.join(" or "),
                Some((to.to_string(), !next.contains(&to))),
            );
            let next = g.ver + 1;
            rows.beside(&name, "next version", next.to_string(), Some((ver.to_string(), ver != next)));
        }
        let taken = if applied { None } else { self.taken_from(e, gs) };
        rows.beside(&name, "queue", self.place_of(gs), taken);
        let on = if g.m == NO_M { "no M".into() } else { format!("M{}", g.m) };
        rows.known(&name, "runs on", on);
        if g.scan_m != NO_M {
            rows.known(&name, "scan bit", format!("of M{}", g.scan_m));
        }
        if g.stop {
            rows.known(&name, "preemptStop", "set");
        }
        if g.preempt.may_be_set() {
            rows.known(&name, "preempt", if g.preempt.surely_set(e.seq) { "set" } else { "may be set" });
        }
        if let Some(sid) = g.owner {
            rows.known(&name, "stopped by", format!("suspendG call {sid}"));
        }
    }

    /// Where the G lies according to an event that takes it or puts it, and whether that cannot be.
    fn taken_from(&self, e: &Event, gs: u32) -> Option<(String, bool)> {
        let g = &self.gs[gs as usize];
        let lies = |slot: Slot, p: i32| g.slot == slot && (g.at == p || slot == Slot::Global);
        match e.kind {
            Kind::RunqGet { target_p, q, .. } | Kind::RunqSteal { target_p, q } => {
                let (place, is) = match q {
                    Queue::Runnext => (format!("in runnext of P{target_p}"), lies(Slot::Runnext, target_p)),
                    Queue::Local => (format!("in the ring of P{target_p}"), lies(Slot::Local, target_p)),
                    Queue::Global => ("on the global queue".into(), lies(Slot::Global, target_p)),
                    Queue::Disabled | Queue::None => return None,
                };
                Some((place, !is && g.slot != Slot::Displaced))
            }
            Kind::RunqPut { .. } | Kind::Execute { .. } => Some((
                format!("in the hand of M{}", e.m),
                matches!(g.slot, Slot::Runnext | Slot::Local | Slot::Global),
            )),
            _ => None,
        }
    }

    fn of_m(&self, rows: &mut Rows, e: &Event, m: i32, applied: Option<u32>) {
        let Some(known) = self.ms.get((m + 1) as usize).filter(|known| m >= 0 && known.known) else { return };
        let name = format!("M{m}");
        // The event says whom its M ran before.
        let curg = applied.filter(|_| m == e.m).unwrap_or(known.curg);
        let runs = if curg == 0 { "no G".into() } else { self.g_name(curg) };
        let attached = &self.gs[curg as usize];
        // A foreign thread says whom it runs before it is known that it does.
        let other = if curg == 0 { applied.is_some() } else { attached.goid != 0 && attached.goid != e.by };
        let by = (m == e.m && e.by != 0).then(|| (format!("G{}", e.by), other && !known.detached));
        rows.beside(&name, "runs", runs, by);
        let holds = if known.p < 0 { "no P".into() } else { format!("P{}", known.p) };
        // Of a system call it may be gone at any moment; and who takes one says so with it in hand.
        let apart = matches!(attached.status.base(), GStatus::Syscall | GStatus::Deadextra)
            || matches!(e.kind, Kind::PStatus { .. });
        let with = (m == e.m && e.p >= 0 && !apart).then(|| (format!("P{}", e.p), known.p != e.p));
        rows.beside(&name, "holds", holds, with);
        rows.known(&name, "stands at", format!("{:?}", known.place));
        if known.pending {
            rows.known(&name, "signal", if known.handling { "is handled" } else { "under way" });
        }
    }

    fn of_p(&self, rows: &mut Rows, e: &Event, p: i32, applied: bool) {
        let Some(known) = usize::try_from(p).ok().and_then(|p| self.ps.get(p)) else { return };
        let name = format!("P{p}");
        let said = match e.kind {
            Kind::PStatus { target_p, from, .. } if target_p == p && !applied => {
                Some((from.to_string(), from != known.status))
            }
            _ => None,
        };
        rows.beside(&name, "status", known.status.to_string(), said);
        let of = if known.m == NO_M { "no M".into() } else { format!("M{}", known.m) };
        rows.known(&name, "held by", of);
        let next = if known.runnext == 0 { "nobody".into() } else { self.g_name(known.runnext) };
        rows.known(&name, "runnext", next);
        rows.known(&name, "in its ring", known.ring.count.to_string());
    }
}

/// The P that an event is about.
fn target_p(kind: &Kind) -> Option<i32> {
    match *kind {
        Kind::PRequest { target_p, .. }
        | Kind::PreemptOne { target_p, .. }
        | Kind::RunqPut { target_p, .. }
        | Kind::RunqGet { target_p, .. }
        | Kind::RunqKick { target_p, .. }
        | Kind::RunqSteal { target_p, .. }
        | Kind::Gfput { target_p }
        | Kind::PStatus { target_p, .. }
        | Kind::Handoffp { target_p }
        | Kind::RetakeSyscall { target_p }
        | Kind::SyscallBlock { target_p, .. }
        | Kind::Startm { target_p, .. }
        | Kind::SafePointFn { target_p } => Some(target_p),
        _ => None,
    }
}
