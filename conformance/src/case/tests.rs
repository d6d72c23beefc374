//! What is written reads back; what was cut off, too.

use proptest::prelude::*;

use super::read::parse_case;
use super::*;
use crate::scenario::make::{Size, scenarios};

fn case(scenario: Scenario, schedule: Vec<String>) -> Case {
    Case {
        driver: Driver::Sim,
        seed: 42,
        versions: vec![("conformance".into(), "1 2".into())],
        scenario,
        schedule,
        outcome: None,
        trace: String::new(),
    }
}

/// The text of a case that ended so.
fn written(case: &Case, outcome: &Outcome, trace: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.case");
    Writer::begin(&path, case).unwrap().end(outcome, trace).unwrap();
    std::fs::read_to_string(&path).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_reads_back_as_the_same(
        scenario in scenarios(Size::SIM),
        schedule in prop::collection::vec("M[0-2] [a-c]", 0..40),
        message in prop::option::of("[ -~]{1,20}(\n[ -~]{1,20}){0,3}"),
    ) {
        let outcome = match message {
            None => Outcome::Passed,
            Some(message) => Outcome::Failed { signature: "trace:queue_dup".into(), message },
        };
        let begun = case(scenario, schedule);
        let text = written(&begun, &outcome, "a table\n== end of nothing");
        let whole = Case { outcome: Some(outcome), trace: "a table\n== end of nothing".into(), ..begun };
        prop_assert_eq!(parse_case(&text), Ok(whole), "{}", text);
    }

    #[test]
    fn no_damage_makes_the_reader_fail(scenario in scenarios(Size::SIM), cut in any::<prop::sample::Index>(), put in "[= xa-z0-9\n]{0,8}") {
        let mut text = written(&case(scenario, vec!["a".into(); 3]), &Outcome::Passed, "t");
        let at = cut.index(text.len());
        text.replace_range(at..(at + 3).min(text.len()), &put);
        let _ = parse_case(&text);
    }
}

#[test]
fn a_run_that_never_came_back_can_be_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.case");
    let begun = case(crate::scenario::library::all().remove(0), vec!["M1 park".into(); 3]);
    let mut writer = Writer::begin(&path, &begun).unwrap();
    writer.step("M2 ready").unwrap();
    // Its process dies here: what was not flushed is lost, what is needed is not.
    std::mem::forget(writer);
    let found = read(&path).unwrap();
    assert_eq!((found.scenario, found.outcome), (begun.scenario, None));
}

#[test]
fn a_mistake_has_a_line_and_a_reason() {
    let scenario = crate::scenario::library::all().remove(0);
    let text = written(&case(scenario, Vec::new()), &Outcome::Passed, "");
    for (from, to, line, part) in [
        ("sigurg-case 1", "sigurg-case 2", 1, "not a case"),
        ("driver sim", "driver car", 2, "no driver \"car\""),
        ("seed 42", "seed x", 3, "not a number"),
        ("version", "virsion", 4, "not one of driver, seed, version"),
        ("seed 42\n", "", 0, "there is no `seed`"),
        ("procs 1", "procs x", 9, "column 7"),
        ("passed", "perhaps", 0, "failed PROPERTY"),
        ("== schedule\n", "== schedule\na x99999999\n", 0, "more than 10000000 steps"),
        ("== scenario", "== nothing", 0, "there is no section"),
    ] {
        assert!(text.contains(from), "{from}\n{text}");
        let error = parse_case(&text.replacen(from, to, 1)).expect_err(to);
        assert!(error.reason.contains(part), "{to}: {error}");
        assert!(line == 0 || error.line == line, "{to}: {error}");
    }
}
