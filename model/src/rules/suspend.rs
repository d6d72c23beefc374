//! suspendG and resumeG, the rules SG and RG (Go: `preempt.go`).
//!
//! A suspender wants the right to look at a G that stands still. It loops: read the status, do what the
//! status allows, wait a little, again. What it ends with is one of [`Suspended`].
//!
//! 1. The scan bit has one holder, from the claim (SG-2) to `resumeG` (RG-2). Otherwise two suspenders
//!    would read a stack that one of them has already let run.
//! 2. Only the winner of T18 (Gpreempted to Gwaiting) owes a ready, exactly one, after it has let go of the
//!    scan bit. Otherwise a stopped G would run twice or never.
//! 3. A running G is *asked*, inside the short window of Gscanrunning in which no status change can happen;
//!    the signal is sent after the window. Otherwise the G could spin against its own suspender.
//!
//! The whole step machine, action by action, is `machine::suspender`; the checker follows the same
//! functions from the outside.

use sigurg_traces::GStatus;

/// What one turn of suspendG's loop does about the status it read (SG-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Branch {
    /// B-dead: return; nothing is held, and the G may be born again at once.
    Dead,
    /// B-scan: somebody else holds the scan bit. Wait.
    HeldByOther,
    /// B-copy: the stack is moving. Wait.
    Copying,
    /// B-pre: try T18; the winner goes on to claim in the same turn.
    TakePreempted,
    /// B-claim: try to set the scan bit on a G that does not run.
    Claim,
    /// B-run: ask it to stop (SG-3 to SG-8).
    Request,
    /// B-bad: Go throws "invalid g status".
    Invalid,
}

impl Branch {
    /// The branch for a status (SG-1).
    #[inline]
    pub const fn of(status: GStatus) -> Self {
        use GStatus::*;
        match status {
            Dead | Deadextra => Self::Dead,
            Copystack => Self::Copying,
            Preempted => Self::TakePreempted,
            Runnable | Syscall | Waiting | Leaked => Self::Claim,
            Running => Self::Request,
            Idle => Self::Invalid,
            Scanrunnable | Scanrunning | Scansyscall | Scanwaiting | Scanpreempted | Scanleaked
            | Scandeadextra => Self::HeldByOther,
        }
    }
}

/// What a suspender reads before it asks again (SG-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EarlierRequest {
    /// `gp.preemptStop && gp.preempt && gp.stackguard0 == stackPreempt`: all three still stand.
    pub flags_stand: bool,
    /// The G is on the M that was asked.
    pub same_m: bool,
    /// That M has acknowledged no signal since.
    pub same_generation: bool,
    /// X-REMEMBER: the signal of that request has not been sent yet. Go forgets this.
    pub unsent: bool,
}

/// What SG-3 decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// The earlier request of this same call is still pending: do nothing.
    No,
    /// X-REMEMBER: send the signal that is still owed, without opening the window again.
    SendOnly,
    /// Open the window and ask (SG-4).
    Yes,
}

impl EarlierRequest {
    /// SG-3. The first turn of a call has asked nobody, so `same_m` is false and the answer is [`Ask::Yes`].
    #[inline]
    pub const fn ask(self) -> Ask {
        if !(self.flags_stand && self.same_m && self.same_generation) {
            Ask::Yes
        } else if self.unsent {
            Ask::SendOnly
        } else {
            Ask::No
        }
    }
}

/// SG-6: whether this request needs a signal of its own.
///
/// True on the first request, after the G moved to another M, and after any acknowledgement on that M.
#[inline]
pub const fn needs_signal(same_m: bool, same_generation: bool) -> bool {
    !(same_m && same_generation)
}

/// SG-8: least time between two signals of one call, in nanoseconds.
pub const SIGNAL_INTERVAL_NS: u64 = 5_000;

/// What suspendG returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suspended {
    /// Nothing is held.
    Dead,
    /// The scan bit is held; the G stays where it was.
    Claimed,
    /// The scan bit is held on Gscanwaiting, and the caller owes the G one ready.
    Stopped,
}

impl Suspended {
    /// Whether a call may return this while the G has that status; section 3, "Results".
    pub const fn fits(self, status: GStatus) -> bool {
        use GStatus::*;
        match self {
            Self::Dead => matches!(status, Dead | Deadextra),
            Self::Claimed => matches!(status, Scanrunnable | Scansyscall | Scanwaiting | Scanleaked),
            Self::Stopped => matches!(status, Scanwaiting),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_tried_exactly_where_the_scan_bit_may_be_set_without_asking() {
        for &status in GStatus::ALL {
            let claimable =
                matches!(status, GStatus::Runnable | GStatus::Syscall | GStatus::Waiting | GStatus::Leaked);
            assert_eq!(Branch::of(status) == Branch::Claim, claimable, "{status}");
            assert_eq!(Branch::of(status) == Branch::HeldByOther, status.has_scan(), "{status}");
        }
    }

    #[test]
    fn a_request_is_repeated_when_any_part_of_it_is_lost() {
        let pending =
            EarlierRequest { flags_stand: true, same_m: true, same_generation: true, unsent: false };
        assert_eq!(pending.ask(), Ask::No);
        assert_eq!(EarlierRequest { unsent: true, ..pending }.ask(), Ask::SendOnly);
        for lost in [
            EarlierRequest { flags_stand: false, ..pending },
            EarlierRequest { same_m: false, ..pending },
            EarlierRequest { same_generation: false, ..pending },
        ] {
            assert_eq!(lost.ask(), Ask::Yes, "{lost:?}");
            assert_eq!(EarlierRequest { unsent: true, ..lost }.ask(), Ask::Yes, "{lost:?}");
        }
    }

    #[test]
    fn stopped_is_only_ever_returned_with_a_waiting_g() {
        for &status in GStatus::ALL {
            assert_eq!(Suspended::Stopped.fits(status), status == GStatus::Scanwaiting);
            assert!(!(Suspended::Dead.fits(status) && Suspended::Claimed.fits(status)));
        }
    }
}
