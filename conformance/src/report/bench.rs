//! Workloads of this runtime beside the same ones of its peers, as `ci/bench/run` measured them.
//!
//! 1. Programs are compared inside a round only, where they ran one after the other: what else the machine did weighs on both.
//! 2. What is told is the median; least and greatest stand beside it.

use std::collections::BTreeSet;

use super::data::Round;
use super::view::View;

/// The name of the layer.
pub(super) const LAYER: &str = "bench";
/// The program that the others are compared with.
pub(super) const OWN: &str = "sigurg";
/// Processors that others kept busy meanwhile: it is there for whoever wonders, and compares nothing.
const ELSEWHERE: &str = "other_cpu";
/// Figures are kept in thousandths.
const PARTS: f64 = 1_000.0;

/// One figure of one workload.
#[derive(Clone, Debug)]
pub(super) struct Row<'a> {
    pub(super) case: &'a str,
    pub(super) figure: &'a str,
    /// One for each of [`peers`].
    pub(super) cells: Vec<Cell>,
}

impl Row<'_> {
    /// Median, least and greatest of this runtime.
    pub(super) fn own(&self) -> Option<[u64; 3]> {
        self.cells.first().and_then(|cell| cell.values)
    }

    /// How many times better this runtime is than that one of [`peers`], in thousandths.
    pub(super) fn against(&self, peer: usize) -> Option<u64> {
        let better = self.cells.get(peer)?.better?;
        Some((better * PARTS).round() as u64)
    }
}

/// One figure of one workload of one program.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cell {
    /// Median, least and greatest.
    pub(super) values: Option<[u64; 3]>,
    pub(super) rounds: usize,
    /// How many times better this runtime is: the median over rounds.
    pub(super) better: Option<f64>,
    /// What became of it, if it did not end well each time.
    pub(super) status: String,
}

/// The programs: this runtime, whether it was measured or not, and the others.
pub(super) fn peers(view: &View) -> Vec<&str> {
    let others: BTreeSet<_> =
        rounds(view).map(|(_, round)| &*round.peer).filter(|peer| *peer != OWN).collect();
    std::iter::once(OWN).chain(others).collect()
}

fn rounds(view: &View) -> impl Iterator<Item = (&str, &Round)> {
    let units = view.layers.get(LAYER).into_iter().flat_map(|layer| &layer.units);
    units.flat_map(|(case, unit)| unit.rounds.iter().map(move |round| (&**case, round)))
}

/// Everything that was measured.
pub(super) fn rows(view: &View) -> Vec<Row<'_>> {
    let peers = peers(view);
    let figures: BTreeSet<_> = rounds(view)
        .flat_map(|(case, round)| round.figures.keys().map(move |figure| (case, &**figure)))
        .filter(|(_, figure)| *figure != ELSEWHERE)
        .collect();
    let row = |(case, figure)| {
        let rounds: Vec<_> = rounds(view).filter(|(of, _)| *of == case).map(|(_, round)| round).collect();
        Row { case, figure, cells: peers.iter().map(|peer| cell(&rounds, peer, figure)).collect() }
    };
    figures.into_iter().map(row).collect()
}

