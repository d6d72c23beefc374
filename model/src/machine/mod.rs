//! The protocol machine: Go's rules for G, M, P, suspenders, sysmon, stop-the-world and signals, as a
//! finite transition system in which every interleaving can be visited.
//!
//! One step is one compare-and-swap with its branch, one plain store, one queue operation, or one decision
//! on values read together. So every plain flag store is a step of its own, and so are the four steps of the
//! signal handler: that is the grain at which the hazards of real Go show.
//!
//! Each file is one actor or one Go function, and reads in the order of its steps:
//! `suspender` (suspendG, resumeG), `scheduler` (schedule, execute), `user` (what running code may
//! do), `leave` (goschedImpl, goyield, preemptPark, gopark, goexit), `newstack`, `coro`,
//! `syscall`, `handler` (the signal), `preemptone`, `stw`, `sysmon`, `outside`.
//! `state` is what they share, `invariant` and `promise` what must hold, [`config`] and [`family`]
//! the bounded configurations.
//!
//! What the machine leaves out, and why that is sound enough to be useful:
//! 1. Suspenders and the stopper of the world own no M here; in Go they run on g0 of an M whose G is
//!    suspendable (T53). So SG-0 and the P of a suspender's ready are not explored.
//! 2. `execute` writes `m.curg` and `g.m` in one step: nobody can tell them apart, since `g.m` is read only
//!    inside a Gscanrunning window. What a suspender remembers is forgotten as soon as nothing reads it.
//! 3. A read-compare-validate of `setBlockOnExitSyscall` is one step (R-28 is not explored).
//! 4. `g.asyncSafePoint`, wait reasons (unless `reasons`), `schedtick` and the tracer are left out.
//! 5. Two Gs at the most, so the order of a queue is one bit.

pub mod config;
mod coro;
pub mod family;
mod handler;
mod invariant;
mod leave;
mod newstack;
mod outside;
mod preemptone;
mod promise;
mod scheduler;
mod state;
pub mod step;
mod stw;
mod suspender;
mod symmetry;
mod syscall;
mod sysmon;
mod tell;
mod user;
mod word;

use crate::space::{Finding, Packed, Promise, Space};
use config::{Config, Sysmon, UnsafePoints};
use sigurg_traces::GStatus;
use state::{GS, Handler, M, MPc, MS, PStat, Place, SPc, SUSPENDERS, State, Status};
use step::{Act, Actor, Move};

/// The protocol machine in one configuration.
#[derive(Clone, Debug)]
pub struct Machine {
    config: Config,
    findings: Vec<Finding>,
    promises: Vec<Promise>,
}

/// What a trace shows of a G: its status, and what is asked of it. A change of one is an edge of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Face {
    /// The status word.
    pub status: GStatus,
    /// `g.preempt`.
    pub preempt: bool,
    /// `g.preemptStop`.
    pub stop: bool,
    /// `g.stackguard0` is poisoned.
    pub poison: bool,
}

impl Face {
    /// A G that never ran.
    pub const BORN: Self = Self { status: GStatus::Dead, preempt: false, stop: false, poison: false };
}

impl core::fmt::Display for Face {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}", self.status)?;
        for (set, name) in [(self.preempt, "preempt"), (self.stop, "stop"), (self.poison, "poison")] {
            if set {
                write!(f, "+{name}")?;
            }
        }
        Ok(())
    }
}

impl Machine {
    /// The machine of a configuration.
    ///
    /// # Panics
    /// If the configuration asks for more actors than the machine has room for, or for symmetry together
    /// with liveness (fairness to each actor is lost when their names are folded).
    pub fn new(config: Config) -> Self {
        assert!((1..=GS as u8).contains(&config.gs), "{}: one or two Gs", config.name);
        assert!((1..=MS as u8).contains(&config.ms), "{}: one or two Ms", config.name);
        assert!(config.suspenders <= SUSPENDERS as u8, "{}: at most two suspenders", config.name);
        assert!(!(config.symmetry && config.liveness), "{}: liveness needs the names", config.name);
        let alike = config.procs.is_none() && !config.queues && !config.c_threads && !config.user.coroswitch;
        assert!(!config.symmetry || alike, "{}: its actors are not alike", config.name);
        Self { findings: invariant::findings(&config), promises: promise::promises(&config), config }
    }

    /// The status words of the Gs in a state.
    pub fn statuses(&self, state: Packed) -> Vec<GStatus> {
        let s = State::unpack(state);
        self.each_g().map(|g| s.g[g].gstatus()).collect()
    }

