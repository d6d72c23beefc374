//! What must happen sooner or later (INV-55, INV-57, INV-61), and the hazards that break it.
//!
//! A promise is a region of states in which somebody waits. It is broken by a run that is fair to everybody
//! who is obliged to move, in which the environment makes no more choices from some moment on, and which
//! yet never leaves the region. (With choices for ever, bad luck would break every promise: a G that parks
//! and is woken just between each look of its suspender and each claim.)

use super::config::{Config, Sysmon};
use super::state::{LastSignal, SPc, State, Status, StwPc};
use super::{Machine, holds_scan};
use crate::rules::hazard::Hazard;
use crate::space::{Finding, Promise};

const SUSPENDER_WAITS: u8 = 0;
const SIGNAL_WAS_LIMITED: u8 = 1;
const SIGNAL_WAS_GATED: u8 = 2;
const SIGNAL_WAS_SENT: u8 = 3;
const STW_WAITS: u8 = 4;
/// And one more for each further G.
const G_IS_RUNNABLE: u8 = 5;

/// The promises of a configuration.
pub(super) fn promises(config: &Config) -> Vec<Promise> {
    let mut all = Vec::new();
    if !config.liveness {
        return all;
    }
    let invariant = |id, title, region| Promise { finding: Finding { id, title, expected: false }, region };
    let hazard = |hazard: Hazard, region| Promise {
        finding: Finding { id: hazard.id(), title: hazard.title(), expected: hazard.is_in(&config.profile) },
        region,
    };
    const ASKED: &str = "a suspender gets its G, or finds it dead";
    // Where the world is stopped, that is the question; a suspender's race against it is another.
    if config.suspenders > 0 && !config.stw {
        if config.histories {
            all.push(hazard(Hazard::RateLimitedRetryLost, SIGNAL_WAS_LIMITED));
            all.push(hazard(Hazard::AckOvertakesPending, SIGNAL_WAS_GATED));
            all.push(invariant("INV-55", ASKED, SIGNAL_WAS_SENT));
        } else {
            all.push(invariant("INV-55", ASKED, SUSPENDER_WAITS));
        }
    }
    if config.stw {
        all.push(if config.suspenders > 0 && config.starts_in_syscall {
            hazard(Hazard::ScanBitHidesSyscallP, STW_WAITS)
        } else if config.user.syscalls {
            hazard(Hazard::EntersyscallWindow, STW_WAITS)
        } else {
            invariant("INV-61", "stop-the-world ends", STW_WAITS)
        });
    }
    // Without a sysmon nobody asks a long runner to make room.
    if config.queues && config.suspenders == 0 && config.sysmon == Sysmon::Forever {
        for g in 0..config.gs {
            all.push(invariant("INV-57", "a runnable G runs", G_IS_RUNNABLE + g));
        }
    }
    all
}

impl Machine {
    pub(super) fn waits_in(&self, s: &State, region: u8) -> bool {
        match region {
            SUSPENDER_WAITS => nobody_gets_its_g(s, |_| true),
            SIGNAL_WAS_LIMITED => nobody_gets_its_g(s, |last| last == LastSignal::RateLimited),
            SIGNAL_WAS_GATED => nobody_gets_its_g(s, |last| last == LastSignal::Gated),
            SIGNAL_WAS_SENT => nobody_gets_its_g(s, |last| last == LastSignal::Sent),
            STW_WAITS => !matches!(s.world.stw(), StwPc::Off | StwPc::Stopped),
            g => s.g[usize::from(g - G_IS_RUNNABLE)].status() == Status::Runnable,
        }
    }
}

/// Somebody is in suspendG, and nobody has got a G: fairness *between* suspenders is not promised.
fn nobody_gets_its_g(s: &State, last: impl Fn(LastSignal) -> bool) -> bool {
    let has_it = |pc| matches!(pc, SPc::Ready | SPc::ReadyPut) || (holds_scan(pc) && !in_window(pc));
    let mut waiting = s.s.iter().filter(|sus| sus.pc() != SPc::Idle).peekable();
    waiting.peek().is_some() && waiting.all(|sus| !has_it(sus.pc()) && last(sus.last()))
}

fn in_window(pc: SPc) -> bool {
    matches!(pc, SPc::SetStop | SPc::SetPreempt | SPc::SetGuard | SPc::ReadM | SPc::CloseWindow)
}
