//! Stop-the-world: asked, stopped, started, by one M, in turn.

use sigurg_traces::{Event, PStatus, Phase};

use super::Checker;
use super::m::NO_M;
use super::violation::{Verdict, broken};
use crate::rules::rule::Rule;

/// Where the world is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum World {
    /// Before the first procresize: nothing runs yet.
    Booting,
    Running,
    Stopping,
    Stopped,
    Starting,
}

/// The world, and who stops it.
#[derive(Clone, Debug)]
pub(crate) struct Stw {
    world: World,
    m: i32,
    /// `gcwaiting` is surely set.
    waiting: bool,
    /// A crash may have frozen the world: preemptall without a stop-the-world.
    frozen: bool,
    procs: i64,
    resized: Option<i64>,
    phase: Phase,
}

impl Stw {
    pub(crate) const NEW: Self = Self {
        world: World::Booting,
        m: NO_M,
        waiting: false,
        frozen: false,
        procs: 0,
        resized: None,
        phase: Phase::Off,
    };

    /// Nobody stops or starts the world.
    pub(crate) fn runs(&self) -> bool {
        self.world == World::Running
    }

    /// The number of Ps.
    pub(crate) fn procs(&self) -> i64 {
        self.procs
    }

    /// `gcwaiting` is set, beyond doubt.
    pub(crate) fn is_stopping_surely(&self) -> bool {
        self.waiting && self.world == World::Stopping
    }

    /// `gcwaiting` may be set.
    pub(crate) fn may_be_stopping(&self) -> bool {
        self.world == World::Stopping || self.frozen
    }

    /// The M that stops the world has set `gcwaiting`.
    pub(crate) fn asked(&mut self, m: i32) {
        if self.world == World::Stopping && self.m == m {
            self.waiting = true;
        }
    }

    /// A P was given up for `gcwaiting`, or asked to, though nobody stops the world: a crash freezes it.
    pub(crate) fn freezes(&mut self) {
        self.frozen |= matches!(self.world, World::Running | World::Starting);
    }

    /// Whether an M can see `gcwaiting`.
    pub(crate) fn can_be_waiting(&self) -> bool {
        matches!(self.world, World::Running | World::Stopping | World::Starting)
    }

    /// Whether the M may call procresize.
    fn may_resize(&self, m: i32) -> bool {
        let here = match self.world {
            World::Booting => true,
            World::Starting => self.m == m,
            World::Running | World::Stopping | World::Stopped => false,
        };
        here && self.resized.is_none()
    }

    /// Whether the M is in procresize.
    pub(crate) fn is_resizing(&self, m: i32) -> bool {
        self.resized.is_some()
            && (self.world == World::Booting || self.world == World::Starting && self.m == m)
    }

    pub(crate) fn is_stopping_by(&self, m: i32) -> bool {
        self.world == World::Stopping && self.m == m
    }

    /// Whether the M is in the middle of stopping or starting the world, on its scheduler stack.
    pub(crate) fn is_between(&self, m: i32) -> bool {
        matches!(self.world, World::Stopping | World::Starting) && self.m == m
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.world == World::Stopped
    }
}

impl Checker {
    #[cold]
    fn stw_order<T>(&self, e: &Event, does: &str) -> Verdict<T> {
        broken(
            Rule::StwOrder,
            format!("M{} {does}, but the world is {:?} by M{}", e.m, self.stw.world, self.stw.m),
            "begin, stopped, start, started, by one M",
        )
    }

    pub(crate) fn stw_begin(&mut self, e: &Event) -> Verdict {
        if !self.claims {
            return Ok(());
        }
        if !matches!(self.stw.world, World::Running | World::Booting) || self.for_each_p.is_some() {
            return self.stw_order(e, "stops the world");
        }
        self.stw = Stw { world: World::Stopping, m: e.m, waiting: false, resized: None, ..self.stw.clone() };
        Ok(())
    }

