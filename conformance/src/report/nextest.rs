//! Tests that other tools look over the shoulder of, as layers of a report: what `cargo nextest` wrote of them as JUnit.
//!
//! 1. A file is one run, by the id that nextest gave it: joined twice it counts once.
//! 2. A test is a unit. The same test in another run, under another seed, is one more execution of it.
//! 3. A test that failed breaks a promise of the runtime: it is graded as any other finding, and comes with the call that runs it alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use quick_junit::{Report as Junit, TestCase, TestCaseStatus};

use super::data::{Ended, Finding, Grade, Layer, Report, Run, Shard, Unit};
use super::explored;

/// A layer: what it is, and the script that runs its tests: all, or with `-E FILTER` after it those.
#[derive(Debug)]
pub(super) struct Suite {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) script: &'static str,
    pub(super) sanitizer: Option<&'static str>,
}

/// All of them. A script leaves its files in `target/tests`, named after the layer and, where it makes a difference, the seed.
pub(super) const SUITES: [Suite; 4] = [
    Suite {
        name: "loom",
        about: "the lock-free parts, in every order that the memory model allows",
        script: "ci/loom",
        sanitizer: None,
    },
    Suite {
        name: "miri",
        about: "undefined behaviour, on plain threads, by Miri",
        script: "ci/miri",
        sanitizer: None,
    },
    Suite {
        name: "address",
        about: "bad addresses, on threads and goroutines, by AddressSanitizer",
        script: "ci/sanitize address --",
        sanitizer: Some("address"),
    },
    Suite {
        name: "thread",
        about: "data races, on plain threads, by ThreadSanitizer",
        script: "ci/sanitize thread --",
        sanitizer: Some("thread"),
    },
];

/// The files in `folder`, `LAYER.xml` or `LAYER-SEED.xml`, as one report.
///
/// # Errors
/// What cannot be read, and why; or that there is nothing.
pub fn read(folder: &Path) -> Result<Report, String> {
    let fault = |path: &Path, e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    let mut report = Report::default();
    for path in files(folder).map_err(|e| fault(folder, &e))? {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let (of, seed) = stem.split_once('-').map_or((&*stem, None), |(of, seed)| (of, seed.parse().ok()));
        let suite = SUITES.iter().find(|suite| suite.name == of);
        let suite = suite.ok_or_else(|| fault(&path, &format!("{of} is no layer of tests")))?;
        let text = fs::read_to_string(&path).map_err(|e| fault(&path, &e))?;
        let junit = Junit::deserialize_from_str(&text).map_err(|e| fault(&path, &e))?;
        let (id, run) =
            run(suite, seed, &junit).ok_or_else(|| fault(&path, &"no test in it, or not by nextest"))?;
        report.join(Report { runs: BTreeMap::from([(id, run)]), ..Report::default() });
    }
    if report.runs.is_empty() { Err(fault(folder, &"no results of tests")) } else { Ok(report) }
}

fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let paths = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<Result<Vec<_>, _>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "xml"));
    paths.sort();
    Ok(paths)
}

/// A run of the tests of a layer, with its id; `None` if there is no test in it, or what nextest always writes is missing.
fn run(suite: &Suite, seed: Option<u64>, junit: &Junit) -> Option<(String, Run)> {
    let began_ms = u64::try_from(junit.timestamp?.timestamp_millis()).ok()?;
    let mut layer = Layer { about: suite.about.into(), took_ms: millis(junit.time), ..Layer::default() };
    for case in junit.test_suites.iter().flat_map(|tests| &tests.test_cases) {
        layer.planned += 1;
        one(suite, seed, case, &mut layer);
    }
    if layer.planned == 0 {
        return None;
    }
    let run = Run {
        campaign: suite.name.into(),
        shard: Shard { index: 1, total: 1 },
        seed: seed.unwrap_or(0),
        budget_ms: None,
        began_ms,
        took_ms: layer.took_ms,
        ended: Ended::Done,
        place: suite.sanitizer.map(|it| ("sanitizer".into(), it.into())).into_iter().collect(),
        not_asked: Vec::new(),
        layers: BTreeMap::from([(suite.name.into(), layer)]),
    };
    Some((format!("{began_ms}-{}-{}", suite.name, junit.uuid?), run))
}

fn one(suite: &Suite, seed: Option<u64>, case: &TestCase, layer: &mut Layer) {
    let binary = case.classname.as_deref().unwrap_or_default();
    let name = format!("{binary} {}", &*case.name);
    let (grade, why) = match &case.status {
        TestCaseStatus::Success { .. } => (Grade::Pass, String::new()),
        TestCaseStatus::Skipped { message, .. } => {
            layer.left.insert(name, message.as_deref().unwrap_or("skipped").to_owned());
            return;
        }
        TestCaseStatus::NonSuccess { message, description, .. } => {
            let how = message.as_deref().and_then(|text| text.lines().next()).unwrap_or("failed");
            let title = format!("{}: {how}", &*case.name);
            // A script does the seeds from one to the one that it is given.
            let seed = seed.map_or_else(String::new, |seed| format!(" {seed}"));
            let repro = format!("{}{seed} -E 'binary_id({binary}) & test(={})'", suite.script, &*case.name);
            let mut finding = Finding::new(Grade::Fail, suite.name, title.clone())
                .of(format!("{} {name}", suite.name), repro);
            let said = [description, &case.system_out, &case.system_err].map(|text| text.as_deref());
            finding.story = said.into_iter().flatten().map(str::trim).collect::<Vec<_>>().join("\n\n");
            layer.findings.insert(signature(suite, &name), finding);
            (Grade::Fail, title)
        }
    };
    let said = case.system_out.as_ref().map_or("", |text| text.as_str());
    let mut figures = explorations(said);
    figures.insert("executions".into(), 1);
    let fails = grade == Grade::Fail;
    let unit = Unit {
        about: suite.about.into(),
        graded: BTreeMap::from([(grade, 1)]),
        why,
        took_ms: millis(case.time),
        figures,
        found: fails.then(|| (signature(suite, &name), 1)).into_iter().collect(),
        ..Unit::default()
    };
    layer.units.insert(name, unit);
}

/// What loom's models say of how far they went, a line for each search: `explored 17 orders, all` or `explored 17 orders, preemptions 2`.
fn explorations(said: &str) -> BTreeMap<String, u64> {
    let mut figures = BTreeMap::new();
    for line in said.lines() {
        let Some((orders, bound)) =
            line.trim().strip_prefix("explored ").and_then(|rest| rest.split_once(" orders, "))
        else {
            continue;
        };
        let search = match bound.strip_prefix("preemptions ") {
            Some(most) => most.parse().ok().map(explored::bounded),
            None => (bound == "all").then(|| explored::WHOLE.to_owned()),
        };
        if let (Ok(orders), Some(search)) = (orders.parse::<u64>(), search) {
            *figures.entry(search).or_default() += 1;
            *figures.entry(explored::ORDERS.to_owned()).or_default() += orders;
        }
    }
    figures
}

fn signature(suite: &Suite, test: &str) -> String {
    format!("{}:{test}", suite.name)
}

fn millis(time: Option<std::time::Duration>) -> u64 {
    time.map_or(0, |time| time.as_millis() as u64)
}
