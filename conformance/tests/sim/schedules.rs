//! An execution is a function of its schedule.

use std::env;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::process::Command;

use sigurg_conformance::sim::Sim;
use sigurg_shuttle::sim::{Bytes, Dfs, Failure, Limits, Pct, Random, Replay, Schedule, Strategy, Urw};
use sigurg_shuttle::{go, sim, yield_now};
use sigurg_traces::Event;

use crate::{assert_ok, programs};

/// One execution and its events.
fn events(sim: &mut Sim, strategy: &mut dyn Strategy, program: impl Fn()) -> (Vec<Event>, Schedule) {
    let mut events = Vec::new();
    let judged = sim.run_and_hear(strategy, &mut |event, _| events.push(*event), program);
    assert_ok(&judged, "an execution");
    (events, judged.outcome.schedule)
}

/// Programs that use all there is: channels, selects, locks, timers, system calls, plain threads, signals of every kind.
const PROGRAMS: [(&str, fn()); 12] = [
    ("four goroutines", programs::four_goroutines),
    ("tree", programs::tree),
    ("channel", || programs::channel(1)),
    ("selects", programs::selects),
    ("mutex", programs::mutex),
    ("sleeps", programs::sleeps),
    ("system calls", programs::system_calls),
    ("plain thread", programs::plain_thread),
    ("movable hogs", || _ = programs::movable_hogs()),
    ("three hogs", || _ = programs::three_hogs_on_one_p()),
    ("foreign calls", || _ = programs::foreign_calls()),
    ("scans", || _ = programs::scanned_in_a_foreign_call()),
];

/// As many bytes as a fuzzer may give.
fn bytes(seed: u64) -> Vec<u8> {
    let mut state = seed;
    (0..100 + seed as usize % 900)
        .map(|_| {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            (state >> 56) as u8
        })
        .collect()
}

/// Executions by a strategy of each kind.
fn executions(sim: &mut Sim, seed: u64, program: fn()) -> Vec<(Vec<Event>, Schedule)> {
    let bytes = bytes(seed);
    let mut all = vec![
        events(sim, &mut Random::new(seed), program),
        events(sim, &mut Pct::new(seed, 3), program),
        events(sim, &mut Urw::new(seed), program),
        events(sim, &mut Bytes::new(&bytes), program),
    ];
    let mut dfs = Dfs::new(2);
    for _ in 0..=seed {
        assert!(dfs.advance(), "there are more than {seed} schedules");
        all.push(events(sim, &mut dfs, program));
    }
    all
}

#[test]
fn the_same_seed_gives_the_same_events_and_so_does_its_replay() {
    let mut sim = Sim::new(Limits::default());
    for seed in 0..6 {
        for (name, program) in PROGRAMS {
            let (first, second) = (executions(&mut sim, seed, program), executions(&mut sim, seed, program));
            for (i, (one, other)) in first.iter().zip(&second).enumerate() {
                assert!(one == other, "{name}, seed {seed}, strategy {i}: two executions differ");
                let again = events(&mut sim, &mut Replay::new(&one.1), program);
                assert!(*one == again, "{name}, seed {seed}, strategy {i}: the replay differs");
                let text: Schedule = one.1.to_string().parse().expect("what was written is read");
                assert_eq!(text, one.1);
            }
        }
    }
}

/// Addresses, hashes with a random key and the like differ from process to process; an execution must not.
#[test]
fn every_process_sees_the_same_events() {
    const ASKED: &str = "SIGURG_SIM_DIGEST";
    let mut sim = Sim::new(Limits::default());
    let mut digest = DefaultHasher::new();
    for (name, program) in PROGRAMS {
        format!("{:?}", executions(&mut sim, 3, program)).hash(&mut digest);
        println!("{name}: digest {:016x}", digest.finish());
    }
    if env::var_os(ASKED).is_some() {
        return;
    }
    let mine = format!("digest {:016x}", digest.finish());
    for _ in 0..2 {
        let output = Command::new(env::current_exe().expect("this program"))
            .args(["--exact", "schedules::every_process_sees_the_same_events", "--nocapture"])
            .env(ASKED, "1")
            .output()
            .expect("this program again");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains(&mine), "not {mine}, but\n{text}");
    }
}

