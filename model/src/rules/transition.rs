//! The transition table: every legal change of a G status word (section 2.2 of the facts), as data.
//!
//! 1. A change is legal if a row has its `from`, its `to`, its primitive and, where the trace names it, its
//!    function, in a release of the profile. There is no other way.
//! 2. Rows are found by `(from, to)`; most pairs have one to three rows, `Gwaiting -> Grunnable` has ten.
//! 3. Function names differ in spelling between compilers and runtimes (closures, receivers, case); they
//!    are compared by [`site_name`].

use sigurg_traces::{GStatus, Via};

use crate::profile::{Profile, Releases};

/// Who may make the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Whoever creates the G.
    Creator,
    /// The G itself, on its own stack.
    Itself,
    /// The M of the G, on its scheduler stack.
    ItsM,
    /// An M that holds the G in its hand and is about to run it.
    Runner,
    /// A caller of suspendG.
    Suspender,
    /// Whoever set the scan bit.
    Holder,
    /// Any M.
    Any,
}

/// What happens, in one word: rows with the same word have the same effect on everything but their site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs, reason = "the rows of the table explain them")]
pub enum Change {
    Allocate,
    Born,
    BornParked,
    BornThenParked,
    Die,
    Needm,
    Dropm,
    Execute,
    Park,
    AbortPark,
    Yield,
    Goyield,
    PreemptScan,
    Preempted,
    TakePreempted,
    Ready,
    Inject,
    Find,
    DebugPark,
    DebugYield,
    DebugReady,
    CoroLeave,
    CoroEnter,
    CoroReady,
    CoroRun,
    Entersyscall,
    Exitsyscall,
    ExitsyscallNoP,
    Block,
    Unblock,
    Misblock,
    Claim,
    OpenWindow,
    CloseWindow,
    Release,
    Suspendable,
    Return,
    Grow,
    Grown,
    Leak,
    Unleak,
    Adopt,
    Recall,
    RecallNoP,
}

impl Change {
    /// Number of words.
    pub const COUNT: usize = Self::RecallNoP as usize + 1;
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Id of the facts page.
    pub id: &'static str,
    /// Status before.
    pub from: GStatus,
    /// Status after.
    pub to: GStatus,
    /// The primitives through which it happens.
    pub via: &'static [Via],
    /// The functions that make it.
    pub sites: &'static [&'static str],
    /// Who makes it.
    pub actor: Actor,
    /// The releases that have it.
    pub releases: Releases,
    /// The extension that it belongs to, if it is none of Go's.
    pub extension: Option<fn(&Profile) -> bool>,
    /// What it is.
    pub change: Change,
    /// What else it does, in few words.
    pub note: &'static str,
}

impl Row {
    /// Whether the profile has the row.
    pub fn holds(&self, profile: &Profile) -> bool {
        profile.within(self.releases) && self.extension.is_none_or(|has| has(profile))
    }
}

const CAS: &[Via] = &[Via::Casgstatus];
const DIRECT: &[Via] = &[Via::Direct];
/// A bare compare-and-swap first, the primitive if that fails.
const FAST: &[Via] = &[Via::Direct, Via::Casgstatus];
const SET: &[Via] = &[Via::Castogscanstatus];
const CLEAR: &[Via] = &[Via::CasfromGscanstatus];
const TO_WAITING: &[Via] = &[Via::CasGToWaiting];
/// PR6 under its name in 1.24, in 1.23 and before.
const TO_SUSPENDABLE: &[Via] = &[Via::CasGToWaitingForSuspendG, Via::CasGToWaitingForGC, Via::CasGToWaiting];

const ALL: Releases = Releases::ALL;
const fn since(minor: u8) -> Releases {
    Releases::since(minor)
}
const fn until(minor: u8) -> Releases {
    Releases::until(minor)
}

