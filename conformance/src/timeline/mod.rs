//! Who ran where and when: goroutines on threads, as spans of time, with the events in between.
//!
//! 1. What is drawn comes from events in a legal order; times are for the eye, and only the order can be relied on. So a
//!    span never ends before it begins, whatever the clocks said.
//! 2. A span lasts as long as a goroutine's status word says so: scan bits do not end it.
//!
//! [`perfetto`] writes the same for another viewer.

pub mod perfetto;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sigurg_traces::source::{Options, UnknownKinds, open};
use sigurg_traces::{Event, GStatus, Kind, Ordered, OrderedError, ReadError, Symbols};

use crate::show::words::words;

/// A part of a trace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The threads that do something in it, ascending; -1 is nobody's.
    pub ms: Vec<i32>,
    /// Goroutines on threads, by where they begin.
    pub spans: Vec<Span>,
    /// The events.
    pub rows: Vec<Row>,
    /// Events of the trace that come before.
    pub before: u64,
}

/// A goroutine on a thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// The thread.
    pub m: i32,
    /// The P, or -1.
    pub p: i32,
    /// The goroutine.
    pub g: u64,
    /// What it does there.
    pub what: Doing,
    /// When it begins, ns since the first event.
    pub from_ns: u64,
    /// When it ends.
    pub to_ns: u64,
}

/// What a goroutine does on a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doing {
    /// It runs.
    Runs,
    /// It is in a system call.
    Syscall,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Its number.
    pub seq: u64,
    /// When, ns since the first event.
    pub t_ns: u64,
    /// Who, or -1.
    pub m: i32,
    /// What, in words.
    pub words: String,
    /// Whether it is the one that this is about.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub marked: bool,
    /// Whether it has to do with a signal.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub signal: bool,
}

/// What is wanted of a trace.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// From that event on, so many at most.
    From(u64, usize),
    /// That event and its neighbours: so many before it, so many after.
    Around(u64, usize, usize),
    /// So many at the end.
    Last(usize),
}

/// Reads a part of the trace at `path`.
///
/// A trace that breaks off, or that no legal order exists for, gives what can be had of it.
///
/// # Errors
/// It cannot be opened.
pub fn read(path: &Path, part: Part) -> Result<(Window, Option<OrderedError>), ReadError> {
    let mut ordered = Ordered::new(open(path, Options { unknown_kinds: UnknownKinds::Count })?);
    let mut film = Film::new(part);
    let error = loop {
        match ordered.advance() {
            Ok(true) => {
                let event = *ordered.event();
                if !film.take(&event, ordered.symbols()) {
                    break None;
                }
            }
            Ok(false) => break None,
            Err(error) => break Some(error),
        }
    };
    Ok((film.end(), error))
}

/// Follows a trace and keeps the wanted part.
#[derive(Debug)]
pub(crate) struct Film {
    part: Part,
    rows: VecDeque<Row>,
    /// Spans that are over and reach into the part.
    spans: VecDeque<Span>,
    /// Spans that last, by G struct.
    open: HashMap<u32, Span>,
    now_ns: u64,
    before: u64,
    /// Wanted events that are still to come, once it is known.
    left: Option<usize>,
}

impl Film {
    pub(crate) fn new(part: Part) -> Self {
        let left = if let Part::From(0, many) = part { Some(many) } else { None };
        Self {
            part,
            rows: VecDeque::new(),
            spans: VecDeque::new(),
            open: HashMap::new(),
            now_ns: 0,
            before: 0,
            left,
        }
    }

    /// Takes the next event; false if nothing more is wanted.
    pub(crate) fn take(&mut self, event: &Event, symbols: &Symbols) -> bool {
        let marked = match self.part {
            Part::From(first, many) => {
                if self.left.is_none() && event.seq >= first {
                    self.left = Some(many);
                }
                false
            }
            Part::Around(at, _, after) => {
                if event.seq == at {
                    self.left = Some(after + 1);
                }
                event.seq == at
            }
            Part::Last(_) => false,
        };
        if self.left == Some(0) {
            return false;
        }
        self.now_ns = self.now_ns.max(event.t_ns);
        self.follow(event);
        let keep = match self.part {
            Part::From(..) => self.left.is_some(),
            Part::Around(..) | Part::Last(_) => true,
        };
        if keep {
            let signal = matches!(
                event.kind,
                Kind::PreemptM { sent: true, .. } | Kind::SigPreempt { .. } | Kind::SigAck { .. }
            );
            let words = words(event, symbols);
            self.rows.push_back(Row { seq: event.seq, t_ns: event.t_ns, m: event.m, words, marked, signal });
        } else {
            self.before += 1;
        }
        match &mut self.left {
            Some(left) => *left -= 1,
            None => self.forget(),
        }
        true
    }

    /// Lets go of what lies too far before the part.
    fn forget(&mut self) {
        let wanted = match self.part {
            Part::Around(_, wanted, _) | Part::Last(wanted) => wanted,
            Part::From(..) => 0,
        };
        while self.rows.len() > wanted {
            self.rows.pop_front();
            self.before += 1;
        }
        let begin = self.rows.front().map_or(self.now_ns, |row| row.t_ns);
        // The order of ends is nearly that of the queue, and a few too many do not matter.
        while self.spans.front().is_some_and(|span| span.to_ns < begin) {
            self.spans.pop_front();
        }
    }

    /// Opens and closes spans.
    fn follow(&mut self, event: &Event) {
        let (Kind::GStatus { from, to, .. }, Some(target)) = (event.kind, event.target) else { return };
        if from.base() == to.base() {
            return;
        }
        if let Some(mut span) = self.open.remove(&target.gs) {
            span.to_ns = event.t_ns.max(span.from_ns);
            self.spans.push_back(span);
        }
        let what = match to.base() {
            GStatus::Running | GStatus::Copystack => Doing::Runs,
            GStatus::Syscall => Doing::Syscall,
            _ => return,
        };
        let Event { m, p, t_ns, .. } = *event;
        let span = Span { m, p, g: target.g, what, from_ns: t_ns, to_ns: t_ns };
        self.open.insert(target.gs, span);
    }

    pub(crate) fn end(mut self) -> Window {
        let last = self.now_ns;
        self.spans.extend(self.open.into_values().map(|span| Span { to_ns: last.max(span.from_ns), ..span }));
        let rows = Vec::from(self.rows);
        let begin = rows.iter().map(|row| row.t_ns).min().unwrap_or(0);
        let mut spans: Vec<_> = self.spans.into_iter().filter(|span| span.to_ns >= begin).collect();
        for span in &mut spans {
            span.from_ns = span.from_ns.max(begin);
        }
        spans.sort_by_key(|span| (span.from_ns, span.m, span.g));
        let ms: BTreeSet<_> = rows.iter().map(|row| row.m).chain(spans.iter().map(|span| span.m)).collect();
        Window { ms: ms.into_iter().collect(), spans, rows, before: self.before }
    }
}
