//! The protocol machine against the tables that the checker uses, and against itself.

use sigurg_model::Profile;
use sigurg_model::machine::config::{Config, Sysmon};
use sigurg_model::machine::step::Act;
use sigurg_model::machine::{Machine, family};
use sigurg_model::rules::transition::ROWS;
use sigurg_model::space::{Packed, Space};
use sigurg_traces::GStatus;
use std::collections::{BTreeSet, HashSet, VecDeque};

/// As many states as are looked at in a large configuration: those nearest to the start.
const ENOUGH: usize = 150_000;

fn each_step(config: Config, mut visit: impl FnMut(&Machine, Packed, <Machine as Space>::Move, Packed)) {
    let machine = Machine::new(config);
    let mut seen: HashSet<Packed> = machine.initial().into_iter().collect();
    let mut queue: VecDeque<Packed> = seen.iter().copied().collect();
    while let Some(from) = queue.pop_front() {
        machine.successors(from, &mut |step, to| {
            visit(&machine, from, step, to);
            let known = machine.canonical(to);
            if seen.len() < ENOUGH && seen.insert(known) {
                queue.push_back(known);
            }
        });
    }
}

fn all() -> impl Iterator<Item = Config> {
    family::all().into_iter().map(|(config, _)| config)
}

/// The numbers of the transition rows that a text names, the ends of a range included.
fn rows_named(text: &str) -> BTreeSet<u8> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words
        .filter_map(|word| word.strip_prefix('T')?.trim_end_matches(char::is_lowercase).parse().ok())
        .collect()
}

/// Whether the sentence of a step names the row; "T43 to T45" names those between, too.
fn names(act: Act, row: &str) -> bool {
    let (mut named, row) = (rows_named(act.text()), rows_named(row));
    if let (true, Some(&first), Some(&last)) = (act.text().contains(" to T"), named.first(), named.last()) {
        named.extend(first..=last);
    }
    !named.is_disjoint(&row)
}

#[test]
fn every_status_change_of_the_machine_is_a_row_of_the_table_that_its_step_names() {
    // X-ADOPT is the one extension that has a row of its own.
    let extension = |act| act == Act::AdoptForeignCall;
    for config in all() {
        let minor = config.profile.minor;
        each_step(config, |machine, from, step, to| {
            let changes = machine.statuses(from).into_iter().zip(machine.statuses(to));
            for (old, new) in changes.filter(|(old, new)| old != new) {
                let found = ROWS.iter().any(|row| {
                    (row.from, row.to) == (old, new)
                        && row.releases.contains(minor)
                        && (names(step.act, row.id) || extension(step.act))
                });
                let by_outside = matches!(step.act, Act::Wake | Act::Newproc);
                assert!(
                    found || (by_outside && ROWS.iter().any(|row| (row.from, row.to) == (old, new))),
                    "{}: {old} -> {new} by {:?}\n  {}\n  {}",
                    config.name,
                    step,
                    machine.describe(from),
                    machine.describe(to),
                );
            }
        });
    }
}

#[test]
fn the_machine_never_makes_an_edge_that_the_facts_call_impossible() {
    let impossible = |from: GStatus, to: GStatus| {
        to == GStatus::Idle
            || (from, to) == (GStatus::Waiting, GStatus::Dead)
            || (from, to) == (GStatus::Syscall, GStatus::Waiting)
            || (from, to) == (GStatus::Runnable, GStatus::Dead)
            || (from == GStatus::Preempted && to != GStatus::Waiting)
            || (from == GStatus::Copystack && to != GStatus::Running)
            || (from.has_scan() && to != from.base())
    };
    for config in all() {
        each_step(config, |machine, from, step, to| {
            for (old, new) in machine.statuses(from).into_iter().zip(machine.statuses(to)) {
                assert!(old == new || !impossible(old, new), "{}: {old} -> {new} by {step:?}", config.name);
            }
        });
    }
}

#[test]
fn folding_is_a_projection_and_successors_of_images_are_images_of_successors() {
    // Two Gs, two Ms and a preemptone: everything that changes names at once.
    let crowd = all().find(|config| config.gs == 2 && config.symmetry).expect("a folded pair of Gs");
    let crowd = Config { sysmon: Sysmon::Once, ..crowd };
    for config in all().filter(|config| config.symmetry).chain([crowd]) {
        let plain = Machine::new(Config { symmetry: false, ..config });
        let folded = Machine::new(config);
        let successors = |state| {
            let mut all = BTreeSet::new();
            plain.successors(state, &mut |_, to| {
                all.insert(folded.canonical(to));
            });
            all
        };
        each_step(Config { symmetry: false, ..config }, |_, _, _, state| {
            let image = folded.canonical(state);
            assert_eq!(folded.canonical(image), image, "{}", plain.describe(state));
            assert_eq!(successors(state), successors(image), "{}: {}", config.name, plain.describe(state));
            assert_eq!(plain.broken(state), plain.broken(image), "{}", plain.describe(state));
        });
    }
}

#[test]
fn states_leave_the_marks_of_the_engine_alone_and_moves_are_told_apart() {
    for config in all() {
        let mut last = None;
        let mut moves = Vec::new();
        each_step(config, |machine, from, step, to| {
            assert_eq!(to.0 & Packed::MARKS, 0, "{}", machine.describe(to));
            if last != Some(from) {
                last = Some(from);
                moves.clear();
            }
            assert!(
                !moves.contains(&step),
                "{}: {step:?} twice from {}",
                config.name,
                machine.describe(from)
            );
            moves.push(step);
        });
    }
}

#[test]
fn every_step_of_the_vocabulary_happens_in_some_configuration() {
    let mut seen = HashSet::new();
    for config in all() {
        each_step(config, |_, _, step, _| {
            seen.insert(step.act);
        });
    }
    let never: Vec<_> = Act::ALL.iter().filter(|act| !seen.contains(act)).collect();
    assert!(never.is_empty(), "never taken near the start: {never:?}");
}

#[test]
fn names_of_configurations_are_unique_and_tell_the_profile() {
    let mut names = HashSet::new();
    for config in all() {
        assert!(names.insert(config.name), "{} twice", config.name);
        let (_, profile) = config.name.split_once('/').expect("family/profile");
        assert_eq!(profile, config.profile.name);
        assert!(Profile::by_name(profile).is_some());
    }
}
