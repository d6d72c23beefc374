//! Ways to break what a runtime knows of itself: what tests plant to see that the audit finds it.

use crate::facade::atomic::Ordering::SeqCst;
use crate::facade::getm;
use crate::runq::Put;
use crate::status::GStatus;

/// One such way.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// One more P is counted as idle.
    IdlePs,
    /// One more M is counted as idle.
    IdleMs,
    /// One more M is counted as spinning.
    Spinning,
    /// The goroutine that calls lies in a queue, too.
    RunningInQueue,
    /// The first goroutine of the ring lies there twice.
    TwiceInQueue,
    /// The first goroutine of the ring is nowhere any more.
    Lost,
    /// The P of the caller names no M.
    Unlinked,
    /// The P of the caller is on the idle list.
    IdleAndHeld,
    /// The scan bit of the goroutine that calls is never given back.
    ScanBit,
    /// The runtime is as it was.
    None,
}

impl Damage {
    /// All but the last.
    pub const ALL: &[Self] = &[
        Self::IdlePs,
        Self::IdleMs,
        Self::Spinning,
        Self::RunningInQueue,
        Self::TwiceInQueue,
        Self::Lost,
        Self::Unlinked,
        Self::IdleAndHeld,
        Self::ScanBit,
    ];

    /// Does it to the runtime of the goroutine that calls.
    ///
    /// # Panics
    ///
    /// If the caller is none.
    pub fn plant(self) {
        let mp = getm().expect("on a goroutine");
        let (gp, pp) = (mp.curg().expect("on a goroutine"), mp.p().expect("a goroutine that runs has a P"));
        let sched = mp.sched();
        // SeqCst: one thread of the process runs everything.
        match self {
            Self::IdlePs => drop(sched.npidle.fetch_add(1, SeqCst)),
            Self::IdleMs => sched.lock.lock().nmidle += 1,
            Self::Spinning => drop(sched.nmspinning.fetch_add(1, SeqCst)),
            Self::RunningInQueue => assert!(matches!(pp.runq.put_tail(gp.gs()), Put::Done(_))),
            // Nothing where thieves were faster.
            Self::TwiceInQueue => {
                let twice = pp.runq.get().into_iter().flat_map(|first| [first, first]);
                twice.for_each(|first| assert!(matches!(pp.runq.put_tail(first.gs), Put::Done(_))));
            }
            Self::Lost => drop(pp.runq.get()),
            Self::Unlinked => pp.m.store(std::ptr::null_mut(), SeqCst),
            Self::IdleAndHeld => {
                let mut state = sched.lock.lock();
                // By hand: `pidleput` refuses a P with work.
                pp.link.store(state.pidle, SeqCst);
                state.pidle = std::ptr::from_ref(pp).cast_mut();
            }
            Self::ScanBit => assert!(gp.status.cas_to_scan(GStatus::Running).is_ok()),
            Self::None => {}
        }
    }
}
