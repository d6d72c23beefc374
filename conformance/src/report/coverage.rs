//! What can be exercised at all, and what a judged trace exercised of it.
//!
//! Invariant: names are made here only, from the tables of the model, so that what a report of last month counted is found again
//! by name, and what is not in the tables any more is seen to be gone.

use std::collections::{BTreeMap, HashMap};

use sigurg_model::Profile;
use sigurg_model::check::Summary;
use sigurg_model::machine::Face;
use sigurg_model::rules::sequence::{Step, Word};
use sigurg_model::rules::{p_status, transition};
use sigurg_traces::{Event, GStatus, Guard, Kind, Reject, Request};

use super::data::Coverage;
use super::histogram::Histogram;

/// The name of a row of the table of Gs: `T06 Grunning>Gdead gdestroy`.
#[must_use]
pub fn row_name(row: &transition::Row) -> String {
    format!("{} {}>{} {}", row.id, row.from, row.to, row.sites.join("|"))
}

/// The name of a row of the table of Ps.
#[must_use]
pub fn p_row_name(row: &p_status::Row) -> String {
    format!("{} {}>{} {}", row.id, row.from, row.to, row.sites.join("|"))
}

/// The rows of Gs that a profile has.
pub fn rows_of(profile: &Profile) -> impl Iterator<Item = &'static transition::Row> + use<'_> {
    transition::ROWS.iter().filter(|row| profile.within(row.releases))
}

/// The rows of Ps that a profile has.
pub fn p_rows_of(profile: &Profile) -> impl Iterator<Item = &'static p_status::Row> + use<'_> {
    p_status::ROWS.iter().filter(|row| profile.within(row.releases))
}

impl Coverage {
    /// Adds what a judged trace took.
    pub fn count(&mut self, summary: &Summary) {
        for (row, &count) in transition::ROWS.iter().zip(&summary.rows).filter(|(_, count)| **count > 0) {
            *self.rows.entry(row_name(row)).or_default() += count;
        }
        for (row, &count) in p_status::ROWS.iter().zip(&summary.p_rows).filter(|(_, count)| **count > 0) {
            *self.p_rows.entry(p_row_name(row)).or_default() += count;
        }
        for step in Step::ALL {
            let count = summary.steps[Word::step(*step).index()];
            if count > 0 {
                *self.steps.entry(format!("{step:?}")).or_default() += count;
            }
        }
    }

    /// Adds what another counted.
    pub fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.rows, &other.rows),
            (&mut self.p_rows, &other.p_rows),
            (&mut self.steps, &other.steps),
            (&mut self.pairs, &other.pairs),
            (&mut self.edges, &other.edges),
            (&mut self.landings, &other.landings),
            (&mut self.bites, &other.bites),
            (&mut self.hazards, &other.hazards),
            (&mut self.met, &other.met),
        ];
        for (all, some) in pairs {
            add(all, some);
        }
    }

    /// How many different things were seen.
    #[must_use]
    pub fn different(&self) -> u64 {
        let all = [
            &self.rows,
            &self.p_rows,
            &self.steps,
            &self.pairs,
            &self.edges,
            &self.landings,
            &self.bites,
            &self.hazards,
            &self.met,
        ];
        all.iter().map(|counts| counts.len() as u64).sum()
    }
}

/// Adds counts by name.
pub fn add<K: Clone + Ord>(all: &mut BTreeMap<K, u64>, some: &BTreeMap<K, u64>) {
    for (name, count) in some {
        *all.entry(name.clone()).or_default() += count;
    }
}

/// From the signal's sending to its acknowledgement.
pub const LANDED: &str = "signal sent to acknowledged";
/// From the signal's sending to the end of the time slice in its handler.
pub const STOPPED: &str = "signal sent to goroutine stopped in its handler";
/// From the request to the end of the time slice at a safe point.
pub const YIELDED: &str = "request to goroutine stopped at a safe point";
/// From the begin of suspendG to its end, where it stopped the goroutine.
pub const SUSPENDED: &str = "suspendG until the goroutine is stopped";
/// Turns of suspendG's loop.
pub const TURNS: &str = "turns of suspendG per call";
/// Signals of one suspendG call.
pub const SIGNALS: &str = "signals of suspendG per stop";

