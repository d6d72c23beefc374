//! What all Ms and Ps of a runtime share.
//!
//! A `Sched` is made by `Builder::build` and lives for ever once goroutines have run: goroutines that had not ended
//! keep their stacks, and others may hold pointers into them.
//!
//! Lock order: `Sched::lock`, then the scan bit of a G. Nothing is locked under a scan bit.
//!
//! Go: `schedt` (runtime2.go).

use std::io;
use std::ptr;

use crate::config::Config;
use crate::facade::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use crate::facade::atomic::{AtomicBool, AtomicI32, AtomicI64, AtomicPtr, AtomicU8, AtomicU32, AtomicU64};
use crate::facade::{Note, nanotime, scaled};
use crate::g::{G, Gs};
use crate::gfree::GFree;
use crate::lock::Lock;
use crate::m::M;
use crate::netpoll::Netpoll;
use crate::p::P;
use crate::proc::{SafePointFn, Template};
use crate::stack::Slab;
use crate::throw::throw;
use crate::trace::Tracer;

/// As many Ps as there can be; at least one word of bits.
pub(crate) const MAX_PROCS: usize = scaled(1024, 64);
/// As many Ms as there can be; Go's limit.
pub(crate) const MAX_MS: usize = scaled(10_000, 64);

/// sysmon looks around, soon again.
pub(crate) const SYSMON_AWAKE: u8 = 0;
/// sysmon looks around now and then: who enters a system call wakes it.
pub(crate) const SYSMON_CALM: u8 = 1;
/// sysmon does not look around, for every P is idle or the world stops: who takes an idle P wakes it, too.
pub(crate) const SYSMON_ASLEEP: u8 = 2;

/// A list of Gs linked through `schedlink`, first in, first out. Whoever holds it owns the links.
pub(crate) struct GQueue {
    pub(crate) head: Option<&'static G>,
    pub(crate) tail: Option<&'static G>,
    pub(crate) len: usize,
}

