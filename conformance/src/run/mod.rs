//! The main job: every layer of the harness within one budget of time, into one report.
//!
//! A [`Layer`] is a list of units of work and a way to do one. Everything else is done here, for all layers alike: which units fall to
//! which shard, how the time is shared out, what is told meanwhile, and what is written down.
//!
//! 1. Unit `k` of pass `r` has the number `r * units + k`, and a shard does those with its remainder. So shards do together exactly what
//!    one run does, unit by unit.
//! 2. Pass `r` under seed `s` is pass 0 under seed `s + r`; what a unit draws depends on that seed and its name only. So one
//!    execution can be asked for again by `--seed` and `--unit`, whatever was done before it.
//! 3. Without a budget every layer makes one pass. With one, a layer that can show more by chance makes further passes
//!    until its share is used up; what a layer leaves goes to those after it.
//! 4. What was planned and not begun, or not ended in its time, is written down with the reason. Nothing is skipped in silence.
//! 5. A budget holds, whatever a unit does: what can hang runs in a process of its own, which is ended.

mod again;
mod child;
mod corpus;
pub mod fuzz;
pub mod go;
mod keep;
pub mod model;
pub mod native;
pub mod place;
pub mod programs;
pub mod sim;
pub mod trace;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::report::coverage::add;
use crate::report::data::{Coverage, Ended, Finding, Grade, Layer as Record, Report, Run, Shard, Unit};
use crate::report::histogram::Histogram;

/// One layer of the harness.
pub trait Layer {
    /// Its name: a word.
    fn name(&self) -> &'static str;

    /// What it does, in one line.
    fn about(&self) -> &'static str;

    /// Its part of the time, in comparison with the others.
    fn share(&self) -> u32;

    /// The units of one pass, in their order.
    ///
    /// # Errors
    /// Why there can be none here; the layer is then skipped.
    fn plan(&self) -> Result<Vec<Plan>, String>;

    /// Whether another pass, with other seeds, can show something else.
    fn again(&self) -> bool;

    /// Does one unit.
    fn try_one(&self, task: &Task<'_>) -> Done;
}

/// A unit of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its name, by which `--unit` asks for it.
    pub name: String,
    /// What it is, in one line.
    pub about: String,
}

/// A unit to be done now.
pub struct Task<'a> {
    /// Which.
    pub unit: &'a str,
    /// The seed under which this is part of the first pass.
    pub seed: u64,
    /// When to stop.
    pub until: &'a Until,
    /// Told what is going on inside.
    pub watch: &'a dyn Watch,
}

/// What an execution of a unit came to.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Done {
    /// How it is graded; `None` if it was broken off, and counts as not begun.
    pub grade: Option<Grade>,
    /// Why, if there is something to say.
    pub why: String,
    /// Figures, which are added.
    pub figures: BTreeMap<String, u64>,
    /// What it is its business to show, and how often it did.
    pub shown: Vec<(String, u64)>,
    /// What it exercised.
    pub coverage: Coverage,
    /// Times and counts.
    pub histograms: Vec<(String, Histogram)>,
    /// What was found, by signature.
    pub findings: Vec<(String, Finding)>,
    /// Edges of the protocol that the model has, with a shortest way to each.
    pub reach: BTreeMap<String, String>,
}

impl Done {
    /// Adds to a figure.
    pub(crate) fn figure(&mut self, what: &str, count: u64) {
        *self.figures.entry(what.to_owned()).or_default() += count;
    }

    /// The same, with so many of that.
    pub(crate) fn with(mut self, what: &str, count: u64) -> Self {
        self.figure(what, count);
        self
    }

    /// The same, and graded by what was found.
    fn found(mut self, signature: String, finding: Finding) -> Self {
        self.grade = Some(finding.grade);
        self.why.clone_from(&finding.title);
        self.findings.push((signature, finding));
        self
    }
}

/// When to stop: at a time, or when told.
#[derive(Clone, Debug)]
pub struct Until {
    deadline: Option<Instant>,
    interrupted: Arc<AtomicBool>,
}

impl Until {
    /// Until somebody sets `interrupted`, or to the end.
    #[must_use]
    pub fn interrupted(interrupted: Arc<AtomicBool>) -> Self {
        Self { deadline: None, interrupted }
    }

    fn by(&self, deadline: Option<Instant>) -> Self {
        Self { deadline, interrupted: Arc::clone(&self.interrupted) }
    }

