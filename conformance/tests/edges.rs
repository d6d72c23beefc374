//! Tests from the model: each edge of the protocol that the bounded model has is looked for in the simulator, by chance and then along a
//! shortest walk of the model. What the runtime cannot show is on a list, with the reason.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use sigurg_conformance::report::coverage::{Faces, edge_name};
use sigurg_conformance::scenario::check::check;
use sigurg_conformance::scenario::make::{Size, from_seed};
use sigurg_conformance::scenario::{library, text};
use sigurg_conformance::sim::drive::{Chance, Drive};
use sigurg_conformance::sim::follow::follow;
use sigurg_conformance::survey::edges::{Edge, all_edges};

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

/// The edges that the named scenarios and random ones show.
fn by_chance(drive: &mut Drive, found: &mut HashSet<Edge>) {
    let random = (0..SEEDS).map(|seed| from_seed(seed, Size::SIM));
    for (seed, scenario) in (0..).zip(library::all().into_iter().chain(random)) {
        let scenario = Arc::new(scenario);
        let expected = check(&scenario).expect("named ones are tested, others were repaired");
        for chance in Chance::ALL {
            let mut faces = Faces::default();
            drive.run_and_hear(&scenario, &expected, &mut *chance.strategy(seed), &mut |event, _| {
                found.extend(faces.see(event));
            });
        }
    }
}

#[test]
#[ignore = "takes minutes: the nightly runs it"]
fn the_runtime_in_simulation_follows_the_walks_of_the_model() {
    let walks = all_edges(STATES);
    let (mut drive, mut found) = (Drive::new(), HashSet::new());
    by_chance(&mut drive, &mut found);
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
    assert!((by_chance + driven) * 100 >= LEAST * all, "{by_chance} and {driven} of {all}");
}
