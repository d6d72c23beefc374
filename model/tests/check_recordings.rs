//! The checker neither refuses what Go did nor accepts what it cannot have done.

#[path = "check/corpus.rs"]
mod corpus;
#[path = "check/judge.rs"]
mod judge;

use std::collections::BTreeMap;

use judge::judge;
use serde::Deserialize;
use sigurg_model::check::Checker;
use sigurg_model::rules::transition::ROWS;
use sigurg_traces::order::OrderedError;

/// What `labels.json` says of one broken trace.
#[derive(Deserialize)]
struct Label {
    file: String,
    rule: String,
    what: String,
}

#[test]
fn every_recording_is_accepted_under_its_own_profile() {
    let mut taken = vec![0; ROWS.len()];
    for recording in corpus::recordings() {
        match judge(&recording, recording.profile()) {
            Ok(summary) => {
                assert_eq!(summary.events, recording.events.len() as u64, "{}", recording.name);
                assert_eq!(summary.unjudged, 0, "{}", recording.name);
                for (taken, count) in taken.iter_mut().zip(&summary.rows) {
                    *taken += count;
                }
            }
            Err(failure) => panic!("{} under {}:\n{failure}", recording.name, recording.profile().name),
        }
    }
    let seen = taken.iter().filter(|count| **count > 0).count();
    assert!(seen >= 45, "only {seen} rows of the table were ever taken");
}

#[test]
fn every_broken_trace_is_refused_by_the_rule_of_its_label() {
    let labels = std::fs::read_to_string(corpus::folder("negative").join("labels.json")).expect("the labels");
    let labels: Vec<Label> = serde_json::from_str(&labels).expect("labels that read well");
    let mut wrong = BTreeMap::new();
    for label in &labels {
        let refused = match corpus::read(&corpus::folder("negative").join(&label.file)) {
            Ok(recording) => match judge(&recording, recording.profile()) {
                Ok(_) => "accepted".to_owned(),
                Err(failure) => {
                    failure.rule().map_or_else(|| failure.to_string(), |rule| rule.name().to_owned())
                }
            },
            Err(OrderedError::Inconsistent(inconsistent)) => inconsistent.rule.as_str().to_owned(),
            Err(OrderedError::Read(error)) => error.to_string(),
        };
        if refused != label.rule {
            wrong.insert(&label.file, format!("{} ({}), not {}", refused, label.what, label.rule));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(labels.len() >= 38);
}

#[test]
fn who_begins_again_judges_as_one_that_is_new() {
    let broken = corpus::traces("negative");
    let broken = broken.iter().filter_map(|path| corpus::read(path).ok());
    for recording in corpus::recordings().into_iter().chain(broken) {
        let mut checker = Checker::new(recording.profile(), &recording.options());
        let mut whole = |events: usize| {
            checker.begin_again();
            let judged =
                recording.events[..events].iter().try_for_each(|e| checker.event(e, &recording.symbols));
            match judged {
                Err(failure) => Err(failure),
                Ok(()) if checker.is_in_doubt() => checker.clone().finish(),
                Ok(()) => Ok(checker.summary().clone()),
            }
        };
        // Ends in the middle, and where it is refused.
        let _ = whole(recording.events.len() / 2);
        let _ = whole(recording.events.len());
        let again = whole(recording.events.len());
        let new = judge(&recording, recording.profile());
        assert_eq!(format!("{again:?}"), format!("{new:?}"), "{}", recording.name);
    }
}