    pub(crate) fn stw_stopped(&mut self, e: &Event) -> Verdict {
        if !self.claims {
            return Ok(());
        }
        if self.stw.world != World::Stopping || self.stw.m != e.m {
            return self.stw_order(e, "has stopped the world");
        }
        let runs = self.ps.iter().position(|p| !matches!(p.status, PStatus::Gcstop | PStatus::Dead));
        if let Some(p) = runs {
            return broken(
                Rule::StwOrder,
                format!("M{} has stopped the world, but P{p} is {}", e.m, self.ps[p].status),
                "every P is Pgcstop",
            );
        }
        self.stw.world = World::Stopped;
        Ok(())
    }

    pub(crate) fn stw_start(&mut self, e: &Event) -> Verdict {
        if !self.claims {
            return Ok(());
        }
        if self.stw.world != World::Stopped || self.stw.m != e.m {
            return self.stw_order(e, "starts the world");
        }
        self.stw.world = World::Starting;
        self.stw.waiting = false;
        Ok(())
    }

    pub(crate) fn stw_started(&mut self, e: &Event, procs: i64) -> Verdict {
        if !self.claims {
            return Ok(());
        }
        if self.stw.world != World::Starting || self.stw.m != e.m {
            return self.stw_order(e, "has started the world");
        }
        if self.stw.resized != Some(procs) {
            return broken(
                Rule::StwOrder,
                format!("M{} starts the world with {procs} Ps", e.m),
                match self.stw.resized {
                    Some(procs) => format!("{procs}, as procresize made"),
                    None => "procresize first".into(),
                },
            );
        }
        self.stw = Stw { world: World::Running, m: NO_M, ..self.stw.clone() };
        Ok(())
    }

    pub(crate) fn procresize(&mut self, e: &Event, old: i64, new: i64) -> Verdict {
        if self.claims && !self.stw.may_resize(e.m) {
            return self.stw_order(e, "changes the number of Ps");
        }
        if self.claims && old != self.stw.procs || !(1..=1 << 16).contains(&new) {
            return broken(
                Rule::StwOrder,
                format!("the number of Ps goes from {old} to {new}"),
                format!("from {}, to at least one", self.stw.procs),
            );
        }
        self.stw.procs = new;
        self.stw.resized = Some(new);
        while (self.ps.len() as i64) < new {
            self.ps.push(super::p::P::NEW);
        }
        Ok(())
    }

    /// INV-47: nothing is dispatched while the world is stopped.
    #[inline]
    pub(crate) fn may_dispatch(&self, e: &Event, gs: u32) -> Verdict {
        if self.stw.is_stopped() && self.claims {
            return broken(
                Rule::StwExec,
                format!(
                    "M{} dispatches {} while M{} has stopped the world",
                    e.m,
                    self.g_name(gs),
                    self.stw.m
                ),
                "nothing, until stw_start",
            );
        }
        Ok(())
    }

    /// The first dispatch ends the boot.
    #[inline]
    pub(crate) fn booted(&mut self) -> Verdict {
        if self.stw.world == World::Booting {
            self.stw.world = World::Running;
            if self.claims && !self.all_ready() {
                return broken(
                    Rule::StwOrder,
                    "a P was not set up".into(),
                    "procresize sets up every P (PS01)",
                );
            }
        }
        Ok(())
    }

    /// The phase of the collector changes while the world is stopped, in a circle.
    pub(crate) fn gc_phase(&mut self, e: &Event, phase: Phase) -> Verdict {
        let next = match self.stw.phase {
            Phase::Off => Phase::Mark,
            Phase::Mark => Phase::MarkTermination,
            Phase::MarkTermination => Phase::Off,
        };
        if self.claims && (phase != next || self.stw.world != World::Stopped || self.stw.m != e.m) {
            return broken(
                Rule::StwOrder,
                format!(
                    "M{} turns the collector from {} to {phase}, the world is {:?}",
                    e.m, self.stw.phase, self.stw.world
                ),
                format!("to {next}, by the M that stopped the world, while it is stopped"),
            );
        }
        self.stw.phase = phase;
        Ok(())
    }

    pub(crate) fn world_is_stopped(&self, gs: u32, c: super::g::StatusChange) -> Verdict {
        if self.stw.is_stopped() || !self.claims {
            return Ok(());
        }
        broken(
            Rule::StwOrder,
            format!("{} {} -> {} while the world runs", self.g_name(gs), c.from, c.to),
            "leak detection works on a stopped world",
        )
    }
}