    /// Whether somebody told us to stop.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        // Relaxed: the flag stands for itself.
        self.interrupted.load(Relaxed)
    }

    /// Why it is over, if it is.
    #[must_use]
    pub fn over(&self) -> Option<&'static str> {
        if self.is_interrupted() {
            return Some(INTERRUPTED);
        }
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline).then_some(NO_TIME)
    }

    /// Whether it has been over for so long.
    fn is_overdue(&self, grace: Duration) -> bool {
        self.deadline.is_some_and(|deadline| deadline.elapsed() >= grace)
    }

    /// Until that much time from now.
    #[must_use]
    pub fn within(left: Option<Duration>) -> Self {
        Self::interrupted(Arc::default()).by(left.map(|left| Instant::now() + left))
    }

    /// Time that is left; `None` without a deadline.
    #[must_use]
    pub fn left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }
}

/// Why a unit was not begun.
pub const INTERRUPTED: &str = "interrupted";
/// The same.
pub const NO_TIME: &str = "the budget was used up";

/// Is told how the run is getting on.
pub trait Watch: Sync {
    /// A layer begins: so many units of its first pass are this shard's.
    fn layer(&self, name: &'static str, units: u64);

    /// A unit begins: `done` are done of the layer; `part` (0 to 1) of the whole run, as far as one can tell.
    fn unit(&self, name: &str, done: u64, part: f64);

    /// What goes on inside the unit.
    fn inside(&self, what: &str);

    /// A layer ended.
    fn ended(&self, name: &'static str, record: &Record);
}

/// What to run.
#[derive(Clone, Debug)]
pub struct Call {
    /// The seed of everything.
    pub seed: u64,
    /// The time for all layers.
    pub budget: Option<Duration>,
    /// Which part of the work.
    pub shard: Shard,
    /// What the shards have in common.
    pub campaign: String,
    /// These layers only; all without.
    pub only: Vec<String>,
    /// These units only; all without.
    pub units: Vec<String>,
    /// Where this is: [`place::describe`].
    pub place: BTreeMap<String, String>,
}

/// Runs `layers`, and reports.
pub fn run(layers: &[Box<dyn Layer>], call: &Call, until: &Until, watch: &dyn Watch) -> Report {
    let (began, clock) = (Instant::now(), SystemTime::now());
    let began_ms = clock.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64);
    let asked: Vec<_> = layers.iter().filter(|layer| call.asks_for(layer.name())).collect();
    let mut shares: u32 = asked.iter().map(|layer| layer.share()).sum();
    let (all_shares, end) = (f64::from(shares), call.budget.map(|budget| began + budget));
    let mut records = BTreeMap::new();
    for layer in asked {
        let share = layer.share();
        let deadline = end.map(|end| {
            let now = Instant::now();
            now + end.saturating_duration_since(now) * share / shares
        });
        let part = (1.0 - f64::from(shares) / all_shares, f64::from(share) / all_shares);
        let record = Pass { layer: &**layer, call, until: until.by(deadline), watch, part }.run();
        watch.ended(layer.name(), &record);
        records.insert(layer.name().to_owned(), record);
        shares -= share;
    }
    let not_asked = layers.iter().map(|layer| layer.name()).filter(|name| !call.asks_for(name));
    let run = Run {
        campaign: call.campaign.clone(),
        shard: call.shard,
        seed: call.seed,
        budget_ms: call.budget.map(|budget| budget.as_millis() as u64),
        began_ms,
        took_ms: began.elapsed().as_millis() as u64,
        ended: if until.is_interrupted() { Ended::Interrupted } else { Ended::Done },
        place: call.place.clone(),
        not_asked: not_asked.map(str::to_owned).collect(),
        layers: records,
    };
    let id = format!("{began_ms}-{}-{}of{}", std::process::id(), call.shard.index, call.shard.total);
    Report { runs: BTreeMap::from([(id, run)]), ..Report::default() }
}

impl Call {
    fn asks_for(&self, layer: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == layer)
    }

    fn is_mine(&self, number: u64) -> bool {
        number % u64::from(self.shard.total) == u64::from(self.shard.index - 1)
    }
}

/// One layer of a run.
struct Pass<'a> {
    layer: &'a dyn Layer,
    call: &'a Call,
    until: Until,
    watch: &'a dyn Watch,
    /// Where this layer begins in the whole run, and its part of it.
    part: (f64, f64),
}

