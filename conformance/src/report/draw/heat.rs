//! The same changes as a table of cells: from, to, and in each cell a stripe for each cause.

use std::fmt::Write;

use sigurg_traces::GStatus;

use super::graph::Edge;
use super::{escape, log, number};

const CELL: f64 = 34.0;
const LEFT: f64 = 116.0;
const TOP: f64 = 98.0;

/// The picture.
pub(in super::super) fn svg(edges: &[Edge]) -> String {
    let mut from: Vec<GStatus> = edges.iter().map(|edge| edge.from).collect();
    let mut to: Vec<GStatus> = edges.iter().map(|edge| edge.to).collect();
    for list in [&mut from, &mut to] {
        list.sort_unstable();
        list.dedup();
    }
    let most = edges.iter().flat_map(|edge| &edge.causes).map(|(_, by)| by.values().sum()).max().unwrap_or(1);
    let (width, height) = (LEFT + CELL * to.len() as f64 + 60.0, TOP + CELL * from.len() as f64 + 4.0);
    let mut out = format!(
        "<svg class=\"heat\" viewBox=\"0 0 {width} {height}\" role=\"group\" aria-label=\"Changes of status by from, to and cause\">"
    );
    for (i, status) in to.iter().enumerate() {
        let x = LEFT + CELL * (i as f64 + 0.5);
        let _ = write!(
            out,
            "<text class=\"col\" transform=\"translate({x} {}) rotate(-45)\">{status}</text>",
            TOP - 8.0
        );
    }
    for (i, row) in from.iter().enumerate() {
        let y = TOP + CELL * i as f64;
        let _ = write!(
            out,
            "<text class=\"row\" x=\"{}\" y=\"{}\">{row}</text>",
            LEFT - 10.0,
            y + CELL / 2.0 + 4.0
        );
        for (j, column) in to.iter().enumerate() {
            let x = LEFT + CELL * j as f64;
            let edge = edges.iter().find(|edge| edge.from == *row && edge.to == *column);
            let Some(edge) = edge else {
                let _ = write!(
                    out,
                    "<rect class=\"never\" x=\"{:.1}\" y=\"{:.1}\" width=\"3\" height=\"3\" rx=\"1.5\"/>",
                    x + CELL / 2.0 - 1.5,
                    y + CELL / 2.0 - 1.5
                );
                continue;
            };
            let stripe = (CELL - 4.0) / edge.causes.len() as f64;
            for (k, (cause, by)) in edge.causes.iter().enumerate() {
                let count: u64 = by.values().sum();
                let words = escape(&format!("{row} → {column} · {cause}: {}", number(count)));
                let _ = write!(
                    out,
                    "<rect class=\"{}\" style=\"--v:{:.0}%\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"2\" \
                     tabindex=\"0\" role=\"img\" aria-label=\"{words}\" data-says=\"{words}\"><title>{words}</title></rect>",
                    if count == 0 { "cell hole" } else { "cell" },
                    100.0 * log(count, most),
                    x + 2.0,
                    y + 2.0 + stripe * k as f64 + if k > 0 { 0.5 } else { 0.0 },
                    CELL - 4.0,
                    stripe - if k > 0 { 0.5 } else { 0.0 },
                );
            }
        }
    }
    out + "</svg>"
}
