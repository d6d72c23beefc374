//! `explore`: small configurations show their hazards, and the repaired profile shows none.

mod common;

use common::{command, run};
use serde_json::json;

#[test]
fn a_hazard_of_go_is_found_and_told_as_a_story() {
    let ran = run(["explore", "--config", "stubborn/go1.27"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    for part in
        ["complete", "R-06   expected", "R-52   expected", "   0. at first", "round and round", "conforms"]
    {
        assert!(ran.stdout.contains(part), "{part}:\n{}", ran.stdout);
    }
}

#[test]
fn the_repaired_profile_shows_no_hazard_of_its_family() {
    let ran = run(["explore", "--config", "stubborn", "--json"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    let json = ran.json();
    assert_eq!(json["verdict"], "conforms");
    let configs = json["configs"].as_array().unwrap();
    assert!(configs.len() >= 3, "{json}");
    for config in configs {
        let ids: Vec<_> = config["hazards"].as_array().unwrap().iter().map(|hazard| &hazard["id"]).collect();
        let expected = if config["profile"] == "sigurg" { vec![] } else { vec!["R-06", "R-52"] };
        assert_eq!(ids, expected, "{config}");
        for hazard in config["hazards"].as_array().unwrap() {
            assert_eq!(hazard["expected"], true, "{config}");
            assert!(hazard["length"].as_u64().is_some_and(|length| length > 10), "{config}");
            assert!(hazard["title"].is_string(), "{config}");
        }
        assert_eq!((&config["complete"], &config["reason"]), (&json!(true), &json!(null)), "{config}");
        assert_eq!((&config["verdict"], &config["missing"]), (&json!("conforms"), &json!([])), "{config}");
        for figure in ["states", "transitions", "depth"] {
            assert!(config[figure].as_u64().is_some_and(|figure| figure > 0), "{figure}: {config}");
        }
        assert!(config["seconds"].is_f64() && config["states_per_second"].is_f64(), "{config}");
        assert!(config["about"].is_string(), "{config}");
    }
}

#[test]
fn a_search_that_the_call_limits_is_incomplete_and_no_failure() {
    let ran = run(["explore", "--config", "stubborn/go1.27", "--max-depth", "10", "--json"]);
    let json = ran.json();
    let config = &json["configs"][0];
    assert_eq!(
        (ran.status, &config["complete"], &config["depth"]),
        (Some(0), &json!(false), &json!(10)),
        "{json}"
    );
    assert_eq!((&config["verdict"], &json["verdict"]), (&json!("limited"), &json!("limited")));
    assert!(config["reason"].as_str().is_some_and(|reason| reason.contains("depth")), "{json}");
}

#[test]
fn threads_do_not_change_what_is_found() {
    let call = |threads: &str| {
        let mut json = run(["explore", "--config", "c-threads", "--json", "--threads", threads]).json();
        for config in json["configs"].as_array_mut().unwrap() {
            for figure in ["seconds", "seconds_after", "states_per_second", "bytes_per_state"] {
                config.as_object_mut().unwrap().remove(figure);
            }
        }
        json
    };
    assert_eq!(call("1"), call("3"));
}

#[test]
fn every_configuration_is_listed_with_what_it_must_show() {
    let ran = run(["explore", "--list"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
    for part in ["k1-0/go1.27", "(nightly)", "must show R-06, R-52", "must show R-51w"] {
        assert!(ran.stdout.contains(part), "{part}:\n{}", ran.stdout);
    }
    let family = run(["explore", "--list", "--config", "reasons"]).stdout;
    assert!(
        family.lines().filter(|line| !line.starts_with(' ')).all(|line| line.starts_with("reasons/")),
        "{family}"
    );
}

#[test]
fn an_unknown_configuration_is_a_bad_call_that_lists_the_known_ones() {
    let ran = run(["explore", "--config", "stubborn/go1.99"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    assert!(ran.stderr.contains("\"stubborn/go1.99\"") && ran.stderr.contains("stubborn/sigurg"), "{ran:?}");
}

#[cfg(unix)]
#[test]
fn nobody_listening_changes_nothing_but_the_silence() {
    use std::process::Stdio;

    let mut child = command()
        .args(["explore", "--config", "entersyscall-stw"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), &*String::from_utf8_lossy(&output.stderr)), (Some(0), ""));
}
