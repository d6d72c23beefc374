//! The parts of the page: what the template is given.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::DateTime;
use minijinja::Value;
use sigurg_model::Profile;
use sigurg_model::machine::family::all;
use sigurg_model::rules::hazard::Hazard;
use sigurg_model::rules::rule::Rule;
use sigurg_model::rules::sequence::Step;
use sigurg_model::rules::transition::ROWS;

use super::super::bench;
use super::super::coverage::{is_time, p_row_name, p_rows_of, row_name, rows_of};
use super::super::data::{Grade, Night, Step as Told, Unit};
use super::super::draw::{chart, graph, heat, log, number, short, time};
use super::super::view::{Failure, View};
use super::super::{libfuzzer, night, speed};
use super::script_data;
use crate::mutants::{Matrix, Row};

/// The layer of the runtime that this project is about.
const OWN: &str = "native";

pub(super) fn date(ms: u64) -> String {
    let at = i64::try_from(ms).ok().and_then(DateTime::from_timestamp_millis);
    at.map_or_else(|| "at an unknown time".into(), |at| at.format("%e %B %Y, %H:%M UTC").to_string())
}

pub(super) fn took(ms: u64) -> String {
    match ms / 1000 {
        0 => format!("{ms} ms"),
        s @ 1..100 => format!("{s} s"),
        s @ 100..7_200 => format!("{} min", s / 60),
        s => format!("{:.1} h", s as f64 / 3_600.0),
    }
}

pub(super) fn changes(view: &View) -> Option<Value> {
    let changes = view.changes.as_ref()?;
    let still: Vec<_> = changes
        .still_failing
        .iter()
        .map(|(name, nights)| format!("{name} ({nights} reports in a row)"))
        .collect();
    let lists = [
        ("Newly failing", &changes.newly_failing),
        ("Still failing", &still),
        ("Newly fixed", &changes.newly_fixed),
        ("Not seen again, but not everything was done", &changes.not_seen),
        ("Newly interesting", &changes.newly_interesting),
        ("Slower", &changes.slower),
    ];
    let lists: Vec<_> = lists
        .into_iter()
        .filter(|(_, items)| !items.is_empty())
        .map(|(name, items)| given! { name, items })
        .collect();
    Some(given! { since => date(changes.since_ms), verdict => changes.verdict, lists })
}

pub(super) fn layers(view: &View) -> Vec<Value> {
    let layer = |(name, layer): (&String, &super::super::view::Layer)| {
        let count = |grade| layer.graded.get(&grade).copied().unwrap_or(0);
        let mut figures: Vec<_> = ["executions", "events", "states", "transitions"]
            .iter()
            .filter_map(|of| layer.figures.get(*of).map(|n| format!("{} {of}", number(*n))))
            .collect();
        if let Some(executions) = layer.figures.get("executions").filter(|_| layer.took_ms > 0) {
            figures.push(format!("{} executions a second", short(executions * 1000 / layer.took_ms)));
        }
        let mut units: Vec<_> = layer.units.iter().collect();
        // What needs a look comes first.
        units.sort_by_key(|(name, unit)| (std::cmp::Reverse(unit.grade()), (*name).clone()));
        let units: Vec<_> = units
            .into_iter()
            .map(|(name, unit)| {
                let figures: Vec<_> = ["states", "depth", "events", "executions"]
                    .iter()
                    .filter_map(|of| unit.figures.get(*of).map(|n| format!("{} {of}", number(*n))))
                    .collect();
                given! {
                    name, about => unit.about, grade => unit.grade().as_str(), why => unit.why,
                    took => took(unit.took_ms), figures => figures.join(", "),
                }
            })
            .collect();
        let left: Vec<_> = layer.left.iter().map(|(name, why)| given! { name, why }).collect();
        given! {
            name, about => layer.about, skipped => layer.skipped,
            done => layer.planned - layer.left.len() as u64, planned => layer.planned,
            pass => count(Grade::Pass), interesting => count(Grade::Interesting),
            fail => count(Grade::Fail), error => count(Grade::Error),
            took => took(layer.took_ms), figures => figures.join(", "), units, left,
        }
    };
    view.layers.iter().map(layer).collect()
}

