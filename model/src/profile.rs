//! What differs between Go releases, as data.
//!
//! A [`Profile`] is one release line (or `sigurg`: the newest Go plus named extensions). Rules never ask
//! for a version number; they ask for the behaviour, by the name of the field below. Rows of the
//! transition table carry the range of releases in which their call site exists ([`Releases`]).
//!
//! Source: the version table of the facts this model was written from; releases 1.21 to 1.27 were read,
//! 1.14 from an annotated copy of 1.14.6, 1.15 to 1.20 are general knowledge.

/// A range of minor versions of Go 1, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Releases {
    /// First minor version that has it.
    pub since: u8,
    /// Last minor version that has it.
    pub until: u8,
}

impl Releases {
    /// Every release with asynchronous preemption.
    pub const ALL: Self = Self::since(14);

    /// From the given minor version on.
    pub const fn since(minor: u8) -> Self {
        Self { since: minor, until: u8::MAX }
    }

    /// Up to and including the given minor version.
    pub const fn until(minor: u8) -> Self {
        Self { since: 14, until: minor }
    }

    /// From one minor version to another.
    pub const fn between(since: u8, until: u8) -> Self {
        Self { since, until }
    }

    /// Whether the minor version lies in the range.
    pub const fn contains(self, minor: u8) -> bool {
        self.since <= minor && minor <= self.until
    }
}

/// Who writes the wait reason "preempted" of a G in `Gpreempted`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReasonWriter {
    /// `preemptPark`, before T16 (1.14).
    Parker,
    /// Every suspender that tries T18, before it knows that it wins: the loser too.
    Claimant,
    /// The winner of T18 alone, after it won.
    Winner,
}

/// One release line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Name on the command line and in reports.
    pub name: &'static str,
    /// Minor version, for the ranges of the transition table.
    pub minor: u8,

    /// `preemptM` sends nothing while a signal is pending (issue 37741; from 1.14.6 on).
    pub has_signal_gate: bool,
    /// A P in a system call stays Prunning and is taken under the scan bit of its G (1.26); before, it is
    /// Psyscall and is taken by a compare-and-swap on its own status.
    pub retakes_by_scan_bit: bool,
    /// `exitsyscall` becomes Grunning before it has a P (1.26).
    pub exitsyscall_runs_first: bool,
    /// `entersyscall` gives its P up for a pending stop-the-world before its status change (1.26).
    pub entersyscall_yields_to_stw: bool,
    /// `preemptone` leaves a G in a system call alone, and `canPreemptM` asks for it too (1.26).
    pub preemptone_skips_syscall: bool,
    /// A G preempted while a stop-the-world is pending goes to its P's runnext, not to the global queue (1.26).
    pub stw_preempted_goes_to_runnext: bool,
    /// Who writes the wait reason of a preempted G.
    pub preempted_reason: ReasonWriter,

    /// X-PENDING (cures R-52): the handler clears `signalPending` before it raises `preemptGen`.
    pub clears_pending_first: bool,
    /// X-REMEMBER (cures ): `suspendG` remembers a request until its signal really was sent.
    pub remembers_unsent_request: bool,
    /// X-RETRY (cures R-51 and the window of entersyscall): the wait of stop-the-world tries the Ps in system calls again.
    pub retries_syscall_ps: bool,
    /// X-SWALLOW (cures R-04): `needm` clears the `signalPending` that a swallowed signal left behind.
    pub clears_pending_in_needm: bool,
    /// X-PARK: a preempted G may stay on its thread, locked to it, inside the signal handler.
    pub parks_in_handler: bool,
    /// X-ADOPT: a G whose thread is seen asleep in a foreign call is made a G in a system call by whoever saw it.
    pub adopts_foreign_calls: bool,
    /// X-WAKE: a G that becomes runnable while no P is idle asks the P of a long runner for preemption.
    pub preempts_on_wakeup: bool,
    /// X-DUMP: who looks at the stacks of others for a dump does not wait for ever, and may be a thread without a P. `suspendG`
    /// gives up on a G that runs on, after it took its request back; `resumeG` readies to the global queue.
    pub dumps_running_goroutines: bool,
}

