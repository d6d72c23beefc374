//! The answer of `explore --json`.

use std::io::{self, Write};

use serde::Serialize;

use super::output::Out;
use crate::survey::{Outcome, Verdict};

#[derive(Serialize)]
struct Answer<'a> {
    configs: Vec<Config<'a>>,
    verdict: &'static str,
}

#[derive(Serialize)]
struct Config<'a> {
    name: &'static str,
    profile: &'static str,
    about: &'static str,
    states: u64,
    transitions: u64,
    depth: u32,
    /// Time to reach all states.
    seconds: f64,
    states_per_second: f64,
    complete: bool,
    reason: Option<String>,
    hazards: Vec<Hazard<'a>>,
    /// Hazards that were to be found and were not.
    missing: &'a [&'static str],
    verdict: &'static str,
    /// Time to check the promises and to find the counterexamples.
    seconds_after: f64,
    bytes_per_state: f64,
}

#[derive(Serialize)]
struct Hazard<'a> {
    id: &'static str,
    title: &'static str,
    expected: bool,
    length: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    story: Option<Vec<&'a str>>,
}

pub(super) fn write(out: &mut Out, outcomes: &[Outcome], verdict: Verdict, stories: bool) -> io::Result<()> {
    let configs = outcomes.iter().map(|outcome| config(outcome, stories)).collect();
    serde_json::to_writer(&mut *out, &Answer { configs, verdict: verdict.as_str() })?;
    writeln!(out)
}

fn config(outcome: &Outcome, stories: bool) -> Config<'_> {
    let hazards = outcome.found.iter().map(|found| Hazard {
        id: found.id,
        title: found.title,
        expected: found.expected,
        length: found.length,
        story: (stories || !found.expected).then(|| found.story.lines().skip(1).collect()),
    });
    Config {
        name: outcome.config.name,
        profile: outcome.config.profile.name,
        about: outcome.config.about,
        states: outcome.states,
        transitions: outcome.transitions,
        depth: outcome.depth,
        seconds: outcome.seconds,
        states_per_second: outcome.states_per_second,
        complete: outcome.complete,
        reason: outcome.stopped.map(|stop| stop.to_string()),
        hazards: hazards.collect(),
        missing: &outcome.missing,
        verdict: outcome.verdict.as_str(),
        seconds_after: outcome.seconds_after,
        bytes_per_state: outcome.bytes_per_state,
    }
}