pub(super) fn finding(index: usize, (signature, failure): (&String, &Failure)) -> Value {
    let finding = &failure.finding;
    let window = finding.window.as_ref().filter(|window| !window.rows.is_empty());
    given! {
        id => format!("finding-{}", index + 1),
        signature, grade => finding.grade.as_str(), rule => finding.rule, title => finding.title,
        says => Rule::by_name(&finding.rule).map(Rule::says), times => failure.times,
        units => failure.units, nights => failure.nights, repro => finding.repro, story => finding.story.trim(),
        trace => finding.trace, beside => finding.beside, is_trace => finding.trace.as_ref().is_some_and(|trace| trace.contains(".sgt")),
        before => window.map(|window| window.before),
        window => window.map(script_data),
        steps => steps(&finding.steps),
        state => finding.state,
        original => finding.original.as_ref().map(|it| given! { file => it.file, repro => it.repro, sizes => it.sizes }),
    }
}

/// A counterexample; what a step changed of the state is marked.
fn steps(steps: &[Told]) -> Vec<Value> {
    let mut before: Vec<&str> = Vec::new();
    let mut told = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        let parts: Vec<&str> = step.state.split("; ").collect();
        let state: Vec<_> = parts
            .iter()
            .map(|part| given! { text => part, new => number > 0 && !before.contains(part) })
            .collect();
        told.push(given! { number, deed => step.deed, state });
        before = parts;
    }
    told
}

/// Counts of a thing by layer.
type ByLayer = BTreeMap<String, u64>;

fn by_layer(view: &View, count: impl Fn(&super::super::data::Coverage) -> Option<u64>) -> ByLayer {
    let counts = view.layers.iter().filter_map(|(name, layer)| Some((name.clone(), count(&layer.coverage)?)));
    counts.collect()
}

/// Layers whose traces are judged: the columns of the table of rules.
fn witnesses(view: &View) -> Vec<&String> {
    let has = view.layers.iter().filter(|(_, layer)| !layer.coverage.steps.is_empty());
    has.map(|(name, _)| name).collect()
}

pub(super) fn rules(view: &View) -> Value {
    let witnesses = witnesses(view);
    let mut all: Vec<(&str, String, String, ByLayer, bool)> = Vec::new();
    let own = Profile::SIGURG;
    for row in ROWS {
        let name = row_name(row);
        let counts = by_layer(view, |c| c.rows.get(&name).copied());
        let what = format!("{} → {}, {}", row.from, row.to, row.sites.join(" or "));
        all.push(("G", row.id.into(), what, counts, own.within(row.releases)));
    }
    for row in p_rows_of(&own) {
        let name = p_row_name(row);
        let counts = by_layer(view, |c| c.p_rows.get(&name).copied());
        let what = format!("{} → {}, {}", row.from, row.to, row.sites.join(" or "));
        all.push(("P", row.id.into(), what, counts, true));
    }
    for step in Step::ALL {
        let name = format!("{step:?}");
        let counts = by_layer(view, |c| c.steps.get(&name).copied());
        all.push(("M", name, String::new(), counts, true));
    }
    let most = all.iter().map(|(.., counts, _)| counts.values().sum::<u64>()).max().unwrap_or(1);
    let (mut taken, mut in_own, mut rows_taken, mut rows) = (0, 0, 0, 0);
    let mut rarest: Vec<(u64, String)> = Vec::new();
    let mut table = Vec::new();
    for (kind, id, what, counts, is_in_own) in all {
        let (mine, sum) = (counts.get(OWN).copied().unwrap_or(0), counts.values().sum::<u64>());
        if is_in_own {
            in_own += 1;
            taken += u64::from(sum > 0);
            if kind == "G" {
                rows += 1;
                rows_taken += u64::from(sum > 0);
            }
        }
        if mine > 0 {
            rarest.push((mine, if what.is_empty() { id.clone() } else { format!("{id} ({what})") }));
        }
        let (grade, class) = match (mine, sum, is_in_own) {
            (1.., ..) => ("taken by the runtime", "own"),
            (0, 1.., _) => ("taken by Go only", "other"),
            (0, 0, true) => ("never", "hole"),
            (0, 0, false) => ("older Go, never", ""),
        };
        let counts: Vec<_> = witnesses.iter().map(|name| counts.get(*name).copied().unwrap_or(0)).collect();
        let counts: Vec<_> = counts.into_iter().map(|n| given! { n, text => number(n) }).collect();
        table.push(given! {
            kind, id, what, grade, class, counts, log => (100.0 * log(sum, most)).round() as u64,
            hole => sum == 0 && is_in_own,
        });
    }
    rarest.sort();
    let rarest: Vec<_> =
        rarest.into_iter().take(5).map(|(n, what)| format!("{what}: {}", number(n))).collect();
    given! { witnesses, table, taken, all => in_own, rows_taken, rows, rarest }
}

