//! The kill matrix: which layer killed which mutant, how fast, and by which test.

use std::fmt::Write as _;
use std::time::Duration;

use super::layer::{LAYER, TIMES};
use super::suite::SUITES;
use crate::report::data::{Grade, Unit};
use crate::report::view::View;

/// All that is to be said of mutants.
#[derive(Clone, Debug)]
pub(crate) struct Matrix<'a> {
    pub(crate) rows: Vec<Row<'a>>,
    /// How long it took to kill half of those that were killed, and the last.
    pub(crate) median: Option<Duration>,
    pub(crate) longest: Option<Duration>,
}

/// One mutant.
#[derive(Clone, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) name: &'a str,
    pub(crate) about: &'a str,
    pub(crate) grade: Grade,
    /// The layer that killed it, and how fast, on average.
    pub(crate) killed: Option<(&'static str, Duration)>,
    /// By which test, or why not.
    pub(crate) what: &'a str,
}

impl<'a> Matrix<'a> {
    /// That of a report, if mutants were tried.
    pub(crate) fn of(view: &'a View) -> Option<Self> {
        let layer = view.layers.get(LAYER)?;
        let times = layer.histograms.get(TIMES).filter(|times| !times.is_empty());
        Some(Self {
            rows: layer.units.iter().map(|(name, unit)| Row::of(name, unit)).collect(),
            median: times.map(|times| Duration::from_nanos(times.quantile(0.5))),
            longest: times.map(|times| Duration::from_nanos(times.max())),
        })
    }

    /// How many came to what, and how fast, in one line.
    pub(crate) fn sums(&self) -> String {
        let mut text = format!(
            "{} mutants: {} killed, {} survive with a reason, {} live, {} could not be tried",
            self.rows.len(),
            self.count(Grade::Pass),
            self.count(Grade::Interesting),
            self.count(Grade::Fail),
            self.count(Grade::Error)
        );
        if let (Some(median), Some(longest)) = (self.median, self.longest) {
            let (median, longest) = (median.as_secs_f64(), longest.as_secs_f64());
            let _ = write!(text, "; time to kill: median {median:.1} s, longest {longest:.1} s");
        }
        text
    }

    /// How many mutants came to that.
    pub(crate) fn count(&self, grade: Grade) -> usize {
        self.rows.iter().filter(|row| row.grade == grade).count()
    }
}

impl<'a> Row<'a> {
    fn of(name: &'a str, unit: &'a Unit) -> Self {
        let grade = unit.grade();
        let kills = unit.graded.get(&Grade::Pass).copied().unwrap_or(0);
        let killer = SUITES.iter().find(|suite| unit.figures.contains_key(suite.kills));
        let ms = unit.figures.get("ms to kill").copied().unwrap_or(0);
        Self {
            name,
            about: &unit.about,
            grade,
            killed: killer.filter(|_| kills > 0).map(|it| (it.name, Duration::from_millis(ms / kills))),
            what: match grade {
                // After the layer and the time.
                Grade::Pass => unit.why.split_once(": ").map_or("", |(_, test)| test),
                _ => unit.why.lines().next().unwrap_or_default(),
            },
        }
    }
}

/// A line for each mutant that was tried, with the layer that killed it, how fast and by which test; then the sums.
#[must_use]
pub fn matrix(view: &View) -> String {
    let Some(matrix) = Matrix::of(view) else { return "no mutant was tried\n".into() };
    let mut text = String::new();
    let width = matrix.rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    let _ = write!(text, "{:width$}", "");
    SUITES.iter().for_each(|suite| _ = write!(text, " {:>8}", suite.name));
    text.push('\n');
    for row in &matrix.rows {
        let _ = write!(text, "{:width$}", row.name);
        for suite in SUITES {
            let time = row.killed.filter(|(name, _)| *name == suite.name).map(|(_, time)| time);
            let cell = time.map_or(String::new(), |time| format!("{:.1} s", time.as_secs_f64()));
            let _ = write!(text, " {cell:>8}");
        }
        let _ = writeln!(text, "  {}", row.what);
    }
    text + &matrix.sums() + "\n"
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::report::data::{Ended, Layer, Report, Run, Shard};
    use crate::report::histogram::Histogram;

    #[test]
    fn it_says_who_killed_which_and_who_lives() {
        let unit = |grade, why: &str, figures: &[(&str, u64)]| Unit {
            graded: BTreeMap::from([(grade, 1)]),
            why: why.into(),
            figures: figures.iter().map(|(name, figure)| ((*name).to_owned(), *figure)).collect(),
            ..Unit::default()
        };
        let killed = unit(
            Grade::Pass,
            "killed by loom in 1.5 s: sigurg-loom::loom runq",
            &[("killed by loom", 1), ("ms to kill", 1500)],
        );
        let mut times = Histogram::default();
        times.record(1_500_000_000);
        let layer = Layer {
            planned: 3,
            units: BTreeMap::from([
                ("one".into(), killed),
                ("two".into(), unit(Grade::Fail, "lives: all tests of unit pass", &[])),
                ("three".into(), unit(Grade::Interesting, "survives, as it is said to: it is the same", &[])),
            ]),
            histograms: BTreeMap::from([(TIMES.into(), times)]),
            ..Layer::default()
        };
        let run = Run {
            campaign: String::new(),
            shard: Shard { index: 1, total: 1 },
            seed: 1,
            budget_ms: None,
            began_ms: 0,
            took_ms: 0,
            ended: Ended::Done,
            place: BTreeMap::new(),
            not_asked: Vec::new(),
            layers: BTreeMap::from([(LAYER.into(), layer)]),
        };
        let report = Report { runs: BTreeMap::from([("run".into(), run)]), ..Report::default() };
        let text = matrix(&View::new(&report));
        let lines: Vec<Vec<_>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[1], ["one", "1.5", "s", "sigurg-loom::loom", "runq"], "{text}");
        assert_eq!(lines[3], ["two", "lives:", "all", "tests", "of", "unit", "pass"], "{text}");
        let sums = "3 mutants: 1 killed, 1 survive with a reason, 1 live, 0 could not be tried; time to kill: median 1.5 s";
        assert!(text.lines().last().unwrap().starts_with(sums), "{text}");
    }
}