/// Whether a histogram is of times, in ns; of counts otherwise.
#[must_use]
pub fn is_time(histogram: &str) -> bool {
    !matches!(histogram, TURNS | SIGNALS)
}

/// From the signal's sending to its landing, by where that was.
const LANDINGS: [(&str, &str); 8] = [
    ("no longer wanted", "signal sent to landed, no longer wanted"),
    ("at a safe point", "signal sent to landed, at a safe point"),
    ("on another stack than the goroutine's", "signal sent to landed, on another stack than the goroutine's"),
    ("in the runtime or a system call", "signal sent to landed, in the runtime or a system call"),
    ("with little stack left", "signal sent to landed, with little stack left"),
    ("in foreign code", "signal sent to landed, in foreign code"),
    ("at an unsafe point", "signal sent to landed, at an unsafe point"),
    ("declined for another reason", "signal sent to landed, declined for another reason"),
];

/// Where a signal landed, in words; `None` if the event is not about that.
#[must_use]
pub fn landing(kind: &Kind) -> Option<&'static str> {
    let &Kind::SigPreempt { want, safe, reject } = kind else { return None };
    Some(match (want, safe, reject) {
        (false, ..) => "no longer wanted",
        (true, true, _) => "at a safe point",
        (_, _, Some(Reject::NotCurg)) => "on another stack than the goroutine's",
        (_, _, Some(Reject::MNotPreemptible)) => "in the runtime or a system call",
        (_, _, Some(Reject::NoStackSpace)) => "with little stack left",
        (_, _, Some(Reject::NotGoCode)) => "in foreign code",
        (_, _, Some(Reject::UnsafePoint)) => "at an unsafe point",
        _ => "declined for another reason",
    })
}

/// Looks at the events of one trace for what the judge does not count: pairs of changes, landings, latencies.
#[derive(Debug, Default)]
pub struct Observer {
    /// Counts: pairs and landings only.
    pub coverage: Coverage,
    /// Times and counts.
    pub histograms: BTreeMap<&'static str, Histogram>,
    /// The last change of each G struct.
    last: HashMap<u32, &'static str>,
    pairs: HashMap<(&'static str, &'static str), u64>,
    /// What was shown of each G struct so far, and the changes of that.
    faces: Faces,
    edges: HashMap<(Face, Face), u64>,
    /// When a signal was sent to an M that did not acknowledge it yet.
    sent: HashMap<i32, u64>,
    /// When a signal was sent that the M's handler deals with right now.
    handled: HashMap<i32, u64>,
    /// When an M was first asked to give its P away.
    asked: HashMap<i32, u64>,
    /// suspendG calls that last: when they began, their turns and signals.
    calls: HashMap<u64, (u64, u64, u64)>,
    /// By M, the call that it is in.
    call_of: HashMap<i32, u64>,
}