impl GQueue {
    pub(crate) const fn new() -> Self {
        Self { head: None, tail: None, len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn push_back(&mut self, gp: &'static G) {
        // Relaxed: the links belong to whoever holds the list.
        gp.schedlink.store(0, Relaxed);
        match self.tail {
            Some(tail) => tail.schedlink.store(gp.gs().0, Relaxed),
            None => self.head = Some(gp),
        }
        self.tail = Some(gp);
        self.len += 1;
    }

    pub(crate) fn push_front(&mut self, gp: &'static G) {
        // Relaxed as in `push_back`.
        gp.schedlink.store(self.head.map_or(0, |head| head.gs().0), Relaxed);
        self.head = Some(gp);
        self.tail.get_or_insert(gp);
        self.len += 1;
    }

    pub(crate) fn pop_front(&mut self) -> Option<&'static G> {
        let gp = self.head?;
        // Relaxed as in `push_back`.
        let next = Gs(gp.schedlink.load(Relaxed));
        gp.sched().slab.fetch(|| Gs(gp.ahead.load(Relaxed)));
        self.head = (!next.is_none()).then(|| gp.sched().g(next));
        if self.head.is_none() {
            self.tail = None;
        }
        self.len -= 1;
        Some(gp)
    }
}

/// What lies under `sched.lock`.
pub(crate) struct State {
    /// The global queue.
    pub(crate) runq: GQueue,
    /// Number of changes of the global queue, and of what else events tell of under the lock: their version.
    seq: u64,
    /// Idle Ms, and how many.
    pub(crate) midle: *mut M,
    pub(crate) nmidle: i32,
    /// Ms that wait for the goroutine that is locked to them.
    pub(crate) nmidlelocked: i32,
    /// Ms that are not counted when looking for a deadlock: sysmon.
    pub(crate) nmsys: i32,
    /// Of these, Ms without a thread: guests.
    pub(crate) nmguest: i32,
    /// Ps that wait for an M to be made: as good as running.
    pub(crate) nwanted: i32,
    /// Ms made, and Ms whose thread has ended.
    pub(crate) mnext: i32,
    pub(crate) nmfreed: i32,
    /// Ms of ended threads, to be used again.
    pub(crate) freem: *mut M,
    /// Idle Ps.
    pub(crate) pidle: *mut P,
    /// Dead Gs.
    pub(crate) gfree: GFree,
    /// Ps that have yet to stop.
    pub(crate) stopwait: i32,
    /// What every P is to do, and how many have yet to: `proc/for_each_p.rs`.
    pub(crate) safe_point_fn: Option<SafePointFn>,
    pub(crate) safe_point_wait: i32,
}

impl State {
    /// The version of what is about to change under the lock.
    pub(crate) fn next_version(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }
}

// SAFETY: the pointers are to Ms and Ps, which are Sync and never freed.
unsafe impl Send for State {}

/// See the module.
pub(crate) struct Sched {
    pub(crate) lock: Lock<State>,
    /// Length of the global queue, to look without the lock.
    runqsize: AtomicU32,
    /// Dead Gs on the common list, to look without the lock.
    pub(crate) gfree_len: AtomicU32,
    /// Idle Ps; written under the lock.
    pub(crate) npidle: AtomicU32,
    /// Ms that look for work; see `proc/mod.rs`.
    pub(crate) nmspinning: AtomicI32,
    /// 1: somebody submitted work when no P was idle and nobody was spinning.
    pub(crate) needspinning: AtomicU32,
    /// The world is to stop.
    pub(crate) gcwaiting: AtomicBool,
    /// Woken when the last P has stopped.
    pub(crate) stopnote: Note,
    /// Woken by who brings `safe_point_wait` to 0.
    pub(crate) safe_point_note: Note,
    /// `SYSMON_AWAKE`, `_CALM` or `_ASLEEP`. Changes under the lock.
    pub(crate) sysmonwait: AtomicU8,
    pub(crate) sysmonnote: Note,
    /// sysmon does nothing any more.
    pub(crate) sysmon_gone: Note,
    /// Until when sysmon sleeps; 0 while it looks around.
    pub(crate) sysmon_until: AtomicI64,
    /// There is work that nobody who has a P knows of.
    pub(crate) urgent: AtomicBool,
    /// Ms that sysmon is to look after (`proc/adopt.rs`), linked through `Adoption::next`.
    pub(crate) adopted: AtomicPtr<M>,
    /// When the network was polled last; 0 while somebody waits in it.
    pub(crate) lastpoll: AtomicI64,
    /// Until when that one waits; 0: no limit.
    pub(crate) poll_until: AtomicI64,
    /// Goroutine ids given out.
    pub(crate) goidgen: AtomicU64,
    /// Ps in use; changes while the world is stopped.
    pub(crate) gomaxprocs: AtomicU32,
    /// One stop-the-world at a time; see `proc/stw.rs`.
    pub(crate) worldsema: crate::sync::Mutex<()>,
    /// The main goroutine has started.
    pub(crate) main_started: AtomicBool,
    /// The main goroutine has ended: nothing more is scheduled.
    pub(crate) ended: AtomicBool,
    /// On the heap: a runtime may be built on a goroutine's stack.
    allp: Box<[AtomicPtr<P>]>,
    allm: Box<[AtomicPtr<M>]>,
    nallm: AtomicU32,
    /// Bit of each idle P.
    pub(crate) idlep_mask: [AtomicU64; MAX_PROCS / 64],
    pub(crate) slab: Slab,
    pub(crate) netpoll: Netpoll,
    pub(crate) template: Template,
    pub(crate) config: Config,
    pub(crate) tracer: Option<Tracer>,
    /// Threads of ours that are no Ms; for `checkdead`.
    pub(crate) threads: AtomicI32,
    /// When it was made.
    pub(crate) started: i64,
}

impl Sched {
    pub(crate) fn new(config: Config, tracer: Option<Tracer>) -> io::Result<Self> {
        // SAFETY: a `Sched` is never dropped once goroutines have run (see the module).
        let slab = unsafe { Slab::new(config.stack_size) }.ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self {
            lock: Lock::new(State {
                runq: GQueue::new(),
                seq: 0,
                midle: ptr::null_mut(),
                nmidle: 0,
                nmidlelocked: 0,
                nmsys: 0,
                nmguest: 0,
                nwanted: 0,
                mnext: 0,
                nmfreed: 0,
                freem: ptr::null_mut(),
                pidle: ptr::null_mut(),
                gfree: GFree::new(),
                stopwait: 0,
                safe_point_fn: None,
                safe_point_wait: 0,
            }),
            runqsize: AtomicU32::new(0),
            gfree_len: AtomicU32::new(0),
            npidle: AtomicU32::new(0),
            nmspinning: AtomicI32::new(0),
            needspinning: AtomicU32::new(0),
            gcwaiting: AtomicBool::new(false),
            stopnote: Note::new(),
            safe_point_note: Note::new(),
            sysmonwait: AtomicU8::new(SYSMON_AWAKE),
            sysmonnote: Note::new(),
            sysmon_gone: Note::new(),
            sysmon_until: AtomicI64::new(0),
            urgent: AtomicBool::new(false),
            adopted: AtomicPtr::new(ptr::null_mut()),
            lastpoll: AtomicI64::new(nanotime()),
            poll_until: AtomicI64::new(0),
            goidgen: AtomicU64::new(0),
            gomaxprocs: AtomicU32::new(0),
            worldsema: crate::sync::Mutex::new(()),
            main_started: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            allp: (0..MAX_PROCS).map(|_| AtomicPtr::new(ptr::null_mut())).collect(),
            allm: (0..MAX_MS).map(|_| AtomicPtr::new(ptr::null_mut())).collect(),
            nallm: AtomicU32::new(0),
            idlep_mask: [const { AtomicU64::new(0) }; MAX_PROCS / 64],
            slab,
            netpoll: Netpoll::new()?,
            template: Template::new(),
            config,
            tracer,
            threads: AtomicI32::new(0),
            started: nanotime(),
        })
    }

