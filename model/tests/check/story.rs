//! Short traces written by hand: paths of Go's sources that no recording took.
//!
//! Invariants: the events are numbered as they are told and no interval is longer than its event; versions, statuses and
//! the G and P of each M are counted along, so a story says only what happens.

#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::HashMap;

use sigurg_model::Profile;
use sigurg_model::check::{CheckOptions, Checker, Failure};
use sigurg_traces::{
    Event, GStatus, Guard, Kind, PStatus, PutHow, Queue, Request, Stack, Symbols, TakeHow, Target, Via,
};

/// What an M has, as far as its events tell.
#[derive(Clone, Copy)]
struct Thread {
    p: i32,
    by: u64,
}

/// A trace in the making. The goroutine in struct `gs` has the id `gs`.
#[derive(Clone)]
pub(crate) struct Story {
    profile: &'static Profile,
    events: Vec<Event>,
    symbols: Symbols,
    words: HashMap<u32, (GStatus, u64)>,
    ps: HashMap<i32, PStatus>,
    threads: HashMap<i32, Thread>,
    m: i32,
    on: Stack,
    claims: bool,
}

impl Story {
    /// The boot of a release with that many Ps: M0 holds P0 and runs the main goroutine, 1.
    pub(crate) fn of(release: &str, procs: i32) -> Self {
        let mut story = Self {
            profile: Profile::by_name(release).expect(release),
            events: Vec::new(),
            symbols: Symbols::new(),
            words: HashMap::new(),
            ps: HashMap::new(),
            threads: HashMap::new(),
            m: 0,
            on: Stack::G0,
            claims: true,
        };
        story.tell("schedinit", 0, Kind::Procresize { old: 0, new: procs.into() });
        for p in 0..procs {
            story.p_status("init", p, PStatus::Gcstop);
        }
        story.p_status("procresize", 0, PStatus::Idle);
        story.wirep(0);
        for p in 1..procs {
            story.p_status("procresize", p, PStatus::Idle);
        }
        story.newproc(1, 0, Queue::Runnext);
        story.tell("", 0, Kind::MStart);
        story.schedule();
        story.runs_next(1);
        story
    }

    /// It is told as streams: the order of what different Ms do is not known.
    pub(crate) fn as_streams(&mut self) -> &mut Self {
        self.claims = false;
        self
    }

    /// The last event made that version.
    pub(crate) fn over(&mut self, over: u64) -> &mut Self {
        self.events.last_mut().expect("an event").over = over;
        self
    }

    /// What follows is done by `m`, on its scheduler stack.
    pub(crate) fn m(&mut self, m: i32) -> &mut Self {
        (self.m, self.on) = (m, Stack::G0);
        self
    }

    /// What follows runs on that stack.
    pub(crate) fn on(&mut self, stack: Stack) -> &mut Self {
        self.on = stack;
        self
    }

    /// What follows has that goroutine attached.
    pub(crate) fn by(&mut self, by: u64) -> &mut Self {
        self.thread().by = by;
        self
    }

    /// What follows holds that P, or none.
    pub(crate) fn p(&mut self, p: i32) -> &mut Self {
        self.thread().p = p;
        self
    }

    fn thread(&mut self) -> &mut Thread {
        self.threads.entry(self.m).or_insert(Thread { p: -1, by: 0 })
    }

    /// One event; `gs` 0 for one without a target.
    pub(crate) fn tell(&mut self, site: &str, gs: u32, kind: Kind) -> &mut Self {
        let (m, on, seq) = (self.m, self.on, self.events.len() as u64);
        let Thread { p, by } = *self.thread();
        let g = if self.words.contains_key(&gs) { gs.into() } else { 0 };
        let target = (gs != 0).then_some(Target { g, gs });
        let site = if site.is_empty() { sigurg_traces::Sym::NONE } else { self.symbols.intern(site) };
        self.events.push(Event { seq, lo: seq, t_ns: seq, m, p, on, by, target, site, over: 0, kind });
        self
    }

