//! The checker: is this trace legal?
//!
//! It takes one event at a time, in an order in which the versions of every status word and the program of
//! every M are in sequence, and answers at the first event that breaks a rule.
//!
//! 1. Memory is constant per live object: nothing grows with the length of the trace.
//! 2. "Not yet" is not "wrong". Where the order of two events is not known, the checker waits for what must
//!    follow on the same M, and refuses only what no order of them would allow.
//! 3. One rule is named for one fault: what the object says first, then the program of the M, then what the
//!    event claims of its actor (see [`Checker::arbitrate`]).
//!
//! A prefix ends anywhere, and a whole trace ends while threads run: nothing is owed at the end.

mod coro;
mod flag;
mod g;
mod history;
mod lifecycle;
mod m;
mod p;
mod preempt;
mod queue;
mod request;
mod signal;
mod stw;
mod suspend;
mod syscall;
mod violation;
mod word;

use sigurg_traces::symbols::Symbols;
use sigurg_traces::{Event, GStatus, Kind, Stack, Sym, Via};

use self::g::{G, StatusChange};
use self::m::M;
use self::p::{P, PChange};
use self::preempt::Trap;
use self::stw::Stw;
use self::suspend::Suspension;
use self::violation::{Fault, Verdict, bad};
pub use self::violation::{Failure, Malformed, Violation};
use crate::profile::Profile;
use crate::rules::p_status;
use crate::rules::rule::Rule;
use crate::rules::sequence::{self, Place, Sequences, Word};
use crate::rules::transition::{Found, ROWS, SUSPENDABLE_REASONS, Site, Table};

/// What the header of a trace says that matters to its rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckOptions {
    /// Events are numbered by one counter as they were claimed (`ordering: "ver"`). Without that the rules
    /// that compare claims of different Ms are silent.
    pub claims: bool,
    /// Whether the trace is no prefix.
    pub complete: bool,
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self { claims: true, complete: true }
    }
}

/// What was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Events judged.
    pub events: u64,
    /// Events after a lost one, which are read but not judged: what they rest on may be missing.
    pub unjudged: u64,
    /// How often each row of the transition table was taken, by its index in [`ROWS`].
    pub rows: Vec<u64>,
    /// How often each row of the P table was taken, by its index in [`p_status::ROWS`].
    pub p_rows: Vec<u64>,
    /// Wait reasons that were not the ones given to gopark: last one of each kind is not kept.
    pub foreign_reasons: u64,
}

/// An incremental judge of one trace.
#[derive(Clone, Debug)]
pub struct Checker {
    profile: &'static Profile,
    claims: bool,
    table: Table,
    sequences: Sequences,
    gs: Vec<G>,
    /// By id plus one; the first is for events without an M.
    ms: Vec<M>,
    ps: Vec<P>,
    suspensions: Vec<Suspension>,
    stw: Stw,
    sites: Vec<Site>,
    p_sites: Vec<u32>,
    /// Whether a name is one of the reasons that make a G suspendable.
    suspendable: Vec<bool>,
    /// Whether asynchronous preemption is on in this trace.
    signals_seen: bool,
    lossy: bool,
    /// How many G structs the order may show early.
    slack: u64,
    /// The wait reason of a G in Gpreempted.
    preempted_reason: Sym,
    /// The G of a fault that waits for its name.
    suspected: Option<u32>,
    suspect: Option<Box<Suspect>>,
    summary: Summary,
}

/// A change that is missing between `ready` and what comes after it: what is wrong, its G tells next.
///
/// If the change comes right after a put, the put was too early (`queue_state`). If the G's next change is one
/// that can never be, that is what is wrong with it (`legal_transition`). Else the change is missing
/// (`status_chain`).
#[derive(Clone, Debug)]
struct Suspect {
    m: i32,
    gs: u32,
    /// The M took no step since.
    fresh: bool,
    /// The put that may have been too early.
    early: Option<Failure>,
    missing: Failure,
}

