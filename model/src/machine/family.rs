//! The configurations that are searched by default and in the night.
//!
//! A name is `family/profile`. The same family under two profiles is the point: a hazard must be found under
//! Go's rules and gone under Sigurg's.

use super::config::{BASE, Config, Sysmon, UnsafePoints, User};
use crate::profile::Profile;

/// What a search is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Part of the default run: all of them together take less than a minute on two cores.
    Always,
    /// Too large for that.
    Nightly,
}

/// One G, two suspenders, two Ms, asynchronous signals: the reference for size and speed.
const K1_0: Config = Config {
    about: "1 G, 2 suspenders, 2 Ms; a signal may land at any instruction",
    ms: 2,
    suspenders: 2,
    ..BASE
};

/// Everything that user code does, beside the suspenders.
const BUSY: User = User { locks: true, syscalls: true, parks: true, gosched: true, grows: true, ..BASE.user };

/// Suspending a loop that never calls anything, until it stands still.
const STUBBORN: Config = Config {
    about: "1 suspender, a loop, no sysmon, a bounded number of unsafe points: does suspendG end?",
    ms: 2,
    unsafe_points: UnsafePoints::AtMost(1),
    paced_signals: true,
    histories: true,
    liveness: true,
    ..BASE
};

const SYSCALL_STW: Config = Config {
    about: "a long system call, a stack scanner, and stop-the-world while sysmon sleeps",
    procs: Some(1),
    starts_in_syscall: true,
    stw: true,
    sysmon: Sysmon::Forever,
    unsafe_points: UnsafePoints::AtMost(0),
    paced_signals: true,
    liveness: true,
    ..BASE
};

const ENTERSYSCALL_STW: Config = Config {
    about: "stop-the-world against a G that is entering a system call, without any scanner",
    suspenders: 0,
    starts_in_syscall: false,
    user: User { syscalls: true, ..BASE.user },
    ..SYSCALL_STW
};

const QUEUES: Config = Config {
    about: "2 Gs on 2 Ps with runnext, rings and the global queue, a suspender among them",
    gs: 2,
    ms: 2,
    procs: Some(2),
    queues: true,
    user: User { gosched: true, goyield: true, ..BASE.user },
    ..BASE
};

const COROUTINES: Config = Config {
    about: "2 Gs that switch to each other directly, and suspenders of both",
    gs: 2,
    user: User { coroswitch: true, ..BASE.user },
    suspenders: 2,
    ..BASE
};

const TIMER: Config = Config {
    about: "a G that a timer wakes beside a G that never yields, on one P",
    gs: 2,
    suspenders: 0,
    procs: Some(1),
    queues: true,
    user: User { parks: true, ..BASE.user },
    sysmon: Sysmon::Forever,
    unsafe_points: UnsafePoints::AtMost(1),
    paced_signals: true,
    liveness: true,
    ..BASE
};

const PARK: Config = Config {
    about: "X-PARK: a G stopped in its signal handler, locked to its thread, on one P with a spare M",
    profile: Profile::SIGURG,
    gs: 2,
    ms: 2,
    procs: Some(1),
    queues: true,
    suspenders: 0,
    user: User { calls: false, ..BASE.user },
    sysmon: Sysmon::Forever,
    paced_signals: true,
    unsafe_points: UnsafePoints::AtMost(1),
    liveness: true,
    ..BASE
};

/// X-PARK against stop-the-world: who gives the P of the parked thread away?
const PARK_STW: Config =
    Config { about: "X-PARK while the world is being stopped", stw: true, sysmon: Sysmon::Off, ..PARK };

const ADOPT: Config = Config {
    about: "X-ADOPT: stop-the-world against a foreign call that blocks for ever",
    profile: Profile::SIGURG,
    suspenders: 0,
    procs: Some(1),
    user: User { foreign_calls: true, ..BASE.user },
    stw: true,
    unsafe_points: UnsafePoints::AtMost(1),
    paced_signals: true,
    liveness: true,
    ..BASE
};

const ADOPT_RETAKE: Config = Config {
    about: "X-ADOPT: sysmon takes the P of a foreign call for another G; the call may return at any moment",
    gs: 2,
    ms: 2,
    queues: true,
    stw: false,
    user: User { calls: false, ..ADOPT.user },
    sysmon: Sysmon::Forever,
    ..ADOPT
};

const LIFECYCLE: Config = Config {
    about: "a goroutine that exits and is born again in the same G struct, while suspenders are after it",
    suspenders: 2,
    user: User { exits: true, ..BASE.user },
    ..BASE
};

const RETAKE: Config = Config {
    about: "sysmon takes the P of a system call for another G; both sides race for it",
    gs: 2,
    ms: 2,
    suspenders: 0,
    procs: Some(1),
    queues: true,
    user: User { calls: false, syscalls: true, ..BASE.user },
    sysmon: Sysmon::Forever,
    unsafe_points: UnsafePoints::AtMost(0),
    paced_signals: true,
    liveness: true,
    ..BASE
};

const STW_QUEUES: Config = Config {
    about: "stop-the-world beside 2 Gs: where do the preempted wait, and does the world start again?",
    gs: 2,
    suspenders: 0,
    procs: Some(1),
    queues: true,
    user: User { gosched: true, ..BASE.user },
    stw: true,
    unsafe_points: UnsafePoints::AtMost(1),
    paced_signals: true,
    liveness: true,
    ..BASE
};

