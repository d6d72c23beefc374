//! Judges one trace: reads it, puts it in a legal order, and gives it to the model.
//!
//! Invariant: only a file that reads well as a whole is judged. After a broken rule the rest is still read,
//! since a damaged file can look like a broken rule.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use sigurg_model::Profile;
use sigurg_model::check::{CheckOptions, Checker, Failure, Known, Summary, Violation};
use sigurg_model::rules::rule::Rule;
use sigurg_traces::source::{Options, UnknownKinds, open};
use sigurg_traces::{Event, Header, Inconsistent, Object, Ordered, OrderedError, Place, ReadError};

use super::census::Census;
use super::measure::Measures;
use crate::show::words::words;

/// How to judge.
#[derive(Clone, Copy, Debug, Default)]
pub struct How {
    /// The rules; without, those of the release that the header names.
    pub profile: Option<&'static Profile>,
    /// What to do with events of an unknown kind.
    pub unknown_kinds: UnknownKinds,
    /// Whether to count what the trace holds, and to measure it.
    pub census: bool,
    /// Somebody else sent SIGURG, too.
    pub foreign_signals: bool,
}

/// How far all judging has come, for a progress bar.
#[derive(Debug, Default)]
pub struct Tally {
    /// Events that the headers seen so far promise.
    pub promised: AtomicU64,
    /// Events judged so far, counted in steps of some ten thousand.
    pub judged: AtomicU64,
}

/// The answer to one trace.
#[derive(Debug)]
pub struct Judged {
    /// The rules that it was judged by, if it came to that.
    pub profile: Option<&'static Profile>,
    /// Events read, those of unknown kinds excluded.
    pub events: u64,
    /// Events whose kind is unknown, and which were not judged.
    pub unknown_kinds: u64,
    /// The answer.
    pub verdict: Verdict,
}

/// The answer itself.
#[derive(Debug)]
pub enum Verdict {
    /// Legal.
    Accepted(Box<Accepted>),
    /// A rule is broken.
    Rejected(Box<Rejected>),
    /// The file is bad.
    Unreadable(Unreadable),
}

/// A legal trace.
#[derive(Debug)]
pub struct Accepted {
    /// What the trace says of itself.
    pub header: Header,
    /// What was judged.
    pub summary: Summary,
    /// Events at the end of a prefix that could not be ordered, because what must come before them was cut off.
    pub cut_off: u64,
    /// What the trace holds, if it was asked for.
    pub census: Option<Census>,
    /// Its figures, likewise.
    pub measures: Option<Measures>,
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Name of the rule.
    pub rule: &'static str,
    /// Ids of the facts that it stands on.
    pub facts: String,
    /// The event at which it shows.
    pub seq: u64,
    /// The line of that event, in the interchange form.
    pub line: Option<u64>,
    /// What is wrong, in one line.
    pub message: String,
    /// The whole story, in many lines: the event, what led there, what would have been legal.
    pub story: String,
    /// What the model knew of the objects of the event, beside what it says of them.
    pub state: Vec<Known>,
}

/// A bad file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The event at fault, if it is one.
    pub seq: Option<u64>,
    /// Where, in words; empty for the file as a whole.
    pub place: String,
    /// Why, in one line.
    pub reason: String,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.place.as_str() {
            "" => f.write_str(&self.reason),
            place => write!(f, "{place}: {}", self.reason),
        }
    }
}

impl From<ReadError> for Unreadable {
    fn from(error: ReadError) -> Self {
        let place = match error.place {
            Place::File => String::new(),
            Place::Line(line) => format!("line {line}"),
            Place::Byte(offset) => format!("byte {offset}"),
        };
        Self { seq: None, place, reason: error.reason.into() }
    }
}

impl Unreadable {
    /// A fault of the file as a whole.
    pub fn file(reason: impl Into<String>) -> Self {
        Self { seq: None, place: String::new(), reason: reason.into() }
    }