impl Checker {
    /// A checker for one trace under a profile.
    pub fn new(profile: &'static Profile, options: &CheckOptions) -> Self {
        Self {
            profile,
            claims: options.claims,
            table: Table::new(profile),
            sequences: Sequences::new(profile),
            gs: vec![G::new()],
            ms: vec![M::new()],
            ps: Vec::new(),
            suspensions: Vec::new(),
            stw: Stw::NEW,
            sites: Vec::new(),
            p_sites: Vec::new(),
            suspendable: Vec::new(),
            signals_seen: false,
            lossy: false,
            slack: if options.complete { 64 } else { 1 << 12 },
            preempted_reason: Sym::NONE,
            suspected: None,
            suspect: None,
            summary: Summary {
                events: 0,
                unjudged: 0,
                rows: vec![0; ROWS.len()],
                p_rows: vec![0; p_status::ROWS.len()],
                foreign_reasons: 0,
            },
        }
    }

    /// Judges one event.
    ///
    /// # Errors
    ///
    /// The rule that it breaks, or why it cannot be. The checker is of no more use then.
    #[inline]
    pub fn event(&mut self, e: &Event, symbols: &Symbols) -> Result<(), Failure> {
        if self.suspect.is_some() {
            return self.settle(e);
        }
        match self.judge(e, symbols) {
            Ok(()) => Ok(()),
            Err(fault) => self.refuse(e, *fault, symbols),
        }
    }

    /// The end of the trace.
    ///
    /// # Errors
    ///
    /// A fault that waited for its name.
    pub fn finish(self) -> Result<Summary, Failure> {
        match self.suspect {
            Some(suspect) => Err(suspect.missing),
            None => Ok(self.summary),
        }
    }

    /// What was judged so far.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    #[inline]
    fn judge(&mut self, e: &Event, symbols: &Symbols) -> Verdict {
        self.summary.events += 1;
        if self.lossy || e.kind == Kind::Lost {
            self.lossy = true;
            self.summary.unjudged += 1;
            return Ok(());
        }
        if e.seq < e.lo {
            return violation::broken(
                Rule::Interval,
                format!("event {} says that it began after event {}", e.seq, e.lo),
                "lo is not larger than seq",
            );
        }
        self.known_actor(e)?;
        if self.sites.len() <= symbols.len() {
            self.learn_sites(symbols);
        }
        let signal = e.on == Stack::Gsignal;
        if signal {
            self.interrupted(e)?;
            return self.object(e, None);
        }
        self.settle_store(e);
        let curg = self.m(e.m).curg;
        let (word, gs, row) = self.word(e)?;
        let step = match word {
            Some(word) if e.m >= 0 => self.step(e, word, gs),
            _ => sequence::Verdict::Then(Place::Open),
        };
        let object = self.object(e, row);
        let place = match (step, object) {
            (sequence::Verdict::Then(place), Ok(())) => place,
            (step, object) => return self.arbitrate(e, word, step, object),
        };
        if e.m >= 0 {
            self.actor(e, curg)?;
            self.alive(e, word)?;
            if let Some(word) = word {
                self.rest(e, word)?;
                self.stepped(e, word, gs, place)?;
            }
        }
        Ok(())
    }

    /// What one event says of its object.
    #[inline]
    fn object(&mut self, e: &Event, row: Option<u8>) -> Verdict {
        match e.kind {
            Kind::GStatus { from, to, via, ver, reason } => {
                let first = ver == 1;
                let gs = self.target(e, first)?;
                self.g_status(e, gs, StatusChange { from, to, via, ver, reason }, row)
            }
            Kind::GRequest { request } => {
                let gs = self.target(e, false)?;
                self.g_request(e, gs, request)
            }
            Kind::RunqPut { target_p, q, how } => {
                let gs = self.target(e, false)?;
                self.queue_p(target_p)?;
                self.runq_put(e, gs, target_p, q, how)
            }
            Kind::RunqGet { target_p, q, how } => {
                let gs = self.target(e, false)?;
                self.queue_p(target_p)?;
                self.runq_get(e, gs, target_p, q, how)
            }
            Kind::RunqKick { target_p, q } => {
                let gs = self.target(e, false)?;
                self.known_p(target_p)?;
                self.runq_kick(e, gs, target_p, q)
            }
            Kind::RunqSteal { target_p, q } => {
                let gs = self.target(e, false)?;
                self.known_p(target_p)?;
                self.runq_steal(e, gs, target_p, q)
            }
            Kind::Execute { inherit_time } => {
                let gs = self.target(e, false)?;
                self.booted()?;
                self.execute(e, gs, inherit_time)
            }
            Kind::PRequest { target_p, preempt } => self.p_request(e, target_p, preempt),
            _ => self.rare(e),
        }
    }