const REASONS: Config = Config {
    about: "2 suspenders of a G that also parks by itself: whose wait reason stands?",
    suspenders: 2,
    user: User { parks: true, ..BASE.user },
    reasons: true,
    ..BASE
};

const C_THREADS: Config = Config {
    about: "a thread of C that calls into Go and returns to C while a signal is on its way",
    c_threads: true,
    ..BASE
};

/// A configuration under a profile; the name tells both.
const fn under(name: &'static str, config: Config, profile: Profile) -> Config {
    Config { name, profile, ..config }
}

/// The same, where the profile has hazards that the search must find.
const fn hazardous(
    name: &'static str,
    config: Config,
    profile: Profile,
    shows: &'static [&'static str],
) -> Config {
    Config { name, profile, shows, ..config }
}

const fn go(minor: usize) -> Profile {
    Profile::ALL[minor - 14]
}

/// Every configuration and when it is searched, smallest families first.
pub fn all() -> Vec<(Config, When)> {
    use When::{Always, Nightly};
    vec![
        (hazardous("stubborn/go1.27", STUBBORN, go(27), &["R-06", "R-52"]), Always),
        (hazardous("stubborn/go1.21", STUBBORN, go(21), &["R-06", "R-52"]), Always),
        (under("stubborn/sigurg", STUBBORN, Profile::SIGURG), Always),
        (under("stubborn-busy/sigurg", Config { user: BUSY, ms: 1, ..STUBBORN }, Profile::SIGURG), Always),
        (under("syscall-stw-scanner/go1.25", SYSCALL_STW, go(25)), Always),
        (hazardous("syscall-stw-scanner/go1.27", SYSCALL_STW, go(27), &["R-51"]), Always),
        (under("syscall-stw-scanner/sigurg", SYSCALL_STW, Profile::SIGURG), Always),
        (under("entersyscall-stw/go1.25", ENTERSYSCALL_STW, go(25)), Always),
        (hazardous("entersyscall-stw/go1.27", ENTERSYSCALL_STW, go(27), &["R-51w"]), Always),
        (under("entersyscall-stw/sigurg", ENTERSYSCALL_STW, Profile::SIGURG), Always),
        (hazardous("c-threads/go1.27", C_THREADS, go(27), &["R-04"]), Always),
        (under("c-threads/sigurg", C_THREADS, Profile::SIGURG), Always),
        (under("reasons/go1.14", REASONS, go(14)), Always),
        (hazardous("reasons/go1.27", REASONS, go(27), &["R-09"]), Always),
        (under("reasons/sigurg", REASONS, Profile::SIGURG), Always),
        (under("coroutines/go1.27", COROUTINES, go(27)), Always),
        (under("timer/go1.27", TIMER, go(27)), Always),
        (under("timer/sigurg", TIMER, Profile::SIGURG), Always),
        (under("park/sigurg", PARK, Profile::SIGURG), Always),
        (under("park-stw/sigurg", PARK_STW, Profile::SIGURG), Always),
        (under("adopt/sigurg", ADOPT, Profile::SIGURG), Always),
        (under("adopt-retake/sigurg", ADOPT_RETAKE, Profile::SIGURG), Always),
        (under("lifecycle/go1.27", LIFECYCLE, go(27)), Always),
        (under("retake/go1.25", RETAKE, go(25)), Always),
        (under("retake/go1.27", RETAKE, go(27)), Always),
        (under("stw-queues/go1.25", STW_QUEUES, go(25)), Always),
        (under("stw-queues/go1.27", STW_QUEUES, go(27)), Always),
        (under("queues/go1.25", QUEUES, go(25)), Nightly),
        (under("queues/go1.27", QUEUES, go(27)), Always),
        (
            under("k1-0s/go1.27", Config { suspenders: 1, about: "K1-0 with one suspender", ..K1_0 }, go(27)),
            Always,
        ),
        (
            under(
                "k1-0s-busy/go1.27",
                Config {
                    suspenders: 1,
                    user: BUSY,
                    about: "K1-0 with one suspender and all that user code does",
                    ..K1_0
                },
                go(27),
            ),
            Always,
        ),
        (
            under(
                "k1-s/go1.27",
                Config { suspenders: 1, sysmon: Sysmon::Once, about: "K1 with one suspender", ..K1_0 },
                go(27),
            ),
            Always,
        ),
        (under("k1-0/go1.27", K1_0, go(27)), Always),
        (under("k1-0-folded/sigurg", Config { symmetry: true, ..K1_0 }, Profile::SIGURG), Always),
        (
            under(
                "k2-0s/go1.27",
                Config { gs: 2, suspenders: 1, about: "2 Gs, 1 suspender, 2 Ms", ..K1_0 },
                go(27),
            ),
            Always,
        ),
        (
            under(
                "k1/go1.27",
                Config {
                    sysmon: Sysmon::Once,
                    about: "K1-0 with sysmon's preemptone once, at any time",
                    ..K1_0
                },
                go(27),
            ),
            Nightly,
        ),
        (
            under(
                "k2-0-folded/go1.27",
                Config { gs: 2, symmetry: true, about: "2 Gs, 2 suspenders, 2 Ms, folded", ..K1_0 },
                go(27),
            ),
            Nightly,
        ),
        (
            under(
                "k1-0-busy-folded/sigurg",
                Config {
                    user: BUSY,
                    symmetry: true,
                    about: "K1-0 with all that user code does, folded",
                    ..K1_0
                },
                Profile::SIGURG,
            ),
            Nightly,
        ),
    ]
}
