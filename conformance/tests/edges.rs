//! Tests from the model: each edge of the protocol that the bounded model has is looked for in the simulator, by chance and then along a
//! shortest walk of the model. What the runtime cannot show is on a list, with the reason.

use std::cell::Cell;
use std::collections::{BTreeMap, HashSet};
use std::iter::repeat_n;
use std::sync::Arc;

use sigurg_conformance::report::coverage::{Faces, edge_name, row_name};
use sigurg_conformance::scenario::check::check;
use sigurg_conformance::scenario::make::{Size, from_seed};
use sigurg_conformance::scenario::{Scenario, library, text};
use sigurg_conformance::sim::drive::{Chance, Drive};
use sigurg_conformance::sim::event_by_event::EventByEvent;
use sigurg_conformance::sim::follow::follow;
use sigurg_conformance::survey::edges::{Edge, all_edges};
use sigurg_conformance::survey::rows::rows;
use sigurg_model::rules::transition::{ROWS, Row};
use sigurg_shuttle::sim::Strategy;

/// States of each configuration that are looked at.
const STATES: usize = 60_000;
/// Random scenarios, each under every kind of schedule.
const SEEDS: u64 = 500;
/// Executions along one walk, in each scenario; `SIGURG_WALK_EXECUTIONS=10000` looks harder.
const EXECUTIONS: u64 = 1_000;
/// Executions of each scenario event by event, which finds what takes two changes of threads in a few operations.
const EVENT_BY_EVENT: u64 = 4;
/// How often the scenarios of walks are run as the random ones are.
const AGAIN: usize = 200;
/// What walks are followed in: small, so that chance need not be large.
const STAGES: [&str; 7] = [
    "scenario suspended\nprocs 2\ngo a { compute 3us; call 1; compute 2us }\ngo s { scan }\ngo t { scan }",
    "scenario called\nprocs 2\ngo a { syscall 3us; compute 2us }\ngo s { scan }\ngo w { procs 2 }",
    "scenario calling\nprocs 2\ngo a { repeat 6 { syscall 1us } }\ngo b { repeat 6 { syscall 1us } }\ngo w { procs 1; procs 2; shrink }",
    "scenario born\nprocs 1\ngo a { burst 2; yield; compute 2us }\ngo s { repeat 2 { scan } }\ngo w { procs 1 }",
    "scenario gone\nprocs 2\ngo a { burst 4; burst 4 }\ngo s { repeat 3 { scan } }\ngo t { repeat 3 { scan } }",
    "scenario waiting\nprocs 2\nchannel c 0\ngo a { repeat 3 { recv c } }\ngo b { repeat 3 { send c } }\ngo s { repeat 2 { scan } }",
    "scenario adopted\nprocs 1\ngo a { repeat 3 { foreign 30ms; yield } }\ngo b { repeat 3 { foreign 30ms; yield } }",
];
/// The least part of the edges that must be found, in percent.
const LEAST: usize = 95;

/// What the named scenarios and random ones show.
#[derive(Default)]
struct Found {
    edges: HashSet<Edge>,
    /// By the index of the row: how often it was taken.
    rows: Vec<u64>,
}

fn by_chance(drive: &mut Drive) -> Found {
    let mut found = Found { rows: vec![0; ROWS.len()], ..Found::default() };
    let random = (0..SEEDS).map(|seed| Arc::new(from_seed(seed, Size::SIM)));
    let staged = stages().into_iter().flat_map(|stage| repeat_n(stage, AGAIN));
    let named = library::all().into_iter().map(Arc::new);
    for (seed, scenario) in (0..).zip(named.chain(random).chain(staged)) {
        let expected = check(&scenario).expect("named ones are tested, others were repaired");
        let told = Cell::new(0);
        let usual = Chance::ALL.into_iter().map(|chance| chance.strategy(seed));
        let fine = (0..EVENT_BY_EVENT).map(|again| -> Box<dyn Strategy + '_> {
            Box::new(EventByEvent::new(seed * EVENT_BY_EVENT + again, &told))
        });
        for mut strategy in usual.map(|usual| usual as Box<dyn Strategy>).chain(fine) {
            let mut faces = Faces::default();
            let ran = drive.run_and_hear(&scenario, &expected, &mut *strategy, &mut |event, _| {
                told.set(told.get() + 1);
                found.edges.extend(faces.see(event));
            });
            found.rows.iter_mut().zip(&ran.summary.rows).for_each(|(all, taken)| *all += taken);
        }
    }
    found
}