impl Pass<'_> {
    fn run(&self) -> Record {
        let began = Instant::now();
        let mut record = Record { about: self.layer.about().into(), ..Record::default() };
        match self.layer.plan() {
            Ok(plans) => self.passes(&plans, &mut record, began),
            Err(reason) => record.skipped = Some(reason),
        }
        record.took_ms = began.elapsed().as_millis() as u64;
        record
    }

    fn passes(&self, plans: &[Plan], record: &mut Record, began: Instant) {
        let wanted = |plan: &Plan| self.call.units.is_empty() || self.call.units.contains(&plan.name);
        let plans: Vec<_> = plans.iter().filter(|plan| wanted(plan)).collect();
        let mine = |pass: u64| {
            let first = pass * plans.len() as u64;
            (first..).zip(&plans).filter(|(number, _)| self.call.is_mine(*number)).map(|(_, plan)| *plan)
        };
        record.planned = mine(0).count() as u64;
        self.watch.layer(self.layer.name(), record.planned);
        let mut done = 0;
        for pass in 0.. {
            for plan in mine(pass) {
                if let Some(why) = self.until.over() {
                    if pass == 0 {
                        record.left.insert(plan.name.clone(), why.into());
                        continue;
                    }
                    return;
                }
                self.watch.unit(&plan.name, done, self.so_far(done, record.planned, began));
                self.one(plan, pass, record, began);
                done += 1;
            }
            let can = self.layer.again() && self.call.budget.is_some() && !plans.is_empty();
            if !can || self.until.over().is_some() {
                return;
            }
        }
    }

    /// How much of the whole run is done: by units or, if that is more, by time.
    fn so_far(&self, done: u64, planned: u64, began: Instant) -> f64 {
        let units = done as f64 / planned.max(1) as f64;
        let time = self.until.left().map_or(0.0, |left| {
            let spent = began.elapsed().as_secs_f64();
            spent / (spent + left.as_secs_f64()).max(1e-9)
        });
        let mine = if self.layer.again() && self.until.deadline.is_some() { time } else { units.max(time) };
        self.part.0 + self.part.1 * mine.min(1.0)
    }

    fn one(&self, plan: &Plan, pass: u64, record: &mut Record, began: Instant) {
        let begin = Instant::now();
        let seed = self.call.seed.wrapping_add(pass);
        let task = Task { unit: &plan.name, seed, until: &self.until, watch: self.watch };
        let done = self.layer.try_one(&task);
        let Some(grade) = done.grade else {
            if pass == 0 {
                let why = if done.why.is_empty() { self.until.over().unwrap_or(NO_TIME) } else { &done.why };
                record.left.insert(plan.name.clone(), why.into());
            }
            return;
        };
        let unit = record.units.entry(plan.name.clone()).or_default();
        unit.note(plan, grade, done.why);
        unit.took_ms += begin.elapsed().as_millis() as u64;
        add(&mut unit.figures, &done.figures);
        add(&mut unit.shown, &done.shown.into_iter().collect());
        add(&mut unit.found, &done.findings.iter().map(|(name, found)| (name.clone(), found.seen)).collect());
        record.reach.extend(done.reach);
        let before = record.coverage.different();
        record.coverage.add(&done.coverage);
        let after = record.coverage.different();
        if after > before {
            record.curve.push((began.elapsed().as_millis() as u64, after));
        }
        for (name, histogram) in done.histograms {
            record.histograms.entry(name).or_default().add(&histogram);
        }
        for (signature, mut finding) in done.findings {
            match record.findings.entry(signature) {
                Entry::Vacant(entry) => drop(entry.insert(finding)),
                Entry::Occupied(mut entry) => {
                    let known = entry.get_mut();
                    let seen = known.seen + finding.seen;
                    if finding.size() < known.size() {
                        std::mem::swap(known, &mut finding);
                    }
                    known.seen = seen;
                }
            }
        }
    }
}

impl Unit {
    fn note(&mut self, plan: &Plan, grade: Grade, why: String) {
        let gravest = self.graded.last_key_value().map(|(grade, _)| *grade);
        if gravest < Some(grade) {
            self.why = why;
        }
        self.about.clone_from(&plan.about);
        *self.graded.entry(grade).or_default() += 1;
    }
}

/// Numbers by chance (splitmix64): always the same for a unit under a seed.
#[derive(Clone, Debug)]
pub struct Draw(u64);

impl Draw {
    /// The numbers of a unit under a seed.
    #[must_use]
    pub fn new(seed: u64, unit: &str) -> Self {
        // FNV-1a: names differ, so should their numbers.
        let hash = unit.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(seed ^ hash)
    }

    /// A number from `from` to `to`, both included.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        from + (z ^ (z >> 31)) % (to - from + 1)
    }
}

#[cfg(test)]
mod tests;
