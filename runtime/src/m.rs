//! An OS thread that runs goroutines.
//!
//! An `M` is allocated from preallocated memory and never freed; an exited thread's M is used again for a new one.
//! Fields are atomics for the reason given in `g.rs`. *Own*: only the thread of this M writes.
//!
//! Go: `m` (runtime2.go).

use std::ptr;

use crate::facade::atomic::Ordering::{Relaxed, SeqCst};
use crate::facade::atomic::{
    AtomicBool, AtomicI32, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, compiler_fence,
};
use crate::facade::{Note, WATCHED};
use crate::g::G;
use crate::lock::Lock;
use crate::p::P;
use crate::proc::{Adoption, poison};
use crate::sched::Sched;
use crate::signal::SignalWord;
use crate::stats::MStats;
use crate::trace::TraceBuf;

/// Lets others find a G, on g0 and after it is `Waiting`; see `proc/park.rs`.
pub(crate) type Unlockf = unsafe fn(arg: *mut ());

/// See the module.
#[repr(align(128))]
pub(crate) struct M {
    /// The goroutine that it runs. Own.
    pub(crate) curg: AtomicPtr<G>,
    /// The P that it holds. Own, or who takes the P of a system call under the scan bit.
    pub(crate) p: AtomicPtr<P>,
    /// Not zero: neither kind of preemption touches this M. Own.
    pub(crate) locks: AtomicI32,
    /// Whether it looks for work without having any. Own; or who starts it, before it runs.
    pub(crate) spinning: AtomicBool,
    /// Stack pointer of the scheduler's stack, where `mcall` goes. Own.
    pub(crate) g0_sp: AtomicUsize,
    /// State of the generator of `cheaprand`. Own.
    pub(crate) rand: AtomicU64,
    /// What `park_m` is to call. Own.
    pub(crate) waitunlockf: AtomicPtr<()>,
    pub(crate) waitlock: AtomicPtr<()>,
    /// Why it is going to park its goroutine.
    pub(crate) waitreason: AtomicU8,
    /// The goroutine that alone may run here. Own.
    pub(crate) lockedg: AtomicPtr<G>,
    /// The P to take when woken. Who wakes it, before it does.
    pub(crate) nextp: AtomicPtr<P>,
    /// The P that it had when it entered a system call. Own.
    pub(crate) oldp: AtomicPtr<P>,
    /// `syscalltick` of that P at that time. Own.
    pub(crate) syscalltick: AtomicU32,
    /// What it sleeps on while it has no P.
    pub(crate) park: Note,
    /// Next in the list of idle Ms. `sched.lock`.
    pub(crate) schedlink: AtomicPtr<M>,
    /// Kernel's id of the thread; 0 before it runs. Own.
    pub(crate) procid: AtomicI32,
    /// Its thread is in the signal handler. Own.
    pub(crate) in_handler: AtomicBool,
    /// Whether its goroutine lost the P inside a foreign call.
    pub(crate) adoption: Adoption,
    /// While its goroutine is stopped in the signal handler: what the kernel saved of it, a `ucontext_t`. Own.
    pub(crate) interrupted: AtomicPtr<()>,
    /// How often its handler declined in this slice of its P, `schedtick` and count. Own.
    pub(crate) declined_tick: AtomicU32,
    pub(crate) declines: AtomicU32,
    /// Signals sent to it and handled.
    pub(crate) signal: SignalWord,
    /// Held while it is signalled, and while it becomes another: who signals knows whom.
    pub(crate) life: Lock<()>,
    /// What it did.
    pub(crate) stats: MStats,
    /// Whether events are recorded. Set before it first runs.
    pub(crate) tracing: AtomicBool,
    /// Where events are recorded.
    pub(crate) trace: TraceBuf,
    /// Its number: a new one for each thread.
    id: AtomicI32,
    sched: &'static Sched,
}