fn stages() -> [Arc<Scenario>; STAGES.len()] {
    STAGES.map(|stage| Arc::new(text::parse(stage).expect("a scenario")))
}

/// Rows that only real threads take, by the place and the reason.
const NATIVE: &[(&str, &str)] = &[("injectglist", POLLER), ("findRunnable", POLLER)];
const POLLER: &str = "descriptors are not simulated";

/// That this runtime has and nobody took, though simulation shows such.
fn rows_missing(taken: &[u64]) -> Vec<String> {
    let natively = |row: &Row| NATIVE.iter().any(|(site, _)| row.sites.contains(site));
    let missing = rows().filter(|(index, row)| taken[*index] == 0 && !natively(row));
    missing.map(|(_, row)| row_name(row)).collect()
}

#[test]
#[ignore = "takes minutes: the nightly runs it"]
fn the_runtime_in_simulation_follows_the_walks_of_the_model() {
    // By name, so that each time is like the last.
    let walks: BTreeMap<_, _> =
        all_edges(STATES).into_iter().map(|(edge, walk)| (edge_name(edge), (edge, walk))).collect();
    let mut drive = Drive::new();
    let Found { edges: mut found, rows: taken } = by_chance(&mut drive);
    let missing = rows_missing(&taken);
    println!("{} rows of the table, not taken: {missing:?}", rows().count());
    let natively = NATIVE.iter().map(|(site, why)| format!("{site}: {why}")).collect::<Vec<_>>();
    println!("rows that only real threads take: {}", natively.join(", "));
    let by_chance = walks.values().filter(|(edge, _)| found.contains(edge)).count();
    let stages = stages().map(|stage| {
        let expected = check(&stage).expect("a good one");
        (stage, expected)
    });
    let executions = std::env::var("SIGURG_WALK_EXECUTIONS")
        .map_or(EXECUTIONS, |executions| executions.parse().expect("a number of executions"));
    let mut holes = BTreeMap::new();
    for (name, (edge, walk)) in &walks {
        let mut reached = 0;
        for (scenario, expected) in &stages {
            if found.contains(edge) {
                break;
            }
            let followed = follow(&mut drive, scenario, expected, &walk.faces, executions, 1);
            reached = reached.max(followed.reached);
            // Those beside the way, too.
            found.extend(followed.edges);
        }
        if !found.contains(edge) {
            holes.insert(name, format!("{reached} of {} on the way, in {}", walk.faces.len(), walk.config));
        }
    }
    // Some holes were closed beside the way to a later edge.
    holes.retain(|name, _| !found.contains(&walks[*name].0));
    let (all, driven) = (walks.len(), walks.len() - by_chance - holes.len());
    println!("{all} edges: {by_chance} by chance, {driven} along walks, {} not", holes.len());
    for (edge, how) in &holes {
        println!("  {edge}: {how}");
    }
    let beyond: Vec<_> =
        found.iter().map(|edge| edge_name(*edge)).filter(|name| !walks.contains_key(name)).collect();
    println!("{} edges that no configuration has", beyond.len());
    for edge in beyond {
        println!("  + {edge}");
    }
    assert!(missing.is_empty(), "rows that are not taken: {missing:?}");
    assert!((by_chance + driven) * 100 >= LEAST * all, "{by_chance} and {driven} of {all}");
}
