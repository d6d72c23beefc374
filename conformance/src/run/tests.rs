//! The run itself, with layers that do nothing but what is asked of them.

use std::cell::RefCell;
use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::report::view::{Verdict, View};

/// Does its units by saying which seed each had; fails where it is told to.
struct Fake {
    units: usize,
    again: bool,
    fails: BTreeSet<String>,
    interrupts: Option<Arc<AtomicBool>>,
    log: RefCell<Vec<(String, u64)>>,
}

impl Fake {
    fn new(units: usize) -> Self {
        Self { units, again: false, fails: BTreeSet::new(), interrupts: None, log: RefCell::default() }
    }
}

fn finding(unit: &str) -> Finding {
    let of = (format!("fake {unit}"), format!("conformance run --unit {unit}"));
    Finding {
        story: "once upon a time".into(),
        ..Finding::new(Grade::Fail, "rule", format!("{unit} is broken"))
    }
    .of(of.0, of.1)
}

impl Layer for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }
    fn about(&self) -> &'static str {
        "a layer for tests"
    }
    fn share(&self) -> u32 {
        1
    }
    fn plan(&self) -> Result<Vec<Plan>, String> {
        if self.units == 0 {
            return Err("there is nothing to do here".into());
        }
        Ok((0..self.units).map(|i| Plan { name: format!("u{i}"), about: String::new() }).collect())
    }
    fn again(&self) -> bool {
        self.again
    }
    fn try_one(&self, task: &Task<'_>) -> Done {
        self.log.borrow_mut().push((task.unit.into(), task.seed));
        if let Some(flag) = &self.interrupts {
            flag.store(true, Relaxed);
        }
        let drawn = Draw::new(task.seed, task.unit).between(0, 99);
        let mut done = Done { grade: Some(Grade::Pass), ..Done::default() }.with("drawn", drawn);
        done.coverage.rows.insert(format!("row {}", drawn % 7), drawn);
        done.histograms.push(("drawn".into(), Histogram::from(vec![(drawn, 1)])));
        if self.fails.contains(task.unit) {
            done.grade = Some(Grade::Fail);
            done.findings.push(("fake:rule".into(), finding(task.unit)));
        }
        done
    }
}

struct Silent;

