//! Every mutant is one: what `ci/mutants/run` would find out hours later.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use sigurg_conformance::mutants::{Mutant, SUITES, load};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

#[test]
fn every_patch_has_a_header_and_applies_to_the_sources() {
    let mutants = load(root()).unwrap_or_else(|why| panic!("{why}"));
    let mut kinds = BTreeSet::new();
    for mutant in &mutants {
        let changed = mutant.patch.apply(|file| fs::read_to_string(root().join(file)));
        let changed = changed.unwrap_or_else(|why| panic!("{}: {why}", mutant.name));
        for (file, text) in changed {
            let before = fs::read_to_string(root().join(&file)).unwrap();
            assert!(before != text, "{} changes nothing in {}", mutant.name, file.display());
        }
        kinds.insert(mutant.suite.name);
    }
    let of = |folder: &str| {
        mutants.iter().filter(|it| it.name.starts_with("model-") == (folder == "model")).count()
    };
    assert!(
        of("model") >= 15 && of("runtime") >= 40,
        "{} of the model, {} of the runtime",
        of("model"),
        of("runtime")
    );
    assert!(mutants.iter().filter(|it| it.suite.name == "shuttle").count() >= 12);
    assert!(kinds.len() + 1 >= SUITES.len(), "there are mutants for {kinds:?} only");
}

/// A call of `ci/mutants/run` for a layer without mutants is an error, and so would be that part of each night.
#[test]
fn the_night_tries_every_layer_that_has_mutants_and_no_other() {
    let nightly = fs::read_to_string(root().join(".github/workflows/nightly.yml")).unwrap();
    let line = nightly.lines().find_map(|line| line.trim().strip_prefix("layer: [")).expect("a matrix");
    let night: BTreeSet<_> = line.trim_end_matches(']').split(", ").map(str::to_owned).collect();
    let mutants = load(root()).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(night, mutants.iter().map(|it| it.suite.name.to_owned()).collect());
}

#[test]
fn no_two_mutants_are_the_same() {
    let mutants = load(root()).unwrap_or_else(|why| panic!("{why}"));
    for (i, one) in mutants.iter().enumerate() {
        if let Some(other) = mutants[..i].iter().find(|other| other.patch == one.patch) {
            panic!("{} and {} are the same", one.name, other.name);
        }
    }
}

#[test]
fn a_header_without_one_of_its_lines_is_refused() {
    let lines = ["Layer: loom", "Rule: R-01", "Bug: one", "\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b"];
    assert!(Mutant::parse("it", &lines.join("\n")).is_ok());
    for left_out in 0..lines.len() {
        let kept: Vec<_> = (0..lines.len()).filter(|i| *i != left_out).map(|i| lines[i]).collect();
        assert!(Mutant::parse("it", &kept.join("\n")).is_err(), "without {:?}", lines[left_out]);
    }
    assert!(Mutant::parse("it", &lines.join("\n").replace("loom", "lint")).is_err());
    assert!(Mutant::parse("it", &format!("Survivs: typo\n{}", lines.join("\n"))).is_err());
}