    /// A fault of an event, which stands on that line in the interchange form.
    fn event(seq: u64, line: Option<u64>, reason: impl Into<String>) -> Self {
        let place = match line {
            Some(line) => format!("line {line} (event {seq})"),
            None => format!("event {seq}"),
        };
        Self { seq: Some(seq), place, reason: reason.into() }
    }
}

/// The names of the rules that a call may ask for, for messages.
#[must_use]
pub fn profile_names() -> String {
    Profile::ALL.iter().map(|profile| profile.name).collect::<Vec<_>>().join(", ")
}

/// Judges the trace at `path`, or standard input if `path` is `-`.
pub fn judge(path: &Path, how: &How, tally: &Tally) -> Judged {
    judge_seeing(path, how, tally, None)
}

/// The same, and shows `see` every event that the model allows.
pub fn judge_seeing<'a>(
    path: &Path,
    how: &How,
    tally: &'a Tally,
    see: Option<&'a mut dyn FnMut(&Event)>,
) -> Judged {
    let unreadable = |unreadable: Unreadable| Judged {
        profile: None,
        events: 0,
        unknown_kinds: 0,
        verdict: Verdict::Unreadable(unreadable),
    };
    let reader = match open(path, Options { unknown_kinds: how.unknown_kinds }) {
        Ok(reader) => reader,
        Err(error) => return unreadable(error.into()),
    };
    let header = reader.header();
    let own = || Profile::of_producer(&header.producer, &header.go_version);
    let Some(profile) = how.profile.or_else(own) else {
        return unreadable(Unreadable {
            seq: None,
            place: "header".into(),
            reason: format!(
                "no profile is known for producer {:?}, version {:?}; name one with --profile: {}",
                header.producer,
                header.go_version,
                profile_names()
            ),
        });
    };
    Judging {
        profile,
        checker: Checker::new(
            profile,
            &CheckOptions { foreign_signals: how.foreign_signals, ..CheckOptions::from(header) },
        ),
        census: how.census.then(Census::default),
        measures: how.census.then(Measures::default),
        ordered: Ordered::new(reader),
        events: 0,
        g_structs: 0,
        tally,
        see,
    }
    .run()
}

struct Judging<'a> {
    profile: &'static Profile,
    checker: Checker,
    census: Option<Census>,
    measures: Option<Measures>,
    ordered: Ordered,
    events: u64,
    /// The highest number of a G struct so far; they are numbered in order of first use.
    g_structs: u32,
    tally: &'a Tally,
    see: Option<&'a mut dyn FnMut(&Event)>,
}

/// Why a trace was not followed to its end.
enum Refusal {
    Order(OrderedError),
    Check(Failure),
}

