//! The report as Markdown, for the page of a CI job or a message.

use std::fmt::Write;

use super::data::Grade;
use super::view::{Changes, View};

/// Findings that are told; the others are counted.
const TOLD: usize = 20;

/// The whole text.
#[must_use]
pub fn markdown(view: &View) -> String {
    let mut text = format!("# Conformance: {}\n\n", view.verdict.as_str());
    for missing in &view.missing {
        line(&mut text, format_args!("- {}", missing.what));
    }
    if !view.missing.is_empty() {
        text.push('\n');
    }
    line(&mut text, format_args!("| layer | units | pass | interesting | fail | error | time |"));
    line(&mut text, format_args!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |"));
    for (name, layer) in &view.layers {
        let count = |grade| layer.graded.get(&grade).copied().unwrap_or(0);
        line(
            &mut text,
            format_args!(
                "| {name} | {} of {} | {} | {} | {} | {} | {:.1} s |",
                layer.planned - layer.left.len() as u64,
                layer.planned,
                count(Grade::Pass),
                count(Grade::Interesting),
                count(Grade::Fail),
                count(Grade::Error),
                layer.took_ms as f64 / 1e3,
            ),
        );
    }
    if let Some(changes) = &view.changes {
        text.push_str("\n## Since the last report\n\n");
        since(&mut text, changes);
    }
    if !view.findings.is_empty() {
        text.push_str("\n## Findings\n\n");
    }
    for (signature, failure) in view.findings.iter().take(TOLD) {
        let finding = &failure.finding;
        line(&mut text, format_args!("- **{}**: {}  ", finding.rule, finding.title));
        line(&mut text, format_args!("  {}x, first in {}; `{signature}`  ", failure.times, finding.unit));
        line(&mut text, format_args!("  `{}`", finding.repro));
    }
    if view.findings.len() > TOLD {
        line(&mut text, format_args!("- and {} more", view.findings.len() - TOLD));
    }
    text
}

fn since(text: &mut String, changes: &Changes) {
    let lists = [
        ("newly failing", &changes.newly_failing),
        ("newly fixed", &changes.newly_fixed),
        ("not seen again, but not everything was done", &changes.not_seen),
        ("newly interesting", &changes.newly_interesting),
    ];
    for (what, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        line(text, format_args!("- {what}: `{}`", list.join("`, `")));
    }
    for (signature, nights) in &changes.still_failing {
        line(text, format_args!("- still failing, for {nights} reports: `{signature}`"));
    }
    if *changes
        == (Changes { since_ms: changes.since_ms, verdict: changes.verdict.clone(), ..Changes::default() })
    {
        line(text, format_args!("- nothing changed"));
    }
}

fn line(text: &mut String, what: std::fmt::Arguments<'_>) {
    writeln!(text, "{what}").expect("a string can be written to");
}
