//! Suspenders beside goroutines in every state: every trace is accepted, and every goroutine that was stopped goes on once.
//!
//! A recording lasts for a fixed amount of work, so that its size is bounded; as many are made as the time allows.
//! `SIGURG_STORM_SECONDS` says how long (20), `SIGURG_STORM_SEED` where the choices begin.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime};

use sigurg::{
    GoId, JoinHandle, blocking, chan, dump_goroutines, go, lock_os_thread, preempt_off, stacks, time,
    yield_now,
};
use sigurg_model::rules::sequence::Step;

#[path = "common/recorded.rs"]
mod recorded;

use recorded::{Seen, join_all, record};

const GOROUTINES: u64 = 64;
/// Goroutines that a suspender of one asks for in turn, and rounds over all of a suspender of all, in one recording.
const TARGETS: u64 = 120;
const ROUNDS: u64 = 3;

/// A number in the environment; a mistake is an error, not the default.
fn number(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty())?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name}={value:?}: not a number")))
}

fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

/// Computes for a while, without a call of the runtime.
fn compute(turns: u64) {
    (0..turns).for_each(|i| _ = black_box(i));
}

/// One turn of a goroutine of that kind.
fn turn(kind: u64, seed: &mut u64) {
    match kind {
        // Stopped in their handlers: in pure code, and in malloc.
        0 => compute(200_000),
        1 => drop(black_box((0..50).map(|i| format!("{i}")).collect::<Vec<_>>())),
        2 => time::sleep(Duration::from_micros(random(seed) % 200)),
        3 => blocking(|| std::thread::sleep(Duration::from_micros(100))),
        // Dying and being born.
        4 => go(|| compute(20_000)).join().expect("it returns"),
        5 => preempt_off(|| compute(2_000)),
        6 => {
            compute(20_000);
            yield_now();
        }
        _ => {
            compute(5_000);
            time::sleep(Duration::from_micros(50));
        }
    }
}

/// Goroutines in all states, and two that wait for each other for ever so many; the number of turns of each.
fn crowd(stop: &Arc<AtomicBool>, seed: u64) -> Vec<JoinHandle<u64>> {
    let one = |i: u64| {
        let stop = Arc::clone(stop);
        go(move || {
            let (kind, mut seed, mut turns) = (i % 8, seed ^ i, 0);
            if kind == 7 {
                // It ends locked, and its thread with it.
                lock_os_thread();
            }
            while turns == 0 || !stop.load(Relaxed) {
                turn(kind, &mut seed);
                turns += 1;
            }
            turns
        })
    };
    let mut crowd: Vec<_> = (0..GOROUTINES - 2).map(one).collect();
    let (ping, pinged) = chan::<u64>(0);
    let ending = Arc::clone(stop);
    crowd.push(go(move || pinged.iter().count() as u64));
    crowd.push(go(move || {
        let mut sent = 0;
        while sent == 0 || !ending.load(Relaxed) {
            compute(20_000);
            ping.send(sent).expect("a receiver");
            sent += 1;
        }
        sent
    }));
    crowd
}

/// The four suspenders: of all, twice; of one after the other; and a plain thread that asks for dumps.
fn suspend(ids: &[GoId], seed: u64) {
    let of_all = || {
        go(|| {
            for _ in 0..ROUNDS {
                let found = stacks::scan(|stack| _ = black_box(stack.words().len()));
                assert!(found > 0, "they are there until the suspenders have ended");
            }
        })
    };
    let suspenders = vec![of_all(), of_all(), {
        let (ids, mut seed) = (ids.to_vec(), seed);
        go(move || {
            for _ in 0..TARGETS {
                let id = ids[random(&mut seed) as usize % ids.len()];
                stacks::scan_one(id, |stack| assert_eq!(stack.goroutine(), id));
            }
        })
    }];
    let outsider = std::thread::spawn(|| {
        assert!(dump_goroutines().contains("goroutine 1 ["));
    });
    join_all(suspenders);
    blocking(|| outsider.join()).expect("dumps have everybody");
}

fn expect(seen: &Seen, seed: u64) {
    let (rows, kinds) = (&seen.rows, &seen.kinds);
    let told = || format!("seed {seed}, {} Ps: {rows:?} {kinds:?}", seen.procs);
    // Each call ended, with the scan bit or without; who had it gave it back.
    assert_eq!(seen.kind("suspend_begin"), seen.kind("suspend_end"), "{}", told());
    assert_eq!(seen.step(Step::SuspendEnd), seen.kind("resume_end"), "{}", told());
    // Who was stopped was claimed by one, and readied by that one.
    assert_eq!(seen.row("T18"), seen.step(Step::ResumeBeginStopped), "{}", told());
    assert!(seen.step(Step::SuspendEnd) > TARGETS, "{}", told());
}

#[test]
fn every_goroutine_that_is_suspended_in_a_storm_is_resumed_once() {
    let lasts = Duration::from_secs(number("SIGURG_STORM_SECONDS").unwrap_or(20));
    let clock = || SystemTime::UNIX_EPOCH.elapsed().map_or(1, |now| now.as_nanos() as u64);
    let first = number("SIGURG_STORM_SEED").unwrap_or_else(clock);
    eprintln!("SIGURG_STORM_SEED={first}");
    let (start, mut seed) = (Instant::now(), first);
    let (mut recordings, mut events, mut suspended, mut stopped, mut by_signal) = (0, 0, 0, 0, 0);
    // Until a running goroutine was stopped at least, however busy the machine.
    while start.elapsed() < lasts || stopped == 0 {
        let procs = [2, 4, 1, 3][recordings % 4];
        let turns = AtomicU64::new(0);
        let program = || {
            let stop = Arc::new(AtomicBool::new(false));
            let crowd = crowd(&stop, seed);
            let ids: Vec<_> = crowd.iter().map(JoinHandle::id).collect();
            suspend(&ids, seed);
            stop.store(true, Relaxed);
            let all = join_all(crowd);
            assert!(all.iter().all(|turns| *turns > 0), "nobody was forgotten: {all:?}");
            assert_eq!(all[all.len() - 1], all[all.len() - 2], "no message was lost");
            turns.store(all.iter().sum(), Relaxed);
        };
        let seen = record(procs, program);
        expect(&seen, seed);
        recordings += 1;
        events += seen.events;
        suspended += seen.step(Step::SuspendEnd);
        stopped += seen.row("T18");
        by_signal += seen.stopped_by_signal();
        eprintln!("{procs} Ps, seed {seed}: {} events, {} turns", seen.events, turns.into_inner());
        random(&mut seed);
    }
    eprintln!(
        "{recordings} recordings, {events} events: {suspended} suspended, {stopped} of them stopped; {by_signal} stops by signal"
    );
}