pub(super) fn checks(view: &View) -> Value {
    let coverage = view.coverage();
    let broken = |rule: &str| {
        let times = view.findings.values().filter(|failure| failure.finding.rule == rule);
        times.map(|failure| failure.times).sum::<u64>()
    };
    let rows: Vec<_> = Rule::ALL
        .iter()
        .map(|rule| {
            let (bites, broken) =
                (coverage.bites.get(rule.name()).copied().unwrap_or(0), broken(rule.name()));
            // Findings are numbered as they stand on the page.
            let first = view.findings.values().position(|failure| failure.finding.rule == rule.name());
            let finding = first.map(|at| format!("finding-{}", at + 1));
            given! { name => rule.name(), says => rule.says(), facts => rule.facts(), bites, broken, finding }
        })
        .collect();
    given! { rows, bite => coverage.bites.len(), all => Rule::ALL.len(), refused => coverage.bites.values().sum::<u64>() }
}

pub(super) fn hazards(view: &View) -> Vec<Value> {
    let coverage = view.coverage();
    let known = all();
    let of = |hazard: &Hazard| {
        let id = hazard.id();
        let must: Vec<_> = known.iter().filter(|(c, _)| c.shows.contains(&id)).map(|(c, _)| c.name).collect();
        let shown = must.iter().filter(|name| coverage.hazards.contains_key(&format!("{id} {name}"))).count();
        given! { id, title => hazard.title(), must, shown }
    };
    Hazard::ALL.iter().map(of).collect()
}

pub(super) fn graph(view: &View) -> Value {
    let mut edges: Vec<graph::Edge> = Vec::new();
    for row in rows_of(&Profile::SIGURG) {
        let name = row_name(row);
        let counts = by_layer(view, |c| c.rows.get(&name).copied());
        let cause = (format!("{} {}", row.id, row.sites.join(" or ")), counts);
        match edges.iter_mut().find(|edge| edge.from == row.from && edge.to == row.to) {
            Some(edge) => edge.causes.push(cause),
            None => edges.push(graph::Edge { from: row.from, to: row.to, causes: vec![cause] }),
        }
    }
    let seen = |edge: &&graph::Edge| edge.causes.iter().any(|(_, by)| by.values().any(|n| *n > 0));
    let holes: Vec<_> =
        edges.iter().filter(|edge| !seen(edge)).map(|e| format!("{} → {}", e.from, e.to)).collect();
    let causes: usize = edges.iter().map(|edge| edge.causes.len()).sum();
    let taken =
        edges.iter().flat_map(|edge| &edge.causes).filter(|(_, by)| by.values().any(|n| *n > 0)).count();
    let coverage = view.coverage();
    let mut pairs: Vec<_> = coverage.pairs.iter().collect();
    pairs.sort_by_key(|(name, count)| (**count, (*name).clone()));
    let rare: Vec<_> =
        pairs.iter().take(8).map(|(name, count)| format!("{name} ({})", short(**count))).collect();
    given! {
        svg => graph::svg(&edges, OWN), heat => heat::svg(&edges), edges => edges.len(),
        seen => edges.len() - holes.len(), holes, causes, taken, pairs => pairs.len(), rare,
    }
}

