//! The bodies of the fuzz targets on the stable toolchain: their seeds find nothing, and what they rest on holds.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use sigurg_conformance::fuzz::{Met, TARGETS, code, native, storm, trace};
use sigurg_conformance::scenario::check::check;
use sigurg_conformance::scenario::library;

/// The seeds of a target, by name.
fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    assert!(paths.len() >= 5, "{}: {} seeds", folder.display(), paths.len());
    paths.into_iter().map(|path| (path.clone(), fs::read(&path).expect("a seed"))).collect()
}

/// Runs a body over its seeds; on a failure the last line says which.
fn replay(target: &str) {
    let body = TARGETS.iter().find(|one| one.name == target).expect("a target of that name").body;
    for (path, bytes) in seeds(target) {
        let met = Met::new();
        println!("{}", path.display());
        body(&bytes, &met);
    }
}

#[test]
fn the_seeds_of_runq_ops_find_nothing() {
    replay("runq_ops");
}

#[test]
fn the_seeds_of_trace_reader_find_nothing() {
    replay("trace_reader");
}

#[test]
fn the_seeds_of_model_walk_find_nothing() {
    replay("model_walk");
}

#[test]
fn the_seeds_of_preempt_storm_find_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in seeds("preempt_storm") {
        println!("{}", path.display());
        storm::body(folder.path(), &bytes, &Met::new());
    }
}

#[test]
fn the_seeds_of_preempt_storm_native_find_nothing() {
    fn build(builder: sigurg::Builder) -> Result<sigurg::Runtime, sigurg::BuildError> {
        // SAFETY: goroutines only go through the steps of scenarios: `scenario::play::interpret`, invariant 1.
        unsafe { builder.build() }
    }
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in seeds("preempt_storm_native") {
        println!("{}", path.display());
        native::body(build, folder.path(), &bytes, &Met::new());
    }
}

#[test]
fn every_target_has_its_file_and_its_seeds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let mut files: Vec<_> = fs::read_dir(root.join("fuzz_targets"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    files.sort();
    let mut known: Vec<_> =
        TARGETS.iter().map(|target| target.name).chain(["preempt_storm", "preempt_storm_native"]).collect();
    known.sort_unstable();
    assert_eq!(files, known);
    known.iter().for_each(|target| assert!(!seeds(target).is_empty()));
}

#[test]
fn most_damaged_traces_are_still_traces() {
    let (mut changed, mut read) = (0, 0);
    for (_, bytes) in seeds("trace_reader") {
        for seed in 0..20 {
            let Some(damaged) = trace::mutate(&bytes, seed, 1 << 20) else { continue };
            changed += u32::from(damaged != bytes);
            read += u32::from(trace::mutate(&damaged, seed, usize::MAX).is_some());
            trace::body(&damaged, &Met::new());
        }
    }
    assert!(changed > 200 && read * 10 > changed * 8, "{changed} changed, {read} can be read");
}

#[test]
fn the_named_scenarios_are_seeds_that_keep_their_steps() {
    for scenario in library::all() {
        let bytes = code::encode(&scenario, b"turns");
        let (decoded, schedule) = code::decode(&bytes, &native::BOUNDS);
        assert_eq!(schedule, b"turns", "{}", scenario.name);
        assert!(decoded.size() * 2 >= scenario.size().min(24), "{}\nbecame\n{decoded}", scenario);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_good_scenario_which_encodes_to_itself(bytes in prop::collection::vec(any::<u8>(), 0..160)) {
        let (scenario, schedule) = code::decode(&bytes, &native::BOUNDS);
        prop_assert!(check(&scenario).is_ok(), "{}", scenario);
        let encoded = code::encode(&scenario, schedule);
        let (again, turns) = code::decode(&encoded, &native::BOUNDS);
        prop_assert_eq!(turns, schedule);
        prop_assert_eq!(again.to_string(), scenario.to_string());
    }
}
