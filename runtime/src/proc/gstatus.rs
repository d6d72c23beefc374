//! The primitives that change a status, with their waiting and their events.
//!
//! Go: `casgstatus` and its family (PR2 to PR8).

use sigurg_traces::{Kind, Sym, Via};

use crate::facade::atomic::Ordering::Relaxed;
use crate::facade::{nanotime, osyield, procyield};
use crate::g::G;
use crate::m::M;
use crate::status::{GStatus, Snapshot};
use crate::throw::throw;
use crate::trace::{Site, about, event, event_about, named, reason};
use crate::waitreason::WaitReason;

/// How long to spin for a scan bit before yielding the thread, and again between yields, nanoseconds.
const SPIN_NS: i64 = 5_000;
const AGAIN_NS: i64 = 2_500;

/// A status, and whether with the scan bit.
type Word = (GStatus, bool);

const fn plain(status: GStatus) -> Word {
    (status, false)
}

const fn scan(status: GStatus) -> Word {
    (status, true)
}

impl G {
    /// PR2: changes `from` to `to`, waiting for whoever holds the scan bit.
    #[inline]
    pub(crate) fn casgstatus(&self, mp: &M, from: GStatus, to: GStatus, site: Site) {
        self.change(mp, from, to, Via::Casgstatus, Sym::NONE, site);
    }

    /// A bare exchange that falls back to PR2 (T34, T36).
    #[inline]
    pub(crate) fn casgstatus_direct(&self, mp: &M, from: GStatus, to: GStatus, site: Site) {
        match self.status.cas(from, to) {
            Ok(ver) => changed(mp, self, plain(from), plain(to), Via::Direct, ver, Sym::NONE, site),
            Err(_) => self.casgstatus(mp, from, to, site),
        }
    }

    /// T11: `Running` to `Waiting`, which the caller has given its reason for.
    #[inline]
    pub(crate) fn casgstatus_park(&self, mp: &M, why: WaitReason) {
        self.change(mp, GStatus::Running, GStatus::Waiting, Via::Casgstatus, reason(why), Site::ParkM);
    }

    /// PR6: lets suspenders claim the caller's own goroutine while its M works on g0 (T53).
    pub(crate) fn cas_g_to_waiting_for_suspend_g(&self, mp: &M, why: WaitReason, site: Site) {
        // Relaxed: handed over with the change of status.
        self.waitreason.store(why as u8, Relaxed);
        self.change(mp, GStatus::Running, GStatus::Waiting, Via::CasGToWaitingForSuspendG, reason(why), site);
    }

    #[inline]
    fn change(&self, mp: &M, from: GStatus, to: GStatus, via: Via, why: Sym, site: Site) {
        let ver = match self.status.cas(from, to) {
            Ok(ver) => ver,
            Err(_) => spin(self, mp, from, to, site, via),
        };
        changed(mp, self, plain(from), plain(to), via, ver, why, site);
    }

    /// PR3: takes the scan bit of a G in status `from`; one attempt.
    pub(crate) fn castogscanstatus(&self, mp: &M, from: GStatus, site: Site) -> bool {
        let via = Via::Castogscanstatus;
        match self.status.cas_to_scan(from) {
            Ok(ver) => changed(mp, self, plain(from), scan(from), via, ver, Sym::NONE, site),
            Err(seen) => {
                failed(mp, self, plain(from), scan(from), seen, via, site);
                return false;
            }
        }
        true
    }

    /// PR4: gives the scan bit back.
    pub(crate) fn casfrom_gscanstatus(&self, mp: &M, to: GStatus, site: Site) {
        // Before it can go on: by the time of the event it may have ended and begun another life.
        let it = about(mp, self);
        match self.status.cas_from_scan(to) {
            Ok(ver) => event_about(mp, it, site, 0, || Kind::GStatus {
                from: named(to, true),
                to: named(to, false),
                via: Via::CasfromGscanstatus,
                ver,
                reason: Sym::NONE,
            }),
            Err(seen) => throw!(
                "casfrom_Gscanstatus: goroutine {} is {:?}, its scan bit is not held",
                self.goid(),
                seen.base()
            ),
        }
    }