    /// What a trace would show of the Gs in a state.
    pub fn faces(&self, state: Packed) -> Vec<Face> {
        let s = State::unpack(state);
        let face = |g: usize| Face {
            status: s.g[g].gstatus(),
            preempt: s.g[g].preempt(),
            stop: s.g[g].stop(),
            poison: s.g[g].poison(),
        };
        self.each_g().map(face).collect()
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    fn start(&self) -> State {
        let config = &self.config;
        let mut s = State::default();
        for g in 0..GS {
            s.g[g].set_status(Status::Dead);
        }
        for g in 0..usize::from(config.gs) {
            s.g[g].set_status(Status::Runnable);
            s.g[g].set_place(Place::Global);
        }
        if config.user.coroswitch {
            // The partner waits in its coroutine object (T04).
            s.g[1].set_status(Status::Waiting);
            s.g[1].set_place(Place::Hand);
        }
        for i in 0..usize::from(config.ms) {
            s.m[i].set_moved(true);
            s.m[i].set_pc(self.after_leaving());
            if config.c_threads {
                s.m[i].set_pc(MPc::InC);
                s.m[i].set_curg(Some(i as u8));
                s.m[i].set_gp(Some(i as u8));
                s.g[i].set_m(Some(i as u8));
                s.g[i].set_status(Status::Deadextra);
                s.g[i].set_place(Place::Hand);
            }
        }
        if let Some(procs) = config.procs {
            for p in 0..usize::from(procs) {
                s.p[p].set_status(PStat::Running);
                s.p[p].set_m(Some(p as u8));
                s.m[p].set_p(Some(p as u8));
            }
            for i in usize::from(procs)..usize::from(config.ms) {
                s.m[i].set_pc(MPc::Idle);
            }
        }
        if config.starts_in_syscall {
            for i in 0..usize::from(config.gs.min(config.ms)) {
                scheduler::link(&mut s, i, i);
                s.m[i].set_pc(MPc::InSyscall);
                s.g[i].set_status(Status::Syscall);
                s.g[i].set_place(Place::Hand);
                if let (Some(p), false) = (s.m[i].p(), config.profile.retakes_by_scan_bit) {
                    s.p[usize::from(p)].set_status(PStat::Syscall);
                    s.p[usize::from(p)].set_m(None);
                }
            }
        }
        if let UnsafePoints::AtMost(budget) = config.unsafe_points {
            s.world.set_unsafe_points(budget);
        }
        s
    }

    /// Where an M goes on after it let go of its G: `schedule` begins by clearing `p.preempt`, which nobody
    /// sets unless there is a preemptone.
    fn after_leaving(&self) -> MPc {
        if self.has_preemptone() { MPc::Schedule } else { MPc::FindRunnable }
    }

    fn has_preemptone(&self) -> bool {
        self.config.sysmon != Sysmon::Off || self.config.stw || self.wakes_preempt()
    }

    /// X-WAKE is on.
    fn wakes_preempt(&self) -> bool {
        self.config.profile.preempts_on_wakeup && self.config.user.parks && self.config.procs.is_some()
    }

    /// The P of an M: its own for ever, or the one it is wired to.
    fn p_of(&self, s: &State, i: usize) -> Option<usize> {
        match self.config.procs {
            None => Some(i),
            Some(_) => s.m[i].p().map(usize::from).filter(|&p| s.p[p].m() == Some(i as u8)),
        }
    }

    fn each_g(&self) -> core::ops::Range<usize> {
        0..usize::from(self.config.gs)
    }

    fn each_m(&self) -> core::ops::Range<usize> {
        0..usize::from(self.config.ms)
    }

    fn each_p(&self) -> core::ops::Range<usize> {
        0..usize::from(self.config.procs.unwrap_or(self.config.ms))
    }

    /// Calls `out` with every enabled step and the state after it.
    fn steps(&self, s: &State, out: &mut impl FnMut(Move, State)) {
        for i in self.each_m() {
            self.m_steps(s, i, out);
        }
        for i in 0..usize::from(self.config.suspenders) {
            self.suspender_steps(s, i, out);
        }
        if self.has_preemptone() {
            self.preemptone_steps(s, out);
        }
        if self.config.stw {
            self.stw_steps(s, out);
        }
        if self.config.sysmon != Sysmon::Off {
            self.sysmon_steps(s, out);
        }
        self.outside_steps(s, out);
    }

    fn m_steps(&self, s: &State, i: usize, out: &mut impl FnMut(Move, State)) {
        self.deliver(s, i, out);
        if s.m[i].handler() != Handler::None {
            return self.handler_steps(s, i, out);
        }
        let mut on = OnM { s, i, out };
        match s.m[i].pc() {
            MPc::Schedule | MPc::FindRunnable | MPc::StartLocked | MPc::Idle => self.scheduler_steps(&mut on),
            MPc::ExecuteLink | MPc::ExecuteCas | MPc::ExecutePreempt | MPc::ExecuteGuard => {
                self.execute_steps(&mut on)
            }
            MPc::User | MPc::AsyncPreempt | MPc::ForeignCall => self.user_steps(&mut on),
            MPc::YieldCas
            | MPc::YieldDropM
            | MPc::YieldDropCurg
            | MPc::YieldPut
            | MPc::GoyieldCas
            | MPc::GoyieldDropM
            | MPc::GoyieldDropCurg
            | MPc::GoyieldPut
            | MPc::StopCas
            | MPc::StopDropM
            | MPc::StopDropCurg
            | MPc::StopRelease
            | MPc::ParkCas
            | MPc::ParkDropM
            | MPc::ParkDropCurg
            | MPc::ExitCas
            | MPc::ExitClearStop
            | MPc::ExitDrop => self.leave_steps(&mut on),
            MPc::Newstack
            | MPc::GrowCas
            | MPc::GrowGuard
            | MPc::GrowBack
            | MPc::DeclineGuard
            | MPc::UnlockPoison => {
                self.newstack_steps(&mut on);
            }
            MPc::CoroLeave | MPc::CoroEnter | MPc::CoroReady | MPc::CoroRun => self.coro_steps(&mut on),
            MPc::SyscallGuard
            | MPc::SyscallCheckStw
            | MPc::SyscallGiveP
            | MPc::SyscallCas
            | MPc::SyscallReleaseP
            | MPc::InSyscall
            | MPc::ExitsyscallCas
            | MPc::ExitsyscallP
            | MPc::ExitsyscallGuard
            | MPc::ExitsyscallNoP
            | MPc::ExitsyscallDrop
            | MPc::ExitsyscallPut
            | MPc::InC
            | MPc::NeedmEnter
            | MPc::DropmCas
            | MPc::DropmClear => self.syscall_steps(&mut on),
            MPc::ParkedInHandler => {}
        }
    }
}

/// The steps of one M from one state.
struct OnM<'a, F> {
    s: &'a State,
    i: usize,
    out: &'a mut F,
}