/// The edges of the protocol: how many of those that the model has the runtime showed.
pub(super) fn edges(view: &View) -> Option<Value> {
    let reach = &view.layers.get("model")?.reach;
    if reach.is_empty() {
        return None;
    }
    let by = |name: &str| view.layers.get(name).map(|layer| &layer.coverage.edges);
    let (sim, native) = (by("sim"), by("native"));
    let has = |of: Option<&ByLayer>, edge: &String| of.is_some_and(|edges| edges.contains_key(edge));
    let count = |of: Option<&ByLayer>| of.map(|_| reach.keys().filter(|edge| has(of, edge)).count());
    let holes: Vec<_> = reach
        .iter()
        .filter(|(edge, _)| !has(sim, edge) && !has(native, edge))
        .map(|(edge, way)| given! { edge, way })
        .collect();
    let own: BTreeSet<_> = [sim, native].into_iter().flatten().flat_map(BTreeMap::keys).collect();
    let beyond: Vec<_> = own.into_iter().filter(|edge| !reach.contains_key(*edge)).collect();
    Some(
        given! { all => reach.len(), seen => reach.len() - holes.len(), sim => count(sim), native => count(native), holes, beyond },
    )
}

pub(super) fn signals(view: &View) -> Vec<Value> {
    let mut told = Vec::new();
    for (name, layer) in &view.layers {
        let landings = &layer.coverage.landings;
        if landings.is_empty() && layer.histograms.is_empty() {
            continue;
        }
        let sum = landings.values().sum::<u64>().max(1);
        let mut landings: Vec<_> = landings.iter().collect();
        landings.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), (*name).clone()));
        let landings: Vec<_> = landings
            .into_iter()
            .map(|(what, count)| {
                given! { what, count => number(*count), part => format!("{:.1}", *count as f64 * 100.0 / sum as f64) }
            })
            .collect();
        let charts: Vec<_> = layer
            .histograms
            .iter()
            .filter(|(_, histogram)| !histogram.is_empty())
            .map(|(of, histogram)| {
                let show = |value| if is_time(of) { time(value) } else { number(value) };
                given! {
                    of, svg => chart::histogram(of, histogram, is_time(of)), many => number(histogram.len()),
                    p50 => show(histogram.quantile(0.5)), p99 => show(histogram.quantile(0.99)), max => show(histogram.max()),
                }
            })
            .collect();
        told.push(given! { name, landings, charts });
    }
    told
}

/// Whether a unit of the model is a search, of which it is known how many states there are.
fn is_search(unit: &Unit) -> bool {
    unit.figures.contains_key("states")
}

pub(super) fn exploration(view: &View) -> Value {
    let curves: Vec<_> = view
        .layers
        .iter()
        .filter(|(_, layer)| !layer.curves.is_empty())
        .map(|(name, layer)| given! { name, svg => chart::growth(name, &layer.curves) })
        .collect();
    let model = view.layers.get("model").map(|model| {
        let states = model.figures.get("states").copied().unwrap_or(0);
        let ms = model.figures.get("search ms").copied().unwrap_or(0);
        let rows: Vec<_> = model
            .units
            .iter()
            .filter(|(_, unit)| is_search(unit))
            .map(|(name, unit)| {
                let figure = |of: &str| unit.figures.get(of).copied().unwrap_or(0);
                given! {
                    name, about => unit.about, states => number(figure("states")), transitions => number(figure("transitions")),
                    depth => figure("depth"), ms => took(figure("search ms")), grade => unit.grade().as_str(), why => unit.why,
                }
            })
            .collect();
        given! { rows, states => number(states), rate => (ms > 0).then(|| short(states * 1000 / ms.max(1))) }
    });
    given! { curves, model, explored => view.explored }
}

pub(super) fn go(view: &View) -> Option<Value> {
    let go = view.layers.get("go")?;
    let good = go.units.iter().filter(|(name, _)| name.starts_with("go/"));
    let count = |grade| good.clone().filter(|(_, unit)| unit.grade() == grade).count();
    let events: u64 = good.clone().filter_map(|(_, unit)| unit.figures.get("events")).sum();
    Some(given! {
        recordings => good.clone().count(), events => number(events), accepted => count(Grade::Pass),
        disagreements => count(Grade::Fail), errors => count(Grade::Error),
    })
}

