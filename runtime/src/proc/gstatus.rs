//! The primitives that change a status, with their waiting and their events.
//!
//! Go: `casgstatus` and its family (PR2 to PR6).

use sigurg_traces::{Kind, Sym, Via};

use crate::facade::atomic::Ordering::Relaxed;
use crate::facade::{nanotime, osyield, procyield};
use crate::g::G;
use crate::m::M;
use crate::status::{GStatus, Snapshot};
use crate::throw::throw;
use crate::trace::{Site, event, named, reason};
use crate::waitreason::WaitReason;

/// How long to spin for a scan bit before yielding the thread, and again between yields, nanoseconds.
const SPIN_NS: i64 = 5_000;
const AGAIN_NS: i64 = 2_500;

impl G {
    /// PR2: changes `from` to `to`, waiting for whoever holds the scan bit.
    #[inline]
    pub(crate) fn casgstatus(&self, mp: &M, from: GStatus, to: GStatus, site: Site) {
        match self.status.cas(from, to) {
            Ok(ver) => tell(mp, self, from, to, Via::Casgstatus, ver, Sym::NONE, site),
            Err(_) => self.casgstatus_slow(mp, from, to, site),
        }
    }

    #[cold]
    fn casgstatus_slow(&self, mp: &M, from: GStatus, to: GStatus, site: Site) {
        let ver = spin(self, mp, from, to, site, Via::Casgstatus, || self.status.cas(from, to));
        tell(mp, self, from, to, Via::Casgstatus, ver, Sym::NONE, site);
    }

    /// A bare exchange that falls back to PR2 (T34, T36).
    #[inline]
    pub(crate) fn casgstatus_direct(&self, mp: &M, from: GStatus, to: GStatus, site: Site) {
        match self.status.cas(from, to) {
            Ok(ver) => tell(mp, self, from, to, Via::Direct, ver, Sym::NONE, site),
            Err(_) => self.casgstatus_slow(mp, from, to, site),
        }
    }

    /// T11: `Running` to `Waiting`, which the caller has given its reason for.
    #[inline]
    pub(crate) fn casgstatus_park(&self, mp: &M, why: WaitReason) {
        match self.status.cas(GStatus::Running, GStatus::Waiting) {
            Ok(ver) => {
                tell(
                    mp,
                    self,
                    GStatus::Running,
                    GStatus::Waiting,
                    Via::Casgstatus,
                    ver,
                    reason(why),
                    Site::ParkM,
                );
            }
            Err(_) => self.casgstatus_slow(mp, GStatus::Running, GStatus::Waiting, Site::ParkM),
        }
    }

    /// PR6: lets suspenders claim the caller's own goroutine while its M works on g0 (T53).
    pub(crate) fn cas_g_to_waiting_for_suspend_g(&self, mp: &M, why: WaitReason, site: Site) {
        // Relaxed: handed over with the change of status.
        self.waitreason.store(why as u8, Relaxed);
        let via = Via::CasGToWaitingForSuspendG;
        let cas = || self.status.cas(GStatus::Running, GStatus::Waiting);
        let ver = match cas() {
            Ok(ver) => ver,
            Err(_) => spin(self, mp, GStatus::Running, GStatus::Waiting, site, via, cas),
        };
        tell(mp, self, GStatus::Running, GStatus::Waiting, via, ver, reason(why), site);
    }

    /// PR3: takes the scan bit of a G in status `from`; one attempt.
    pub(crate) fn castogscanstatus(&self, mp: &M, from: GStatus, site: Site) -> bool {
        match self.status.cas_to_scan(from) {
            Ok(ver) => {
                event(mp, Some(self), site, 0, || Kind::GStatus {
                    from: named(from, false),
                    to: named(from, true),
                    via: Via::Castogscanstatus,
                    ver,
                    reason: Sym::NONE,
                });
                true
            }
            Err(seen) => {
                event(mp, Some(self), site, 0, || Kind::GStatusFail {
                    want_from: named(from, false),
                    want_to: named(from, true),
                    saw: named(seen.base(), seen.has_scan()),
                    via: Via::Castogscanstatus,
                    ver: seen.version(),
                });
                false
            }
        }
    }

    /// PR4: gives the scan bit back.
    pub(crate) fn casfrom_gscanstatus(&self, mp: &M, to: GStatus, site: Site) {
        match self.status.cas_from_scan(to) {
            Ok(ver) => event(mp, Some(self), site, 0, || Kind::GStatus {
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
}

#[inline]
#[allow(clippy::too_many_arguments, reason = "the fields of the event")]
fn tell(mp: &M, gp: &G, from: GStatus, to: GStatus, via: Via, ver: u64, reason: Sym, site: Site) {
    event(mp, Some(gp), site, 0, || Kind::GStatus {
        from: named(from, false),
        to: named(to, false),
        via,
        ver,
        reason,
    });
}

/// Repeats an exchange that somebody's scan bit stands in the way of.
#[cold]
fn spin(
    gp: &G,
    mp: &M,
    from: GStatus,
    to: GStatus,
    site: Site,
    via: Via,
    cas: impl Fn() -> Result<u64, Snapshot>,
) -> u64 {
    let mut told = false;
    let mut yield_at = nanotime() + SPIN_NS;
    loop {
        let seen = match cas() {
            Ok(ver) => return ver,
            Err(seen) => seen,
        };
        if !told {
            told = true;
            event(mp, Some(gp), site, 0, || Kind::GStatusFail {
                want_from: named(from, false),
                want_to: named(to, false),
                saw: named(seen.base(), seen.has_scan()),
                via,
                ver: seen.version(),
            });
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
