//! The algorithm of Go's `selectgo` (select.go).
//!
//! 1. The locks of all channels are taken in one order, natively that of the channels' addresses, so that selects cannot wait for each
//!    other's locks in a circle.
//! 2. The cases are looked at in random order: none of those that are ready is preferred.
//! 3. A select that waits has one node on a queue of each channel and a single [`Wait`]: who wins it completes the
//!    case of the node through which it did.
//! 4. Before the select returns it has taken the lock of each channel whose case was not completed. So no node stays
//!    behind, and whoever still unlocks the channels on its behalf (5) is done with them.
//! 5. The channels are unlocked when the select can already be woken, on another stack perhaps than that on which the
//!    cases lie: nothing of the select is touched after the last unlock.

use super::case::Case;
use super::rand::cheaprandn;
use crate::chan::hchan::{Dir, Hchan, Step, Until};
use crate::chan::waitq::{Claimed, Fate};
use crate::proc::safe_point;
use crate::wait::Wait;
use crate::waitreason::WaitReason;

/// Completes one of `cases` and says which; `None` if none could be completed in time. Its fate says how it ended.
///
/// `pollorder` and `lockorder` have room for as many numbers as there are cases.
pub(super) fn selectgo(
    cases: &[&Case<'_>],
    pollorder: &mut [u16],
    lockorder: &mut [u16],
    until: Until,
) -> Option<usize> {
    safe_point();
    let ready = set_pollorder(cases, pollorder);
    let live = Live { cases, lockorder: set_lockorder(cases, &pollorder[..ready], lockorder) };
    let pollorder = &pollorder[..ready];
    if let (Until::Now, &[only]) = (until, pollorder)
        && live.hchan(only).is_unready(cases[usize::from(only)].dir())
    {
        return None;
    }
    live.lock();
    for &i in pollorder {
        let case = cases[usize::from(i)];
        // SAFETY: all locks are held.
        let (fate, claimed) = match unsafe { try_case(case, live.hchan(i)) } {
            Step::NotReady => continue,
            Step::Closed => (Fate::Closed, None),
            Step::Done(claimed) => (Fate::Done, claimed),
        };
        case.sudog().set_fate(fate);
        // SAFETY: `lock` above.
        unsafe { live.unlock() };
        if let Some(claimed) = claimed {
            // SAFETY: the operation is complete, and this is the one call.
            unsafe { Claimed::ready(claimed) };
        }
        return Some(usize::from(i));
    }
    if matches!(until, Until::Now) {
        // SAFETY: `lock` above.
        unsafe { live.unlock() };
        return None;
    }
    live.park(until)
}

/// Writes the numbers of the cases that have a channel in random order; how many they are.
fn set_pollorder(cases: &[&Case<'_>], pollorder: &mut [u16]) -> usize {
    let mut n = 0;
    for (i, case) in cases.iter().enumerate() {
        if case.hchan().is_some() {
            // One more at the end, then exchanged with a random one: every order is equally likely.
            let j = if n == 0 { 0 } else { cheaprandn(n as u32 + 1) as usize };
            pollorder[n] = pollorder[j];
            pollorder[j] = i as u16;
            n += 1;
        }
    }
    n
}

/// Writes the numbers in `pollorder` in the order of their channels.
fn set_lockorder<'a>(cases: &[&Case<'_>], pollorder: &[u16], lockorder: &'a mut [u16]) -> &'a [u16] {
    let lockorder = &mut lockorder[..pollorder.len()];
    lockorder.copy_from_slice(pollorder);
    lockorder.sort_unstable_by_key(|&i| cases[usize::from(i)].hchan().map(Hchan::order));
    lockorder
}

/// Completes `case` if that needs no waiting.
///
/// # Safety
///
/// The caller holds the lock of `hchan`, which is the channel of `case`.
unsafe fn try_case(case: &Case<'_>, hchan: &Hchan) -> Step {
    let (elem, size) = (case.sudog().elem(), hchan.elemsize());
    // SAFETY: the operation behind the case has a value, or a place for one, of the channel's type at `elem`.
    unsafe {
        match case.dir() {
            Dir::Send => hchan.send_locked(elem, size),
            Dir::Recv => hchan.recv_locked(elem, size),
        }
    }
}

/// The cases of a select that have a channel.
#[derive(Clone, Copy)]
struct Live<'a> {
    cases: &'a [&'a Case<'a>],
    lockorder: &'a [u16],
}

impl<'a> Live<'a> {
    fn hchan(self, i: u16) -> &'a Hchan {
        match self.cases[usize::from(i)].hchan() {
            Some(hchan) => hchan,
            None => unreachable!("a case without a channel is in no order"),
        }
    }

    /// Whether the `k`th in `lockorder` is the first of its channel.
    fn is_first(self, k: usize) -> bool {
        k == 0 || !std::ptr::eq(self.hchan(self.lockorder[k - 1]), self.hchan(self.lockorder[k]))
    }

    /// Takes the lock of each channel once. Go: `sellock`.
    fn lock(self) {
        (0..self.lockorder.len())
            .filter(|&k| self.is_first(k))
            .for_each(|k| self.hchan(self.lockorder[k]).lock());
    }

    /// Gives them back. Touches nothing of the select after the last. Go: `selunlock`.
    ///
    /// # Safety
    ///
    /// The calling thread took them by `lock`.
    unsafe fn unlock(self) {
        for k in (0..self.lockorder.len()).rev() {
            if self.is_first(k) {
                // SAFETY: taken once for the first case of each channel.
                unsafe { self.hchan(self.lockorder[k]).unlock() };
            }
        }
    }

    /// Waits until another thread or goroutine completes a case. The locks are held.
    fn park(self, until: Until) -> Option<usize> {
        let deadline = until.deadline();
        let wait = Wait::new();
        for &i in self.lockorder {
            let case = self.cases[usize::from(i)];
            // SAFETY: the locks are held; both stay in place until the case is completed or `cancel` has returned.
            unsafe { self.hchan(i).enqueue(case.dir(), case.sudog(), &wait) };
        }
        let reason = if self.lockorder.is_empty() { WaitReason::SelectNoCases } else { WaitReason::Select };
        // SAFETY: the locks are held; the M that runs this is the one that took them.
        wait.block_until(deadline, reason, move || unsafe { self.unlock() });
        let mut chosen = None;
        for &i in self.lockorder {
            let case = self.cases[usize::from(i)];
            match case.sudog().fate() {
                // SAFETY: it was put on this very queue.
                Fate::Waiting => unsafe { self.hchan(i).cancel(case.dir(), case.sudog()) },
                Fate::Done | Fate::Closed => chosen = Some(usize::from(i)),
            }
        }
        chosen
    }
}