#[allow(clippy::too_many_arguments, reason = "one column of the table each")]
const fn row(
    id: &'static str,
    from: GStatus,
    to: GStatus,
    via: &'static [Via],
    sites: &'static [&'static str],
    actor: Actor,
    releases: Releases,
    change: Change,
    note: &'static str,
) -> Row {
    Row { id, from, to, via, sites, actor, releases, extension: None, change, note }
}

/// A row of X-ADOPT.
const fn adopt(row: Row) -> Row {
    Row { extension: Some(|profile| profile.adopts_foreign_calls), ..row }
}

use Actor::{Any, Creator, Holder, ItsM, Itself, Runner, Suspender};
use Change as C;
use GStatus::*;

/// The table.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    // Creation and death.
    row("T01", Idle, Dead, CAS, &["newproc1"], Creator, ALL, C::Allocate, "before it is listed, so nobody ever finds a Gidle"),
    row("T02", Idle, Deadextra, CAS, &["oneNewExtraM"], Creator, since(26), C::Allocate, "the G of a foreign thread, bound to its M"),
    row("T02", Idle, Dead, CAS, &["oneNewExtraM"], Creator, until(25), C::Allocate, "the G of a foreign thread, bound to its M"),
    row("T03", Dead, Runnable, CAS, &["newproc1"], Creator, ALL, C::Born, "in hand; newproc puts it in runnext"),
    row("T04", Dead, Waiting, CAS, &["newproc1"], Creator, since(23), C::BornParked, "held by its coroutine, on no queue"),
    row("T05", Runnable, Waiting, CAS, &["newcoro"], Creator, Releases::between(22, 22), C::BornThenParked, "fresh and in hand; the only such edge"),
    row("T06", Running, Dead, CAS, &["gdestroy"], ItsM, since(22), C::Die, "then preemptStop=false, dropg, gfput"),
    row("T06", Running, Dead, CAS, &["goexit0"], ItsM, until(21), C::Die, "then preemptStop=false, dropg, gfput"),
    row("T07", Deadextra, Syscall, CAS, &["needm"], Any, since(26), C::Needm, "by the foreign thread, without a P"),
    row("T07", Dead, Syscall, CAS, &["needm"], Any, until(25), C::Needm, "by the foreign thread, without a P"),
    row("T08", Syscall, Deadextra, CAS, &["dropm"], ItsM, since(26), C::Dropm, "then preemptStop=false"),
    row("T08", Syscall, Dead, CAS, &["dropm"], ItsM, until(25), C::Dropm, "then preemptStop=false"),

    // Run, park, ready.
    row("T10", Runnable, Running, CAS, &["execute"], Runner, ALL, C::Execute, "then preempt=false, stackguard0=normal; preemptStop stays"),
    row("T11", Running, Waiting, CAS, &["park_m"], ItsM, ALL, C::Park, "then dropg, then unlockf"),
    row("T12", Waiting, Runnable, CAS, &["park_m"], Any, ALL, C::AbortPark, "unlockf said no: executed at once, in the same time slice"),
    row("T13/T14", Running, Runnable, CAS, &["goschedImpl"], ItsM, ALL, C::Yield, "then dropg; global queue, or runnext for a stop-the-world since 1.26"),
    row("T15", Running, Runnable, CAS, &["goyield_m"], ItsM, ALL, C::Goyield, "then dropg; tail of the own ring"),
    row("T16", Running, Scanpreempted, &[Via::CasGToPreemptScan], &["preemptPark"], ItsM, ALL, C::PreemptScan, "then dropg"),
    row("T17", Scanpreempted, Preempted, CLEAR, &["preemptPark"], Holder, ALL, C::Preempted, "on no queue; a suspender may now claim it"),
    row("T18", Preempted, Waiting, &[Via::CasGFromPreempted], &["suspendG"], Suspender, ALL, C::TakePreempted, "the winner owes one ready"),
    row("T19", Waiting, Runnable, CAS, &["ready"], Any, ALL, C::Ready, "in hand, then runnext of the readier's P"),
    row("T20", Waiting, Runnable, CAS, &["injectglist"], Any, ALL, C::Inject, "all of the list first, then the puts"),
    row("T21..T26", Waiting, Runnable, CAS, &["findRunnable"], Any, ALL, C::Find, "in hand, executed by the finder"),
    row("T27", Waiting, Runnable, CAS, &["findRunnableGCWorker"], Any, ALL, C::Find, "in hand, executed by the finder"),
    row("T28", Running, Waiting, TO_WAITING, &["debugCallWrap"], ItsM, ALL, C::DebugPark, "then dropg and execute of the call's G"),
    row("T29", Running, Runnable, CAS, &["debugCallWrap1"], ItsM, ALL, C::DebugYield, "then dropg; global queue"),
    row("T30", Waiting, Runnable, CAS, &["debugCallWrap1"], Any, ALL, C::DebugReady, "in hand, executed in the same time slice"),

    // Coroutines.
    row("T31", Running, Waiting, FAST, &["coroswitch_m"], ItsM, since(22), C::CoroLeave, "g.m=nil; m.curg is replaced later"),
    row("T32", Waiting, Running, DIRECT, &["coroswitch_m"], Any, since(22), C::CoroEnter, "no execute: the flags and the time slice stay"),
    row("T33", Waiting, Runnable, CAS, &["coroswitch_m"], Any, since(22), C::CoroReady, "a scanner held the bit; in hand, never queued"),
    row("T33", Runnable, Running, CAS, &["coroswitch_m"], Runner, since(22), C::CoroRun, "second half of the slow switch"),

    // System calls and foreign threads.
    row("T34", Running, Syscall, FAST, &["reentersyscall"], Itself, ALL, C::Entersyscall, "stackguard0 is poisoned before, without a request"),
    row("T35", Running, Syscall, CAS, &["entersyscallblock"], Itself, ALL, C::Entersyscall, "hands its P off: before since 1.26, after until 1.25"),
    row("T36", Syscall, Running, FAST, &["exitsyscall"], Itself, ALL, C::Exitsyscall, "before it has a P since 1.26, after until 1.25"),
    row("T37", Running, Runnable, CAS, &["exitsyscallNoP"], ItsM, since(26), C::ExitsyscallNoP, "dropg; an idle P and execute, or the global queue"),
    row("T38", Syscall, Runnable, CAS, &["exitsyscall0"], ItsM, until(25), C::ExitsyscallNoP, "dropg; an idle P and execute, or the global queue"),
    row("T39", Syscall, Scansyscall, SET, &["setBlockOnExitSyscall"], Any, since(26), C::Block, "holds the link of M and P while it is cut"),
    row("T40", Deadextra, Scandeadextra, SET, &["setBlockOnExitSyscall"], Any, since(26), C::Block, "the same for an idle foreign thread"),
    row("T41", Scansyscall, Syscall, CLEAR, &["resume"], Holder, since(26), C::Unblock, "the link of M and P may have been cut"),
    row("T41", Scansyscall, Syscall, CLEAR, &["setBlockOnExitSyscall"], Holder, since(26), C::Misblock, "undone at once: the link had changed"),
    row("T42", Scandeadextra, Deadextra, CLEAR, &["resume"], Holder, since(26), C::Unblock, "the same"),
    row("T42", Scandeadextra, Deadextra, CLEAR, &["setBlockOnExitSyscall"], Holder, since(26), C::Misblock, "the same"),

    // X-ADOPT: somebody else sends a G that sleeps in a foreign call into a system call; a handler calls it back.
    adopt(row("X-ADOPT", Running, Scansyscall, DIRECT, &["adopt"], Any, ALL, C::Adopt, "by an M that sees its thread sleep; then its P is cut off, as after T39")),
    adopt(row("X-ADOPT", Syscall, Running, FAST, &["recall"], ItsM, ALL, C::Recall, "T36 in the signal handler of its M, for it computes without a P")),
    adopt(row("X-ADOPT", Running, Runnable, CAS, &["recall"], ItsM, ALL, C::RecallNoP, "T37 in the handler, where it stays; an idle P and execute, or the global queue")),

    // Suspend and resume.
    row("T43", Runnable, Scanrunnable, SET, &["suspendG"], Suspender, ALL, C::Claim, "it may stay on its queue; the three request flags are cleared"),
    row("T44", Syscall, Scansyscall, SET, &["suspendG"], Suspender, ALL, C::Claim, "the three request flags are cleared"),
    row("T45", Waiting, Scanwaiting, SET, &["suspendG"], Suspender, ALL, C::Claim, "the three request flags are cleared"),
    row("T46", Leaked, Scanleaked, SET, &["suspendG"], Suspender, since(26), C::Claim, "the three request flags are cleared"),
    row("T47", Running, Scanrunning, SET, &["suspendG"], Suspender, ALL, C::OpenWindow, "the three request flags are set inside"),
    row("T48", Scanrunning, Running, CLEAR, &["suspendG"], Holder, ALL, C::CloseWindow, "the signal goes out after it"),
    row("T49", Scanrunnable, Runnable, CLEAR, &["resumeG"], Holder, ALL, C::Release, ""),
    row("T50", Scansyscall, Syscall, CLEAR, &["resumeG"], Holder, ALL, C::Release, ""),
    row("T51", Scanwaiting, Waiting, CLEAR, &["resumeG"], Holder, ALL, C::Release, "a stopped G is readied after it"),
    row("T52", Scanleaked, Leaked, CLEAR, &["resumeG"], Holder, since(26), C::Release, ""),

    // Self-parking, so that suspendG may claim a G whose M goes on working.
    row("T53a", Running, Waiting, TO_SUSPENDABLE, &["stopTheWorldWithSema"], ItsM, since(24), C::Suspendable, "g.m and m.curg stay"),
    row("T53a", Running, Waiting, TO_SUSPENDABLE, &["stopTheWorld"], ItsM, until(23), C::Suspendable, "g.m and m.curg stay"),
    row("T53b", Running, Waiting, TO_SUSPENDABLE, &["forEachP", "gcMarkDone"], ItsM, ALL, C::Suspendable, "every forEachP since 1.22, that of mark done before"),
    row("T53c", Running, Waiting, TO_SUSPENDABLE, &["gcMarkTermination"], ItsM, ALL, C::Suspendable, ""),
    row("T53d", Running, Waiting, TO_SUSPENDABLE, &["gcBgMarkWorker"], ItsM, ALL, C::Suspendable, "while it drains"),
    row("T53e", Running, Waiting, TO_SUSPENDABLE, &["markroot"], ItsM, ALL, C::Suspendable, "to scan its own stack"),
    row("T53f", Running, Waiting, TO_SUSPENDABLE, &["gcAssistAlloc1"], ItsM, ALL, C::Suspendable, "mark assist"),
    row("T53g", Running, Waiting, TO_SUSPENDABLE, &["traceAdvance"], ItsM, since(22), C::Suspendable, "for each G that is not traced yet"),
    row("T53h", Running, Waiting, TO_WAITING, &["writeheapdump_m"], ItsM, ALL, C::Suspendable, "world stopped; not one of the suspendable reasons"),
    row("T54a", Waiting, Running, CAS, &["stopTheWorldWithSema"], ItsM, since(24), C::Return, "spins while a scanner holds it"),
    row("T54a", Waiting, Running, CAS, &["stopTheWorld"], ItsM, until(23), C::Return, "spins while a scanner holds it"),
    row("T54b", Waiting, Running, CAS, &["forEachP", "gcMarkDone"], ItsM, ALL, C::Return, "spins while a scanner holds it"),
    row("T54c", Waiting, Running, CAS, &["gcMarkTermination"], ItsM, ALL, C::Return, "spins while a scanner holds it"),
    row("T54d", Waiting, Running, CAS, &["gcBgMarkWorker"], ItsM, ALL, C::Return, "spins while a scanner holds it"),
    row("T54e", Waiting, Running, CAS, &["markroot"], ItsM, ALL, C::Return, "spins while a scanner holds it"),
    row("T54f", Waiting, Running, CAS, &["gcAssistAlloc1"], ItsM, ALL, C::Return, "spins while a scanner holds it"),
    row("T54g", Waiting, Running, CAS, &["traceAdvance"], ItsM, since(22), C::Return, "spins while a scanner holds it"),
    row("T54h", Waiting, Running, CAS, &["writeheapdump_m"], ItsM, ALL, C::Return, ""),

    // Stack growth.
    row("T55", Running, Copystack, CAS, &["newstack"], ItsM, ALL, C::Grow, ""),
    row("T56", Copystack, Running, CAS, &["newstack"], ItsM, ALL, C::Grown, "stackguard0=normal was written: a poison may be lost (R-02)"),

    // Leak detection, world stopped.
    row("T57", Waiting, Leaked, CAS, &["findGoroutineLeaks"], Any, since(26), C::Leak, ""),
    row("T58", Leaked, Waiting, DIRECT, &["allGsSnapshotSortedForGC"], Any, since(26), C::Unleak, "at the next leak-detecting collection; a failure is ignored"),
    row("T59", Leaked, Waiting, CAS, &["findGoroutineLeaks"], Any, since(27), C::Unleak, "the main goroutine, blocked in select{}"),
];