    fn queue_p(&self, p: i32) -> Verdict {
        if p == -1 { Ok(()) } else { self.known_p(p) }
    }

    /// The kinds that are seldom.
    fn rare(&mut self, e: &Event) -> Verdict {
        match e.kind {
            Kind::GStatusFail { want_from, want_to, via, .. } => {
                let gs = self.target(e, false)?;
                self.status_fail(e, gs)?;
                if crate::rules::primitive::on_failure(via) == crate::rules::primitive::OnFailure::Spins {
                    return self.spins(e.m, gs, want_from, want_to);
                }
                Ok(())
            }
            Kind::SuspendBegin { sid } => {
                let gs = self.target(e, false)?;
                self.suspend_begin(e, gs, sid)
            }
            Kind::SuspendStep { sid, saw, ver, .. } => {
                let gs = self.target(e, false)?;
                self.suspend_step(e, gs, sid, saw, ver)
            }
            Kind::SuspendEnd { sid, dead, stopped } => {
                let gs = self.target(e, false)?;
                self.suspend_end(e, gs, sid, dead, stopped)
            }
            Kind::ResumeBegin { sid, dead, stopped } => {
                let gs = match e.target {
                    None if dead => 0,
                    _ => self.target(e, false)?,
                };
                self.resume_begin(e, gs, sid, dead, stopped)
            }
            Kind::ResumeEnd { sid, stopped } => {
                let gs = self.target(e, false)?;
                self.resume_end(e, gs, sid, stopped)
            }
            Kind::PreemptOne { target_p, target_m } => self.preempt_one(e, target_p, target_m),
            Kind::PreemptM { target_m, sent } => self.preempt_m(e, target_m, sent),
            Kind::SigPreempt { want, safe, reject } => {
                let gs = self.target(e, true)?;
                self.sig_preempt(e, gs, want, safe, reject)
            }
            Kind::SigAck { generation } => self.sig_ack(e, generation),
            Kind::Newstack { preempt, preempt_stop, preempt_shrink, .. } => {
                let gs = self.target(e, false)?;
                self.newstack(e, gs, Trap { preempt, stop: preempt_stop, shrink: preempt_shrink })
            }
            Kind::PreemptPark { by_signal } => {
                let gs = self.target(e, false)?;
                self.preempt_park(e, gs, by_signal)
            }
            Kind::PreemptYield { by_signal } => {
                let gs = self.target(e, false)?;
                self.preempt_yield(e, gs, by_signal)
            }
            Kind::GoschedImpl { preempted } => {
                let gs = self.target(e, false)?;
                self.gosched_impl(e, gs, preempted)
            }
            Kind::Goyield | Kind::Goexit | Kind::Gdestroy | Kind::CoroFrom { .. } => {
                let gs = self.target(e, false)?;
                self.is_own(e, gs, "leaves")
            }
            Kind::Gopark { reason, .. } => {
                let gs = self.target(e, false)?;
                self.is_own(e, gs, "parks")?;
                self.gs[gs as usize].reason = reason;
                Ok(())
            }
            Kind::Ready { next } => {
                let gs = self.target(e, false)?;
                self.m(e.m).ready_next = next;
                self.ready(e, gs)?;
                self.readied(gs, e.m);
                Ok(())
            }
            Kind::Goready { .. } => {
                let gs = self.target(e, false)?;
                self.ready(e, gs)
            }
            Kind::CoroTo => {
                let gs = self.target(e, false)?;
                self.coro_to(e, gs)
            }
            Kind::Newproc { parent, parked, .. } => {
                let gs = self.target(e, false)?;
                self.newproc(e, gs, parent, parked)
            }
            Kind::Gfput { target_p } => {
                self.target(e, false)?;
                self.gfput(e, target_p)
            }
            Kind::StackCopy { old_size, new_size } => {
                let gs = self.target(e, false)?;
                self.stack_copy(e, gs, old_size, new_size)
            }
            Kind::StackShrink => {
                let gs = self.target(e, false)?;
                self.stack_shrink(e, gs)
            }
            Kind::ParkAbort => self.target(e, false).map(|_| ()),
            Kind::Stoplockedm => {
                let gs = self.target(e, false)?;
                self.stoplockedm(e, gs)
            }
            Kind::Startlockedm { target_m } => {
                let gs = self.target(e, false)?;
                self.startlockedm(e, gs, target_m)
            }
            Kind::PStatus { target_p, from, to, cas } => {
                self.p_status(e, PChange { p: target_p, from, to, cas })
            }
            Kind::Handoffp { target_p } => self.handoff(e, target_p),
            Kind::RetakeSyscall { target_p } => self.retake(e, target_p),
            Kind::SyscallBlock { target_p, target_m } => {
                let gs = self.target(e, false)?;
                self.syscall_block(e, gs, target_p, target_m)
            }
            Kind::Startm { target_p, .. } => self.startm(e, target_p),
            Kind::MStart => self.m_start(e),
            Kind::GcPhase { phase } => self.gc_phase(e, phase),
            Kind::Procresize { old, new } => self.procresize(e, old, new),
            Kind::StwBegin { .. } => self.stw_begin(e),
            Kind::StwStopped { .. } => self.stw_stopped(e),
            Kind::StwStart => self.stw_start(e),
            Kind::StwStarted { procs } => self.stw_started(e, procs),
            Kind::Stopm => self.stopm(e),
            _ => Ok(()),
        }
    }