impl Watch for Silent {
    fn layer(&self, _: &'static str, _: u64) {}
    fn unit(&self, _: &str, _: u64, part: f64) {
        assert!((0.0..=1.0).contains(&part), "{part}");
    }
    fn inside(&self, _: &str) {}
    fn ended(&self, _: &'static str, _: &Record) {}
}

fn call(seed: u64, index: u32, total: u32) -> Call {
    Call {
        seed,
        budget: None,
        shard: Shard { index, total },
        campaign: String::new(),
        only: Vec::new(),
        units: Vec::new(),
        place: BTreeMap::new(),
    }
}

fn done(layer: Fake, call: &Call, flag: &Arc<AtomicBool>) -> Report {
    let layers: Vec<Box<dyn Layer>> = vec![Box::new(layer)];
    run(&layers, call, &Until::interrupted(Arc::clone(flag)), &Silent)
}

/// A view without what depends on the clock and on who ran what.
fn essence(report: &Report) -> (Verdict, serde_json::Value) {
    let view = View::new(report);
    let mut layers = serde_json::to_value(&view.layers).unwrap();
    let mut forget = |value: &mut serde_json::Value| {
        value.as_object_mut().unwrap().remove("took_ms");
    };
    for layer in layers.as_object_mut().unwrap().values_mut() {
        forget(layer);
        layer["units"].as_object_mut().unwrap().values_mut().for_each(&mut forget);
    }
    let findings = serde_json::to_value(&view.findings).unwrap();
    let graded = serde_json::to_value(&view.graded).unwrap();
    (view.verdict, serde_json::json!([layers, findings, graded, view.missing]))
}

proptest! {
    #[test]
    fn shards_joined_are_one_run(
        units in 1usize..20,
        total in 1u32..6,
        seed in any::<u64>(),
        fails in prop::collection::btree_set(0usize..20, 0..4),
        order in any::<u64>(),
    ) {
        let flag = Arc::default();
        let fake = || {
            let mut fake = Fake::new(units);
            fake.fails = fails.iter().map(|i| format!("u{i}")).collect();
            fake
        };
        let mut shards: Vec<_> =
            (1..=total).map(|i| done(fake(), &call(seed, i, total), &flag)).collect();
        let turn = order as usize % shards.len();
        shards.rotate_left(turn);
        let mut joined = Report::default();
        shards.into_iter().for_each(|shard| joined.join(shard));
        prop_assert_eq!(essence(&joined), essence(&done(fake(), &call(seed, 1, 1), &flag)));
    }
}

#[test]
fn a_missing_shard_is_missed() {
    let flag = Arc::default();
    let mut joined = done(Fake::new(5), &call(1, 1, 3), &flag);
    joined.join(done(Fake::new(5), &call(1, 3, 3), &flag));
    let view = View::new(&joined);
    assert_eq!((view.verdict, view.own_verdict()), (Verdict::Incomplete, Verdict::Conforms));
    assert!(view.missing[0].what.contains("2/3"), "{:?}", view.missing);
}

#[test]
fn who_is_interrupted_reports_what_was_done_and_what_was_not() {
    let flag = Arc::new(AtomicBool::new(false));
    let mut fake = Fake::new(4);
    fake.interrupts = Some(Arc::clone(&flag));
    let report = done(fake, &call(1, 1, 1), &flag);
    let view = View::new(&report);
    assert_eq!(view.verdict, Verdict::Incomplete);
    let layer = &view.layers["fake"];
    assert_eq!((layer.units.len(), layer.left.len()), (1, 3));
    assert!(layer.left.values().all(|why| why == INTERRUPTED), "{:?}", layer.left);
}

#[test]
fn a_budget_ends_layers_that_could_go_on_for_ever_and_its_passes_have_the_next_seeds() {
    let mut fake = Fake::new(2);
    fake.again = true;
    let layers: Vec<Box<dyn Layer>> = vec![Box::new(fake)];
    let call = Call { budget: Some(Duration::from_millis(30)), ..call(7, 1, 1) };
    let report = run(&layers, &call, &Until::interrupted(Arc::default()), &Silent);
    let view = View::new(&report);
    assert_eq!(view.verdict, Verdict::Conforms);
    assert!(view.graded(Grade::Pass) >= 2, "{:?}", view.graded);
}

#[test]
fn a_layer_that_cannot_run_makes_the_verdict_incomplete() {
    let view = View::new(&done(Fake::new(0), &call(1, 1, 1), &Arc::default()));
    assert_eq!(view.verdict, Verdict::Incomplete);
    assert!(view.missing[0].what.contains("there is nothing to do here"), "{:?}", view.missing);
}

#[test]
fn one_execution_can_be_asked_for_again() {
    let fake = Fake::new(9);
    let layers: Vec<Box<dyn Layer>> = vec![Box::new(fake)];
    let all = View::new(&run(&layers, &call(5, 1, 1), &Until::interrupted(Arc::default()), &Silent));
    let again = Call { units: vec!["u6".into()], ..call(5, 1, 1) };
    let again = View::new(&run(&layers, &again, &Until::interrupted(Arc::default()), &Silent));
    assert_eq!(again.layers["fake"].units.len(), 1);
    assert_eq!(again.layers["fake"].units["u6"].figures, all.layers["fake"].units["u6"].figures);
}

#[test]
fn the_same_fault_in_many_units_is_one_finding_with_all_of_them() {
    let mut fake = Fake::new(6);
    fake.fails = ["u1", "u4"].map(str::to_owned).into();
    let view = View::new(&done(fake, &call(1, 1, 1), &Arc::default()));
    assert_eq!(view.verdict, Verdict::Broken);
    let failure = &view.findings["fake:rule"];
    assert_eq!((failure.times, failure.units.len()), (2, 2));
}
