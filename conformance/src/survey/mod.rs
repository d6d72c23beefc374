//! What the search of the model must find: in each configuration the hazards that it is there to show, and
//! nothing else.
//!
//! Invariant: a configuration conforms only if it was searched whole. What was found on the way to a limit is
//! still told.

pub mod edges;
pub mod rows;

use sigurg_model::machine::Machine;
use sigurg_model::machine::config::Config;
use sigurg_model::machine::family::{When, all};
use sigurg_model::rules::hazard::Hazard;

use crate::explore::story::Story;
use crate::explore::{Limits, Progress, Stop, search};

/// What a search came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It showed exactly what it must.
    Conforms,
    /// It showed something else, or not all that it must.
    Broken,
    /// It was not searched whole, as the call wanted it.
    Limited,
    /// It was not searched whole.
    Incomplete,
}

impl Verdict {
    /// One word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Conforms => "conforms",
            Self::Broken => "broken",
            Self::Limited => "limited",
            Self::Incomplete => "incomplete",
        }
    }
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Id of the hazard or invariant.
    pub id: &'static str,
    /// One sentence.
    pub title: &'static str,
    /// Whether the configuration is there to show it.
    pub expected: bool,
    /// Moves of the counterexample.
    pub length: usize,
    /// The counterexample, one line a move.
    pub story: String,
}

/// What the search of one configuration came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was searched.
    pub config: Config,
    /// Distinct states.
    pub states: u64,
    /// Moves tried.
    pub transitions: u64,
    /// Distance of the farthest state.
    pub depth: u32,
    /// Seconds to reach all states.
    pub seconds: f64,
    /// Seconds to check the promises and to find the counterexamples.
    pub seconds_after: f64,
    /// Distinct states reached per second.
    pub states_per_second: f64,
    /// Bytes of the table for each state.
    pub bytes_per_state: f64,
    /// Whether every state was seen and every promise checked.
    pub complete: bool,
    /// Why not, otherwise.
    pub stopped: Option<Stop>,
    /// What was found.
    pub found: Vec<Found>,
    /// Hazards that the configuration is there to show and did not; empty if it was not searched whole.
    pub missing: Vec<&'static str>,
    /// The verdict.
    pub verdict: Verdict,
}

/// The part of a configuration's name that it shares with the same one under other profiles.
#[must_use]
pub fn family(name: &str) -> &str {
    name.split('/').next().unwrap_or(name)
}

/// The configurations of those names (full ones, or families), in the order of the model; without a name those
/// that are searched by default, and with `nightly` those of the night, too.
///
/// # Errors
/// The name that is none.
pub fn select(names: &[String], nightly: bool) -> Result<Vec<(Config, When)>, String> {
    let mut known = all();
    let fits = |name: &str, config: &Config| config.name == name || family(config.name) == name;
    if let Some(name) = names.iter().find(|name| !known.iter().any(|(config, _)| fits(name, config))) {
        return Err(name.clone());
    }
    known.retain(|(config, when)| {
        let by_default = names.is_empty() && (nightly || *when == When::Always);
        by_default || names.iter().any(|name| fits(name, config))
    });
    Ok(known)
}

/// Searches a configuration within `limits`; `chosen` are the limits that the call asked for, and that
/// therefore may be reached.
pub fn survey(config: Config, limits: &Limits, chosen: &[Stop], progress: &dyn Progress) -> Outcome {
    let machine = Machine::new(config);
    let report = search(&machine, &Limits { promises: config.liveness, ..*limits }, progress);
    let found: Vec<_> = report
        .found
        .iter()
        .map(|found| Found {
            id: found.finding.id,
            title: found.finding.title,
            expected: config.shows.contains(&found.finding.id),
            length: found.moves(),
            story: Story::new(&machine, found).to_string(),
        })
        .collect();
    let shown = |id: &&str| found.iter().any(|found| found.id == *id);
    let missing: Vec<_> = match report.complete {
        true => config.shows.iter().copied().filter(|id| !shown(id)).collect(),
        false => Vec::new(),
    };
    let verdict = match report.stopped {
        _ if !missing.is_empty() || found.iter().any(|found| !found.expected) => Verdict::Broken,
        None => Verdict::Conforms,
        Some(stop) if chosen.contains(&stop) => Verdict::Limited,
        Some(_) => Verdict::Incomplete,
    };
    Outcome {
        config,
        states: report.states,
        transitions: report.transitions,
        depth: report.depth,
        seconds: report.elapsed.as_secs_f64(),
        seconds_after: report.elapsed_after.as_secs_f64(),
        states_per_second: report.states_per_second(),
        bytes_per_state: report.bytes_per_state,
        complete: report.complete,
        stopped: report.stopped,
        found,
        missing,
        verdict,
    }
}

/// Where a hazard was looked for, and what came of it.
#[derive(Clone, Debug)]
pub struct Seen<'a> {
    /// The hazard.
    pub hazard: Hazard,
    /// Configurations that showed it.
    pub shown: Vec<&'a Outcome>,
    /// Configurations of the same family that do not have it: they were searched whole without finding it.
    pub absent: Vec<&'a Outcome>,
    /// Configurations that must show it and did not, or in which it must be absent and was not.
    pub wrong: Vec<&'a Outcome>,
    /// Configurations of the family that were not searched whole and did not show it.
    pub open: Vec<&'a Outcome>,
}

/// What became of each hazard for which one of the searched families is there.
#[must_use]
pub fn hazards(outcomes: &[Outcome]) -> Vec<Seen<'_>> {
    let known = all();
    let mut all_seen = Vec::new();
    for &hazard in Hazard::ALL {
        let id = hazard.id();
        let mut seen =
            Seen { hazard, shown: Vec::new(), absent: Vec::new(), wrong: Vec::new(), open: Vec::new() };
        for outcome in outcomes {
            let kin = |config: &Config| family(config.name) == family(outcome.config.name);
            if !known.iter().any(|(config, _)| kin(config) && config.shows.contains(&id)) {
                continue;
            }
            let must = outcome.config.shows.contains(&id);
            let did = outcome.found.iter().any(|found| found.id == id);
            let list = match (must, did) {
                (true, true) => &mut seen.shown,
                (false, true) => &mut seen.wrong,
                (_, false) if !outcome.complete => &mut seen.open,
                (true, false) => &mut seen.wrong,
                (false, false) => &mut seen.absent,
            };
            list.push(outcome);
        }
        if !(seen.shown.is_empty() && seen.absent.is_empty() && seen.wrong.is_empty() && seen.open.is_empty())
        {
            all_seen.push(seen);
        }
    }
    all_seen
}
