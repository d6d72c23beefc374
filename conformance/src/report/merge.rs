//! One report out of several.
//!
//! Joining is commutative, associative and idempotent: reports are sets of runs, and joining them is the union. Should two
//! files tell different things of one run (a copy was taken before it ended), the one that is further along is kept.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::data::{Night, Report, Run};

impl Report {
    /// Adds the runs and the history of another report.
    pub fn join(&mut self, other: Self) {
        union(&mut self.runs, other.runs, further);
        union(&mut self.history, other.history, |a: &Night, b: &Night| by_text(a, b));
    }
}

/// Adds what is new; of two values for one key the greater one stays.
fn union<V>(all: &mut BTreeMap<String, V>, some: BTreeMap<String, V>, order: impl Fn(&V, &V) -> Ordering) {
    for (key, value) in some {
        match all.entry(key) {
            Entry::Vacant(entry) => drop(entry.insert(value)),
            Entry::Occupied(mut entry) => {
                if order(entry.get(), &value) == Ordering::Less {
                    entry.insert(value);
                }
            }
        }
    }
}

/// A total order of runs in which the one that got further is the greater.
fn further(a: &Run, b: &Run) -> Ordering {
    (a.took_ms, &a.ended).cmp(&(b.took_ms, &b.ended)).then_with(|| by_text(a, b))
}

fn by_text<V: serde::Serialize>(a: &V, b: &V) -> Ordering {
    let text = |value: &V| serde_json::to_string(value).expect("reports have only JSON types");
    text(a).cmp(&text(b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::data::{Ended, Finding, Grade, Known, Layer, Original, Shard, Unit};
    use super::*;

    /// Few ids and few values, so that reports overlap, and contradict each other.
    fn reports() -> impl Strategy<Value = Report> {
        let counts = prop::collection::btree_map("[ab]", 0u64..3, 0..3);
        let unit = (counts.clone(), 0u64..3).prop_map(|(figures, took_ms)| Unit {
            figures,
            took_ms,
            ..Unit::default()
        });
        let layer = (prop::collection::btree_map("[uv]", unit, 0..3), counts).prop_map(|(units, rows)| {
            let mut layer = Layer { units, ..Layer::default() };
            layer.coverage.rows = rows;
            layer
        });
        let layer = (layer, prop::collection::btree_map("[st]", finding(), 0..3))
            .prop_map(|(layer, findings)| Layer { findings, ..layer });
        let run = (prop::collection::btree_map("model|go", layer, 0..3), 1u32..3, 0u64..3, any::<bool>())
            .prop_map(|(layers, index, took_ms, done)| Run {
                campaign: "c".into(),
                shard: Shard { index, total: 2 },
                seed: 1,
                budget_ms: None,
                began_ms: 7,
                took_ms,
                ended: if done { Ended::Done } else { Ended::Interrupted },
                place: BTreeMap::new(),
                not_asked: Vec::new(),
                layers,
            });
        let night = (0u64..3).prop_map(|began_ms| Night { began_ms, ..Night::default() });
        let runs = prop::collection::btree_map("[xyz]", run, 0..4);
        (runs, prop::collection::btree_map("[12]", night, 0..3)).prop_map(|(runs, history)| Report {
            runs,
            history,
            ..Report::default()
        })
    }

    /// One with what is known at the fault, and with what it was before it was made smaller.
    fn finding() -> impl Strategy<Value = Finding> {
        let said = prop::option::of("[ab]");
        let known = (said, any::<bool>()).prop_map(|(said, differs)| Known {
            object: "G1".into(),
            what: "status".into(),
            expected: "a".into(),
            said,
            differs,
        });
        let original = ("[ab]", 0u64..3).prop_map(|(file, from)| Original {
            file,
            repro: "again".into(),
            sizes: vec![("turns".into(), from, 1)],
        });
        (prop::collection::vec(known, 0..3), prop::option::of(original), 1u64..3).prop_map(
            |(state, original, seen)| Finding {
                state,
                original,
                seen,
                ..Finding::new(Grade::Fail, "rule", "title")
            },
        )
    }

    fn joined(mut a: Report, b: &Report) -> Report {
        a.join(b.clone());
        a
    }

    proptest! {
        #[test]
        fn joining_is_commutative(a in reports(), b in reports()) {
            prop_assert_eq!(joined(a.clone(), &b), joined(b, &a));
        }

        #[test]
        fn joining_is_associative(a in reports(), b in reports(), c in reports()) {
            prop_assert_eq!(joined(joined(a.clone(), &b), &c), joined(a, &joined(b, &c)));
        }

        #[test]
        fn joining_is_idempotent(a in reports(), b in reports()) {
            let once = joined(a.clone(), &b);
            prop_assert_eq!(joined(a.clone(), &a), a);
            prop_assert_eq!(joined(once.clone(), &b), once);
        }

        #[test]
        fn what_is_read_is_what_was_written(a in reports()) {
            let text = serde_json::to_string(&a).unwrap();
            prop_assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), a);
        }
    }
}
