//! The primitives through which a G status word changes (PR1 to PR9), and what each accepts.
//!
//! There is no plain store to a status word anywhere. PR1 reads and changes nothing; PR10
//! (`casgcopystack`) never had a caller and appears in no trace.

use sigurg_traces::{GStatus, Via};

use crate::profile::Releases;

/// What a primitive does when the word does not hold what it wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// Tries until it succeeds.
    Spins,
    /// Reports it, once.
    Returns,
    /// Throws: only the holder may change the word, so a failure is a bug.
    Throws,
}

/// One primitive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Primitive {
    /// Id of the facts page.
    pub id: &'static str,
    /// Its name in traces.
    pub via: Via,
    /// Releases that have it under this name.
    pub releases: Releases,
    /// What a failed attempt does.
    pub on_failure: OnFailure,
}

/// Every primitive that appears in traces.
pub const PRIMITIVES: &[Primitive] = &[
    Primitive { id: "PR2", via: Via::Casgstatus, releases: Releases::ALL, on_failure: OnFailure::Spins },
    Primitive {
        id: "PR3",
        via: Via::Castogscanstatus,
        releases: Releases::ALL,
        on_failure: OnFailure::Returns,
    },
    Primitive {
        id: "PR4",
        via: Via::CasfromGscanstatus,
        releases: Releases::ALL,
        on_failure: OnFailure::Throws,
    },
    Primitive {
        id: "PR5",
        via: Via::CasGToWaiting,
        releases: Releases::since(20),
        on_failure: OnFailure::Spins,
    },
    Primitive {
        id: "PR6",
        via: Via::CasGToWaitingForSuspendG,
        releases: Releases::since(24),
        on_failure: OnFailure::Spins,
    },
    Primitive {
        id: "PR6",
        via: Via::CasGToWaitingForGC,
        releases: Releases::between(23, 23),
        on_failure: OnFailure::Spins,
    },
    Primitive {
        id: "PR7",
        via: Via::CasGToPreemptScan,
        releases: Releases::ALL,
        on_failure: OnFailure::Spins,
    },
    Primitive {
        id: "PR8",
        via: Via::CasGFromPreempted,
        releases: Releases::ALL,
        on_failure: OnFailure::Returns,
    },
    Primitive { id: "PR9", via: Via::Direct, releases: Releases::ALL, on_failure: OnFailure::Returns },
];

/// What a failed attempt through `via` does.
pub const fn on_failure(via: Via) -> OnFailure {
    match via {
        Via::Castogscanstatus | Via::CasGFromPreempted | Via::Direct => OnFailure::Returns,
        Via::CasfromGscanstatus => OnFailure::Throws,
        Via::Casgstatus
        | Via::CasGToPreemptScan
        | Via::CasGToWaiting
        | Via::CasGToWaitingForSuspendG
        | Via::CasGToWaitingForGC => OnFailure::Spins,
    }
}

/// Whether the primitive accepts the pair at all; anything else makes Go throw "bad incoming values".
pub fn accepts(via: Via, from: GStatus, to: GStatus) -> bool {
    use GStatus::*;
    match via {
        Via::Casgstatus => !from.has_scan() && !to.has_scan() && from != to,
        Via::Castogscanstatus => {
            matches!(from, Runnable | Running | Waiting | Syscall | Leaked | Deadextra)
                && Some(to) == from.with_scan()
        }
        Via::CasfromGscanstatus => from.has_scan() && to == from.base(),
        Via::CasGToWaiting | Via::CasGToWaitingForSuspendG | Via::CasGToWaitingForGC => {
            !from.has_scan() && to == Waiting && from != to
        }
        Via::CasGToPreemptScan => from == Running && to == Scanpreempted,
        Via::CasGFromPreempted => from == Preempted && to == Waiting,
        // X-ADOPT takes the scan bit with the change.
        Via::Direct => {
            !from.has_scan() && !to.has_scan() && from != to || (from, to) == (Running, Scansyscall)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scan_bit_is_set_and_cleared_only_by_its_own_primitives_and_never_changes_the_state_below_it() {
        for &via in Via::ALL {
            for &from in GStatus::ALL {
                for &to in GStatus::ALL {
                    if !accepts(via, from, to) {
                        continue;
                    }
                    assert_ne!(from, to);
                    let own = match via {
                        Via::Castogscanstatus | Via::CasfromGscanstatus => from.base() == to.base(),
                        Via::CasGToPreemptScan => from == GStatus::Running,
                        Via::Direct if to.has_scan() => from == GStatus::Running,
                        _ => !from.has_scan() && !to.has_scan(),
                    };
                    assert!(own, "{via} {from} {to}");
                }
            }
        }
    }

    #[test]
    fn every_primitive_is_described_once_per_name() {
        for &via in Via::ALL {
            let described: Vec<_> = PRIMITIVES.iter().filter(|primitive| primitive.via == via).collect();
            assert_eq!(described.len(), 1, "{via}");
            assert_eq!(described[0].on_failure, on_failure(via), "{via}");
        }
    }
}
