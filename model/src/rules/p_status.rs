//! The status of a P: every legal change (section 9 of the facts), as data.
//!
//! A P changes hands by its status: an M that wants it takes it from Pidle, and gives it back there. Since
//! 1.26 a P in a system call stays Prunning and is taken under the scan bit of its G; before, it is Psyscall
//! and is taken by a compare-and-swap on its own status.

use sigurg_traces::PStatus;

use crate::profile::{Profile, Releases};
use crate::rules::transition::site_name;

/// What the change does to the link between M and P.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// No M has it, before and after.
    Free,
    /// The acting M takes it.
    Take,
    /// The acting M gives it away.
    Give,
    /// The acting M keeps it.
    Keep,
    /// The acting M takes it from another one, under the scan bit of that one's G (PS10, PS11).
    Cut,
}

/// When a row may be taken, as the world goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At any time.
    Any,
    /// In procresize: before the first start, or between stop and start, by the M that starts the world.
    Resizing,
    /// By the M that stops the world, before it is stopped.
    Stopping,
    /// By any M that sees `gcwaiting`.
    Waiting,
}

impl When {
    /// In words: only while …
    pub const fn says(self) -> &'static str {
        match self {
            Self::Any => "",
            Self::Resizing => "procresize runs, with the world stopped",
            Self::Stopping => "this M stops the world",
            Self::Waiting => "a stop-the-world is pending",
        }
    }
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Id of the facts page.
    pub id: &'static str,
    /// Status before.
    pub from: PStatus,
    /// Status after.
    pub to: PStatus,
    /// The functions that make it.
    pub sites: &'static [&'static str],
    /// Whether it is a compare-and-swap; a plain store by an owner otherwise.
    pub cas: bool,
    /// What it does to the link.
    pub link: Link,
    /// When it may happen.
    pub stw: When,
    /// The releases that have it.
    pub releases: Releases,
}

#[allow(clippy::too_many_arguments, reason = "one column of the table each")]
const fn row(
    id: &'static str,
    from: PStatus,
    to: PStatus,
    sites: &'static [&'static str],
    cas: bool,
    link: Link,
    stw: When,
    releases: Releases,
) -> Row {
    Row { id, from, to, sites, cas, link, stw, releases }
}

use Link::{Cut, Free, Give, Keep, Take};
use PStatus::{Dead, Gcstop, Idle, Running, Syscall};
use When::{Any, Resizing, Stopping, Waiting};

const ALL: Releases = Releases::ALL;
const OLD: Releases = Releases::until(25);
const NEW: Releases = Releases::since(26);

/// The table.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row("PS01", Idle, Gcstop, &["init"], false, Free, Resizing, ALL),
    row("PS01", Dead, Gcstop, &["init"], false, Free, Resizing, ALL),
    row("PS02", Gcstop, Idle, &["procresize"], false, Free, Resizing, ALL),
    row("PS03", Gcstop, Running, &["procresize"], false, Keep, Resizing, ALL),
    row("PS04", Idle, Running, &["wirep"], false, Take, Any, ALL),
    row("PS05", Running, Idle, &["releasep", "releasepNoTrace"], false, Give, Any, ALL),
    row("PS06", Idle, Gcstop, &["gcstopm"], false, Free, Waiting, ALL),
    row("PS07", Idle, Gcstop, &["handoffp"], false, Free, Waiting, ALL),
    row("PS08", Running, Gcstop, &["stopTheWorldWithSema"], false, Keep, Stopping, ALL),
    row("PS09", Idle, Gcstop, &["stopTheWorldWithSema"], false, Free, Stopping, ALL),
    row("PS10", Running, Gcstop, &["releaseP", "gcstopP"], false, Cut, Stopping, NEW),
    row("PS11", Running, Idle, &["releaseP", "takeP"], false, Cut, Any, NEW),
    row("PS12", Running, Gcstop, &["entersyscallHandleGCWait"], false, Give, Waiting, NEW),
    row("PS13", Running, Syscall, &["reentersyscall"], false, Give, Any, OLD),
    row("PS14", Syscall, Idle, &["exitsyscallfast"], true, Free, Any, OLD),
    row("PS15", Syscall, Idle, &["retake", "forEachP", "forEachPInternal"], true, Free, Any, OLD),
    row("PS16", Syscall, Gcstop, &["stopTheWorldWithSema", "entersyscall_gcwait"], true, Free, Waiting, OLD),
    row("PS17", Gcstop, Dead, &["destroy"], false, Free, Resizing, ALL),
    row("PS18", Gcstop, Idle, &["procresize"], false, Give, Resizing, ALL),
];

/// Every function of the table, as [`site_name`] spells it, with the set of its rows (bit `i` for `ROWS[i]`).
pub fn sites() -> Vec<(String, u32)> {
    let mut sites: Vec<(String, u32)> = Vec::new();
    for (index, row) in ROWS.iter().enumerate() {
        for site in row.sites {
            let name = site_name(site);
            match sites.iter_mut().find(|(known, _)| *known == name) {
                Some((_, rows)) => *rows |= 1 << index,
                None => sites.push((name, 1 << index)),
            }
        }
    }
    sites
}

/// The rows for a change in a release.
pub fn rows(
    profile: &Profile,
    from: PStatus,
    to: PStatus,
    cas: bool,
) -> impl Iterator<Item = (usize, &'static Row)> {
    ROWS.iter().enumerate().filter(move |(_, row)| {
        row.from == from && row.to == to && row.cas == cas && profile.within(row.releases)
    })
}