    /// A change of the status word of `gs`.
    pub(crate) fn status(&mut self, site: &str, gs: u32, to: GStatus, via: Via) -> &mut Self {
        let (from, ver) = self.words.get(&gs).copied().unwrap_or((GStatus::Idle, 0));
        let reason = sigurg_traces::Sym::NONE;
        self.tell(site, gs, Kind::GStatus { from, to, via, ver: ver + 1, reason });
        self.words.insert(gs, (to, ver + 1));
        self
    }

    /// [`Story::status`] through casgstatus.
    pub(crate) fn cas(&mut self, site: &str, gs: u32, to: GStatus) -> &mut Self {
        self.status(site, gs, to, Via::Casgstatus)
    }

    /// A failed attempt to change the word, which holds what the story says.
    pub(crate) fn fails(&mut self, site: &str, gs: u32, want: (GStatus, GStatus), via: Via) -> &mut Self {
        let (saw, ver) = self.words[&gs];
        self.tell(site, gs, Kind::GStatusFail { want_from: want.0, want_to: want.1, saw, via, ver })
    }

    /// A store to a request field.
    pub(crate) fn request(&mut self, site: &str, gs: u32, request: Request) -> &mut Self {
        self.tell(site, gs, Kind::GRequest { request })
    }

    /// A store of a P's status, by a plain store.
    pub(crate) fn p_status(&mut self, site: &str, p: i32, to: PStatus) -> &mut Self {
        let from = self.ps.insert(p, to).unwrap_or(PStatus::Idle);
        self.tell(site, 0, Kind::PStatus { target_p: p, from, to, cas: false })
    }

    /// acquirep.
    pub(crate) fn wirep(&mut self, p: i32) -> &mut Self {
        self.p(p).p_status("wirep", p, PStatus::Running)
    }

    /// releasep.
    pub(crate) fn releasep(&mut self) -> &mut Self {
        let p = core::mem::replace(&mut self.thread().p, -1);
        self.p_status("releasep", p, PStatus::Idle)
    }

    /// newproc1, then runqput; the creator is `parent`.
    pub(crate) fn newproc(&mut self, gs: u32, parent: u64, queue: Queue) -> &mut Self {
        let first = !self.words.contains_key(&gs);
        if first {
            self.cas("newproc1", gs, GStatus::Dead);
        }
        let entry = self.symbols.intern("main.f");
        self.tell("newproc", gs, Kind::Newproc { entry, parent, parked: false });
        self.cas("newproc1", gs, GStatus::Runnable);
        self.put(gs, queue, PutHow::One)
    }

    /// A put on the queue of the own P, or on the global queue.
    pub(crate) fn put(&mut self, gs: u32, q: Queue, how: PutHow) -> &mut Self {
        let target_p = if matches!(q, Queue::Runnext | Queue::Local) { self.thread().p } else { -1 };
        self.tell("", gs, Kind::RunqPut { target_p, q, how })
    }

    /// The runnext that a put displaced goes to the ring.
    pub(crate) fn kick(&mut self, gs: u32) -> &mut Self {
        let target_p = self.thread().p;
        self.tell("", gs, Kind::RunqKick { target_p, q: Queue::Runnext });
        self.put(gs, Queue::Local, PutHow::One)
    }

    /// schedule begins.
    pub(crate) fn schedule(&mut self) -> &mut Self {
        let target_p = self.thread().p;
        self.tell("schedule", 0, Kind::PRequest { target_p, preempt: false })
    }

    /// A get from a queue of the own P, or from the global queue.
    pub(crate) fn pop(&mut self, gs: u32, q: Queue) -> &mut Self {
        let target_p = if q == Queue::Global { -1 } else { self.thread().p };
        self.tell("", gs, Kind::RunqGet { target_p, q, how: TakeHow::Pop })
    }

    /// execute of a G that the M holds.
    pub(crate) fn execute(&mut self, gs: u32, inherit_time: bool) -> &mut Self {
        self.tell("schedule", gs, Kind::Execute { inherit_time });
        self.by(gs.into()).cas("execute", gs, GStatus::Running);
        self.request("execute", gs, Request::Preempt(false));
        self.request("execute", gs, Request::Stackguard0(Guard::Normal))
    }

