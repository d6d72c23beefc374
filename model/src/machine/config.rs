//! Bounded configurations: how many of each, and what they may do.

use crate::profile::Profile;

/// When an interrupted instruction is no safe point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnsafePoints {
    /// At every delivery it may be unsafe.
    Always,
    /// At most so many times (0 to 3); then every point is safe. A liveness promise needs a bound, or bad
    /// luck for ever would break it.
    AtMost(u8),
}

/// What sysmon does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sysmon {
    /// There is none, as on a machine where it always comes too late.
    Off,
    /// One preemptone, at any time.
    Once,
    /// It asks again and again, and takes Ps from system calls when there is work for them; it sleeps while
    /// `gcwaiting` is set.
    Forever,
}

/// What user code may do besides computing. Each is a free choice: it need never happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// Call a function, so that a prologue looks at the guard.
    pub calls: bool,
    /// Hold `m.locks` for a while.
    pub locks: bool,
    /// Make system calls, which need not return.
    pub syscalls: bool,
    /// Park, and be woken (or not) by somebody outside.
    pub parks: bool,
    /// Gosched.
    pub gosched: bool,
    /// goyield.
    pub goyield: bool,
    /// Grow the stack.
    pub grows: bool,
    /// Exit, and be born again in the same G struct.
    pub exits: bool,
    /// coroswitch to the other G.
    pub coroswitch: bool,
    /// A foreign blocking call that the runtime does not know of, which need not return.
    pub foreign_calls: bool,
}

/// A configuration of the protocol machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Name on the command line: a family, and where it matters a variant.
    pub name: &'static str,
    /// What it is for, in one sentence.
    pub about: &'static str,
    /// Whose rules.
    pub profile: Profile,
    /// Goroutines: 1 or 2.
    pub gs: u8,
    /// Threads: 1 or 2.
    pub ms: u8,
    /// Concurrent callers of suspendG: 0 to 2. They own no M of the machine and call again and again.
    pub suspenders: u8,
    /// Whether Ps change hands (as many as `procs`). Without, each M has a P of its own for ever.
    pub procs: Option<u8>,
    /// Whether runnext, the local queues and the global FIFO are told apart. Without, runnable Gs wait in
    /// one unordered queue.
    pub queues: bool,
    /// What user code does.
    pub user: User,
    /// Threads start in C and call into Go (needm, dropm).
    pub c_threads: bool,
    /// The world begins with every M in a system call.
    pub starts_in_syscall: bool,
    /// sysmon.
    pub sysmon: Sysmon,
    /// Whether somebody stops the world again and again.
    pub stw: bool,
    /// Unsafe points.
    pub unsafe_points: UnsafePoints,
    /// Between two signals an M takes a step. Without this a storm of signals starves it.
    pub paced_signals: bool,
    /// Keeps the wait reason.
    pub reasons: bool,
    /// Keeps what became of the last signal, to tell R-06 from R-52.
    pub histories: bool,
    /// Folds states that differ only by the names of equal actors. Sound for safety, not for liveness.
    pub symmetry: bool,
    /// Whether the promises that nobody waits for ever are checked.
    pub liveness: bool,
    /// The hazards, by id, that a search of this configuration must find; it may find no others.
    pub shows: &'static [&'static str],
}

/// One G, one M, one suspender, asynchronous signals; everything else off.
pub(super) const BASE: Config = Config {
    name: "",
    about: "",
    profile: Profile::NEWEST_GO,
    gs: 1,
    ms: 1,
    suspenders: 1,
    procs: None,
    queues: false,
    user: User {
        calls: true,
        locks: false,
        syscalls: false,
        parks: false,
        gosched: false,
        goyield: false,
        grows: false,
        exits: false,
        coroswitch: false,
        foreign_calls: false,
    },
    c_threads: false,
    starts_in_syscall: false,
    sysmon: Sysmon::Off,
    stw: false,
    unsafe_points: UnsafePoints::Always,
    paced_signals: false,
    reasons: false,
    histories: false,
    symmetry: false,
    liveness: false,
    shows: &[],
};