    fn known_actor(&mut self, e: &Event) -> Verdict {
        if e.m < -1 || e.m >= 1 << 20 || e.p < -1 || e.p >= 1 << 20 {
            return bad(format!("M{} or P{} is no id", e.m, e.p));
        }
        let index = (e.m + 1) as usize;
        if index >= self.ms.len() {
            self.ms.resize_with(index + 1, M::new);
        }
        self.ms[index].known = true;
        Ok(())
    }

    /// The names that came with this event.
    #[cold]
    fn learn_sites(&mut self, symbols: &Symbols) {
        for index in self.sites.len()..=symbols.len() {
            let name = symbols.resolve(Sym(index as u32));
            self.sites.push(self.table.site(name));
            self.suspendable.push(SUSPENDABLE_REASONS.contains(&name));
            if name == "preempted" {
                self.preempted_reason = Sym(index as u32);
            }
            let rows = p_status::ROWS.iter().enumerate();
            let fits = |row: &p_status::Row| !name.is_empty() && p_status::names(row, name);
            self.p_sites.push(rows.fold(0, |set, (i, row)| if fits(row) { set | 1 << i } else { set }));
        }
    }

    /// Whether the event's function is the one of [`known`](crate::rules::transition::known).
    #[inline]
    fn site_is(&self, site: Sym, function: usize) -> bool {
        self.sites.get(site.0 as usize) == Some(&Table::known(function))
    }

    #[inline]
    fn m(&mut self, m: i32) -> &mut M {
        &mut self.ms[(m + 1) as usize]
    }

    #[inline]
    fn p(&mut self, p: i32) -> &mut P {
        &mut self.ps[p as usize]
    }

    fn g_name(&self, gs: u32) -> String {
        match self.gs[gs as usize].goid {
            0 => format!("G struct {gs}"),
            goid => format!("G{goid}"),
        }
    }

    /// Which of several faults of one event is named.
    ///
    /// What the object says comes first, but where the M's program says *why* the object is wrong: a G that
    /// says it stops and does not (`one_m`), a claim that nobody made (`stopped_claim`).
    #[cold]
    fn arbitrate(
        &mut self,
        e: &Event,
        word: Option<Word>,
        step: sequence::Verdict,
        object: Verdict,
    ) -> Verdict {
        let sequence::Verdict::Broken(rule) = step else { return object };
        let (place, about) = (self.ms[(e.m + 1) as usize].place, self.ms[(e.m + 1) as usize].about);
        if place == Place::Readying && rule == Rule::StatusChain {
            let put = match &object {
                Ok(()) => true,
                Err(fault) => matches!(**fault, Fault::Broken { rule: Rule::QueueState, .. }),
            };
            if put {
                self.suspected = Some(about);
                return object.and_then(|()| self.out_of_order(e, word, rule));
            }
        }
        match object {
            Ok(()) => self.out_of_order(e, word, rule),
            Err(fault) => match *fault {
                Fault::Broken { rule: of_object, .. } => {
                    let why = matches!(rule, Rule::OneM | Rule::StoppedClaim)
                        && !matches!(of_object, Rule::LegalTransition | Rule::SuspendOwner)
                        && self.sequences.is_closed(place);
                    if why { self.out_of_order(e, word, rule) } else { Err(fault) }
                }
                Fault::Bad(_) => Err(fault),
            },
        }
    }

