//! The right to run goroutines, and what goes with it: a run queue, timers, a free list.
//!
//! A `P` is made once and never freed. Its status word carries a version like that of a G; who may change it is in
//! section 9 of the state rules. *Owner*: the M that holds it.
//!
//! Go: `p` (runtime2.go).

use std::ptr;

use crate::facade::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::facade::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicU32, AtomicU64};
use crate::gfree::GFree;
use crate::m::M;
use crate::runq::Runq;
use crate::timer::Timers;

/// Status of a P; Go's own numbers. Go's 2, `Psyscall`, is unused since 1.26 and here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum PStatus {
    Idle = 0,
    Running = 1,
    Gcstop = 3,
    Dead = 4,
}

/// Status and version of a P in one word.
pub(crate) struct PStatusWord(AtomicU64);

impl PStatusWord {
    #[inline]
    pub(crate) fn load(&self) -> PStatus {
        // Acquire pairs with the Release of `set`: who finds it running finds an M there that is whole.
        match self.0.load(Acquire) as u8 {
            0 => PStatus::Idle,
            1 => PStatus::Running,
            3 => PStatus::Gcstop,
            4 => PStatus::Dead,
            other => unreachable!("no P has status {other}: only PStatus values are ever stored"),
        }
    }

    /// Changes the status; who may is settled by who holds the P, its M's scan bit or `sched.lock`, so it cannot
    /// fail. The status before and the version after.
    #[inline]
    pub(crate) fn set(&self, to: PStatus) -> (PStatus, u64) {
        let from = self.load();
        // Relaxed: the one who may change it reads its own last version, or got the right through a lock.
        let word = (self.0.load(Relaxed) & !0xff).wrapping_add(0x100) | to as u64;
        // Release pairs with `load`. The P itself is handed over by a lock, a note or the scan bit.
        self.0.store(word, Release);
        (from, word >> 8)
    }
}

/// What sysmon remembers of a P between two looks. Sysmon.
pub(crate) struct SysmonTick {
    pub(crate) schedtick: AtomicU32,
    pub(crate) schedwhen: AtomicI64,
    pub(crate) syscalltick: AtomicU32,
    pub(crate) syscallwhen: AtomicI64,
    /// How long the thread had computed at the last look, and when that was.
    pub(crate) cputime: AtomicI64,
    pub(crate) cputime_at: AtomicI64,
    /// It had computed for less than half of the time since the look before.
    pub(crate) may_sleep: AtomicBool,
    /// Not before this time it is asked again whether it sleeps in a foreign call.
    pub(crate) ask_asleep_at: AtomicI64,
}

/// See the module.
#[repr(align(128))]
pub(crate) struct P {
    pub(crate) runq: Runq,
    pub(crate) status: PStatusWord,
    /// The M that holds it. Owner, or who takes it under the scan bit.
    pub(crate) m: AtomicPtr<M>,
    /// Goes up with each goroutine that begins a time slice. Owner.
    pub(crate) schedtick: AtomicU32,
    /// Goes up with each system call. Owner, or who takes it under the scan bit.
    pub(crate) syscalltick: AtomicU32,
    /// A preemption is wanted of whatever runs here.
    pub(crate) preempt: AtomicBool,
    /// The function of a `for_each_p` is still to be run for it. `sched.lock`; others may look.
    pub(crate) run_safe_point_fn: AtomicBool,
    /// Dead Gs to be used again. Owner.
    pub(crate) gfree: GFree,
    /// Goroutine ids to be given out: next, and one past the last. Owner.
    pub(crate) goidcache: AtomicU64,
    pub(crate) goidcacheend: AtomicU64,
    pub(crate) timers: Timers,
    pub(crate) sysmontick: SysmonTick,
    /// The M that is being made for it is counted as spinning. `proc/template.rs`.
    pub(crate) start_spinning: AtomicBool,
    /// Next in the list of idle Ps. `sched.lock`.
    pub(crate) link: AtomicPtr<P>,
    id: i32,
}

impl P {
    pub(crate) fn new(id: i32) -> Self {
        Self {
            runq: Runq::new(),
            status: PStatusWord(AtomicU64::new(PStatus::Idle as u64)),
            m: AtomicPtr::new(ptr::null_mut()),
            schedtick: AtomicU32::new(0),
            syscalltick: AtomicU32::new(0),
            preempt: AtomicBool::new(false),
            run_safe_point_fn: AtomicBool::new(false),
            gfree: GFree::new(),
            goidcache: AtomicU64::new(0),
            goidcacheend: AtomicU64::new(0),
            timers: Timers::new(),
            sysmontick: SysmonTick {
                schedtick: AtomicU32::new(0),
                schedwhen: AtomicI64::new(0),
                syscalltick: AtomicU32::new(0),
                syscallwhen: AtomicI64::new(0),
                cputime: AtomicI64::new(0),
                cputime_at: AtomicI64::new(0),
                may_sleep: AtomicBool::new(false),
                ask_asleep_at: AtomicI64::new(0),
            },
            start_spinning: AtomicBool::new(false),
            link: AtomicPtr::new(ptr::null_mut()),
            id,
        }
    }

    #[inline]
    pub(crate) fn id(&self) -> i32 {
        self.id
    }

    /// The M that holds it. Racy unless asked by that M.
    #[inline]
    pub(crate) fn m(&self) -> Option<&'static M> {
        // SAFETY: null, or an M, which is never freed.
        unsafe { self.m.load(Relaxed).as_ref() }
    }
}
