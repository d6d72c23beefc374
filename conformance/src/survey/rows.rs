//! Which rows of the table of statuses this runtime has at all.
//!
//! Invariant: whatever is left out has a reason, by the place in Go's runtime that makes the change.

use sigurg_model::Profile;
use sigurg_model::rules::transition::{ROWS, Row};
use sigurg_traces::GStatus;

const FOREIGN: &str = "threads of others do not become goroutines";
const COROUTINES: &str = "there are no coroutines";
const COLLECTOR: &str = "there is no garbage collector";
const DEBUGGER: &str = "debuggers call no functions";

/// Places that this runtime does not have.
const ABSENT: &[(&str, &str)] = &[
    ("oneNewExtraM", FOREIGN),
    ("needm", FOREIGN),
    ("dropm", FOREIGN),
    ("newcoro", COROUTINES),
    ("coroswitch_m", COROUTINES),
    ("debugCallWrap", DEBUGGER),
    ("debugCallWrap1", DEBUGGER),
    ("findRunnableGCWorker", COLLECTOR),
    ("findGoroutineLeaks", COLLECTOR),
    ("allGsSnapshotSortedForGC", COLLECTOR),
    ("gcMarkTermination", COLLECTOR),
    ("gcBgMarkWorker", COLLECTOR),
    ("gcAssistAlloc1", COLLECTOR),
    ("writeheapdump_m", "there is no heap to dump"),
    ("traceAdvance", "a trace has one generation"),
    ("newstack", "stacks are not copied"),
    ("entersyscallblock", "every call is announced the same way, and sysmon takes the P of one that blocks"),
];

/// Why this runtime never takes a row that its profile has; `None` if it does.
#[must_use]
pub fn absent(row: &Row) -> Option<&'static str> {
    let is = |statuses: [GStatus; 2]| statuses.contains(&row.from) || statuses.contains(&row.to);
    let (born, aborted) = ((GStatus::Dead, GStatus::Waiting), (GStatus::Waiting, GStatus::Runnable));
    match (row.from, row.to) {
        _ if is([GStatus::Deadextra, GStatus::Scandeadextra]) => Some(FOREIGN),
        _ if is([GStatus::Leaked, GStatus::Scanleaked]) => Some(COLLECTOR),
        edge if edge == born => Some(COROUTINES),
        edge if edge == aborted && row.sites == ["park_m"] => {
            Some("no park is called off: whether to park is decided before")
        }
        _ => {
            let all = row.sites.iter().map(|site| ABSENT.iter().find(|(absent, _)| absent == site));
            all.reduce(|one, other| one.and(other)).flatten().map(|(_, why)| *why)
        }
    }
}

/// The rows that this runtime has, with their index in the table.
pub fn rows() -> impl Iterator<Item = (usize, &'static Row)> {
    ROWS.iter().enumerate().filter(|(_, row)| row.holds(&Profile::SIGURG) && absent(row).is_none())
}
