//! The choice between yielding and parking, and the two ways to get there: the rules C, NS and AS
//! (Go: `newstack`, `asyncPreempt2`, `wantAsyncPreempt`, `isAsyncSafePoint`, `canPreemptM`).
//!
//! Whoever sets `preemptStop` decides. Only suspendG sets it; time slices, stop-the-world and forEachP
//! never do. So a G parks in Gpreempted only when a suspender is there to claim it; otherwise it would
//! stay there for ever.

use sigurg_traces::{GStatus, PStatus, Reject};

/// What a preempted G does (C1, C2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// `preemptPark`: to Gpreempted, where nobody but a suspender finds it.
    Park,
    /// `gopreempt_m`: back to a queue.
    Yield,
}

impl Choice {
    /// The choice (C1 in `newstack`, C2 in `asyncPreempt2`).
    #[inline]
    pub const fn of(preempt_stop: bool) -> Self {
        if preempt_stop { Self::Park } else { Self::Yield }
    }
}

/// What `newstack` does after a prologue trapped (NS-2 to NS-6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Newstack {
    /// NS-6: the guard was not the poison; the stack really is too small.
    Grow,
    /// NS-3: restore the guard and go on; `preempt` stays, so the last unlock poisons again (C11).
    Decline,
    /// NS-5.
    Preempt(Choice),
}

impl Newstack {
    /// The decision; no status changes before it (INV-43).
    #[inline]
    pub const fn decide(poisoned: bool, can_preempt_m: bool, preempt_stop: bool) -> Self {
        match (poisoned, can_preempt_m) {
            (false, _) => Self::Grow,
            (true, false) => Self::Decline,
            (true, true) => Self::Preempt(Choice::of(preempt_stop)),
        }
    }
}

/// What `canPreemptM` looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MView {
    /// `m.locks`, `m.mallocing` or `m.preemptoff` hold it.
    pub held: bool,
    /// Status of the P it is wired to; `None` without one.
    pub p: Option<PStatus>,
    /// Status of `m.curg`, scan bit removed; `None` without one.
    pub curg: Option<GStatus>,
}

impl MView {
    /// `canPreemptM`: nothing holds the M, its P runs and, since 1.26, its G is not in a system call.
    #[inline]
    pub fn can_preempt(self, asks_for_syscall: bool) -> bool {
        !self.held
            && self.p == Some(PStatus::Running)
            && (!asks_for_syscall || self.curg.is_some_and(|status| status != GStatus::Syscall))
    }
}

/// `wantAsyncPreempt`: is the interrupted G asked to stop? `p.preempt` alone is enough, so a G that was
/// never meant can be preempted.
#[inline]
pub const fn want_async_preempt(g_preempt: bool, p_preempt: bool, status: GStatus) -> bool {
    (g_preempt || p_preempt) && matches!(status.base(), GStatus::Running)
}

/// Where a signal found its M.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Landing {
    /// The interrupted G is the one the M runs, on its own stack (AS-01).
    pub on_curg: bool,
    /// AS-02 to AS-07.
    pub can_preempt: bool,
    /// AS-08.
    pub room_on_stack: bool,
    /// AS-10 to AS-14: what the PC says; `None` where it is safe.
    pub pc: Option<Reject>,
}

impl Landing {
    /// `isAsyncSafePoint`: the first reason to decline in Go's order of tests, or `None` at a safe point.
    #[inline]
    pub const fn decline(self) -> Option<Reject> {
        if !self.on_curg {
            Some(Reject::NotCurg)
        } else if !self.can_preempt {
            Some(Reject::MNotPreemptible)
        } else if !self.room_on_stack {
            Some(Reject::NoStackSpace)
        } else {
            self.pc
        }
    }
}

/// The reasons to decline, with their ids, in Go's order of tests (section 6.4 of the facts).
pub const DECLINES: &[(&str, Reject)] = &[
    ("AS-01", Reject::NotCurg),
    ("AS-02..AS-07", Reject::MNotPreemptible),
    ("AS-08", Reject::NoStackSpace),
    ("AS-09", Reject::Secret),
    ("AS-10", Reject::NotGoCode),
    ("AS-12", Reject::UnsafePoint),
    ("AS-13", Reject::AsmOrNoLocalsMap),
    ("AS-14", Reject::RuntimePackage),
];

/// One store of the signal handler, after it has decided whether to inject (SR-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledge {
    /// `preemptGen += 1`.
    Generation,
    /// `signalPending = 0`.
    Pending,
}

/// The order of the two stores. Go raises the generation first, so a suspender can see it while the mark
/// still closes the gate; X-PENDING turns them round.
#[inline]
pub const fn acknowledgement(clears_pending_first: bool) -> [Acknowledge; 2] {
    if clears_pending_first {
        [Acknowledge::Pending, Acknowledge::Generation]
    } else {
        [Acknowledge::Generation, Acknowledge::Pending]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newstack_never_preempts_an_m_that_is_held_nor_a_guard_in_order() {
        for stop in [false, true] {
            assert_eq!(Newstack::decide(false, true, stop), Newstack::Grow);
            assert_eq!(Newstack::decide(false, false, stop), Newstack::Grow);
            assert_eq!(Newstack::decide(true, false, stop), Newstack::Decline);
            assert_eq!(Newstack::decide(true, true, stop), Newstack::Preempt(Choice::of(stop)));
        }
        assert_eq!(Choice::of(true), Choice::Park);
    }

    #[test]
    fn an_m_is_preemptible_only_with_a_running_p_and_nothing_held() {
        let free = MView { held: false, p: Some(PStatus::Running), curg: Some(GStatus::Running) };
        assert!(free.can_preempt(true));
        assert!(!MView { held: true, ..free }.can_preempt(true));
        assert!(!MView { p: None, ..free }.can_preempt(true));
        assert!(!MView { p: Some(PStatus::Gcstop), ..free }.can_preempt(true));
        let in_syscall = MView { curg: Some(GStatus::Syscall), ..free };
        assert!(in_syscall.can_preempt(false) && !in_syscall.can_preempt(true));
        assert!(!MView { curg: None, ..free }.can_preempt(true));
    }

    #[test]
    fn the_first_failing_test_names_the_reason() {
        let safe = Landing { on_curg: true, can_preempt: true, room_on_stack: true, pc: None };
        assert_eq!(safe.decline(), None);
        let worst =
            Landing { on_curg: false, can_preempt: false, room_on_stack: false, pc: Some(Reject::NotGoCode) };
        assert_eq!(worst.decline(), Some(Reject::NotCurg));
        assert_eq!(Landing { on_curg: true, ..worst }.decline(), Some(Reject::MNotPreemptible));
        assert_eq!(
            Landing { on_curg: true, can_preempt: true, ..worst }.decline(),
            Some(Reject::NoStackSpace)
        );
        assert_eq!(Landing { pc: Some(Reject::NotGoCode), ..safe }.decline(), Some(Reject::NotGoCode));
    }

    #[test]
    fn only_a_running_g_is_wanted() {
        for &status in GStatus::ALL {
            let running = status.base() == GStatus::Running;
            assert_eq!(want_async_preempt(true, false, status), running, "{status}");
            assert_eq!(want_async_preempt(false, true, status), running, "{status}");
            assert!(!want_async_preempt(false, false, status));
        }
    }
}
