//! Tests from the model: each edge of the protocol that the bounded model has is looked for in the simulator, by chance and then along a
//! shortest walk of the model. What the runtime cannot show is on a list, with the reason.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use sigurg_conformance::report::coverage::{Faces, edge_name, row_name};
use sigurg_conformance::scenario::check::check;
use sigurg_conformance::scenario::make::{Size, from_seed};
use sigurg_conformance::scenario::{library, text};
use sigurg_conformance::sim::drive::{Chance, Drive};
use sigurg_conformance::sim::follow::follow;
use sigurg_conformance::survey::edges::{Edge, all_edges};
use sigurg_conformance::survey::rows::rows;
use sigurg_model::rules::transition::{ROWS, Row};

/// States of each configuration that are looked at.
const STATES: usize = 60_000;
/// Random scenarios, each under every kind of schedule.
const SEEDS: u64 = 500;
/// Executions along one walk, in each scenario; `SIGURG_WALK_EXECUTIONS=2000` looks harder.
const EXECUTIONS: u64 = 25;
/// What walks are followed in: small, so that chance need not be large.
const STAGES: [&str; 3] = [
    "scenario suspended\nprocs 2\ngo a { compute 3us; call 1; compute 2us }\ngo s { scan }\ngo t { scan }",
    "scenario called\nprocs 2\ngo a { syscall 3us; compute 2us }\ngo s { scan }\ngo w { procs 2 }",
    "scenario born\nprocs 1\ngo a { burst 2; yield; compute 2us }\ngo s { repeat 2 { scan } }\ngo w { procs 1 }",
];
/// The least part of the edges that must be found, in percent.
const LEAST: usize = 60;

/// What the named scenarios and random ones show.
#[derive(Default)]
struct Found {
    edges: HashSet<Edge>,
    /// By the index of the row: how often it was taken.
    rows: Vec<u64>,
}

fn by_chance(drive: &mut Drive) -> Found {
    let mut found = Found { rows: vec![0; ROWS.len()], ..Found::default() };
    let random = (0..SEEDS).map(|seed| from_seed(seed, Size::SIM));
    for (seed, scenario) in (0..).zip(library::all().into_iter().chain(random)) {
        let scenario = Arc::new(scenario);
        let expected = check(&scenario).expect("named ones are tested, others were repaired");
        for chance in Chance::ALL {
            let mut faces = Faces::default();
            let strategy = &mut *chance.strategy(seed);
            let ran = drive.run_and_hear(&scenario, &expected, strategy, &mut |event, _| {
                found.edges.extend(faces.see(event));
            });
            found.rows.iter_mut().zip(&ran.summary.rows).for_each(|(all, taken)| *all += taken);
        }
    }
    found
}

/// Rows that only real threads take, by the place and the reason.
const NATIVE: &[(&str, &str)] = &[];

/// That this runtime has and nobody took, though simulation shows such.
fn rows_missing(taken: &[u64]) -> Vec<String> {
    let natively = |row: &Row| NATIVE.iter().any(|(site, _)| row.sites.contains(site));
    let missing = rows().filter(|(index, row)| taken[*index] == 0 && !natively(row));
    missing.map(|(_, row)| row_name(row)).collect()
}

#[test]
#[ignore = "takes minutes: the nightly runs it"]
fn the_runtime_in_simulation_follows_the_walks_of_the_model() {
    let walks = all_edges(STATES);
    let mut drive = Drive::new();
    let Found { edges: found, rows: taken } = by_chance(&mut drive);
    let missing = rows_missing(&taken);
    println!("{} rows of the table, not taken: {missing:?}", rows().count());
    let by_chance = walks.keys().filter(|edge| found.contains(*edge)).count();
    let stages = STAGES.map(|stage| {
        let scenario = Arc::new(text::parse(stage).expect("a scenario"));
        let expected = check(&scenario).expect("a good one");
        (scenario, expected)
    });
    let executions = std::env::var("SIGURG_WALK_EXECUTIONS")
        .map_or(EXECUTIONS, |executions| executions.parse().expect("a number of executions"));
    let mut holes = BTreeMap::new();
    let mut driven = 0;
    for (edge, walk) in walks.iter().filter(|(edge, _)| !found.contains(*edge)) {
        let mut reached = 0;
        for (scenario, expected) in &stages {
            let followed = follow(&mut drive, scenario, expected, &walk.faces, executions, 1);
            reached = reached.max(followed.reached);
            if reached == walk.faces.len() {
                break;
            }
        }
        if reached == walk.faces.len() {
            driven += 1;
        } else {
            let how = format!("{} of {} on the way, in {}", reached, walk.faces.len(), walk.config);
            holes.insert(edge_name(*edge), how);
        }
    }
    let all = walks.len();
    println!("{all} edges: {by_chance} by chance, {driven} along their walk, {} not", holes.len());
    for (edge, how) in &holes {
        println!("  {edge}: {how}");
    }
    let beyond: Vec<_> =
        found.iter().filter(|edge| !walks.contains_key(*edge)).map(|edge| edge_name(*edge)).collect();
    println!("{} edges that no configuration has", beyond.len());
    for edge in beyond {
        println!("  + {edge}");
    }
    assert!(missing.is_empty(), "rows that are not taken: {missing:?}");
    assert!((by_chance + driven) * 100 >= LEAST * all, "{by_chance} and {driven} of {all}");
}