#[test]
fn any_bytes_are_a_schedule() {
    let mut sim = Sim::new(Limits::default());
    for seed in 0..200 {
        let bytes = bytes(seed);
        let judged = sim.run(&mut Bytes::new(&bytes), programs::four_goroutines);
        assert_ok(&judged, &format!("bytes of {seed}"));
    }
}

#[test]
fn a_replay_of_another_program_says_where_they_part() {
    let mut sim = Sim::new(Limits::default());
    let (_, schedule) = events(&mut sim, &mut Random::new(7), programs::four_goroutines);
    let judged = sim.run(&mut Replay::new(&schedule), programs::tree);
    let Some(Failure::Diverged(how)) = &judged.outcome.failure else {
        panic!("the replay did not notice: {}", judged.outcome)
    };
    assert!(how.starts_with("turn ") && how.contains(&format!(" of {}", schedule.slices.len())), "{how}");
    let lenient = sim.run(&mut Replay::lenient(&schedule), programs::tree);
    assert_ok(&lenient, "a lenient replay");
}

/// Two plain threads, which do `more` operations than they did.
fn two_threads(more: u32) {
    let threads: Vec<_> = (0..2)
        .map(|_| {
            sim::spawn(move || {
                for _ in 0..10 + more {
                    sim::point();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(sim::JoinHandle::join);
}

#[test]
fn a_replay_of_a_program_with_more_or_fewer_steps_says_which_turn_went_otherwise() {
    let mut sim = Sim::new(Limits::default());
    for seed in 0..20 {
        let (_, schedule) = events(&mut sim, &mut Random::new(seed), || two_threads(1));
        for more in [0, 2, 30] {
            let judged = sim.run(&mut Replay::new(&schedule), || two_threads(more));
            let Some(Failure::Diverged(how)) = &judged.outcome.failure else {
                panic!("seed {seed}: the replay did not notice: {}", judged.outcome)
            };
            let place = format!(" of {} (operation ", schedule.slices.len());
            assert!(how.starts_with("turn ") && how.contains(&place), "{how}");
            let says = ["was to run so:", "was to have it, but only", "and the program goes on"];
            assert!(says.iter().any(|says| how.contains(says)), "{how}");
            let lenient = sim.run(&mut Replay::lenient(&schedule), || two_threads(more));
            assert_ok(&lenient, "a lenient replay");
        }
    }
}

#[test]
fn all_schedules_of_a_tiny_program_are_run() {
    let mut sim = Sim::new(Limits::default());
    let mut dfs = Dfs::new(1);
    let mut count = 0;
    while dfs.advance() {
        let judged = sim.run(&mut dfs, || {
            sim::runtime(1).run(|| {
                let other = go(yield_now);
                other.join().unwrap();
            });
        });
        assert_ok(&judged, &format!("schedule {count}"));
        count += 1;
    }
    assert!(count > 400, "{count} schedules");
}

#[test]
fn all_schedules_of_two_threads_show_both_outcomes_of_a_race() {
    use std::cell::Cell;
    use std::rc::Rc;
    let mut sim = Sim::new(Limits::default());
    let mut dfs = Dfs::new(usize::MAX);
    let mut counts = [0u32; 3];
    while dfs.advance() {
        let seen = Rc::new(Cell::new(0));
        let result = Rc::clone(&seen);
        let judged = sim.run(&mut dfs, move || {
            let threads: Vec<_> = (0..2)
                .map(|_| {
                    let seen = Rc::clone(&seen);
                    sim::spawn(move || {
                        let before = seen.get();
                        sim::point();
                        seen.set(before + 1);
                    })
                })
                .collect();
            threads.into_iter().for_each(sim::JoinHandle::join);
        });
        assert_ok(&judged, "two threads");
        counts[result.get()] += 1;
    }
    assert!(counts[0] == 0 && counts[1] > 0 && counts[2] > 0, "{counts:?}");
}