/// The kill matrix.
pub(super) fn planted(view: &View) -> Option<Value> {
    let matrix = Matrix::of(view)?;
    let seconds = |time: Duration| format!("{:.1} s", time.as_secs_f64());
    let row = |row: &Row<'_>| {
        let (layer, time) = row.killed.unzip();
        given! { name => row.name, about => row.about, grade => row.grade.as_str(), layer, time => time.map(seconds), what => row.what }
    };
    Some(given! {
        rows => matrix.rows.iter().map(row).collect::<Vec<_>>(), all => matrix.rows.len(), caught => matrix.count(Grade::Pass),
        reasoned => matrix.count(Grade::Interesting), live => matrix.count(Grade::Fail), errors => matrix.count(Grade::Error),
        median => matrix.median.map(seconds), longest => matrix.longest.map(seconds),
    })
}

/// What fuzzing came to, by target.
pub(super) fn fuzz(view: &View) -> Option<Value> {
    let layer = view.layers.get("fuzz").filter(|layer| !layer.units.is_empty())?;
    let row = |(name, unit): (&String, &Unit)| {
        let figure = |of: &str| unit.figures.get(of).copied().unwrap_or(0);
        // Each pass begins with the seeds again: of a corpus the mean is told, of work the sum.
        let passes = unit.graded.get(&Grade::Pass).copied().unwrap_or(0).max(1);
        let mean = |of: &str| figure(of) / passes;
        let (seeds, new) = (mean("seeds"), mean("inputs that met something new"));
        let (seed_bytes, new_bytes) = (mean("bytes of seeds"), mean("bytes that met something new"));
        let failed = ["panics", "crashes", "hangs"].map(|of| given! { of, n => figure(of) });
        given! {
            name, about => unit.about, executions => number(figure("executions")), seeds => number(seeds),
            seed_bytes => short(seed_bytes), new => number(new), entries => number(seeds + new),
            bytes => short(seed_bytes + new_bytes), features => number(mean("features")),
            failed => failed.to_vec(), grade => unit.grade().as_str(),
            rate => short(figure("executions") * 1000 / unit.took_ms.max(1)),
        }
    };
    Some(given! { rows => layer.units.iter().map(row).collect::<Vec<_>>() })
}

/// What libFuzzer came to: a row for each of its runs, as what a corpus has cannot be added up.
pub(super) fn engine(view: &View) -> Vec<Value> {
    let row = |(name, unit): (&String, &Unit)| {
        let figure = |of: &str| unit.figures.get(of).map_or_else(|| "-".to_owned(), |n| number(*n));
        let bytes = |of: &str| unit.figures.get(of).map_or_else(|| "-".to_owned(), |n| short(*n));
        let failed =
            libfuzzer::KINDS.map(|(_, of)| given! { of, n => unit.figures.get(of).copied().unwrap_or(0) });
        given! {
            name, executions => figure("executions"), rate => figure("executions a second"),
            seeds => figure("seeds"), seed_bytes => bytes("bytes of seeds"), kept => figure("entries of the seeds"),
            entries => figure("entries"), bytes => bytes("bytes"), new => figure("new entries"),
            edges => figure("code edges"), features => figure("features"), memory => figure("memory, MiB"),
            failed => failed.to_vec(), grade => unit.grade().as_str(), took => took(unit.took_ms),
        }
    };
    let layers = view.runs.iter().filter_map(|(_, run)| run.layers.get(libfuzzer::LAYER));
    layers.flat_map(|layer| layer.units.iter().map(row)).collect()
}

