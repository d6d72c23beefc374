//! The tables say what Go's sources say, and no more.

use std::collections::BTreeSet;

use sigurg_model::Profile;
use sigurg_model::rules::lines::LINES;
use sigurg_model::rules::p_status;
use sigurg_model::rules::primitive::accepts;
use sigurg_model::rules::rule::Rule;
use sigurg_model::rules::sequence::{Place, Sequences, Verdict};
use sigurg_model::rules::transition::{Found, ROWS, Site, Table, site_name};
use sigurg_traces::{GStatus, PStatus, Via};

/// One line of `observed.tsv`.
struct CallSite {
    from: GStatus,
    to: GStatus,
    via: Via,
    function: String,
    releases: Vec<u8>,
}

fn call_sites() -> Vec<CallSite> {
    let text = include_str!("check/observed.tsv");
    let mut sites = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [from, to, via, function, releases] = fields[..] else { panic!("five fields: {line}") };
        sites.push(CallSite {
            from: GStatus::parse(from).expect(from),
            to: GStatus::parse(to).expect(to),
            via: Via::parse(via).expect(via),
            function: function.into(),
            releases: releases.split(',').map(|minor| minor.parse().expect(minor)).collect(),
        });
    }
    assert!(sites.len() > 90, "{}", sites.len());
    sites
}

fn go() -> impl Iterator<Item = &'static Profile> {
    Profile::ALL.iter().filter(|profile| profile.name.starts_with("go"))
}

#[test]
fn every_call_site_in_the_sources_has_its_row_in_its_releases() {
    for call in call_sites() {
        for profile in go().filter(|profile| call.releases.contains(&profile.minor)) {
            let table = Table::new(profile);
            let site = table.site(&site_name(&call.function));
            let found = table.find(call.from, call.to, call.via, site, |_| false);
            assert!(
                matches!(found, Found::Row(_)) && site != Site::UNKNOWN,
                "{} -> {} by {} in {} of {}: {found:?}",
                call.from,
                call.to,
                call.via,
                call.function,
                profile.name
            );
        }
    }
}

#[test]
fn every_row_has_a_call_site_in_each_release_whose_source_was_read() {
    let calls = call_sites();
    // Read in the sources, but neither seen in a recording nor listed with the call sites that were.
    let unlisted = ["T40", "T59"];
    for row in ROWS.iter().filter(|row| !unlisted.contains(&row.id) && row.extension.is_none()) {
        for profile in go().filter(|profile| profile.minor >= 21 && profile.within(row.releases)) {
            let listed = calls.iter().any(|call| {
                call.from == row.from
                    && call.to == row.to
                    && row.via.contains(&call.via)
                    && row.sites.iter().any(|site| site_name(site) == site_name(&call.function))
                    && call.releases.contains(&profile.minor)
            });
            assert!(listed, "{} ({} -> {}, {:?}) in {}", row.id, row.from, row.to, row.sites, profile.name);
        }
    }
}

#[test]
fn edges_that_never_exist_have_no_row() {
    use GStatus::*;
    let never = |from: GStatus, to: GStatus, adopts: bool| {
        to == Idle
            || from == Waiting && to == Dead
            || from == Syscall && to == Waiting
            || from == Runnable && to == Dead
            || from == Preempted && to != Waiting
            || from == Copystack && to != Running
            || from.has_scan() && to.has_scan()
            || from.has_scan() && to != from.base()
            || !from.has_scan()
                && to.has_scan()
                && to.base() != from
                && (from, to) != (Running, Scanpreempted)
                && !(adopts && (from, to) == (Running, Scansyscall))
            || from == Preempted && to == Scanpreempted
    };
    for profile in Profile::ALL {
        let table = Table::new(profile);
        for &from in GStatus::ALL {
            for &to in GStatus::ALL {
                let exists = Via::ALL
                    .iter()
                    .any(|via| matches!(table.find(from, to, *via, Site::UNKNOWN, |_| false), Found::Row(_)));
                assert!(
                    !(exists && never(from, to, profile.adopts_foreign_calls)),
                    "{from} -> {to} in {}",
                    profile.name
                );
                assert!(from != to || !exists, "{from} -> {to} in {}", profile.name);
            }
        }
    }
}

#[test]
fn every_row_goes_through_a_primitive_that_accepts_it() {
    for row in ROWS {
        for via in row.via {
            assert!(accepts(*via, row.from, row.to), "{} {} -> {} by {via}", row.id, row.from, row.to);
        }
    }
}

