//! Small charts: histograms on a scale of powers of ten, sparklines, and growth over time.

use std::fmt::Write;

use super::super::histogram::Histogram;
use super::{escape, number, short, time};

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 120.0;
/// Bars to a factor of ten.
const BARS: f64 = 10.0;
const BELOW: f64 = 20.0;
/// Room for a label of the scale.
const ROOM: f64 = 58.0;

/// A histogram: times in ns, or counts.
pub(in super::super) fn histogram(of: &str, histogram: &Histogram, is_time: bool) -> String {
    let buckets = histogram.buckets();
    let bar = |value: u64| ((value.max(1) as f64).log10() * BARS).floor() as i64;
    let (Some(first), Some(last)) = (buckets.first(), buckets.last()) else { return String::new() };
    // Whole powers of ten at both ends, and at least one.
    let low = bar(first.0).div_euclid(BARS as i64) * BARS as i64;
    let high = (bar(last.0).div_euclid(BARS as i64) + 1) * BARS as i64;
    let mut bars = vec![0u64; (high - low) as usize];
    for (value, count) in &buckets {
        bars[(bar(*value) - low) as usize] += count;
    }
    let most = bars.iter().copied().max().unwrap_or(1).max(1) as f64;
    let (step, room) = (WIDTH / bars.len() as f64, HEIGHT - BELOW - 6.0);
    let show = |value: u64| if is_time { time(value) } else { number(value) };
    let words = format!(
        "{of}: {} values, half within {}, 99 % within {}, at most {}",
        number(histogram.len()),
        show(histogram.quantile(0.5)),
        show(histogram.quantile(0.99)),
        show(histogram.max())
    );
    let mut out = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
        escape(&words)
    );
    let floor = HEIGHT - BELOW;
    let _ = write!(out, "<path class=\"axis\" d=\"M0 {floor}H{WIDTH}\"/>");
    for (i, count) in bars.iter().enumerate().filter(|(_, count)| **count > 0) {
        let height = (*count as f64 / most * room).max(1.5);
        let from = 10f64.powf((low + i as i64) as f64 / BARS) as u64;
        let title = escape(&format!("from {}: {}", show(from), number(*count)));
        let _ = write!(
            out,
            "<rect class=\"bar\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\"><title>{title}</title></rect>",
            i as f64 * step + 0.5,
            floor - height,
            (step - 1.0).max(0.5)
        );
    }
    let at = |value: u64| ((value.max(1) as f64).log10() * BARS - low as f64) * step;
    for (name, quantile) in [("half", 0.5), ("99 %", 0.99)] {
        let x = at(histogram.quantile(quantile)).clamp(0.0, WIDTH);
        let _ = write!(out, "<path class=\"mark\" d=\"M{x:.1} 4V{floor}\"/>");
        let (anchor, dx) = if x > WIDTH * 0.8 { ("end", -4.0) } else { ("start", 4.0) };
        let y = if quantile < 0.9 { 12 } else { 26 };
        let _ = write!(
            out,
            "<text class=\"quantile\" x=\"{:.1}\" y=\"{y}\" text-anchor=\"{anchor}\">{name}</text>",
            x + dx
        );
    }
    // No more labels than there is room for; the last one stands.
    let every = (ROOM / (BARS * step)).ceil().max(1.0) as usize;
    let powers: Vec<_> = (low..=high).step_by(BARS as usize).enumerate().collect();
    for &(i, power) in powers.iter().filter(|(i, _)| (powers.len() - 1 - i).is_multiple_of(every)) {
        let x = i as f64 * BARS * step;
        let anchor = match i {
            0 => "start",
            _ if power == high => "end",
            _ => "middle",
        };
        let value = 10u64.saturating_pow((power / BARS as i64) as u32);
        let label = if is_time { round_time(value) } else { short(value) };
        let _ = write!(
            out,
            "<text class=\"tick\" x=\"{x:.1}\" y=\"{}\" text-anchor=\"{anchor}\">{label}</text>",
            HEIGHT - 6.0
        );
    }
    out + "</svg>"
}

/// A power of ten as a time: 100 µs.
fn round_time(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{} µs", ns / 1_000),
        1_000_000..1_000_000_000 => format!("{} ms", ns / 1_000_000),
        _ => format!("{} s", ns / 1_000_000_000),
    }
}

/// A line of values, the last of them marked; gaps where there is none.
pub(in super::super) fn sparkline(of: &str, values: &[Option<u64>]) -> String {
    let (width, height) = (240.0, 36.0);
    let known = values.iter().flatten().copied();
    let (low, high) = (known.clone().min().unwrap_or(0), known.max().unwrap_or(0));
    let x = |i: usize| 4.0 + i as f64 / (values.len().max(2) - 1) as f64 * (width - 8.0);
    let span = (high - low).max(1) as f64;
    let y = |value: u64| {
        if high == low { height / 2.0 } else { height - 5.0 - (value - low) as f64 / span * (height - 10.0) }
    };
    let points: Vec<_> = (values.iter().enumerate()).filter_map(|(i, v)| v.map(|v| (x(i), y(v)))).collect();
    let mut path = String::new();
    for (i, (x, y)) in points.iter().enumerate() {
        let _ = write!(path, "{}{x:.1} {y:.1}", if i == 0 { 'M' } else { 'L' });
    }
    let mut out = format!(
        "<svg class=\"spark\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\"><path d=\"{path}\"/>",
        escape(&format!("{of}, over {} reports: {low} to {high}", points.len()))
    );
    if let Some((x, y)) = points.last() {
        let _ = write!(out, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.6\"/>");
    }
    out + "</svg>"
}

/// How many different things had been seen by when, a line for each run.
pub(in super::super) fn growth(of: &str, curves: &[Vec<(u64, u64)>]) -> String {
    let all = || curves.iter().flatten();
    let (ms, most) = (all().map(|p| p.0).max().unwrap_or(0).max(1), all().map(|p| p.1).max().unwrap_or(1));
    let floor = HEIGHT - BELOW;
    let mut out = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\"><path class=\"axis\" d=\"M0 {floor}H{WIDTH}\"/>",
        escape(&format!("{of}: {most} different things seen within {:.1} s", ms as f64 / 1e3))
    );
    for curve in curves {
        let mut path = format!("M0 {floor}");
        for (at, seen) in curve {
            let (x, y) = (*at as f64 / ms as f64 * WIDTH, floor - *seen as f64 / most as f64 * (floor - 8.0));
            let _ = write!(path, "H{x:.1}V{y:.1}");
        }
        let _ = write!(out, "<path class=\"growth\" d=\"{path}H{WIDTH}\"/>");
    }
    let _ = write!(
        out,
        "<text class=\"tick\" x=\"0\" y=\"{y}\">0</text><text class=\"tick\" x=\"{WIDTH}\" y=\"{y}\" text-anchor=\"end\">{:.1} s</text>\
         <text class=\"quantile\" x=\"4\" y=\"12\">{most} different</text></svg>",
        ms as f64 / 1e3,
        y = HEIGHT - 6.0
    );
    out
}