/// Workloads beside their peers.
pub(super) fn speed(view: &View) -> Option<Value> {
    let rows = bench::rows(view);
    let nights = nights(view);
    let cell = |cell: &bench::Cell| {
        let (value, range) = cell.values.map_or_else(
            || ("-".to_owned(), None),
            |[median, least, greatest]| {
                let range =
                    (cell.rounds > 1).then(|| format!("{} to {}", bench::show(least), bench::show(greatest)));
                (bench::show(median), range)
            },
        );
        let better = cell.better.map(|better| format!("{better:.2}"));
        given! { value, range, better, is_worse => cell.better.is_some_and(|better| better < 1.0), status => cell.status }
    };
    let row = |row: &bench::Row<'_>| {
        let name = speed::name(row.case, row.figure);
        let values: Vec<_> = nights.iter().map(|night| night.figures.get(&name).copied()).collect();
        let trend = (values.iter().flatten().count() > 1).then(|| chart::sparkline(&name, &values));
        given! {
            case => row.case, figure => row.figure, cells => row.cells.iter().map(cell).collect::<Vec<_>>(), trend,
        }
    };
    let changes = view.changes.as_ref();
    let gate = given! {
        says => speed::threshold(), compared => changes.map_or(0, |changes| changes.compared),
        slower => changes.map(|changes| &changes.slower), all => rows.len(),
    };
    (!rows.is_empty()).then(
        || given! { peers => bench::peers(view), rows => rows.iter().map(row).collect::<Vec<_>>(), gate },
    )
}

/// The reports before this one, the oldest first, and this one.
fn nights(view: &View) -> Vec<Night> {
    night::earlier(view).into_iter().cloned().chain([night::night(view)]).collect()
}

pub(super) fn trend(view: &View) -> Option<Value> {
    let nights = nights(view);
    if nights.len() < 2 {
        return None;
    }
    let mut lines = Vec::new();
    for (name, of) in night::FIGURES {
        let values: Vec<_> = nights.iter().map(|night| night.figures.get(name).copied()).collect();
        let Some(last) = values.iter().rev().find_map(|value| *value) else { continue };
        let show = match name {
            _ if name.ends_with("_ns") => time(last),
            _ if name.starts_with(bench::LAYER) => bench::show(last),
            _ => number(last),
        };
        lines.push(given! { of, last => show, svg => chart::sparkline(of, &values) });
    }
    let verdicts: Vec<_> = nights
        .iter()
        .map(|night| {
            let fails = night.graded.get(&Grade::Fail).copied().unwrap_or(0);
            let says = format!("{}: {}, {fails} failures", date(night.began_ms), night.verdict);
            given! { class => night.verdict.replace(' ', "-"), says }
        })
        .collect();
    Some(given! { lines, verdicts, nights => nights.len() })
}

pub(super) fn runs(view: &View) -> Vec<Value> {
    let run = |(id, run): &(String, super::super::data::Run)| {
        let place: Vec<_> = run.place.iter().map(|(name, fact)| given! { name, fact }).collect();
        given! {
            id, shard => format!("{} of {}", run.shard.index, run.shard.total), seed => run.seed, campaign => run.campaign,
            began => date(run.began_ms), took => took(run.took_ms), budget => run.budget_ms.map(took), place,
            layers => run.layers.keys().collect::<Vec<_>>(),
            interrupted => run.ended == super::super::data::Ended::Interrupted,
        }
    };
    view.runs.iter().map(run).collect()
}

/// What this report says nothing about, and why; from data, not from memory.
pub(super) fn uncovered(view: &View) -> Vec<String> {
    let mut all: Vec<String> =
        view.not_asked.iter().map(|name| format!("layer {name}: not asked for in this run")).collect();
    for (name, layer) in &view.layers {
        all.extend(layer.skipped.as_ref().map(|reason| format!("layer {name}: {reason}")));
        let mut reasons = BTreeMap::<&String, usize>::new();
        layer.left.values().for_each(|why| *reasons.entry(why).or_default() += 1);
        all.extend(reasons.into_iter().map(|(why, units)| format!("{units} units of {name}: {why}")));
    }
    let absent = view.absent.iter().filter(|absent| !view.not_asked.contains(&absent.layer));
    all.extend(absent.map(|it| format!("{}: not run in this report ({})", it.what, it.how)));
    all.push(format!(
        "the model is searched whole in its {} configurations, and says nothing of larger worlds",
        view.layers.get("model").map_or(0, |model| model
            .units
            .values()
            .filter(|unit| is_search(unit))
            .count())
    ));
    all
}
