//! The verdict on a search: exactly what it must show, or it is broken; not whole, or it does not conform.

use sigurg_conformance::explore::{Limits, Quiet, Stop};
use sigurg_conformance::survey::{Outcome, Verdict, hazards, select, survey};
use sigurg_model::machine::config::Config;
use sigurg_model::machine::family::When;

fn config(name: &str) -> Config {
    select(&[name.to_owned()], false).expect("a known name").remove(0).0
}

fn search(config: Config) -> Outcome {
    survey(config, &Limits::default(), &[], &Quiet)
}

#[test]
fn a_hazard_that_is_not_shown_any_more_is_a_broken_model() {
    let repaired = search(Config { shows: &["R-06"], ..config("stubborn/sigurg") });
    assert_eq!((repaired.verdict, repaired.missing), (Verdict::Broken, vec!["R-06"]));
    let go = search(config("stubborn/go1.27"));
    assert_eq!((go.verdict, go.missing.len()), (Verdict::Conforms, 0));
}

#[test]
fn a_hazard_that_nobody_expects_is_a_broken_rule() {
    let outcome = search(Config { shows: &["R-06"], ..config("stubborn/go1.27") });
    assert_eq!(outcome.verdict, Verdict::Broken);
    let unexpected: Vec<_> =
        outcome.found.iter().filter(|found| !found.expected).map(|found| found.id).collect();
    assert_eq!(unexpected, ["R-52"]);
}

#[test]
fn a_search_that_is_not_whole_conforms_only_if_it_was_to_be_so() {
    let limits = Limits { max_depth: Some(20), ..Limits::default() };
    let verdict = |chosen: &[Stop]| survey(config("stubborn/sigurg"), &limits, chosen, &Quiet).verdict;
    assert_eq!(verdict(&[]), Verdict::Incomplete);
    assert_eq!(verdict(&[Stop::Memory]), Verdict::Incomplete);
    assert_eq!(verdict(&[Stop::Depth]), Verdict::Limited);
    // What it has not seen yet is not missing.
    let go = survey(config("stubborn/go1.27"), &limits, &[Stop::Depth], &Quiet);
    assert_eq!((go.verdict, go.found.len(), go.missing.len()), (Verdict::Limited, 0, 0));
}

#[test]
fn each_hazard_is_told_with_where_it_is_and_where_it_is_not() {
    let outcomes: Vec<_> = ["stubborn/go1.27", "stubborn/sigurg", "c-threads/sigurg"]
        .map(config)
        .into_iter()
        .map(search)
        .collect();
    let seen: Vec<_> = hazards(&outcomes)
        .iter()
        .map(|seen| {
            let names =
                |list: &[&Outcome]| list.iter().map(|outcome| outcome.config.name).collect::<Vec<_>>();
            assert!(seen.wrong.is_empty() && seen.open.is_empty(), "{seen:?}");
            (seen.hazard.id(), names(&seen.shown), names(&seen.absent))
        })
        .collect();
    let stubborn = (vec!["stubborn/go1.27"], vec!["stubborn/sigurg"]);
    let expected = [
        ("R-04", vec![], vec!["c-threads/sigurg"]),
        ("R-06", stubborn.0.clone(), stubborn.1.clone()),
        ("R-52", stubborn.0, stubborn.1),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_name_is_one_configuration_or_a_whole_family_and_the_night_comes_on_top() {
    let select = |names: &[&str], nightly| {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        select(&names, nightly)
            .map(|configs| configs.into_iter().map(|(config, when)| (config.name, when)).collect())
    };
    let names = |names: &[&str]| -> Vec<&str> {
        let all: Vec<(&str, When)> = select(names, false).expect("known");
        all.into_iter().map(|(name, _)| name).collect()
    };
    assert_eq!(names(&["c-threads"]), ["c-threads/go1.27", "c-threads/sigurg"]);
    assert_eq!(names(&["c-threads/sigurg"]), ["c-threads/sigurg"]);
    assert_eq!(select(&["c-threads", "c-thread"], false), Err("c-thread".to_owned()));
    let default = select(&[], false).unwrap();
    let night = select(&[], true).unwrap();
    assert!(default.iter().all(|(_, when)| *when == When::Always));
    assert!(night.len() > default.len() && default.iter().all(|config| night.contains(config)));
}