fn cell(rounds: &[&Round], peer: &str, figure: &str) -> Cell {
    let value = |peer: &str, number: u32| {
        let round = rounds.iter().find(|round| round.peer == peer && round.round == number)?;
        round.figures.get(figure).copied()
    };
    let mine = || rounds.iter().filter(|round| round.peer == peer);
    let mut values: Vec<_> = mine().filter_map(|round| round.figures.get(figure).copied()).collect();
    values.sort_unstable();
    let mut ratios: Vec<f64> = mine()
        .filter(|_| peer != OWN)
        .filter_map(|round| {
            let (own, other) = (value(OWN, round.round)? as f64, value(peer, round.round)? as f64);
            let ratio = if more_is_better(figure)? { own / other } else { other / own };
            ratio.is_finite().then_some(ratio)
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    let status: BTreeSet<_> = mine().map(|round| &*round.status).filter(|status| *status != "ok").collect();
    Cell {
        values: median(&values).map(|median| [median, values[0], values[values.len() - 1]]),
        rounds: values.len(),
        better: ratios.get(ratios.len() / 2).copied(),
        status: status.into_iter().collect::<Vec<_>>().join(", "),
    }
}

/// The one in the middle of what is sorted; of two the lower.
pub(super) fn median(sorted: &[u64]) -> Option<u64> {
    sorted.get(sorted.len().checked_sub(1)? / 2).copied()
}

/// Which of two values of that figure is the better one; of some neither is.
pub(super) fn more_is_better(figure: &str) -> Option<bool> {
    match figure {
        "late_us_count" | "quantum_ms" => None,
        "speedup" | "min_over_max" => Some(true),
        _ => Some(figure.ends_with("_per_s")),
    }
}

/// A figure in three digits, or whole if it has more.
pub(super) fn show(thousandths: u64) -> String {
    let value = thousandths as f64 / PARTS;
    match value {
        ..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => super::draw::number(value.round() as u64),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::data::{Ended, Layer, Report, Run, Shard, Unit};
    use super::*;

    fn round(round: u32, peer: &str, figure: &str, value: u64) -> Round {
        let figures = BTreeMap::from([(figure.into(), value)]);
        Round { round, peer: peer.into(), status: "ok".into(), figures }
    }

    fn report(id: &str, rounds: Vec<Round>) -> Report {
        let unit = Unit { rounds, ..Unit::default() };
        let layer = Layer { units: BTreeMap::from([("B1".into(), unit)]), ..Layer::default() };
        let run = Run {
            campaign: LAYER.into(),
            shard: Shard { index: 1, total: 1 },
            seed: 0,
            budget_ms: None,
            began_ms: 1,
            took_ms: 1,
            ended: Ended::Done,
            place: BTreeMap::new(),
            not_asked: Vec::new(),
            layers: BTreeMap::from([(LAYER.into(), layer)]),
        };
        Report { runs: BTreeMap::from([(id.into(), run)]), ..Report::default() }
    }

    #[test]
    fn ratios_are_those_of_rounds_and_above_one_this_runtime_is_better() {
        for (figure, better) in [("ns_per_op", 2.0), ("ops_per_s", 0.5)] {
            // The machine was three times slower in the second round.
            let rounds = vec![
                round(1, OWN, figure, 100_000),
                round(1, "go", figure, 200_000),
                round(2, OWN, figure, 300_000),
                round(2, "go", figure, 600_000),
            ];
            let view = View::new(&report("a", rounds));
            let rows = rows(&view);
            assert_eq!((peers(&view), rows.len()), (vec![OWN, "go"], 1));
            assert_eq!(rows[0].cells[0].better, None);
            assert_eq!(rows[0].cells[1].better, Some(better), "{figure}");
            assert_eq!(rows[0].cells[1].values, Some([200_000, 200_000, 600_000]));
        }
    }

    #[test]
    fn rounds_of_two_runs_are_not_mixed() {
        let (fast, slow) = (
            vec![round(1, OWN, "cpu_ms", 10), round(1, "go", "cpu_ms", 30)],
            vec![round(1, OWN, "cpu_ms", 1_000), round(1, "go", "cpu_ms", 3_000)],
        );
        let mut joined = report("a", fast.clone());
        joined.join(report("b", slow.clone()));
        let mut other = report("b", slow);
        other.join(report("a", fast));
        for report in [joined, other] {
            let view = View::new(&report);
            let cell = &rows(&view)[0].cells[1];
            assert_eq!((cell.rounds, cell.better), (2, Some(3.0)), "{cell:?}");
        }
    }

    #[test]
    fn figures_have_three_digits() {
        assert_eq!(
            ["0.12", "9.50", "12.3", "1,235"],
            [123, 9_500, 12_345, 1_234_567].map(show).each_ref().map(|s| &**s)
        );
    }
}
