//! How far each way of looking for faults went, and what follows from that: what was searched whole, what is found with which probability,
//! and of what nothing can be said.
//!
//! 1. Everything here is computed from figures that are added, so it is the same whoever joined what in which order.
//! 2. A bound is a lower one: it is rounded down, and of executions for which it is not certain nothing is claimed.

use serde::Serialize;

use super::data::Grade;
use super::draw::{number, short};
use super::view::{Layer, View};
use crate::sim::drive::{CHANGES, Chance};

/// A figure: executions under schedules of that kind.
#[must_use]
pub(crate) fn by(kind: &str) -> String {
    format!("executions by {kind}")
}

/// Figures of executions by PCT of which the bound is certain: how many, and the sums of their bounds, actors and operations.
pub(crate) const BOUND_HOLDS: &str = "executions by pct within its bound";
pub(crate) const BOUND: &str = "bounds of pct, in 1e-18";
pub(crate) const ACTORS: &str = "actors of pct";
pub(crate) const STEPS: &str = "operations of pct";
/// The unit of [`BOUND`].
pub(crate) const ONE: f64 = 1e18;

/// Figures of loom: its searches of all orders, those of orders with few preemptions, and the orders that were executed.
pub(crate) const WHOLE: &str = "searches of all orders";
pub(crate) const ORDERS: &str = "orders";

/// A figure: searches with at most so many preemptions.
pub(crate) fn bounded(preemptions: u64) -> String {
    format!("searches with at most {preemptions} preemptions")
}

/// How far one way of looking went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explored {
    /// The layer.
    pub layer: String,
    /// What was looked at, and how.
    pub how: String,
    /// What follows: a proof within bounds, a probability, or nothing.
    pub bound: String,
}

/// What a layer tells: what was looked at, and what follows.
type Way = fn(&Layer) -> Vec<(String, String)>;

/// All ways that a report has.
#[must_use]
pub(super) fn explored(view: &View) -> Vec<Explored> {
    let ways: [(&str, Way); 8] = [
        ("model", model),
        ("loom", loom),
        ("sim", sim),
        ("native", |layer| vec![(executions(layer, "on real threads"), KERNEL.into())]),
        ("fuzz", |layer| {
            vec![(executions(layer, "of inputs by chance, guided by what they met"), CHANCE.into())]
        }),
        ("miri", |layer| vec![(executions(layer, "interpreted"), MIRI.into())]),
        ("address", |layer| vec![(executions(layer, "of tests"), SANITIZER.into())]),
        ("thread", |layer| vec![(executions(layer, "of tests"), SANITIZER.into())]),
    ];
    let told = |(name, way): &(&str, Way)| {
        let layer = view.layers.get(*name).filter(|layer| !layer.units.is_empty());
        let rows = layer.map(way).unwrap_or_default();
        let explored = |(how, bound)| Explored { layer: (*name).into(), how, bound };
        rows.into_iter().map(explored).collect::<Vec<_>>()
    };
    ways.iter().flat_map(told).collect()
}

const KERNEL: &str = "the orders that the kernel made: no bound";
const CHANCE: &str = "no bound: what was not met may be there";
const MIRI: &str =
    "each is one schedule and one choice of stale values: no bound; exact on what these executions did";
const SANITIZER: &str = "exact on what these executions did, and nothing is said of others";

fn figure(layer: &Layer, name: &str) -> u64 {
    layer.figures.get(name).copied().unwrap_or(0)
}

fn executions(layer: &Layer, what: &str) -> String {
    format!("{} executions {what}", number(figure(layer, "executions")))
}

fn model(layer: &Layer) -> Vec<(String, String)> {
    let searches = || layer.units.values().filter(|unit| unit.figures.contains_key("states"));
    let whole = searches().filter(|unit| matches!(unit.grade(), Grade::Pass | Grade::Interesting)).count();
    let depth = searches().filter_map(|unit| unit.figures.get("depth")).max().copied().unwrap_or(0);
    let all = searches().count();
    if all == 0 {
        return Vec::new();
    }
    let how = format!(
        "{} states of {all} bounded worlds, every interleaving, up to {depth} moves deep",
        number(figure(layer, "states"))
    );
    let bound = format!(
        "exhaustive: {whole} of {all} worlds were searched whole, and have no other fault of the kinds that are looked for; \
         larger worlds may"
    );
    vec![(how, bound)]
}

fn loom(layer: &Layer) -> Vec<(String, String)> {
    let whole = figure(layer, WHOLE);
    let few: Vec<_> = (0..64).filter_map(|most| Some((most, *layer.figures.get(&bounded(most))?))).collect();
    let how = format!("{} orders of {} models", number(figure(layer, ORDERS)), layer.units.len());
    if whole == 0 && few.is_empty() {
        return vec![(how, "the tests did not say how far they went".into())];
    }
    let mut bound = format!(
        "exhaustive in {} searches: every order, and every value that a load may see in loom's memory model (no load sees what is stored later)",
        number(whole)
    );
    if let Some((least, _)) = few.first() {
        let few: Vec<_> = few.iter().map(|(most, n)| format!("{most} in {}", number(*n))).collect();
        bound += &format!(
            "; bounded in the others, by preemptions where a thread could go on: at most {}. A fault that needs more than {least} is not sure to be found there",
            few.join(", ")
        );
    }
    vec![(how, bound)]
}

