//! The answer of `check --json`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use sigurg_model::rules::{p_status, transition};

use super::check::Counts;
use super::output::Out;
use crate::check::files::{Compared, Files, Trace};
use crate::check::judge::{Judged, Verdict};

#[derive(Serialize)]
struct Answer<'a> {
    files: u64,
    events: u64,
    accepted: u64,
    rejected: u64,
    unreadable: u64,
    results: Vec<Result<'a>>,
    skipped: Vec<Skipped>,
    companions: Vec<Companion>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Labels>,
}

#[derive(Serialize)]
struct Result<'a> {
    file: String,
    verdict: &'static str,
    events: u64,
    rule: Option<&'a str>,
    seq: Option<u64>,
    message: Option<&'a str>,
    profile: Option<&'static str>,
    /// Ids of the facts that the rule stands on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    facts: Vec<&'a str>,
    /// Where, in words: a line, a byte, an event.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    /// The whole story of a rejection, in many lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    story: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    /// How often each row of the tables of G (T) and P (PS) was taken, by its id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    rows: BTreeMap<&'static str, u64>,
    #[serde(skip_serializing_if = "is_zero")]
    unknown_kinds: u64,
    #[serde(skip_serializing_if = "is_zero")]
    unjudged: u64,
    #[serde(skip_serializing_if = "is_zero")]
    cut_off: u64,
}

#[derive(Serialize)]
struct Skipped {
    file: String,
    what: &'static str,
}

#[derive(Serialize)]
struct Companion {
    file: String,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    disagreements: Vec<String>,
}

#[derive(Serialize)]
struct Labels {
    labelled: u64,
    as_labelled: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

pub(super) fn write(
    out: &mut Out,
    files: &Files,
    judged: &[Judged],
    compared: &[Compared],
    counts: &Counts,
) -> io::Result<()> {
    let skipped = files.skipped.iter();
    let companions = files.manifests.iter().zip(compared);
    let answer = Answer {
        files: judged.len() as u64,
        events: counts.events,
        accepted: counts.accepted,
        rejected: counts.rejected,
        unreadable: counts.unreadable,
        results: files.traces.iter().zip(judged).map(|(trace, judged)| result(trace, judged)).collect(),
        skipped: skipped.map(|(path, what)| Skipped { file: path.display().to_string(), what }).collect(),
        companions: companions
            .map(|((path, _), compared)| companion(path.display().to_string(), compared))
            .collect(),
        labels: (counts.labelled > 0)
            .then_some(Labels { labelled: counts.labelled, as_labelled: counts.as_labelled }),
    };
    serde_json::to_writer(&mut *out, &answer)?;
    writeln!(out)
}

fn result<'a>(trace: &'a Trace, judged: &'a Judged) -> Result<'a> {
    let mut result = Result {
        file: trace.path.display().to_string(),
        verdict: "accepted",
        events: judged.events,
        rule: None,
        seq: None,
        message: None,
        profile: judged.profile.map(|profile| profile.name),
        facts: Vec::new(),
        place: None,
        story: None,
        label: trace.label.as_deref(),
        rows: BTreeMap::new(),
        unknown_kinds: judged.unknown_kinds,
        unjudged: 0,
        cut_off: 0,
    };
    match &judged.verdict {
        Verdict::Accepted(accepted) => {
            let g_rows = transition::ROWS.iter().map(|row| row.id).zip(&accepted.summary.rows);
            let p_rows = p_status::ROWS.iter().map(|row| row.id).zip(&accepted.summary.p_rows);
            for (id, &count) in g_rows.chain(p_rows).filter(|&(_, &count)| count > 0) {
                *result.rows.entry(id).or_default() += count;
            }
            result.unjudged = accepted.summary.unjudged;
            result.cut_off = accepted.cut_off;
        }
        Verdict::Rejected(rejected) => {
            result.verdict = "rejected";
            result.rule = Some(rejected.rule);
            result.seq = Some(rejected.seq);
            result.message = Some(&rejected.message);
            result.facts = ids(&rejected.facts);
            result.place = rejected.line.map(|line| format!("line {line}"));
            result.story = Some(&rejected.story);
        }
        Verdict::Unreadable(unreadable) => {
            result.verdict = "unreadable";
            result.seq = unreadable.seq;
            result.message = Some(&unreadable.reason);
            result.place = (!unreadable.place.is_empty()).then(|| unreadable.place.clone());
        }
    }
    result
}

/// The single ids of a list; `sections 3, 4` is one.
fn ids(facts: &str) -> Vec<&str> {
    let mut ids = Vec::new();
    let mut rest = facts;
    while !rest.is_empty() {
        let ends = rest.match_indices(", ").map(|(at, _)| at);
        let letter = |at: &usize| rest[at + 2..].starts_with(|c: char| c.is_alphabetic());
        let end = ends.into_iter().find(letter).unwrap_or(rest.len());
        ids.push(&rest[..end]);
        rest = rest[end..].trim_start_matches(", ");
    }
    ids
}

fn companion(file: String, compared: &Compared) -> Companion {
    let (verdict, disagreements) = match compared {
        Compared::Agrees => ("agrees", Vec::new()),
        Compared::Disagrees(lines) => ("disagrees", lines.clone()),
        Compared::NotAccepted => ("not compared", Vec::new()),
        Compared::NoTrace => ("no trace given", Vec::new()),
    };
    Companion { file, verdict, disagreements }
}

#[cfg(test)]
mod tests {
    use super::ids;

    #[test]
    fn facts_are_split_into_ids_and_sections_kept_together() {
        assert_eq!(ids("INV-05, T10"), ["INV-05", "T10"]);
        assert_eq!(ids("sections 3, 4, 6, INV-20"), ["sections 3, 4, 6", "INV-20"]);
        assert!(ids("").is_empty());
    }
}