    /// X-ADOPT: `Running` to `Syscall` with the scan bit; one attempt.
    pub(crate) fn cas_g_to_adopted(&self, mp: &M, site: Site) -> bool {
        let Ok(ver) = self.status.cas_to_adopted() else { return false };
        changed(mp, self, plain(GStatus::Running), scan(GStatus::Syscall), Via::Direct, ver, Sym::NONE, site);
        true
    }

    /// PR7: `Running` to `Preempted` with the scan bit (T16). Waits for a suspender in its window only.
    pub(crate) fn cas_g_to_preempt_scan(&self, mp: &M, site: Site) {
        let ver = loop {
            match self.status.cas_to_preempt_scan() {
                Ok(ver) => break ver,
                Err(seen) if seen.base() == GStatus::Running => procyield(1),
                Err(seen) => throw!("preempt_park: goroutine {} is {:?}", self.goid(), seen.base()),
            }
        };
        let (from, to) = (plain(GStatus::Running), scan(GStatus::Preempted));
        changed(mp, self, from, to, Via::CasGToPreemptScan, ver, Sym::NONE, site);
    }

    /// PR8: `Preempted` to `Waiting` (T18); one attempt.
    pub(crate) fn cas_g_from_preempted(&self, mp: &M, site: Site) -> bool {
        let (from, to, via) = (plain(GStatus::Preempted), plain(GStatus::Waiting), Via::CasGFromPreempted);
        match self.status.cas(GStatus::Preempted, GStatus::Waiting) {
            Ok(ver) => {
                let why = WaitReason::Preempted;
                // Relaxed: for people. Only the winner writes it.
                self.waitreason.store(why as u8, Relaxed);
                changed(mp, self, from, to, via, ver, reason(why), site);
            }
            Err(seen) => {
                failed(mp, self, from, to, seen, via, site);
                return false;
            }
        }
        true
    }
}

#[inline]
#[allow(clippy::too_many_arguments, reason = "the fields of the event")]
fn changed(mp: &M, gp: &G, from: Word, to: Word, via: Via, ver: u64, reason: Sym, site: Site) {
    event(mp, Some(gp), site, 0, || Kind::GStatus {
        from: named(from.0, from.1),
        to: named(to.0, to.1),
        via,
        ver,
        reason,
    });
}

fn failed(mp: &M, gp: &G, from: Word, to: Word, seen: Snapshot, via: Via, site: Site) {
    event(mp, Some(gp), site, 0, || Kind::GStatusFail {
        want_from: named(from.0, from.1),
        want_to: named(to.0, to.1),
        saw: named(seen.base(), seen.has_scan()),
        via,
        ver: seen.version(),
    });
}

/// Repeats an exchange that somebody's scan bit stands in the way of.
#[cold]
fn spin(gp: &G, mp: &M, from: GStatus, to: GStatus, site: Site, via: Via) -> u64 {
    let mut told = false;
    let mut yield_at = nanotime() + SPIN_NS;
    loop {
        let seen = match gp.status.cas(from, to) {
            Ok(ver) => return ver,
            Err(seen) => seen,
        };
        if !told {
            told = true;
            failed(mp, gp, plain(from), plain(to), seen, via, site);
        }
        if from == GStatus::Waiting && seen.is(GStatus::Runnable) {
            throw!("casgstatus: goroutine {} is readied twice", gp.goid());
        }
        if nanotime() < yield_at {
            for _ in 0..10 {
                if gp.status.load().is(from) {
                    break;
                }
                procyield(1);
            }
        } else {
            osyield();
            yield_at = nanotime() + AGAIN_NS;
        }
    }
}