impl<F: FnMut(Move, State)> OnM<'_, F> {
    fn m(&self) -> M {
        self.s.m[self.i]
    }

    /// The G that the M is busy with.
    fn g(&self) -> usize {
        usize::from(self.m().gp().expect("an M that is busy with a G has one"))
    }

    fn emit(&mut self, step: Move, to: MPc, change: impl FnOnce(&mut State)) {
        let mut next = *self.s;
        next.m[self.i].set_pc(to);
        next.m[self.i].set_moved(true);
        change(&mut next);
        (self.out)(step, next);
    }

    /// A step that the M takes sooner or later.
    fn must(&mut self, act: Act, to: MPc, change: impl FnOnce(&mut State)) {
        self.emit(Move::obliged(Actor::M(self.i as u8), act), to, change);
    }

    /// A step that user code may take or not.
    fn may(&mut self, act: Act, to: MPc, change: impl FnOnce(&mut State)) {
        self.emit(Move::free(Actor::M(self.i as u8), act), to, change);
    }

    /// The M's G leaves Grunning by casgstatus, which spins while somebody holds the scan bit (PR2, PR7).
    fn cas_from_running(&mut self, act: Act, status: Status, to: MPc) {
        let g = self.g();
        if self.s.g[g].status() == Status::Running && !self.s.g[g].scan() {
            self.must(act, to, |n| n.g[g].set_status(status));
        }
    }
}

impl Space for Machine {
    type Move = Move;

    fn initial(&self) -> Vec<Packed> {
        vec![self.start().pack()]
    }

    #[inline]
    fn successors(&self, state: Packed, visit: &mut impl FnMut(Move, Packed)) {
        let s = State::unpack(state);
        self.steps(&s, &mut |step, next| visit(step, next.pack()));
    }

    #[inline]
    fn canonical(&self, state: Packed) -> Packed {
        if self.config.symmetry { self.smallest_image(State::unpack(state)).pack() } else { state }
    }

    fn findings(&self) -> &[Finding] {
        &self.findings
    }

    #[inline]
    fn broken(&self, state: Packed) -> u32 {
        self.broken_in(&State::unpack(state))
    }

    fn promises(&self) -> &[Promise] {
        &self.promises
    }

    fn waits(&self, state: Packed, region: u8) -> bool {
        self.waits_in(&State::unpack(state), region)
    }

    fn actor(&self, _state: Packed, step: Move) -> Option<u8> {
        (!step.free).then_some(match step.actor {
            Actor::M(i) => i,
            Actor::Suspender(i) => 2 + i,
            Actor::Clock(i) => 4 + i,
            Actor::Stw => 6,
            Actor::Sysmon => 7,
            Actor::Waker => 8,
            Actor::Outside => return None,
        })
    }

    fn narrate(&self, state: Packed, step: Move) -> String {
        self.tell_step(&State::unpack(state), step)
    }

    fn describe(&self, state: Packed) -> String {
        self.tell_state(&State::unpack(state))
    }
}

/// Whether the suspender holds the scan bit of its target: after a claim, or inside the window.
fn holds_scan(pc: SPc) -> bool {
    matches!(
        pc,
        SPc::ClearStop
            | SPc::ClearPreempt
            | SPc::ClearGuard
            | SPc::Owns
            | SPc::SetStop
            | SPc::SetPreempt
            | SPc::SetGuard
            | SPc::ReadM
            | SPc::CloseWindow
    )
}
