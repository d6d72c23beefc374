//! `conformance replay`: runs again what is named, and says how often it failed.

mod common;

use common::{Folder, arg, run};

#[test]
fn a_scenario_that_conforms_fails_in_no_run() {
    let folder = Folder::new();
    let keep = folder.path("cases");
    let ran = run(["replay", "--times", "3", "--keep", arg(&keep), "tight_loop"]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("tight_loop: 0 of 3 runs failed"), "{ran:?}");
    assert_eq!(std::fs::read_dir(&keep).unwrap().count(), 0, "nothing is kept");
}

/// A goroutine sleeps longer than a run may take.
#[test]
fn a_run_that_does_not_come_back_is_a_failure_and_its_case_is_kept() {
    let folder = Folder::new();
    let keep = folder.path("cases");
    let file = folder.file("late.scenario", "scenario late\nprocs 1\ngo a { repeat 4 { sleep 1s } }\n");
    let ran = run(["replay", "--times", "1", "--within", "1", "--keep", arg(&keep), arg(&file)]);
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert!(ran.stdout.contains("late: 1 of 1 runs failed") && ran.stdout.contains("termination"), "{ran:?}");
    let case = keep.join("late-0.case");
    assert!(std::fs::read_to_string(&case).unwrap().contains("failed termination"));
    // The case itself can be repeated; with more time it ends.
    let again = run(["replay", "--times", "1", "--within", "600", "--keep", arg(&keep), arg(&case)]);
    assert_eq!(again.status, Some(0), "{again:?}");
    assert!(again.stdout.contains("it failed with termination"), "{again:?}");
}

#[test]
fn what_cannot_be_run_has_a_place_and_a_reason() {
    let folder = Folder::new();
    let keep = folder.path("cases");
    let bad = folder.file("bad.scenario", "scenario bad\nprocs 1\ngo a { frob }\n");
    let cut =
        folder.file("cut.case", "sigurg-case 1\ndriver native\nseed 1\n== scenario\nscenario s\nprocs 0\n");
    for (file, part) in [
        (arg(&bad), "line 3, column 8: frob: not one of"),
        (arg(&cut), "line 5: column 1: no goroutines"),
        ("no_such_thing", "no scenario has that name"),
    ] {
        let ran = run(["replay", "--keep", arg(&keep), file]);
        assert_eq!(ran.status, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(part), "{ran:?}");
    }
}

#[test]
fn the_list_names_every_scenario() {
    let ran = run(["replay", "--list"]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    for name in ["tight_loop", "several_suspenders", "Not staged:", "R-37"] {
        assert!(ran.stdout.contains(name), "{name}: {ran:?}");
    }
}

/// A run that does not end is one that fails in the simulator, too, and there it is repeated exactly.
#[test]
fn a_simulated_run_is_repeated_step_by_step_and_made_smaller() {
    let folder = Folder::new();
    let keep = folder.path("cases");
    let ran = run(["replay", "--sim", "--times", "2", "--seed", "3", "--keep", arg(&keep), "seed-12"]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("seed-12: 0 of 6 simulated runs failed (seed 3)"), "{ran:?}");
}
