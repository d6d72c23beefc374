//! Which rule a fault is named after, and the violation in words.
//!
//! Damage to one place often breaks several rules. The name says what is wrong with the object; only where the
//! program of the M says *why* the object is wrong is it named after that.

use sigurg_traces::symbols::Symbols;
use sigurg_traces::{Event, GStatus, Kind, Stack, Via};

use super::violation::{self, Failure, Fault, Malformed, Verdict, Violation};
use super::{Checker, word};
use crate::rules::rule::Rule;
use crate::rules::sequence::{self, Place, Word};
use crate::rules::transition::{Found, Site};

/// A change that is missing between `ready` and what comes after it: what is wrong, its G tells next.
///
/// If the change comes right after a put, the put was too early (`queue_state`). If the G's next change is one
/// that can never be, that is what is wrong with it (`legal_transition`). Else the change is missing
/// (`status_chain`).
#[derive(Clone, Debug)]
pub(super) struct Suspect {
    m: i32,
    gs: u32,
    /// The M took no step since.
    fresh: bool,
    /// The put that may have been too early.
    early: Option<Failure>,
    pub(super) missing: Failure,
}

impl Checker {
    /// Which of several faults of one event is named.
    ///
    /// What the object says comes first, but where the M's program says *why* the object is wrong: a G that
    /// says it stops and does not (`one_m`), a claim that nobody made (`stopped_claim`).
    #[cold]
    pub(super) fn arbitrate(
        &mut self,
        e: &Event,
        word: Option<Word>,
        step: sequence::Verdict,
        object: Verdict,
    ) -> Verdict {
        let sequence::Verdict::Broken(rule) = step else { return object };
        let (place, about) = (self.ms[(e.m + 1) as usize].place, self.ms[(e.m + 1) as usize].about);
        if place == Place::Readying && rule == Rule::StatusChain {
            let of_gap = match &object {
                Ok(()) => true,
                Err(fault) => matches!(
                    **fault,
                    Fault::Broken {
                        rule: Rule::QueueState | Rule::QueueTake | Rule::QueueDup | Rule::RequestWrite,
                        ..
                    }
                ),
            };
            if of_gap {
                self.suspected = Some(about);
                return object.and_then(|()| self.out_of_order(e, word, rule));
            }
        }
        match object {
            Ok(()) => self.out_of_order(e, word, rule),
            Err(fault) => match *fault {
                Fault::Broken { rule: of_object, .. } => {
                    let follows = matches!(
                        (rule, of_object),
                        (Rule::StoppedClaim, Rule::RequestWrite)
                            | (
                                Rule::OneM | Rule::ResumeStopped,
                                Rule::QueueState
                                    | Rule::QueueDup
                                    | Rule::QueueTake
                                    | Rule::RequestWrite
                                    | Rule::OneP
                            )
                    );
                    if follows && self.sequences.is_closed(place) {
                        self.out_of_order(e, word, rule)
                    } else {
                        Err(fault)
                    }
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
            (
                format!("M{} goes on with {step} after a call was injected", e.m),
                "PreemptPark or PreemptYield".into(),
            )
        } else if listed.is_empty() || !self.sequences.is_closed(m.place) {
            (
                format!("{step} on M{} comes without what leads to it", e.m),
                "the steps that announce it".into(),
            )
        } else {
            (format!("M{} goes on with {step} in the middle of {:?}{about}", e.m, m.place), listed.join(", "))
        };
        violation::broken(rule, what, legal)
    }

    #[cold]
    pub(super) fn refuse(&mut self, e: &Event, fault: Fault, symbols: &Symbols) -> Result<(), Failure> {
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
        history.push(format!(
            "M{}: runs {runs}, holds P{}, stands at {:?} (event {})",
            e.m, m.p, m.place, m.previous
        ));
        Failure::Violation(Box::new(Violation {
            rule,
            facts: rule.facts().into(),
            what,
            event: *e,
            shown: word::show(e, symbols),
            history,
            state: self.state(e, self.applied),
            legal,
        }))
    }

    /// What the G of a suspected fault does next tells its name.
    #[cold]
    pub(super) fn settle(&mut self, e: &Event) -> Result<(), Failure> {
        let Some(mut suspect) = self.suspect.take() else { return Ok(()) };
        let next = match e.kind {
            Kind::GStatus { from, to, .. } if e.target.is_some_and(|target| target.gs == suspect.gs) => {
                Some((from, to))
            }
            _ => None,
        };
        let Some((from, to)) = next else {
            suspect.fresh &= suspect.m != e.m || e.on == Stack::Gsignal;
            self.suspect = Some(suspect);
            return Ok(());
        };
        if let (true, Some(early), GStatus::Runnable) = (suspect.fresh && suspect.m == e.m, suspect.early, to)
        {
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
