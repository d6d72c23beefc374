//! What happens from outside: a wait ends, a goroutine is born (T03, T19, T20), and X-WAKE.

use super::Machine;
use super::state::{MPc, PStat, Preemptone, State, Status};
use super::step::{Act, Actor, Move};

impl Machine {
    pub(super) fn outside_steps(&self, s: &State, out: &mut impl FnMut(Move, State)) {
        let user = self.config.user;
        if !(user.parks || user.exits) {
            return;
        }
        for g in self.each_g() {
            let gp = s.g[g];
            // Whoever parks registers under a lock that is held until dropg is done.
            let left = self.each_m().all(|m| s.m[m].gp() != Some(g as u8));
            if !left || gp.scan() {
                continue;
            }
            let owed = s.s.iter().any(|sus| sus.stopped() && usize::from(sus.target()) == g);
            let mut n = *s;
            if user.parks && gp.status() == Status::Waiting && !owed {
                n.g[g].set_status(Status::Runnable);
                self.put_global(&mut n, g);
                self.ask_long_runner(&mut n);
                out(Move::free(Actor::Outside, Act::Wake).of(g as u8), n);
            } else if user.exits && gp.status() == Status::Dead {
                n.g[g].set_status(Status::Runnable);
                self.put_global(&mut n, g);
                out(Move::free(Actor::Outside, Act::Newproc).of(g as u8), n);
            }
        }
    }

    /// X-WAKE: no P is idle, so one that runs user code is asked at once.
    fn ask_long_runner(&self, n: &mut State) {
        let any_idle = self.each_p().any(|p| n.p[p].status() == PStat::Idle);
        if !self.wakes_preempt() || any_idle || n.world.preemptone() != Preemptone::Off {
            return;
        }
        let runs_user_code = |p: usize| n.p[p].m().is_some_and(|m| n.m[usize::from(m)].pc() == MPc::User);
        if let Some(asked) = self.each_p().find(|&p| runs_user_code(p)).and_then(|p| self.preemptone(n, p)) {
            *n = asked;
        }
    }
}