impl Observer {
    /// Looks at the next event.
    pub fn see(&mut self, event: &Event) {
        let Event { m, t_ns, .. } = *event;
        if let Some(edge) = self.faces.see(event) {
            *self.edges.entry(edge).or_default() += 1;
        }
        if let Some(landing) = landing(&event.kind) {
            *self.coverage.landings.entry(landing.to_owned()).or_default() += 1;
        }
        match event.kind {
            Kind::GStatus { from, to, .. } => self.status(event, from, to),
            Kind::PreemptOne { target_m, .. } => drop(self.asked.entry(target_m).or_insert(t_ns)),
            Kind::PreemptM { target_m, sent: true } => {
                self.sent.entry(target_m).or_insert(t_ns);
                if let Some((_, _, signals)) = self.call_of.get(&m).and_then(|sid| self.calls.get_mut(sid)) {
                    *signals += 1;
                }
            }
            Kind::SigPreempt { .. } => {
                // What the handler does next is an answer to this signal, acknowledged before or after.
                if let Some(sent) = self.sent.get(&m).copied() {
                    self.handled.insert(m, sent);
                    let class = landing(&event.kind);
                    let of = LANDINGS.iter().find(|(landing, _)| class == Some(*landing));
                    of.into_iter().for_each(|(_, of)| self.time(of, sent, t_ns));
                }
            }
            Kind::SigAck { .. } => {
                if let Some(sent) = self.sent.remove(&m) {
                    self.time(LANDED, sent, t_ns);
                }
            }
            Kind::PreemptPark { by_signal: true } | Kind::PreemptYield { by_signal: true } => {
                self.asked.remove(&m);
                if let Some(sent) = self.handled.remove(&m) {
                    self.time(STOPPED, sent, t_ns);
                }
            }
            Kind::PreemptPark { by_signal: false } | Kind::PreemptYield { by_signal: false } => {
                if let Some(asked) = self.asked.remove(&m) {
                    self.time(YIELDED, asked, t_ns);
                }
            }
            Kind::SuspendBegin { sid } => {
                self.calls.insert(sid, (t_ns, 0, 0));
                self.call_of.insert(m, sid);
            }
            Kind::SuspendStep { sid, .. } => {
                if let Some((_, turns, _)) = self.calls.get_mut(&sid) {
                    *turns += 1;
                }
            }
            Kind::SuspendEnd { sid, stopped, .. } => {
                self.call_of.remove(&m);
                if let Some((began, turns, signals)) = self.calls.remove(&sid) {
                    self.histograms.entry(TURNS).or_default().record(turns);
                    if stopped {
                        self.time(SUSPENDED, began, t_ns);
                        self.histograms.entry(SIGNALS).or_default().record(signals);
                    }
                }
            }
            _ => {}
        }
    }

    fn time(&mut self, of: &'static str, from: u64, to: u64) {
        // The clocks of two threads may differ by a little.
        self.histograms.entry(of).or_default().record(to.saturating_sub(from));
    }

    fn status(&mut self, event: &Event, from: GStatus, to: GStatus) {
        let Some(target) = event.target else { return };
        // A goroutine that comes to a switch of its own is not stopped by a request.
        if from == GStatus::Running && to != GStatus::Scanrunning {
            self.handled.remove(&event.m);
            self.asked.remove(&event.m);
        }
        let row = transition::ROWS.iter().find(|row| row.from == from && row.to == to);
        let Some(row) = row else { return };
        // Several rows of one edge differ by their cause, which pairs do not tell: the first stands for all.
        let pair = row.id;
        if let Some(last) = self.last.insert(target.gs, pair) {
            *self.pairs.entry((last, pair)).or_default() += 1;
        }
    }

    /// What was seen.
    #[must_use]
    pub fn end(mut self) -> (Coverage, BTreeMap<&'static str, Histogram>) {
        for ((first, second), count) in self.pairs {
            self.coverage.pairs.insert(format!("{first} {second}"), count);
        }
        for (edge, count) in self.edges {
            self.coverage.edges.insert(edge_name(edge), count);
        }
        (self.coverage, self.histograms)
    }
}

/// The name of an edge of the protocol: `Grunning+preempt > Grunnable+preempt`.
#[must_use]
pub fn edge_name((from, to): (Face, Face)) -> String {
    format!("{from} > {to}")
}

/// What is shown of every G struct.
#[derive(Clone, Debug, Default)]
pub struct Faces(HashMap<u32, Face>);

impl Faces {
    /// Looks at the next event: what it shows of its G before and after, if that changes.
    pub fn see(&mut self, event: &Event) -> Option<(Face, Face)> {
        let (Kind::GStatus { .. } | Kind::GRequest { .. }) = event.kind else { return None };
        let now = self.0.entry(event.target?.gs).or_insert(Face::BORN);
        let before = match event.kind {
            // The first of a G struct is from another status.
            Kind::GStatus { from, .. } => Face { status: from, ..*now },
            _ => *now,
        };
        *now = match event.kind {
            Kind::GStatus { to, .. } => Face { status: to, ..*now },
            Kind::GRequest { request: Request::Preempt(preempt) } => Face { preempt, ..*now },
            Kind::GRequest { request: Request::PreemptStop(stop) } => Face { stop, ..*now },
            Kind::GRequest { request: Request::Stackguard0(guard) } => {
                Face { poison: guard == Guard::Preempt, ..*now }
            }
            _ => *now,
        };
        (before != *now).then_some((before, *now))
    }
}