/// The wait reasons that make a Gwaiting G suspendable (`isWaitingForSuspendG`), over all releases.
pub const SUSPENDABLE_REASONS: &[&str] = &[
    "stopping the world",
    "GC mark termination",
    "trace goroutine status",
    "trace proc status",
    "page trace flush",
    "GC assist marking",
    "GC worker (active)",
    "flushing proc caches",
    "garbage collection",
    "garbage collection scan",
];

/// A function name as rows are compared by: the last part that is no closure, without receiver, in lower
/// case without underscores. `gcMarkDone.forEachP.func5` and `for_each_p` are both `foreachp`.
pub fn site_name(function: &str) -> String {
    let part = function
        .rsplit(['.', ':'])
        .find(|part| {
            let stem = part.trim_end_matches(|c: char| c.is_ascii_digit());
            !matches!(stem, "" | "func" | "gowrap" | "deferwrap" | "{{closure}}")
        })
        .unwrap_or(function);
    part.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

/// Functions that other rules ask for, by their place in [`known::ALL`].
pub mod known {
    /// `goready`.
    pub const GOREADY: usize = 0;
    /// `resumeG`.
    pub const RESUMEG: usize = 1;
    /// `preemptall`.
    pub const PREEMPTALL: usize = 2;
    /// `markroot`.
    pub const MARKROOT: usize = 3;
    /// `stopTheWorldWithSema`.
    pub const STOP_THE_WORLD: usize = 4;
    /// `enlistWorker`.
    pub const ENLIST_WORKER: usize = 5;
    /// `wakep`.
    pub const WAKEP: usize = 6;
    /// `rescue`, of X-PARK: the monitor.
    pub const RESCUE: usize = 7;
    /// `sysmon`.
    pub const SYSMON: usize = 8;
    /// `sigfwdgo`: a signal that somebody else sent.
    pub const FOREIGN_SIGNAL: usize = 9;
    /// Their names.
    pub const ALL: &[&str] = &[
        "goready",
        "resumeG",
        "preemptall",
        "markroot",
        "stopTheWorldWithSema",
        "enlistWorker",
        "wakep",
        "rescue",
        "sysmon",
        "sigfwdgo",
    ];
}

/// A function that some table knows; [`Site::UNKNOWN`] for a name that none does, and for no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site(pub u8);

impl Site {
    /// No function, or one that no table names: it constrains nothing.
    pub const UNKNOWN: Self = Self(0);
}

/// Number of values that a [`GStatus`] discriminant may have, rounded up.
const STATUSES: usize = 32;

/// The table of one profile, made for lookup.
#[derive(Clone, Debug)]
pub struct Table {
    sites: Vec<String>,
    /// Start and end in `candidates`, by `from * STATUSES + to`.
    ranges: Vec<(u16, u16)>,
    candidates: Vec<Candidate>,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    site: Site,
    vias: u16,
    row: u8,
}

/// What the table says about a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The index of its row in [`ROWS`].
    Row(u8),
    /// The pair exists, but not through this primitive or function.
    OtherWay,
    /// No row has the pair.
    Never,
}

