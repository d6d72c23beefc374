//! The status word of a G: its status, the scan bit and a version, in one atomic word.
//!
//! 1. The word changes only by the compare-and-swaps of this file; each raises the version by one, so the history
//!    of one G is a chain that needs no clock.
//! 2. Whoever set the scan bit owns the transitions (and, but for `Running`, the stack) until the same caller clears it.
//! 3. Nothing here decides whether a transition is legal beyond what Go's primitives refuse: that is the model's.
//!
//! Orderings: Go's rule is that these operations are sequentially consistent. What the protocols need of that is
//! Acquire and Release on each change, because every datum of a G is handed over with a change of its status; the
//! few places that need a store of one word ordered before a load of another carry their own SeqCst fences.
//!
//! Go: section 2.1 of the state rules, PR1 to PR8 (`proc.go`).

use crate::facade::atomic::AtomicU64;
use crate::facade::atomic::Ordering::{Acquire, Release};

/// Status of a G without the scan bit; Go's own numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum GStatus {
    Idle = 0,
    Runnable = 1,
    Running = 2,
    Syscall = 3,
    Waiting = 4,
    Dead = 6,
    Copystack = 8,
    Preempted = 9,
}

/// The bit that locks transitions.
const SCAN: u64 = 0x1000;
const STATUS: u64 = 0xffff;
/// One step of the version.
const STEP: u64 = 0x1_0000;

/// What a status word said at one moment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Snapshot(u64);

impl Snapshot {
    /// The status without the scan bit.
    #[inline]
    pub(crate) fn base(self) -> GStatus {
        match self.0 & STATUS & !SCAN {
            0 => GStatus::Idle,
            1 => GStatus::Runnable,
            2 => GStatus::Running,
            3 => GStatus::Syscall,
            4 => GStatus::Waiting,
            6 => GStatus::Dead,
            8 => GStatus::Copystack,
            9 => GStatus::Preempted,
            other => unreachable!("no G has status {other:#x}: only GStatus values are ever stored"),
        }
    }

    /// Whether somebody holds the scan bit.
    #[inline]
    pub(crate) fn has_scan(self) -> bool {
        self.0 & SCAN != 0
    }

    /// Whether the word is exactly `status`, without scan bit.
    #[inline]
    pub(crate) fn is(self, status: GStatus) -> bool {
        self.0 & STATUS == status as u64
    }

    /// How often the word had changed.
    #[inline]
    pub(crate) fn version(self) -> u64 {
        self.0 >> 16
    }
}

/// See the module.
pub(crate) struct StatusWord(AtomicU64);

impl StatusWord {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(GStatus::Idle as u64))
    }

    /// PR1 readgstatus.
    #[inline]
    pub(crate) fn load(&self) -> Snapshot {
        // Acquire pairs with the Release half of `swap`: who sees a status sees what was done before it.
        Snapshot(self.0.load(Acquire))
    }

    /// Changes `from` to `to`; the version after the change, or what stood there instead.
    ///
    /// It fails only if another status stands there, as Go's, whose word has no version: not if the word went through other
    /// statuses and came back between the look and the exchange.
    #[inline]
    fn swap(&self, from: u64, to: u64) -> Result<u64, Snapshot> {
        // Acquire: only a guess, which the exchange checks; its failure is returned as a reading.
        let mut seen = self.0.load(Acquire);
        while seen & STATUS == from {
            let new = (seen & !STATUS).wrapping_add(STEP) | to;
            // Release hands over what was done under the old status: pairs with the Acquire here and in `load`. What was done under
            // the status before is seen already: by its version, the exchange finds the very store that was acquired.
            match self.0.compare_exchange(seen, new, Release, Acquire) {
                Ok(_) => return Ok(new >> 16),
                Err(found) => seen = found,
            }
        }
        Err(Snapshot(seen))
    }

    /// One attempt of PR2, or of a direct compare-and-swap: `from` to `to`, neither with the scan bit.
    #[inline]
    pub(crate) fn cas(&self, from: GStatus, to: GStatus) -> Result<u64, Snapshot> {
        self.swap(from as u64, to as u64)
    }

    /// PR3 castogscanstatus: takes the scan bit of a G in status `from`.
    #[inline]
    pub(crate) fn cas_to_scan(&self, from: GStatus) -> Result<u64, Snapshot> {
        self.swap(from as u64, from as u64 | SCAN)
    }

    /// X-ADOPT: `Running` to `Syscall` with the scan bit, by somebody else than its M.
    #[inline]
    pub(crate) fn cas_to_adopted(&self) -> Result<u64, Snapshot> {
        self.swap(GStatus::Running as u64, GStatus::Syscall as u64 | SCAN)
    }

    /// PR4 casfrom_Gscanstatus: gives the scan bit back. Only its holder may; a failure is a broken rule.
    #[inline]
    pub(crate) fn cas_from_scan(&self, to: GStatus) -> Result<u64, Snapshot> {
        self.swap(to as u64 | SCAN, to as u64)
    }

    /// One attempt of PR7 casGToPreemptScan: `Running` to `Preempted` with the scan bit.
    #[inline]
    pub(crate) fn cas_to_preempt_scan(&self) -> Result<u64, Snapshot> {
        self.swap(GStatus::Running as u64, GStatus::Preempted as u64 | SCAN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_raises_the_version_by_one_and_a_failure_changes_nothing() {
        let word = StatusWord::new();
        assert_eq!(word.cas(GStatus::Idle, GStatus::Dead).ok(), Some(1));
        assert!(word.cas(GStatus::Idle, GStatus::Dead).is_err());
        assert_eq!(word.cas(GStatus::Dead, GStatus::Waiting).ok(), Some(2));
        assert_eq!(word.cas_to_scan(GStatus::Waiting).ok(), Some(3));
        let seen = word.load();
        assert!(seen.has_scan() && seen.base() == GStatus::Waiting && seen.version() == 3);
        assert!(!seen.is(GStatus::Waiting));
        assert!(word.cas(GStatus::Waiting, GStatus::Runnable).is_err(), "the scan bit locks transitions");
        assert!(word.cas_to_scan(GStatus::Waiting).is_err(), "the scan bit has one holder");
        assert_eq!(word.cas_from_scan(GStatus::Waiting).ok(), Some(4));
        assert!(word.load().is(GStatus::Waiting));
    }

    #[test]
    fn of_two_who_claim_the_scan_bit_one_wins() {
        let rounds = if cfg!(miri) { 20 } else { 20_000 };
        let word = StatusWord::new();
        word.cas(GStatus::Idle, GStatus::Dead).ok();
        word.cas(GStatus::Dead, GStatus::Waiting).ok();
        let won = std::thread::scope(|scope| {
            let claim = || {
                (0..rounds)
                    .filter(|_| {
                        let won = word.cas_to_scan(GStatus::Waiting).is_ok();
                        if won {
                            assert!(
                                word.cas_from_scan(GStatus::Waiting).is_ok(),
                                "only the holder clears it"
                            );
                        }
                        won
                    })
                    .count()
            };
            let other = scope.spawn(claim);
            claim() + other.join().unwrap()
        });
        assert_eq!(word.load().version(), 2 + 2 * won as u64);
    }
}
