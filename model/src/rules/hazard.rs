//! Hazards: what real Go can do wrong by following its own rules. A profile of Go must show them, the
//! `sigurg` profile must not (ids R-xx of the facts page).

use crate::profile::{Profile, ReasonWriter};

/// A hazard that the search has to find by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hazard {
    ///
    SwallowedSignal,
    ///
    RateLimitedRetryLost,
    ///
    LateLoserWritesReason,
    ///
    ScanBitHidesSyscallP,
    /// R-51w: the window of `entersyscall`, found by reading and untried on the runtime.
    EntersyscallWindow,
    ///
    AckOvertakesPending,
}

impl Hazard {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::SwallowedSignal,
        Self::RateLimitedRetryLost,
        Self::LateLoserWritesReason,
        Self::ScanBitHidesSyscallP,
        Self::EntersyscallWindow,
        Self::AckOvertakesPending,
    ];

    /// The id.
    pub const fn id(self) -> &'static str {
        match self {
            Self::SwallowedSignal => "R-04",
            Self::RateLimitedRetryLost => "R-06",
            Self::LateLoserWritesReason => "R-09",
            Self::ScanBitHidesSyscallP => "R-51",
            Self::EntersyscallWindow => "R-51w",
            Self::AckOvertakesPending => "R-52",
        }
    }

    /// One sentence.
    pub const fn title(self) -> &'static str {
        match self {
            Self::SwallowedSignal => {
                "a signal that arrives after its thread returned to C is swallowed, and its pending mark closes the gate for good"
            }
            Self::RateLimitedRetryLost => {
                "suspendG forgets a request that its rate limit held back, and signals no more"
            }
            Self::LateLoserWritesReason => {
                "the loser of Gpreempted -> Gwaiting overwrites the wait reason of a G that is not its own"
            }
            Self::ScanBitHidesSyscallP => {
                "a scan bit hides a P in a system call from stop-the-world, which tries it only once"
            }
            Self::EntersyscallWindow => {
                "entersyscall looks at gcwaiting before its status change and not after, so stop-the-world misses its P"
            }
            Self::AckOvertakesPending => {
                "the new generation is seen before the pending mark is cleared, and the request is lost at the gate"
            }
        }
    }

    /// Whether a profile's rules have the hazard.
    pub const fn is_in(self, profile: &Profile) -> bool {
        match self {
            Self::SwallowedSignal => profile.has_signal_gate && !profile.clears_pending_in_needm,
            Self::RateLimitedRetryLost => !profile.remembers_unsent_request,
            Self::LateLoserWritesReason => matches!(profile.preempted_reason, ReasonWriter::Claimant),
            Self::ScanBitHidesSyscallP | Self::EntersyscallWindow => {
                profile.retakes_by_scan_bit && !profile.retries_syscall_ps
            }
            Self::AckOvertakesPending => {
                profile.has_signal_gate && !profile.clears_pending_first && !profile.remembers_unsent_request
            }
        }
    }
}
