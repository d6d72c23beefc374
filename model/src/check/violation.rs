//! What the checker answers when it refuses a trace.
//!
//! Invariant: a [`Failure`] is an answer, never a panic. [`Violation`]: the trace reads well and tells of
//! something that the rules forbid. [`Malformed`]: it speaks of something that cannot be.

use core::fmt;

use sigurg_traces::{Event, Stack};

use super::beside::{Known, Lines};
use crate::rules::rule::Rule;

/// Why a trace is refused.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// A rule is broken.
    Violation(Box<Violation>),
    /// The input refers to what cannot be, such as a G that was never created.
    Malformed(Box<Malformed>),
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// Ids of the facts, where more is known than the rule's own.
    pub facts: String,
    /// What happened, in one line.
    pub what: String,
    /// The event at which it shows.
    pub event: Event,
    /// The event in words.
    pub shown: String,
    /// What led there: last changes of the object, last steps of the M.
    pub history: Vec<String>,
    /// What was known of the objects of the event, beside what it says of them.
    pub state: Vec<Known>,
    /// What would have been legal.
    pub legal: String,
}

/// Input that speaks of what cannot be.
#[derive(Clone, Debug, PartialEq)]
pub struct Malformed {
    /// Position of the event in the trace.
    pub seq: u64,
    /// Why, in one line.
    pub reason: String,
}

impl Failure {
    /// The broken rule, if the trace was readable.
    pub fn rule(&self) -> Option<Rule> {
        match self {
            Self::Violation(violation) => Some(violation.rule),
            Self::Malformed(_) => None,
        }
    }

    /// Position of the event in the trace.
    pub fn seq(&self) -> u64 {
        match self {
            Self::Violation(violation) => violation.event.seq,
            Self::Malformed(malformed) => malformed.seq,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let e = &self.event;
        writeln!(f, "rejected by rule {}: {}", self.rule, self.what)?;
        write!(f, "  event {}, M{}", e.seq, e.m)?;
        if e.p >= 0 {
            write!(f, " with P{}", e.p)?;
        }
        let stack = match e.on {
            Stack::G => "goroutine stack",
            Stack::G0 => "g0",
            Stack::Gsignal => "signal stack",
        };
        write!(f, " on {stack}")?;
        if e.by != 0 {
            write!(f, " of G{}", e.by)?;
        }
        writeln!(f, ": {}", self.shown)?;
        for line in &self.history {
            writeln!(f, "  {line}")?;
        }
        write!(f, "{}", Lines(&self.state))?;
        if !self.legal.is_empty() {
            writeln!(f, "  allowed: {}", self.legal)?;
        }
        write!(f, "  rule: {} ({})", self.rule.says(), self.facts)
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event {}: {}", self.seq, self.reason)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violation(violation) => violation.fmt(f),
            Self::Malformed(malformed) => malformed.fmt(f),
        }
    }
}

impl std::error::Error for Failure {}

/// What a rule says against an event, before it is put into words for people.
#[derive(Debug)]
pub(crate) enum Fault {
    Broken { rule: Rule, what: String, legal: String },
    Bad(String),
}

/// The answer of one rule.
pub(crate) type Verdict<T = ()> = Result<T, Box<Fault>>;

/// A broken rule.
#[cold]
pub(crate) fn broken<T>(rule: Rule, what: String, legal: impl Into<String>) -> Verdict<T> {
    Err(Box::new(Fault::Broken { rule, what, legal: legal.into() }))
}

/// Input that cannot be.
#[cold]
pub(crate) fn bad<T>(reason: String) -> Verdict<T> {
    Err(Box::new(Fault::Bad(reason)))
}
