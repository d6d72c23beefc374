//! States and steps in words, for counterexamples.

use super::Machine;
use super::state::{G, Handler, M, PStat, Place, Preemptone, SPc, State, StwPc, SysmonPc};
use super::step::Move;
use core::fmt::Write as _;

impl Machine {
    pub(super) fn tell_step(&self, s: &State, step: Move) -> String {
        use super::step::{Act, Actor};
        let Move { actor, act, which, .. } = step;
        let about = match (actor, act) {
            (Actor::Suspender(_), Act::CallSuspendG) => format!(" on G{which}"),
            (Actor::Suspender(i), _) if self.config.gs > 1 => format!(" (G{})", s.s[usize::from(i)].target()),
            (Actor::M(_), Act::Take | Act::Steal) => format!(" (G{which})"),
            (Actor::M(i), _) if self.config.gs > 1 => {
                s.m[usize::from(i)].gp().map_or(String::new(), |g| format!(" (G{g})"))
            }
            (Actor::Outside, _) => format!(" (G{which})"),
            (Actor::Stw | Actor::Sysmon, Act::PreemptoneReads | Act::PreemptallSkips)
            | (
                Actor::Stw | Actor::Sysmon,
                Act::TakeSyscallP | Act::AdoptForeignCall | Act::TakeSyscallPFails | Act::TakePsyscall,
            ) => {
                format!(" (P{which})")
            }
            _ => String::new(),
        };
        format!("{actor}{about}: {}", act.text())
    }

    pub(super) fn tell_state(&self, s: &State) -> String {
        let mut line = String::new();
        for g in self.each_g() {
            let _ = write!(line, "G{g} {}; ", tell_g(s.g[g]));
        }
        for i in self.each_m() {
            let _ = write!(line, "M{i} {}; ", tell_m(s.m[i]));
        }
        if self.config.procs.is_some() {
            for p in self.each_p() {
                let status = match s.p[p].status() {
                    PStat::Idle => "Pidle",
                    PStat::Running => "Prunning",
                    PStat::Syscall => "Psyscall",
                    PStat::Gcstop => "Pgcstop",
                };
                let _ = write!(line, "P{p} {status}");
                if let Some(m) = s.p[p].m() {
                    let _ = write!(line, " M{m}");
                }
                line.push_str("; ");
            }
        }
        for (i, sus) in s.s.iter().enumerate().take(usize::from(self.config.suspenders)) {
            if sus.pc() != SPc::Idle {
                let _ = write!(line, "suspender {i} {:?}", sus.pc());
                for (flag, name) in [
                    (sus.stopped(), " owes-ready"),
                    (sus.limited(), " limited"),
                    (sus.needs_signal(), " needs-signal"),
                ] {
                    if flag {
                        line.push_str(name);
                    }
                }
                line.push_str("; ");
            }
        }
        if s.world.gcwaiting() {
            line.push_str("gcwaiting; ");
        }
        if s.world.stw() != StwPc::Off {
            let _ = write!(line, "stw {:?}; ", s.world.stw());
        }
        if !matches!(s.world.sysmon(), SysmonPc::Awake | SysmonPc::Done)
            || s.world.preemptone() != Preemptone::Off
        {
            let _ = write!(line, "preemptone {:?}; ", s.world.preemptone());
        }
        line.truncate(line.trim_end_matches("; ").len());
        line
    }
}

fn tell_g(g: G) -> String {
    let mut text = g.gstatus().as_str().to_owned();
    for (flag, name) in [
        (g.stop(), " stop"),
        (g.preempt(), " preempt"),
        (g.poison(), " poison"),
        (g.locked(), " locked"),
        (g.reason_preempted(), " reason=preempted"),
    ] {
        if flag {
            text.push_str(name);
        }
    }
    if let Some(m) = g.m() {
        let _ = write!(text, " M{m}");
    }
    text.push_str(match g.place() {
        Place::Hand => "",
        Place::Global => " in global",
        Place::Local0 => " in local of P0",
        Place::Local1 => " in local of P1",
        Place::Next0 => " in runnext of P0",
        Place::Next1 => " in runnext of P1",
    });
    text
}

fn tell_m(m: M) -> String {
    let mut text = format!("{:?}", m.pc());
    if let Some(g) = m.gp() {
        let _ = write!(text, " G{g}");
    }
    for (flag, name) in [
        (m.locks(), " locks"),
        (m.pending(), " pending"),
        (m.in_flight(), " signal-in-flight"),
        (m.injected(), " injected"),
    ] {
        if flag {
            text.push_str(name);
        }
    }
    if m.handler() != Handler::None {
        let _ = write!(text, " handler:{:?}", m.handler());
    }
    text
}
