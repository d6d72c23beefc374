//! Pictures of a report, as SVG that stands in the page. Colours come from the page's style, so they follow light and dark.

pub(super) mod chart;
pub(super) mod graph;
pub(super) mod heat;

/// Text as it may stand in SVG.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A number with a comma before each three digits.
pub(super) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number in three digits: 12.3k.
pub(super) fn short(n: u64) -> String {
    let (value, unit) = match n {
        0..1_000 => return n.to_string(),
        1_000..1_000_000 => (n as f64 / 1e3, "k"),
        1_000_000..1_000_000_000 => (n as f64 / 1e6, "M"),
        _ => (n as f64 / 1e9, "G"),
    };
    if value < 10.0 { format!("{value:.1}{unit}") } else { format!("{value:.0}{unit}") }
}

/// A time in three digits: 1.25 ms.
pub(super) fn time(ns: u64) -> String {
    let (value, unit) = match ns {
        0..1_000 => return format!("{ns} ns"),
        1_000..1_000_000 => (ns as f64 / 1e3, "µs"),
        1_000_000..1_000_000_000 => (ns as f64 / 1e6, "ms"),
        _ => (ns as f64 / 1e9, "s"),
    };
    match value {
        ..10.0 => format!("{value:.2} {unit}"),
        10.0..100.0 => format!("{value:.1} {unit}"),
        _ => format!("{value:.0} {unit}"),
    }
}

/// Where `n` lies between nothing and a lot, from 0 to 1, by its number of digits.
pub(super) fn log(n: u64, most: u64) -> f64 {
    if n == 0 { 0.0 } else { (1.0 + (n as f64).log10()) / (1.0 + (most.max(1) as f64).log10()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_exact_where_they_say_so() {
        assert_eq!(
            ["7", "999", "1,000", "1,234,567"],
            [7, 999, 1_000, 1_234_567].map(number).each_ref().map(|s| &**s)
        );
        assert_eq!(
            ["7", "1.0k", "12k", "5.7M"],
            [7, 1_000, 12_300, 5_749_351].map(short).each_ref().map(|s| &**s)
        );
        assert_eq!(
            ["999 ns", "1.00 µs", "12.3 µs", "250 ms"],
            [999, 1_000, 12_340, 250_000_000].map(time).each_ref().map(|s| &**s)
        );
        assert_eq!((log(0, 100), log(100, 100)), (0.0, 1.0));
    }
}
