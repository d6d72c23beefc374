//! A goroutine.
//!
//! A `G` lives at the top of its own stack slot (`stack/`), so that a parked goroutine touches one page and one
//! entry of the translation caches. It is never freed: a dead G is used again with its stack, and whoever looks
//! at one through a stale reference finds a G, perhaps another goroutine by now.
//!
//! All fields are atomics because other Ms read them at any moment; almost all are written by one owner, and those
//! are read and written `Relaxed`: what hands them over is the status word (Release, Acquire), a lock or a queue.
//! The owner of each field stands beside it:
//!
//! - *creator*: who took the G from the allocator or a free list, until it is `Runnable`;
//! - *itself*: the M that runs it, on its stack or on g0;
//! - *holder*: who set the scan bit;
//! - *hand*: who took it from a queue, before it runs.
//!
//! Go: `g` (runtime2.go).

use std::ptr;

use crate::facade::atomic::Ordering::Relaxed;
use crate::facade::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize};
use crate::facade::scaled;
use crate::m::M;
use crate::sched::Sched;
use crate::status::StatusWord;
use crate::waitreason::WaitReason;

/// Number of a G struct, from 1; 0 is none. What queues hold instead of a pointer: half the size, and it leaves room
/// for a version beside it in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub(crate) struct Gs(pub(crate) u32);

impl Gs {
    pub(crate) const NONE: Self = Self(0);

    #[inline]
    pub(crate) fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// `stackguard0` of a G that is asked to stop: higher than any stack pointer. Go: `stackPreempt`.
pub(crate) const STACK_PREEMPT: usize = -1314isize as usize;

/// How far ahead Gs of a list are fetched that are taken in a row: the latency of memory over the time of a step. Where
/// interleavings are explored memory has no latency, and nothing is fetched.
pub(crate) const AHEAD: usize = scaled(8, 0);

/// See the module.
#[repr(C, align(64))]
pub(crate) struct G {
    /// The status word: `status.rs`.
    pub(crate) status: StatusWord,
    /// Saved stack pointer while it does not run. Itself.
    pub(crate) sp: AtomicUsize,
    /// Where its stack ended when it entered a system call. Itself.
    pub(crate) syscallsp: AtomicUsize,
    /// The M that runs it, or null. Itself, and hand just before it runs.
    pub(crate) m: AtomicPtr<M>,
    /// Next in whatever list it is on. Owner of the list.
    pub(crate) schedlink: AtomicU32,
    /// Number of the one [`AHEAD`] places further on the same list, or, as it is only a hint, of any. Owner of the list.
    pub(crate) ahead: AtomicU32,
    /// Number of this struct. Set once, before the first change of status.
    gs: Gs,
    /// Goroutine id, 0 before the first life. Creator.
    pub(crate) goid: AtomicU64,
    /// Stack guard or [`STACK_PREEMPT`]: written by whoever asks, `execute`, a holder.
    pub(crate) stackguard0: AtomicUsize,
    /// Asked to stop: written by whoever asks, `execute`, a holder.
    pub(crate) preempt: AtomicBool,
    /// Asked to park in `Preempted` when it stops: a suspender in its window, a holder, `gdestroy`.
    pub(crate) preempt_stop: AtomicBool,
    /// Asked to give unused stack back when it stops. Holder.
    pub(crate) preempt_shrink: AtomicBool,
    /// Why it waits: [`WaitReason`]. Itself, before it waits.
    pub(crate) waitreason: AtomicU8,
    /// The M that alone may run it, or null. Itself.
    pub(crate) lockedm: AtomicPtr<M>,
    /// How often the user locked it to its M, and how often the runtime did. Itself.
    pub(crate) locked_ext: AtomicU32,
    pub(crate) locked_int: AtomicU32,
    /// Nanoseconds of the monotonic clock since which it waits, if anybody noted it.
    pub(crate) waitsince: AtomicI64,
    /// Lowest and highest address of its stack that may be used. Set once.
    stack_lo: usize,
    stack_hi: usize,
    /// How many [`preempt_off`](crate::preempt_off) it is inside of. Itself.
    pub(crate) preempt_off: AtomicU32,
    /// It may be moved to another thread at any instruction. Creator.
    pub(crate) injectable: AtomicBool,
    /// What it runs: called with `arg` on its stack. Creator.
    pub(crate) entry: AtomicPtr<()>,
    pub(crate) arg: AtomicPtr<()>,
    /// Goid of its creator. Creator.
    pub(crate) parent: AtomicU64,
    /// Its name, or null: `names.rs`. Creator.
    pub(crate) name: AtomicPtr<u8>,
    pub(crate) name_len: AtomicU32,
    /// The runtime that it belongs to. Set once.
    sched: &'static Sched,
}

impl G {
    /// A new struct, `Idle`, for the slot whose stack is `lo..hi`.
    pub(crate) fn new(gs: Gs, lo: usize, hi: usize, sched: &'static Sched) -> Self {
        Self {
            status: StatusWord::new(),
            sp: AtomicUsize::new(0),
            syscallsp: AtomicUsize::new(hi),
            m: AtomicPtr::new(ptr::null_mut()),
            schedlink: AtomicU32::new(0),
            ahead: AtomicU32::new(0),
            gs,
            goid: AtomicU64::new(0),
            stackguard0: AtomicUsize::new(lo),
            preempt: AtomicBool::new(false),
            preempt_stop: AtomicBool::new(false),
            preempt_shrink: AtomicBool::new(false),
            waitreason: AtomicU8::new(0),
            lockedm: AtomicPtr::new(ptr::null_mut()),
            locked_ext: AtomicU32::new(0),
            locked_int: AtomicU32::new(0),
            waitsince: AtomicI64::new(0),
            preempt_off: AtomicU32::new(0),
            injectable: AtomicBool::new(false),
            stack_lo: lo,
            stack_hi: hi,
            entry: AtomicPtr::new(ptr::null_mut()),
            arg: AtomicPtr::new(ptr::null_mut()),
            parent: AtomicU64::new(0),
            name: AtomicPtr::new(ptr::null_mut()),
            name_len: AtomicU32::new(0),
            sched,
        }
    }

    #[inline]
    pub(crate) fn gs(&self) -> Gs {
        self.gs
    }

    #[inline]
    pub(crate) fn sched(&self) -> &'static Sched {
        self.sched
    }

    /// Lowest address of its stack.
    #[inline]
    pub(crate) fn stack_lo(&self) -> usize {
        self.stack_lo
    }

    /// One past the highest address of its stack.
    #[inline]
    pub(crate) fn stack_hi(&self) -> usize {
        self.stack_hi
    }

    #[inline]
    pub(crate) fn goid(&self) -> u64 {
        self.goid.load(Relaxed)
    }

    /// The M that runs it. Racy unless asked by that M or by a holder.
    #[inline]
    pub(crate) fn m(&self) -> Option<&'static M> {
        // SAFETY: null, or an M, which is never freed.
        unsafe { self.m.load(Relaxed).as_ref() }
    }

    /// The M that it is locked to.
    #[inline]
    pub(crate) fn lockedm(&self) -> Option<&'static M> {
        // SAFETY: as in `m`.
        unsafe { self.lockedm.load(Relaxed).as_ref() }
    }

    #[inline]
    pub(crate) fn waitreason(&self) -> WaitReason {
        WaitReason::from_index(self.waitreason.load(Relaxed))
    }
}
