//! The report as Markdown, for the page of a CI job or a message.

use std::fmt::Write;

use super::bench;
use super::data::Grade;
use super::explored::Explored;
use super::libfuzzer;
use super::view::{Changes, View};
use crate::mutants::Matrix;

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
    if let Some(changes) = &view.changes {
        text.push_str("## Since the last report\n\n");
        since(&mut text, changes);
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
    if !view.absent.is_empty() {
        let absent: Vec<_> = view.absent.iter().map(|it| format!("{} (`{}`)", it.layer, it.how)).collect();
        line(&mut text, format_args!("\nNot run in this report: {}.", absent.join(", ")));
    }
    if !view.findings.is_empty() {
        text.push_str("\n## Findings\n\n");
    }
    for (signature, failure) in view.findings.iter().take(TOLD) {
        let finding = &failure.finding;
        line(&mut text, format_args!("- **{}**: {}  ", finding.rule, finding.title));
        line(&mut text, format_args!("  {}x, first in {}; `{signature}`  ", failure.times, finding.unit));
        line(&mut text, format_args!("  `{}`", finding.repro));
        for differs in finding.differences() {
            line(&mut text, format_args!("  - {differs}"));
        }
        if let Some(original) = &finding.original {
            line(
                &mut text,
                format_args!(
                    "  - made smaller: {}; as it was found: `{}`",
                    original.smaller(),
                    original.repro
                ),
            );
        }
    }
    if view.findings.len() > TOLD {
        line(&mut text, format_args!("- and {} more", view.findings.len() - TOLD));
    }
    if let Some(matrix) = Matrix::of(view) {
        text.push_str("\n## Planted bugs\n\n");
        line(&mut text, format_args!("{}", matrix.sums()));
    }
    fuzz(&mut text, view);
    speed(&mut text, view);
    if !view.explored.is_empty() {
        text.push_str(
            "\n## How far it was looked\n\n| layer | what | what that is worth |\n| --- | --- | --- |\n",
        );
    }
    for Explored { layer, how, bound } in &view.explored {
        line(&mut text, format_args!("| {layer} | {how} | {bound} |"));
    }
    text
}

/// The corpus of each fuzz target.
fn fuzz(text: &mut String, view: &View) {
    let of = |layer: &str| view.layers.get(layer).map(|layer| &layer.units).into_iter().flatten();
    if of("fuzz").chain(of(libfuzzer::LAYER)).next().is_none() {
        return;
    }
    text.push_str("\n## Fuzzing\n\n| target | inputs | a second | seeds | new entries | features | code edges |\n| --- |");
    line(text, format_args!("{}", " ---: |".repeat(6)));
    for (name, unit) in of("fuzz") {
        let passes = unit.graded.get(&Grade::Pass).copied().unwrap_or(0).max(1);
        let figure = |of: &str| unit.figures.get(of).copied().unwrap_or(0);
        let mean = |of: &str| figure(of) / passes;
        let executions = figure("executions");
        line(
            text,
            format_args!(
                "| {name} | {executions} | {} | {} | {} | {} | |",
                executions * 1_000 / unit.took_ms.max(1),
                mean("seeds"),
                mean("inputs that met something new"),
                mean("features"),
            ),
        );
    }
    for layer in view.runs.iter().filter_map(|(_, run)| run.layers.get(libfuzzer::LAYER)) {
        for (name, unit) in &layer.units {
            let names =
                ["executions", "executions a second", "seeds", "new entries", "features", "code edges"];
            let figures = names.map(|of| unit.figures.get(of).map_or_else(|| "-".into(), u64::to_string));
            line(text, format_args!("| {name}, libFuzzer | {} |", figures.join(" | ")));
        }
    }
}

/// Workloads beside their peers.
fn speed(text: &mut String, view: &View) {
    let rows = bench::rows(view);
    if rows.is_empty() {
        return;
    }
    let peers = bench::peers(view);
    text.push_str(
        "\n## Speed\n\nMedians; in parentheses how many times better this runtime is, round by round.\n\n",
    );
    line(text, format_args!("| workload | figure | {} |", peers.join(" | ")));
    line(text, format_args!("| --- | --- |{}", " ---: |".repeat(peers.len())));
    for row in rows {
        let cell = |cell: &bench::Cell| {
            let value = cell.values.map_or_else(|| "-".into(), |[median, ..]| bench::show(median));
            let better = cell.better.map_or_else(String::new, |better| format!(" ({better:.2})"));
            format!("{value}{better} {}", cell.status).trim_end().to_owned()
        };
        let cells: Vec<_> = row.cells.iter().map(cell).collect();
        line(text, format_args!("| {} | {} | {} |", row.case, row.figure, cells.join(" | ")));
    }
}

fn since(text: &mut String, changes: &Changes) {
    let lists = [
        ("newly failing", &changes.newly_failing),
        ("newly fixed", &changes.newly_fixed),
        ("not seen again, but not everything was done", &changes.not_seen),
        ("newly interesting", &changes.newly_interesting),
        ("slower", &changes.slower),
    ];
    for (what, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        line(text, format_args!("- {what}: `{}`", list.join("`, `")));
    }
    if changes.compared > 0 {
        line(
            text,
            format_args!("- {} figures of speed compared, {} worse", changes.compared, changes.slower.len()),
        );
    }
    for (signature, nights) in &changes.still_failing {
        line(text, format_args!("- still failing, for {nights} reports: `{signature}`"));
    }
    if *changes
        == (Changes {
            since_ms: changes.since_ms,
            verdict: changes.verdict.clone(),
            compared: changes.compared,
            ..Changes::default()
        })
    {
        line(text, format_args!("- nothing changed"));
    }
}

fn line(text: &mut String, what: std::fmt::Arguments<'_>) {
    writeln!(text, "{what}").expect("a string can be written to");
}