    /// The G of that number.
    #[inline]
    pub(crate) fn g(&'static self, gs: Gs) -> &'static G {
        self.slab.get(gs)
    }

    /// The P of that number, if it was ever made.
    #[inline]
    pub(crate) fn p(&self, id: usize) -> Option<&'static P> {
        // SAFETY: null, or a P, which is never freed. Acquire pairs with the Release of `add_p`.
        unsafe { self.allp[id].load(Acquire).as_ref() }
    }

    /// The Ps in use.
    pub(crate) fn ps(&self) -> impl Iterator<Item = &'static P> + '_ {
        // Relaxed: it changes while the world is stopped, and a P is never freed.
        let count = self.gomaxprocs.load(Relaxed) as usize;
        self.allp[..count].iter().filter_map(|pp| {
            // SAFETY: as in `p`; and Acquire.
            unsafe { pp.load(Acquire).as_ref() }
        })
    }

    pub(crate) fn add_p(&self, pp: &'static P) {
        // Release publishes the P; pairs with the Acquire loads of `p` and `ps`.
        self.allp[pp.id() as usize].store(ptr::from_ref(pp).cast_mut(), Release);
    }

    /// Every M that was ever made.
    pub(crate) fn ms(&self) -> impl Iterator<Item = &'static M> + '_ {
        // Acquire pairs with the Release of `add_m`.
        let count = self.nallm.load(Acquire) as usize;
        self.allm[..count].iter().filter_map(|mp| {
            // SAFETY: null, or an M, which is never freed. Relaxed: published by the count.
            unsafe { mp.load(Relaxed).as_ref() }
        })
    }

    /// Adds an M; `false` if there are as many as there can be. Under the lock.
    pub(crate) fn add_m(&self, mp: &'static M) -> bool {
        // Relaxed: only written under the lock.
        let count = self.nallm.load(Relaxed) as usize;
        let Some(slot) = self.allm.get(count) else { return false };
        slot.store(ptr::from_ref(mp).cast_mut(), Relaxed);
        // Release publishes the slot; pairs with the Acquire of `ms`.
        self.nallm.store(count as u32 + 1, Release);
        true
    }

    /// Length of the global queue, as of some moment.
    #[inline]
    pub(crate) fn runqsize(&self) -> usize {
        // SeqCst: the last look of an M that stops spinning comes after its decrement of nmspinning, and the put
        // before the putter's look at nmspinning (`proc/mod.rs`).
        self.runqsize.load(SeqCst) as usize
    }

    /// Whether that P is on the idle list. A hint: it may be stale.
    #[inline]
    pub(crate) fn is_idle(&self, id: usize) -> bool {
        // Relaxed: a thief that is misled looks again under the lock before it stops.
        self.idlep_mask[id / 64].load(Relaxed) & 1 << (id % 64) != 0
    }

    /// sched.lock held: puts an M on the idle list. Go: `mput`.
    pub(crate) fn mput(&self, state: &mut State, mp: &'static M) {
        // Relaxed: the links are under the lock.
        mp.schedlink.store(state.midle, Relaxed);
        state.midle = ptr::from_ref(mp).cast_mut();
        state.nmidle += 1;
        crate::proc::checkdead(self, state);
    }