#[test]
fn a_scan_bit_that_can_be_set_can_be_cleared_in_every_release() {
    for profile in Profile::ALL {
        let has = |from: GStatus, to: GStatus| {
            ROWS.iter().any(|row| row.from == from && row.to == to && profile.within(row.releases))
        };
        for &status in GStatus::ALL {
            let Some(scan) = status.with_scan().filter(|scan| *scan != status) else { continue };
            let set =
                ROWS.iter().any(|row| row.to == scan && !row.from.has_scan() && profile.within(row.releases));
            assert_eq!(set, has(scan, status), "{scan} in {}", profile.name);
        }
    }
}

#[test]
fn the_rows_have_all_ids_of_the_facts() {
    let ids: BTreeSet<&str> = ROWS.iter().map(|row| row.id).collect();
    let named = |n: u32| {
        let plain = format!("T{n:02}");
        let grouped = match n {
            13 | 14 => "T13/T14",
            21..=26 => "T21..T26",
            53 => "T53a",
            54 => "T54a",
            _ => &plain,
        };
        ids.contains(grouped)
    };
    let missing: Vec<u32> = (1..=59).filter(|n| !named(*n)).collect();
    assert_eq!(missing, [9], "the facts have no T09");
    let p_ids: BTreeSet<&str> = p_status::ROWS.iter().map(|row| row.id).collect();
    assert_eq!(p_ids.len(), 18);
}

#[test]
fn the_p_table_is_one_machine_in_every_release() {
    for profile in Profile::ALL {
        for &status in PStatus::ALL {
            let touches = |row: &p_status::Row| {
                profile.within(row.releases) && (row.from == status || row.to == status)
            };
            let used = p_status::ROWS.iter().any(touches);
            assert_eq!(
                used,
                status != PStatus::Syscall || !profile.retakes_by_scan_bit,
                "{status} in {}",
                profile.name
            );
        }
        for row in p_status::ROWS.iter().filter(|row| profile.within(row.releases)) {
            let found: Vec<_> =
                p_status::rows(profile, row.from, row.to, row.cas).map(|(_, row)| row.id).collect();
            assert!(found.contains(&row.id), "{} in {}", row.id, profile.name);
        }
    }
}

#[test]
fn every_place_in_the_runtime_can_be_reached_and_left() {
    for profile in Profile::ALL {
        let sequences = Sequences::new(profile);
        let mut reached = vec![Place::Open];
        let mut next = 0;
        while let Some(&at) = reached.get(next) {
            next += 1;
            for line in LINES.iter().filter(|line| line.at == at && line.holds(profile)) {
                for (word, _) in line.next {
                    if let Verdict::Then(to) = sequences.step(at, *word)
                        && !reached.contains(&to)
                    {
                        reached.push(to);
                    }
                }
            }
        }
        for place in &reached {
            let ways = LINES.iter().any(|line| line.at == *place && line.holds(profile));
            assert!(ways, "{place:?} of {} leads nowhere", profile.name);
        }
        for line in LINES {
            assert!(
                reached.contains(&line.at) || !line.holds(profile) || is_of_another_release(line.at),
                "{:?} of {} is never reached",
                line.at,
                profile.name
            );
        }
    }
}

/// Places of lines without a range that only lines with one lead to.
fn is_of_another_release(place: Place) -> bool {
    use Place::*;
    matches!(
        place,
        Announced
            | Born
            | BornUnannounced
            | BornParked
            | Placing
            | LeavingForGood
            | Destroying
            | EnteredOld
            | EnteredBlockOld
            | ReturnedOld
            | StwAsking
            | StwAskingOld
            | StwReturn
    )
}

#[test]
fn function_names_are_compared_without_closures_receivers_and_case() {
    for (function, name) in [
        ("gcMarkDone.forEachP.func5", "foreachp"),
        ("(*gcControllerState).findRunnableGCWorker", "findrunnablegcworker"),
        ("traceAdvance.func1.1", "traceadvance"),
        ("syscallingThread.resume", "resume"),
        ("sched::park_m", "parkm"),
        ("gosched_impl", "goschedimpl"),
        ("goschedImpl", "goschedimpl"),
        ("", ""),
    ] {
        assert_eq!(site_name(function), name, "{function}");
    }
}

#[test]
fn rules_have_distinct_names_that_lead_back() {
    for &rule in Rule::ALL {
        assert_eq!(Rule::by_name(rule.name()), Some(rule));
        assert!(!rule.facts().is_empty() && !rule.says().is_empty());
    }
    let names: BTreeSet<&str> = Rule::ALL.iter().map(|rule| rule.name()).collect();
    assert_eq!(names.len(), Rule::ALL.len());
}