impl M {
    pub(crate) fn new(id: i32, sched: &'static Sched, seed: u64) -> Self {
        Self {
            curg: AtomicPtr::new(ptr::null_mut()),
            p: AtomicPtr::new(ptr::null_mut()),
            locks: AtomicI32::new(0),
            spinning: AtomicBool::new(false),
            g0_sp: AtomicUsize::new(0),
            rand: AtomicU64::new(seed | 1),
            waitunlockf: AtomicPtr::new(ptr::null_mut()),
            waitlock: AtomicPtr::new(ptr::null_mut()),
            waitreason: AtomicU8::new(0),
            lockedg: AtomicPtr::new(ptr::null_mut()),
            nextp: AtomicPtr::new(ptr::null_mut()),
            oldp: AtomicPtr::new(ptr::null_mut()),
            syscalltick: AtomicU32::new(0),
            park: Note::new(),
            schedlink: AtomicPtr::new(ptr::null_mut()),
            procid: AtomicI32::new(0),
            in_handler: AtomicBool::new(false),
            adoption: Adoption::new(),
            interrupted: AtomicPtr::new(ptr::null_mut()),
            declined_tick: AtomicU32::new(0),
            declines: AtomicU32::new(0),
            signal: SignalWord::new(),
            life: Lock::new(()),
            stats: MStats::new(),
            tracing: AtomicBool::new(WATCHED),
            trace: TraceBuf::new(),
            id: AtomicI32::new(id),
            sched,
        }
    }

    #[inline]
    pub(crate) fn id(&self) -> i32 {
        // Relaxed: set before its thread starts.
        self.id.load(Relaxed)
    }

    /// Makes an M whose thread has ended one for a new thread.
    pub(crate) fn renew(&self, id: i32) {
        let _life = self.life.lock();
        self.id.store(id, Relaxed);
        self.procid.store(0, Relaxed);
        // A thread that the end of the runtime found in a system call left its goroutine there.
        self.set_curg(None);
        // Versions count from the beginning of each thread: to a trace it is another M.
        self.signal.renew();
    }

    #[inline]
    pub(crate) fn sched(&self) -> &'static Sched {
        self.sched
    }

    /// The goroutine that it runs. Racy unless asked by this M.
    #[inline]
    pub(crate) fn curg(&self) -> Option<&'static G> {
        // SAFETY: null, or a G, which is never freed.
        unsafe { self.curg.load(Relaxed).as_ref() }
    }

    #[inline]
    pub(crate) fn set_curg(&self, gp: Option<&'static G>) {
        self.curg.store(gp.map_or(ptr::null_mut(), |gp| ptr::from_ref(gp).cast_mut()), Relaxed);
    }

    /// The P that it holds. Racy unless asked by this M.
    #[inline]
    pub(crate) fn p(&self) -> Option<&'static P> {
        // SAFETY: null, or a P, which is never freed.
        unsafe { self.p.load(Relaxed).as_ref() }
    }

    #[inline]
    pub(crate) fn set_p(&self, pp: Option<&'static P>) {
        self.p.store(pp.map_or(ptr::null_mut(), |pp| ptr::from_ref(pp).cast_mut()), Relaxed);
    }

    #[inline]
    pub(crate) fn lockedg(&self) -> Option<&'static G> {
        // SAFETY: as in `curg`.
        unsafe { self.lockedg.load(Relaxed).as_ref() }
    }

    /// From now until the matching [`M::release`] nobody takes this M's P or stops its goroutine. Go: `acquirem`.
    #[inline]
    pub(crate) fn acquire(&self) {
        self.locks.store(self.locks.load(Relaxed) + 1, Relaxed);
        // A signal handler of this thread sees the count before anything that comes after.
        compiler_fence(SeqCst);
    }

    /// Ends an [`M::acquire`]; a request that came meanwhile is noticed at the next safe point. Go: `releasem` (C11).
    #[inline]
    pub(crate) fn release(&self) {
        // As in `acquire`: everything before is done when the count goes down.
        compiler_fence(SeqCst);
        let locks = self.locks.load(Relaxed) - 1;
        self.locks.store(locks, Relaxed);
        if locks == 0
            && let Some(gp) = self.curg()
            && gp.preempt.load(Relaxed)
        {
            poison(gp);
        }
    }

    /// As [`M::release`] without a look at requests: for callers that see to the guard themselves, or must not be told of it.
    #[inline]
    pub(crate) fn unlock_quietly(&self) {
        // As in `release`.
        compiler_fence(SeqCst);
        self.locks.store(self.locks.load(Relaxed) - 1, Relaxed);
    }

    /// A random number for choices that need not be unpredictable: xorshift64*. Go: `cheaprand`.
    #[inline]
    pub(crate) fn cheaprand(&self) -> u32 {
        let mut x = self.rand.load(Relaxed);
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.rand.store(x, Relaxed);
        (x.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    }

    /// A random number below `n`.
    #[inline]
    pub(crate) fn cheaprandn(&self, n: u32) -> u32 {
        ((u64::from(self.cheaprand()) * u64::from(n)) >> 32) as u32
    }
}