    /// sched.lock held: takes an M off the idle list. Go: `mget`.
    pub(crate) fn mget(&self, state: &mut State) -> Option<&'static M> {
        // SAFETY: null, or an M, which is never freed.
        let mp = unsafe { state.midle.as_ref() }?;
        state.midle = mp.schedlink.load(Relaxed);
        state.nmidle -= 1;
        Some(mp)
    }

    /// sched.lock held: puts a P on the idle list. Its queue is empty. Go: `pidleput`.
    #[inline(never)]
    pub(crate) fn pidleput(&self, state: &mut State, pp: &'static P) {
        if !pp.runq.is_empty() {
            throw!("pidleput: P{} has runnable goroutines", pp.id());
        }
        let id = pp.id() as usize;
        // Relaxed: a hint.
        self.idlep_mask[id / 64].fetch_or(1 << (id % 64), Relaxed);
        pp.link.store(state.pidle, Relaxed);
        state.pidle = ptr::from_ref(pp).cast_mut();
        // SeqCst: comes before the look at needspinning of who puts (`proc/find_runnable.rs`).
        self.npidle.fetch_add(1, SeqCst);
    }

    /// sched.lock held: takes a P off the idle list. Go: `pidleget`.
    pub(crate) fn pidleget(&self, state: &mut State) -> Option<&'static P> {
        // SAFETY: null, or a P, which is never freed.
        let pp = unsafe { state.pidle.as_ref() }?;
        // Relaxed: the links are under the lock.
        state.pidle = pp.link.load(Relaxed);
        self.took_idle(pp);
        Some(pp)
    }

    fn took_idle(&self, pp: &P) {
        let id = pp.id() as usize;
        // Relaxed: a hint.
        self.idlep_mask[id / 64].fetch_and(!(1 << (id % 64)), Relaxed);
        // SeqCst as in `pidleput`.
        self.npidle.fetch_sub(1, SeqCst);
        // Relaxed, both: under the lock.
        if self.sysmonwait.load(Relaxed) == SYSMON_ASLEEP {
            self.sysmonwait.store(SYSMON_CALM, Relaxed);
            self.sysmonnote.wakeup();
        }
    }

    /// sched.lock held: as `pidleget`, for somebody who will spin; if there is none, whoever becomes idle next is told
    /// to spin instead. Go: `pidlegetSpinning`.
    pub(crate) fn pidleget_spinning(&self, state: &mut State) -> Option<&'static P> {
        let pp = self.pidleget(state);
        if pp.is_none() {
            // SeqCst: `proc/wake.rs`.
            self.needspinning.store(1, SeqCst);
        }
        pp
    }

    /// sched.lock held: the number of dead Gs has changed.
    pub(crate) fn note_dead(&self, state: &State) {
        // Relaxed: a hint, to look without the lock.
        self.gfree_len.store(state.gfree.len(), Relaxed);
    }

    /// sched.lock held: the Ps on the idle list.
    pub(crate) fn idle_ps(&self, state: &State) -> impl Iterator<Item = &'static P> + use<> {
        // SAFETY: null, or a P, which is never freed.
        let first = unsafe { state.pidle.as_ref() };
        // SAFETY: as above. Relaxed: the links are under the lock.
        std::iter::successors(first, |pp: &&'static P| unsafe { pp.link.load(Relaxed).as_ref() })
    }

    /// sched.lock held: puts a G at the tail of the global queue, or the head; the version of the queue. Go:
    /// `globrunqput`.
    pub(crate) fn globrunqput(&self, state: &mut State, gp: &'static G, head: bool) -> u64 {
        if head {
            state.runq.push_front(gp)
        } else {
            state.runq.push_back(gp)
        }
        self.published(state);
        state.next_version()
    }

    /// sched.lock held: takes the first G of the global queue; the version of the queue. Go: `globrunqget`.
    pub(crate) fn globrunqget(&self, state: &mut State) -> Option<(&'static G, u64)> {
        let gp = state.runq.pop_front()?;
        self.published(state);
        Some((gp, state.next_version()))
    }

    fn published(&self, state: &State) {
        // SeqCst as in `runqsize`.
        self.runqsize.store(state.runq.len() as u32, SeqCst);
    }
}

impl std::fmt::Debug for Sched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sched").field("gomaxprocs", &self.config.gomaxprocs).finish_non_exhaustive()
    }
}
