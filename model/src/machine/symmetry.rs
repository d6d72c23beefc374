//! Folding: actors of one kind are alike, so states that differ only by their names are one.
//!
//! Suspenders are alike; so are Ms that keep their Ps, and Gs that wait in one unordered queue. Where Ps
//! change hands or queues are told apart, a step may prefer the first of two, and nothing is folded
//! (`Machine::new` refuses).

use super::Machine;
use super::state::{GS, MS, Preemptone, S, State, SysmonPc};

impl Machine {
    /// The smallest of the images of the state under every renaming of its actors.
    pub(super) fn smallest_image(&self, s: State) -> State {
        let mut smallest = self.sorted(s);
        let mut best = smallest.pack();
        let mut consider = |image: State| {
            let image = self.sorted(image);
            let packed = image.pack();
            if packed < best {
                (best, smallest) = (packed, image);
            }
        };
        if self.config.ms == 2 {
            consider(rename_ms(s));
        }
        if self.config.gs == 2 {
            consider(rename_gs(s));
            if self.config.ms == 2 {
                consider(rename_ms(rename_gs(s)));
            }
        }
        smallest
    }

    fn sorted(&self, mut s: State) -> State {
        if self.config.suspenders == 2 && s.s[0] > s.s[1] {
            s.s.swap(0, 1);
        }
        s
    }
}

fn other(index: u8) -> u8 {
    1 - index
}

/// M0 and M1 change names, and with them their Ps.
fn rename_ms(mut s: State) -> State {
    const { assert!(MS == 2) };
    s.m.swap(0, 1);
    s.p.swap(0, 1);
    for g in &mut s.g {
        g.set_m(g.m().map(other));
    }
    for suspender in &mut s.s {
        suspender.set_async_m(suspender.async_m().map(other));
    }
    if s.world.preemptone() != Preemptone::Off {
        s.world.set_preemptone_m(other(s.world.preemptone_m()));
    }
    if s.world.sysmon() == SysmonPc::Preempting {
        s.world.set_sysmon_p(other(s.world.sysmon_p()));
    }
    s
}

/// G0 and G1 change names.
fn rename_gs(mut s: State) -> State {
    const { assert!(GS == 2) };
    s.g.swap(0, 1);
    for m in &mut s.m {
        m.set_curg(m.curg().map(other));
        m.set_gp(m.gp().map(other));
    }
    for suspender in &mut s.s {
        if *suspender != S::default() {
            suspender.set_target(other(suspender.target()));
        }
    }
    if s.world.preemptone() != Preemptone::Off {
        s.world.set_preemptone_g(other(s.world.preemptone_g()));
    }
    s
}