    /// The G in runnext is taken and run.
    pub(crate) fn runs_next(&mut self, gs: u32) -> &mut Self {
        self.pop(gs, Queue::Runnext).execute(gs, true)
    }

    /// gopark, park_m.
    pub(crate) fn parks(&mut self, gs: u32) -> &mut Self {
        let reason = self.symbols.intern("chan receive");
        self.on(Stack::G).tell("chanrecv", gs, Kind::Gopark { reason, unlockf: true });
        self.on(Stack::G0).cas("park_m", gs, GStatus::Waiting).by(0)
    }

    /// goready up to the change; the put follows.
    pub(crate) fn readies(&mut self, gs: u32) -> &mut Self {
        self.tell("send", gs, Kind::Goready { next: None });
        self.tell("goready", gs, Kind::Ready { next: true });
        self.cas("ready", gs, GStatus::Runnable)
    }

    /// goexit0 up to the change to Gdead.
    pub(crate) fn dies(&mut self, gs: u32) -> &mut Self {
        self.tell("", gs, Kind::Goexit).tell("goexit0", gs, Kind::Gdestroy);
        self.cas("gdestroy", gs, GStatus::Dead)
    }

    /// The rest of gdestroy.
    pub(crate) fn is_freed(&mut self, gs: u32) -> &mut Self {
        self.request("gdestroy", gs, Request::PreemptStop(false)).by(0);
        let target_p = self.thread().p;
        self.tell("", gs, Kind::Gfput { target_p })
    }

    /// wakep starts an M for `p`: a new one begins with it.
    pub(crate) fn starts(&mut self, m: i32, p: i32) -> &mut Self {
        self.tell("wakep", 0, Kind::Startm { target_p: p, spinning: true });
        self.m(m).tell("", 0, Kind::MStart);
        self.wirep(p).schedule()
    }

    /// preemptone, called by `site`, asks the G on another M.
    pub(crate) fn preempts(&mut self, site: &str, gs: u32, m: i32, p: i32) -> &mut Self {
        self.tell(site, gs, Kind::PreemptOne { target_p: p, target_m: m });
        self.request("preemptone", gs, Request::Preempt(true));
        self.request("preemptone", gs, Request::Stackguard0(Guard::Preempt));
        self.tell(site, 0, Kind::PRequest { target_p: p, preempt: true });
        self.tell("preemptone", 0, Kind::PreemptM { target_m: m, sent: true })
    }

    /// The handler on the M finds `gs` and acknowledges signal number `generation`.
    pub(crate) fn handles(&mut self, gs: u32, want: bool, generation: u64) -> &mut Self {
        let reject = want.then_some(sigurg_traces::Reject::MNotPreemptible);
        self.on(Stack::Gsignal).tell("", gs, Kind::SigPreempt { want, safe: false, reject });
        self.tell("", gs, Kind::SigAck { generation }).on(Stack::G0)
    }

    /// The handler on the M finds `gs` at a safe point and acknowledges signal number `generation`; what follows is done
    /// in it.
    pub(crate) fn is_caught(&mut self, gs: u32, generation: u64) -> &mut Self {
        self.looks_safe(gs).tell("", gs, Kind::SigAck { generation })
    }

    /// The handler finds `gs` at a safe point.
    pub(crate) fn looks_safe(&mut self, gs: u32) -> &mut Self {
        let found = Kind::SigPreempt { want: true, safe: true, reject: None };
        self.on(Stack::Gsignal).tell("doSigPreempt", gs, found)
    }

    /// asyncPreempt2, goschedImpl and globrunqput, in the handler.
    pub(crate) fn yields_in_handler(&mut self, gs: u32) -> &mut Self {
        self.tell("", gs, Kind::PreemptYield { by_signal: true });
        self.tell("goschedImpl", gs, Kind::GoschedImpl { preempted: Some(true) });
        self.cas("goschedImpl", gs, GStatus::Runnable).by(0).put(gs, Queue::Global, PutHow::One)
    }