impl Table {
    /// The rows that the profile's release has.
    pub fn new(profile: &Profile) -> Self {
        let mut table =
            Self { sites: Vec::new(), ranges: vec![(0, 0); STATUSES * STATUSES], candidates: Vec::new() };
        for function in known::ALL.iter().chain(ROWS.iter().flat_map(|row| row.sites)) {
            table.intern(function);
        }
        for &from in GStatus::ALL {
            for &to in GStatus::ALL {
                let start = table.candidates.len() as u16;
                for (index, row) in ROWS.iter().enumerate() {
                    if row.from == from && row.to == to && row.holds(profile) {
                        let vias = row.via.iter().fold(0, |set, via| set | 1 << *via as u16);
                        for site in row.sites {
                            let site = table.intern(site);
                            table.candidates.push(Candidate { site, vias, row: index as u8 });
                        }
                    }
                }
                table.ranges[from as usize * STATUSES + to as usize] = (start, table.candidates.len() as u16);
            }
        }
        table
    }

    fn intern(&mut self, function: &str) -> Site {
        let name = site_name(function);
        let known = self.sites.iter().position(|site| *site == name);
        Site(
            1 + known.unwrap_or_else(|| {
                self.sites.push(name);
                self.sites.len() - 1
            }) as u8,
        )
    }

