//! The statuses of a G and every legal change between them: how often each was taken, and which never.
//!
//! Where a status stands is chosen by hand: life runs from left to right, and a scan status stands beside the one that it holds.

use std::collections::BTreeMap;
use std::fmt::Write;

use sigurg_traces::GStatus::{self, *};

use super::{escape, number, short};

/// A change of status, over all its causes.
#[derive(Clone, Debug)]
pub(in super::super) struct Edge {
    /// Status before.
    pub(in super::super) from: GStatus,
    /// Status after.
    pub(in super::super) to: GStatus,
    /// Rows of the table: cause and count by layer.
    pub(in super::super) causes: Vec<(String, BTreeMap<String, u64>)>,
}

impl Edge {
    fn count(&self, of: impl Fn(&str) -> bool) -> u64 {
        let counts = self.causes.iter().flat_map(|(_, counts)| counts);
        counts.filter(|(layer, _)| of(layer)).map(|(_, count)| count).sum()
    }

    /// Everything that is known of it, in words.
    fn words(&self) -> String {
        let mut text = format!("{} → {}", self.from, self.to);
        for (cause, counts) in &self.causes {
            let counts: Vec<_> =
                counts.iter().map(|(layer, n)| format!("{} in {layer}", number(*n))).collect();
            let counts = if counts.is_empty() { "never".into() } else { counts.join(", ") };
            let _ = write!(text, " · {cause}: {counts}");
        }
        text
    }
}

const WIDTH: f64 = 1120.0;
const HEIGHT: f64 = 590.0;
/// Half the size of a box.
const HALF: (f64, f64) = (58.0, 16.0);
/// How far an edge bends to its left, so that there is room for the one that comes back.
const BEND: f64 = 16.0;

fn place(status: GStatus) -> (f64, f64) {
    match status {
        Idle => (90.0, 500.0),
        Dead => (90.0, 240.0),
        Runnable => (350.0, 120.0),
        Scanrunnable => (350.0, 30.0),
        Waiting => (350.0, 380.0),
        Scanwaiting => (180.0, 450.0),
        Leaked => (350.0, 540.0),
        Scanleaked => (180.0, 560.0),
        Running => (630.0, 240.0),
        Scanrunning => (630.0, 90.0),
        Copystack => (880.0, 80.0),
        Scanpreempted => (750.0, 380.0),
        Preempted => (550.0, 450.0),
        Syscall => (880.0, 240.0),
        Scansyscall => (1050.0, 240.0),
        Deadextra => (880.0, 500.0),
        Scandeadextra => (1050.0, 500.0),
    }
}

/// Where the line from `from`, which lies in the box around `middle`, towards `to` leaves that box.
fn border(middle: (f64, f64), from: (f64, f64), to: (f64, f64)) -> (f64, f64) {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let until = |at: f64, middle: f64, half: f64, d: f64| (middle + half * d.signum() - at) / d;
    let x = if dx.abs() < 1e-9 { f64::INFINITY } else { until(from.0, middle.0, HALF.0, dx) };
    let y = if dy.abs() < 1e-9 { f64::INFINITY } else { until(from.1, middle.1, HALF.1, dy) };
    let part = x.min(y);
    (from.0 + dx * part, from.1 + dy * part)
}

/// The picture. What `own` layers took is drawn in full; what only others took, beside it; what nobody took, as a gap.
pub(in super::super) fn svg(edges: &[Edge], own: &str) -> String {
    let mut out = format!(
        "<svg class=\"graph\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"group\" aria-label=\"Statuses of a goroutine and the changes between them\">\
         <defs>"
    );
    for kind in ["own", "other", "hole"] {
        let _ = write!(
            out,
            "<marker id=\"tip-{kind}\" class=\"tip {kind}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" \
             markerHeight=\"7\" markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0.6 8 4 0 7.4z\"/></marker>"
        );
    }
    out += "</defs>";
    let mut labels = String::new();
    for edge in edges {
        let (a, b) = (place(edge.from), place(edge.to));
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let length = dx.hypot(dy);
        let bend = (dy / length * BEND * 2.0, -dx / length * BEND * 2.0);
        let middle = (f64::midpoint(a.0, b.0) + bend.0, f64::midpoint(a.1, b.1) + bend.1);
        let aside = |p: (f64, f64)| (p.0 + bend.0 / 4.0, p.1 + bend.1 / 4.0);
        let (start, end) = (border(a, aside(a), middle), border(b, aside(b), middle));
        let (mine, all) = (edge.count(|layer| layer == own), edge.count(|_| true));
        let kind = match (mine, all) {
            (1.., _) => "own",
            (0, 1..) => "other",
            (0, 0) => "hole",
        };
        let width = if all == 0 { 1.0 } else { 1.0 + 0.42 * (all as f64).log10() };
        let words = escape(&edge.words());
        let _ = write!(
            out,
            "<g class=\"edge {kind}\" tabindex=\"0\" role=\"img\" aria-label=\"{words}\" data-says=\"{words}\"><title>{words}</title>\
             <path class=\"reach\" d=\"M{:.1} {:.1}Q{:.1} {:.1} {:.1} {:.1}\"/>\
             <path d=\"M{:.1} {:.1}Q{:.1} {:.1} {:.1} {:.1}\" stroke-width=\"{width:.2}\" marker-end=\"url(#tip-{kind})\"/></g>",
            start.0,
            start.1,
            middle.0,
            middle.1,
            end.0,
            end.1,
            start.0,
            start.1,
            middle.0,
            middle.1,
            end.0,
            end.1,
        );
        if all > 0 {
            let at = (
                (start.0 + 2.0 * middle.0 + end.0) / 4.0 + bend.0 / 5.0,
                (start.1 + 2.0 * middle.1 + end.1) / 4.0 + bend.1 / 5.0,
            );
            let _ = write!(
                labels,
                "<text class=\"count {kind}\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                at.0,
                at.1 + 3.5,
                short(all)
            );
        }
    }
    let mut statuses: Vec<_> = edges.iter().flat_map(|edge| [edge.from, edge.to]).collect();
    statuses.sort_unstable();
    statuses.dedup();
    for status in statuses {
        let (x, y) = place(status);
        let scan = if status.has_scan() { " scan" } else { "" };
        let _ = write!(
            out,
            "<g class=\"status{scan}\"><rect x=\"{:.1}\" y=\"{:.1}\" width=\"{}\" height=\"{}\" rx=\"8\"/>\
             <text x=\"{x}\" y=\"{:.1}\">{status}</text></g>",
            x - HALF.0,
            y - HALF.1,
            2.0 * HALF.0,
            2.0 * HALF.1,
            y + 4.0
        );
    }
    out + &labels + "</svg>"
}