    /// preemptPark, in the handler.
    pub(crate) fn parks_in_handler(&mut self, gs: u32) -> &mut Self {
        self.tell("preemptPark", gs, Kind::PreemptPark { by_signal: true });
        self.status("preemptPark", gs, GStatus::Scanpreempted, Via::CasGToPreemptScan).by(0);
        self.status("preemptPark", gs, GStatus::Preempted, Via::CasfromGscanstatus)
    }

    /// stoplockedm: the P goes to an idle M.
    pub(crate) fn waits_in_handler(&mut self, gs: u32) -> &mut Self {
        let p = self.thread().p;
        self.tell("", gs, Kind::Stoplockedm).releasep();
        self.tell("", 0, Kind::Handoffp { target_p: p });
        self.tell("handoffp", 0, Kind::Startm { target_p: p, spinning: false })
    }

    /// suspendG asks `gs`, which runs on another M, and signals that.
    pub(crate) fn asks_to_stop(&mut self, gs: u32, sid: u64, m: i32) -> &mut Self {
        self.tell("suspendG", gs, Kind::SuspendBegin { sid });
        self.sees(gs, sid).status("suspendG", gs, GStatus::Scanrunning, Via::Castogscanstatus);
        self.request("suspendG", gs, Request::PreemptStop(true));
        self.request("suspendG", gs, Request::Preempt(true));
        self.request("suspendG", gs, Request::Stackguard0(Guard::Preempt));
        self.status("suspendG", gs, GStatus::Running, Via::CasfromGscanstatus);
        self.tell("suspendG", 0, Kind::PreemptM { target_m: m, sent: true })
    }

    /// suspendG finds that `gs` has parked for it, claims it, and resumeG lets it go, up to what readies it.
    pub(crate) fn stops_and_lets_go(&mut self, gs: u32, sid: u64) -> &mut Self {
        self.sees(gs, sid).status("suspendG", gs, GStatus::Waiting, Via::CasGFromPreempted);
        self.status("suspendG", gs, GStatus::Scanwaiting, Via::Castogscanstatus);
        self.request("suspendG", gs, Request::PreemptStop(false));
        self.request("suspendG", gs, Request::Preempt(false));
        self.request("suspendG", gs, Request::Stackguard0(Guard::Normal));
        self.tell("suspendG", gs, Kind::SuspendEnd { sid, dead: false, stopped: true });
        self.tell("resumeG", gs, Kind::ResumeBegin { sid, dead: false, stopped: true });
        self.status("resumeG", gs, GStatus::Waiting, Via::CasfromGscanstatus)
    }

    /// A turn of suspendG.
    pub(crate) fn sees(&mut self, gs: u32, sid: u64) -> &mut Self {
        let (saw, ver) = self.words[&gs];
        self.tell("suspendG", gs, Kind::SuspendStep { sid, iter: 0, saw, ver })
    }

    /// The verdict.
    pub(crate) fn judge(&self) -> Result<(), Failure> {
        let mut checker =
            Checker::new(self.profile, &CheckOptions { claims: self.claims, ..CheckOptions::default() });
        for event in &self.events {
            checker.event(event, &self.symbols)?;
        }
        checker.finish().map(|_| ())
    }

    /// It has to be accepted.
    #[track_caller]
    pub(crate) fn is_legal(&self) {
        if let Err(failure) = self.judge() {
            panic!("{}: {failure}", self.profile.name);
        }
    }

    /// It has to be refused, by that rule, at its last event.
    #[track_caller]
    pub(crate) fn breaks(&self, rule: &str) {
        self.breaks_at(rule, 1);
    }

    /// It has to be refused, by that rule, so many events from its end.
    #[track_caller]
    pub(crate) fn breaks_at(&self, rule: &str, from_end: u64) {
        let failure = self.judge().expect_err("a legal story");
        assert_eq!(failure.rule().map(|rule| rule.name()), Some(rule), "{failure}");
        assert_eq!(failure.seq() + from_end, self.events.len() as u64, "{failure}");
    }
}