fn sim(layer: &Layer) -> Vec<(String, String)> {
    let row = |chance: &Chance| {
        let runs = figure(layer, &by(chance.as_str()));
        let how = |what: &str| format!("{} executions under schedules by {what}", number(runs));
        if runs == 0 {
            return None;
        }
        Some(match chance {
            Chance::Random => (how("coin (random)"), CHANCE.into()),
            Chance::Urw => (how("uniform random walk (URW)"), CHANCE.into()),
            Chance::Pct => (how("priorities (PCT)"), pct(layer, runs)),
        })
    };
    Chance::ALL.iter().filter_map(row).collect()
}

/// What the executions by PCT are sure to find.
fn pct(layer: &Layer, runs: u64) -> String {
    let depth = CHANGES + 1;
    let says = format!(
        "{CHANGES} changes of priority, so faults that {depth} steps in a certain order show (depth d = {depth}): one execution of n actors and \
         k operations shows such a fault of its program with a probability of at least 1/(n·k^(d-1))"
    );
    let (holds, sum) = (figure(layer, BOUND_HOLDS), figure(layer, BOUND) as f64 / ONE);
    if holds == 0 {
        return format!(
            "{says}; of no execution is that certain: in each a thread was put last because it spun"
        );
    }
    let mean = |of: &str| short(figure(layer, of) / holds);
    // 1 - p <= e^-p, so this is no more than the product says.
    let all = -(-sum).exp_m1();
    format!(
        "{says}. That is certain of {} of the {}, where no thread was put last because it spun. The mean of their bounds is 1 in {} (n is {} and k {} on average; \
         those with few operations weigh most), and of a fault that all these programs have {} in all: the guarantee is small, and what is found beyond it is \
         found by chance",
        number(holds),
        number(runs),
        power(holds as f64 / sum),
        mean(ACTORS),
        mean(STEPS),
        percent(all),
    )
}

/// A large number, rounded up to two digits.
fn power(value: f64) -> String {
    if !value.is_finite() {
        return "more than 10^18".into();
    }
    let digits = value.max(1.0).log10().floor();
    format!("{:.1}·10^{digits:.0}", (value / 10f64.powf(digits) * 10.0).ceil() / 10.0)
}

/// A probability, rounded down to two digits.
fn percent(part: f64) -> String {
    if part <= 0.0 {
        return "nothing that can be counted".into();
    }
    let digits = part.log10().floor();
    let lead = (part / 10f64.powf(digits) * 10.0).floor() / 10.0;
    if digits >= -3.0 {
        format!("{:.2} %", lead * 10f64.powf(digits) * 100.0)
    } else {
        format!("{lead:.1}·10^{digits:.0}")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn layer(figures: &[(&str, u64)]) -> Layer {
        let figures: BTreeMap<_, _> =
            figures.iter().map(|(name, figure)| ((*name).to_owned(), *figure)).collect();
        Layer { figures, ..Layer::default() }
    }

    #[test]
    fn the_bound_of_pct_is_that_of_the_executions_for_which_it_is_certain() {
        // Ten executions with 1 in 8 · 5000³ each.
        let one = (ONE / (8.0 * 5_000f64.powi(3))) as u64;
        let layer =
            layer(&[(&by("pct"), 30), (BOUND_HOLDS, 10), (BOUND, 10 * one), (ACTORS, 80), (STEPS, 50_000)]);
        let rows = sim(&layer);
        assert_eq!(rows.len(), 1);
        for says in [
            "at least 1/(n·k^(d-1))",
            "10 of the 30",
            "n is 8 and k 5.0k",
            "1 in 1.0·10^12",
            "9.9·10^-12 in all",
        ] {
            assert!(rows[0].1.contains(says), "{says}: {}", rows[0].1);
        }
    }

    #[test]
    fn of_executions_without_a_bound_none_is_claimed() {
        let rows = sim(&layer(&[(&by("pct"), 3), (&by("random"), 3)]));
        assert_eq!(rows.len(), 2);
        assert!(rows.iter().any(|(_, bound)| bound.contains("of no execution is that certain")), "{rows:?}");
    }

    #[test]
    fn what_loom_searched_whole_is_told_from_what_it_bounded() {
        let rows = loom(&layer(&[(WHOLE, 12), (&bounded(2), 3), (&bounded(3), 1), (ORDERS, 4_000)]));
        for says in ["exhaustive in 12 searches", "at most 2 in 3, 3 in 1", "more than 2 is not sure"] {
            assert!(rows[0].1.contains(says), "{says}: {}", rows[0].1);
        }
    }
}