const GO1_14: Profile = Profile {
    name: "go1.14",
    minor: 14,
    has_signal_gate: true,
    retakes_by_scan_bit: false,
    exitsyscall_runs_first: false,
    entersyscall_yields_to_stw: false,
    preemptone_skips_syscall: false,
    stw_preempted_goes_to_runnext: false,
    preempted_reason: ReasonWriter::Parker,
    clears_pending_first: false,
    remembers_unsent_request: false,
    retries_syscall_ps: false,
    clears_pending_in_needm: false,
    parks_in_handler: false,
    adopts_foreign_calls: false,
    preempts_on_wakeup: false,
    dumps_running_goroutines: false,
};
const GO1_20: Profile =
    Profile { name: "go1.20", minor: 20, preempted_reason: ReasonWriter::Claimant, ..GO1_14 };
const GO1_22: Profile = Profile { name: "go1.22", minor: 22, ..GO1_20 };
const GO1_24: Profile = Profile { name: "go1.24", minor: 24, ..GO1_22 };
const GO1_26: Profile = Profile {
    name: "go1.26",
    minor: 26,
    retakes_by_scan_bit: true,
    exitsyscall_runs_first: true,
    entersyscall_yields_to_stw: true,
    preemptone_skips_syscall: true,
    stw_preempted_goes_to_runnext: true,
    ..GO1_24
};
const GO1_27: Profile = Profile { name: "go1.27", minor: 27, ..GO1_26 };

/// The newest Go, with the hazards repaired, and the extensions by which
/// Sigurg preempts code that no compiler prepared.
const SIGURG: Profile = Profile {
    name: "sigurg",
    preempted_reason: ReasonWriter::Winner,
    clears_pending_first: true,
    remembers_unsent_request: true,
    retries_syscall_ps: true,
    clears_pending_in_needm: true,
    parks_in_handler: true,
    adopts_foreign_calls: true,
    preempts_on_wakeup: true,
    dumps_running_goroutines: true,
    ..GO1_27
};

impl Profile {
    /// Every profile, oldest first, `sigurg` last.
    pub const ALL: &[Self] = &[
        GO1_14,
        Self { name: "go1.15", minor: 15, ..GO1_14 },
        Self { name: "go1.16", minor: 16, ..GO1_14 },
        Self { name: "go1.17", minor: 17, ..GO1_14 },
        Self { name: "go1.18", minor: 18, ..GO1_14 },
        Self { name: "go1.19", minor: 19, ..GO1_14 },
        GO1_20,
        Self { name: "go1.21", minor: 21, ..GO1_20 },
        GO1_22,
        Self { name: "go1.23", minor: 23, ..GO1_22 },
        GO1_24,
        Self { name: "go1.25", minor: 25, ..GO1_24 },
        GO1_26,
        GO1_27,
        SIGURG,
    ];

    /// The newest Go.
    pub const NEWEST_GO: Self = GO1_27;
    /// Sigurg's own rules.
    pub const SIGURG: Self = SIGURG;

    /// The profile of that name, such as `go1.27` or `sigurg`.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|profile| profile.name == name)
    }

    /// The profile for a producer and release as a trace header names them, such as `go` and `go1.26.6`.
    pub fn of_producer(producer: &str, version: &str) -> Option<&'static Self> {
        if producer == "sigurg" {
            return Self::by_name("sigurg");
        }
        if producer != "go" {
            return None;
        }
        let minor = version.strip_prefix("go1.")?.split(|c: char| !c.is_ascii_digit()).next()?;
        Self::by_name(&format!("go1.{minor}"))
    }

    /// Whether the profile lies in a range of releases.
    pub const fn within(&self, releases: Releases) -> bool {
        releases.contains(self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::Profile;

    #[test]
    fn point_releases_map_to_their_line() {
        let name = |producer, version| Profile::of_producer(producer, version).map(|p| p.name);
        assert_eq!(name("go", "go1.21.13"), Some("go1.21"));
        assert_eq!(name("go", "go1.27rc1"), Some("go1.27"));
        assert_eq!(name("go", "go1.99.1"), None);
        assert_eq!(name("go", "devel"), None);
        assert_eq!(name("sigurg", ""), Some("sigurg"));
        assert_eq!(name("may", "1"), None);
    }
}