    /// The site of one of [`known::ALL`].
    pub const fn known(function: usize) -> Site {
        Site(1 + function as u8)
    }

    /// The site of a function, spelled as by [`site_name`].
    pub fn site(&self, name: &str) -> Site {
        self.sites.iter().position(|site| *site == name).map_or(Site::UNKNOWN, |index| Site(index as u8 + 1))
    }

    /// The row of a change. Where the function is not known, `prefers` chooses among the rows that fit.
    #[inline]
    pub fn find(
        &self,
        from: GStatus,
        to: GStatus,
        via: Via,
        site: Site,
        prefers: impl Fn(Change) -> bool,
    ) -> Found {
        let (start, end) = self.ranges[(from as usize * STATUSES + to as usize) & (STATUSES * STATUSES - 1)];
        let candidates = &self.candidates[usize::from(start)..usize::from(end)];
        let mut fallback = if candidates.is_empty() { Found::Never } else { Found::OtherWay };
        for candidate in candidates {
            if candidate.vias & 1 << via as u16 == 0 {
                continue;
            }
            if candidate.site == site {
                return Found::Row(candidate.row);
            }
            if site == Site::UNKNOWN {
                if prefers(ROWS[usize::from(candidate.row)].change) {
                    return Found::Row(candidate.row);
                }
                if fallback == Found::OtherWay {
                    fallback = Found::Row(candidate.row);
                }
            }
        }
        fallback
    }

    /// The statuses that may follow `from`, for messages.
    pub fn successors(&self, from: GStatus) -> impl Iterator<Item = GStatus> + '_ {
        GStatus::ALL.iter().copied().filter(move |to| {
            let (start, end) = self.ranges[from as usize * STATUSES + *to as usize];
            start < end
        })
    }
}