impl Judging<'_> {
    fn run(mut self) -> Judged {
        let promised = self.ordered.header().events;
        // Relaxed, here and below: figures for people; nothing rests on them.
        self.tally.promised.fetch_add(promised, Relaxed);
        let followed = self.follow();
        // A recording that was never finished promises nothing.
        self.tally.judged.fetch_add(promised.saturating_sub(self.counted()), Relaxed);
        match followed {
            Ok(()) => self.accepted(),
            Err(Refusal::Order(OrderedError::Read(error))) => self.unreadable(error.into()),
            Err(Refusal::Order(OrderedError::Inconsistent(error))) => {
                let line = self.ordered.line_of(error.seq);
                match self.unborn(&error) {
                    Some(gs) => {
                        let reason = format!("G struct {gs} was never created");
                        self.unreadable(Unreadable::event(error.seq, line, reason))
                    }
                    None => self.rejected(out_of_order(&error, line)),
                }
            }
            Err(Refusal::Check(failure)) => self.failed(failure),
        }
    }

    /// Events already told to the tally.
    fn counted(&self) -> u64 {
        self.events & !STEP
    }

    fn follow(&mut self) -> Result<(), Refusal> {
        while self.ordered.advance().map_err(Refusal::Order)? {
            let event = self.ordered.event();
            self.checker.event(event, self.ordered.symbols()).map_err(Refusal::Check)?;
            self.g_structs = self.g_structs.max(event.target.map_or(0, |target| target.gs));
            if let Some(census) = &mut self.census {
                census.count(event);
            }
            if let Some(measures) = &mut self.measures {
                measures.count(event);
            }
            if let Some(see) = &mut self.see {
                see(event);
            }
            self.events += 1;
            if self.events & STEP == 0 {
                self.tally.judged.fetch_add(STEP + 1, Relaxed);
            }
        }
        Ok(())
    }

    /// The G struct whose history has no beginning because there never was such a struct: its number is far
    /// beyond those in use. (One whose birth is missing has a broken history.)
    fn unborn(&self, error: &Inconsistent) -> Option<u32> {
        match error.object {
            Object::G(gs) if error.expected == 1 && gs > self.g_structs.saturating_add(FAR) => Some(gs),
            _ => None,
        }
    }

    fn accepted(self) -> Judged {
        let summary = match self.checker.clone().finish() {
            Ok(summary) => summary,
            Err(failure) => return self.failed(failure),
        };
        let accepted = Accepted {
            header: self.ordered.header().clone(),
            summary,
            cut_off: self.ordered.cut_off(),
            census: self.census.map(|census| census.named(self.ordered.symbols())),
            measures: self.measures,
        };
        Judged {
            profile: Some(self.profile),
            events: accepted.header.events - self.ordered.skipped(),
            unknown_kinds: self.ordered.skipped(),
            verdict: Verdict::Accepted(Box::new(accepted)),
        }
    }

    fn failed(self, failure: Failure) -> Judged {
        let line = self.ordered.line_of(failure.seq());
        match failure {
            Failure::Violation(mut violation) => {
                violation.shown = words(&violation.event, self.ordered.symbols());
                self.rejected(broken(&violation, line))
            }
            Failure::Malformed(malformed) => {
                self.unreadable(Unreadable::event(malformed.seq, line, malformed.reason))
            }
        }
    }

    fn unreadable(self, unreadable: Unreadable) -> Judged {
        Judged {
            profile: Some(self.profile),
            events: self.events,
            unknown_kinds: self.ordered.skipped(),
            verdict: Verdict::Unreadable(unreadable),
        }
    }

    /// A broken rule, if the rest of the file reads well.
    fn rejected(self, rejected: Rejected) -> Judged {
        let profile = Some(self.profile);
        let mut reader = self.ordered.into_reader();
        let verdict = loop {
            match reader.next() {
                Ok(Some(_)) => {}
                Ok(None) => break Verdict::Rejected(Box::new(rejected)),
                Err(error) => break Verdict::Unreadable(error.into()),
            }
        };
        let unknown_kinds = reader.skipped();
        let events = match verdict {
            Verdict::Unreadable(_) => self.events,
            _ => reader.header().events - unknown_kinds,
        };
        Judged { profile, events, unknown_kinds, verdict }
    }
}

/// Two threads may show new G structs in another order than that of their numbers, but not by so much.
const FAR: u32 = 64;

/// The tally is told every so many events, less one.
const STEP: u64 = (1 << 16) - 1;

fn broken(violation: &Violation, line: Option<u64>) -> Rejected {
    Rejected {
        rule: violation.rule.name(),
        facts: violation.facts.clone(),
        seq: violation.event.seq,
        line,
        message: violation.what.clone(),
        story: violation.to_string(),
        state: violation.state.clone(),
    }
}

fn out_of_order(error: &Inconsistent, line: Option<u64>) -> Rejected {
    let name = error.rule.as_str();
    let (facts, says) = match Rule::by_name(name) {
        Some(rule) => (rule.facts(), rule.says()),
        None => ("format: order", "the versions of the objects allow some order of the events"),
    };
    let others: Vec<_> = error.others.iter().map(u64::to_string).collect();
    let mut story =
        format!("rejected by rule {name}: {}\n  event {}: {}", error.reason, error.seq, error.object);
    if !others.is_empty() {
        story += &format!("\n  together with: {}", others.join(", "));
    }
    story += &format!("\n  rule: {says} ({facts})");
    let message = format!("{}: {}", error.object, error.reason);
    Rejected { rule: name, facts: facts.into(), seq: error.seq, line, message, story, state: Vec::new() }
}