    #[cold]
    fn out_of_order(&self, e: &Event, word: Option<Word>, rule: Rule) -> Verdict {
        let m = &self.ms[(e.m + 1) as usize];
        let about = if m.about == 0 { String::new() } else { format!(" of {}", self.g_name(m.about)) };
        let step = word.map_or_else(|| "it".into(), |word| word.to_string());
        let listed = self.sequences.listed(m.place);
        let (what, legal) = if m.injected != 0 {
            (format!("M{} goes on with {step} after a call was injected", e.m), "PreemptPark or PreemptYield".into())
        } else if listed.is_empty() || !self.sequences.is_closed(m.place) {
            (format!("{step} on M{} comes without what leads to it", e.m), "the steps that announce it".into())
        } else {
            (format!("M{} goes on with {step} in the middle of {:?}{about}", e.m, m.place), listed.join(", "))
        };
        violation::broken(rule, what, legal)
    }

    #[cold]
    fn refuse(&mut self, e: &Event, fault: Fault, symbols: &Symbols) -> Result<(), Failure> {
        let failure = match fault {
            Fault::Bad(reason) => Failure::Malformed(Box::new(Malformed { seq: e.seq, reason })),
            Fault::Broken { rule, what, legal } => self.violation(e, rule, what, legal, symbols),
        };
        let Some(gs) = self.suspected.take() else { return Err(failure) };
        let mut missing = failure.clone();
        if let Failure::Violation(violation) = &mut missing {
            violation.rule = Rule::StatusChain;
            violation.facts = Rule::StatusChain.facts().into();
            violation.legal = "Gwaiting -> Grunnable by ready (T19)".into();
        }
        let early = (failure.rule() == Some(Rule::QueueState)).then_some(failure);
        self.suspect = Some(Box::new(Suspect { m: e.m, gs, fresh: true, early, missing }));
        Ok(())
    }

    fn violation(&self, e: &Event, rule: Rule, what: String, legal: String, symbols: &Symbols) -> Failure {
        let mut history = Vec::new();
        if let Some(g) = e.target.and_then(|target| self.gs.get(target.gs as usize)) {
            let gs = e.target.map_or(0, |target| target.gs);
            history.push(format!("{}: {}", self.g_name(gs), self.place_of(gs)));
            history.extend(g.history.show(symbols).into_iter().map(|line| format!("  {line}")));
        }
        let m = &self.ms[(e.m + 1) as usize];
        let runs = if m.curg == 0 { "no G".into() } else { self.g_name(m.curg) };
        history.push(format!("M{}: runs {runs}, holds P{}, stands at {:?} (event {})", e.m, m.p, m.place, m.previous));
        Failure::Violation(Box::new(Violation {
            rule,
            facts: rule.facts().into(),
            what,
            event: *e,
            shown: word::show(e, symbols),
            history,
            legal,
        }))
    }

    /// What the G of a suspected fault does next tells its name.
    #[cold]
    fn settle(&mut self, e: &Event) -> Result<(), Failure> {
        let Some(mut suspect) = self.suspect.take() else { return Ok(()) };
        let next = match e.kind {
            Kind::GStatus { from, to, .. } if e.target.is_some_and(|target| target.gs == suspect.gs) => Some((from, to)),
            _ => None,
        };
        let Some((from, to)) = next else {
            suspect.fresh &= suspect.m != e.m || e.on == Stack::Gsignal;
            self.suspect = Some(suspect);
            return Ok(());
        };
        if let (true, Some(early), GStatus::Runnable) = (suspect.fresh && suspect.m == e.m, suspect.early, to) {
            return Err(early);
        }
        let mut failure = suspect.missing;
        if let Failure::Violation(violation) = &mut failure
            && self.table.find(from, to, Via::Casgstatus, Site::UNKNOWN, |_| false) == Found::Never
        {
            violation.rule = Rule::LegalTransition;
            violation.facts = Rule::LegalTransition.facts().into();
            violation.history.push(format!("{}: M{} {from} -> {to} follows, which can never be", e.seq, e.m));
        }
        Err(failure)
    }
}

/// The goid that an event gives its target, 0 without one.
fn goid_of(e: &Event) -> u64 {
    e.target.map_or(0, |target| target.g)
}

