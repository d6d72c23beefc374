//! Run queues: where a G that becomes runnable goes (table 8.3), and how many move at once.
//!
//! **Custody.** A runnable G is in exactly one place: one slot of one queue, or the hand of one M. A put
//! moves it from hand to slot, a get or a steal from slot to hand, execute from hand to running.

use sigurg_traces::Queue;

use crate::profile::Profile;
use crate::rules::transition::Change;

/// Slots of a P's ring; full, it gives half of them to the global queue, beside the one that did not fit (INV-32).
pub const RING: u32 = 256;

/// What a thief takes of a ring that holds `n`: half, rounded up (INV-33).
pub const fn steal_size(n: u32) -> u32 {
    n - n / 2
}

/// Why a G is in a hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Grip {
    /// T03: newproc.
    Born,
    /// T19 with `next`.
    ReadyNext,
    /// T19 without: `gcFlushBgCredit`.
    ReadyLast,
    /// T20.
    Injected,
    /// T21 to T27: the finder runs it.
    Found,
    /// T12, T30: run at once, in the same time slice.
    Continued,
    /// T13.
    Yielded,
    /// T14.
    Preempted,
    /// T15.
    Goyielded,
    /// T29.
    DebugYielded,
    /// T33: never queued.
    Coroutine,
    /// T37, T38.
    NoP,
    /// Popped from a runnext.
    PoppedNext,
    /// Popped from a ring or the global queue.
    Popped,
    /// Stolen.
    Stolen,
    /// Pushed out of a runnext.
    Kicked,
    /// Half of a full ring.
    Spilled,
    /// The whole queue of a P, or of a P that goes away.
    Drained,
    /// Given to the M that it is locked to.
    Handed,
}

/// A set of queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queues(u8);

impl Queues {
    const fn of(queues: &[Queue]) -> Self {
        let (mut set, mut i) = (0, 0);
        while i < queues.len() {
            set |= 1 << queues[i] as u8;
            i += 1;
        }
        Self(set)
    }

    /// Whether the queue is one of them.
    #[inline]
    pub const fn contains(self, queue: Queue) -> bool {
        self.0 & 1 << queue as u8 != 0
    }

    /// The queues.
    pub fn iter(self) -> impl Iterator<Item = Queue> {
        Queue::ALL.iter().copied().filter(move |queue| self.contains(*queue))
    }
}

/// The queues that a G in that grip may be put on.
pub const fn placement(grip: Grip, profile: &Profile) -> Queues {
    use Queue::{Disabled, Global, Local, Runnext};
    match grip {
        Grip::Born | Grip::ReadyNext => Queues::of(&[Runnext]),
        // A put on the ring becomes one on the global queue where the ring is full (runqputslow).
        Grip::ReadyLast | Grip::Goyielded | Grip::Kicked | Grip::Injected => Queues::of(&[Local, Global]),
        Grip::Yielded | Grip::DebugYielded | Grip::NoP | Grip::Spilled | Grip::Drained => {
            Queues::of(&[Global])
        }
        Grip::Preempted if profile.stw_preempted_goes_to_runnext => Queues::of(&[Global, Runnext]),
        Grip::Preempted => Queues::of(&[Global]),
        // What a batch from the global queue or a thief keeps; a G that may not run now is set aside.
        Grip::Popped => Queues::of(&[Local, Global, Disabled]),
        // X-PARK: one without a thread, where a goroutine is looked for that has its own.
        Grip::Stolen if profile.parks_in_handler => Queues::of(&[Local, Global, Disabled]),
        Grip::Stolen => Queues::of(&[Local, Disabled]),
        Grip::PoppedNext | Grip::Found => Queues::of(&[Disabled]),
        Grip::Continued | Grip::Coroutine | Grip::Handed => Queues::of(&[]),
    }
}

/// Whether execute of a G in that grip inherits the time slice; `None` where the G is never executed from it.
pub const fn inherits_time(grip: Grip) -> Option<bool> {
    match grip {
        // T28: the G of a debug call is run by its creator, in the caller's time slice.
        Grip::Continued | Grip::PoppedNext | Grip::Born => Some(true),
        Grip::Found | Grip::NoP | Grip::Popped | Grip::Stolen | Grip::Handed => Some(false),
        Grip::ReadyNext
        | Grip::ReadyLast
        | Grip::Injected
        | Grip::Yielded
        | Grip::Preempted
        | Grip::Goyielded
        | Grip::DebugYielded
        | Grip::Coroutine
        | Grip::Kicked
        | Grip::Spilled
        | Grip::Drained => None,
    }
}

/// The grip in which a change leaves a G that it made runnable.
pub const fn grip_of(change: Change) -> Option<Grip> {
    Some(match change {
        Change::Born => Grip::Born,
        Change::Ready => Grip::ReadyNext,
        Change::Inject => Grip::Injected,
        Change::Find => Grip::Found,
        Change::AbortPark | Change::DebugReady => Grip::Continued,
        Change::Yield => Grip::Yielded,
        Change::Goyield => Grip::Goyielded,
        Change::DebugYield => Grip::DebugYielded,
        Change::CoroReady => Grip::Coroutine,
        Change::ExitsyscallNoP => Grip::NoP,
        _ => return None,
    })
}
