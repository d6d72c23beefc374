//! The table of observed changes is readable and agrees with the recordings.

mod common;

use std::collections::HashMap;

use sigurg_traces::source::open;
use sigurg_traces::{GStatus, Kind, Options, Via};

const TABLE: &str = include_str!("../corpus/observed.tsv");

type Change = (GStatus, GStatus, Via);

/// How often each change was seen, by version of Go, over all its call sites.
fn table() -> HashMap<(Change, &'static str), u64> {
    let mut lines = TABLE.lines();
    let head: Vec<&str> = lines.next().expect("a head").split('\t').collect();
    assert_eq!(head[..4], ["from", "to", "via", "fn"]);
    let mut seen = HashMap::new();
    for line in lines {
        let cells: Vec<&str> = line.split('\t').collect();
        assert_eq!(cells.len(), head.len(), "{line}");
        let word = |at: usize| GStatus::parse(cells[at]).unwrap_or_else(|| panic!("{line}"));
        let change = (word(0), word(1), Via::parse(cells[2]).unwrap_or_else(|| panic!("{line}")));
        for (version, cell) in head.iter().zip(&cells).skip(4) {
            // Empty: the site does not exist; `-`: it exists and was not seen.
            if !cell.is_empty() && *cell != "-" {
                *seen.entry((change, *version)).or_default() += cell.parse::<u64>().expect(line);
            }
        }
    }
    seen
}

#[test]
fn every_change_in_the_recordings_is_in_the_table_of_its_version() {
    let table = table();
    let mut found: HashMap<(Change, String), u64> = HashMap::new();
    for path in common::recordings("go") {
        let mut reader = open(&path, Options::default()).unwrap();
        let version = reader.header().go_version.trim_start_matches("go").to_owned();
        while let Some(event) = reader.next().unwrap() {
            if let Kind::GStatus { from, to, via, .. } = event.kind {
                *found.entry(((from, to, via), version.clone())).or_default() += 1;
            }
        }
    }
    assert!(found.len() > 100, "{} kinds of change", found.len());
    for ((change, version), count) in found {
        let seen = table.get(&(change, version.as_str())).copied().unwrap_or(0);
        assert!(seen >= count, "{change:?} in {version}: {count} in the recordings, {seen} in the table");
    }
}
