//! Making threads.
//!
//! Creating a thread allocates, so nobody who holds a P does it: the *template* does, a thread that never holds one.
//! Whoever needs an M leaves the P for it here. Go has such a thread for callers whose own is in a strange state.
//!
//! Also here: *guests*. A thread that is none of ours (a plain thread, or a goroutine in a foreign call) borrows an M for as
//! long as it takes to ready a goroutine. It has no P, so what it readies goes to the global queue (T20).
//!
//! Go: `newm`, `mstart`, `startTemplateThread`, `needm`.

use std::io;
use std::ptr;
use std::thread;

use sigurg_traces::Kind;

use crate::arch;
use crate::facade::atomic::AtomicBool;
use crate::facade::atomic::Ordering::{Relaxed, SeqCst};
use crate::facade::{Note, immortal, nanotime, scaled, setm, signal_stack, sleep_exactly, spawn, thread_id};
use crate::lock::Lock;
use crate::m::M;
use crate::p::P;
use crate::proc::exit::mexit;
use crate::proc::locked::{hand_to_locked, take_locked, tell_startlockedm};
use crate::proc::must_getm;
use crate::proc::schedule::schedule;
use crate::proc::wake::{acquirep, releasep, startm_locked, stopm, take_nextp, wakep};
use crate::safepoint::make_in_background;
use crate::sched::{MAX_MS, Sched, State};
use crate::throw::throw;
use crate::trace::{Site, event};

/// How long a P waits for a new M before sysmon helps, nanoseconds.
pub(crate) const STUCK_NS: i64 = 10_000_000;
/// Ms kept back from spares: for goroutines that block in system calls.
const SPARE_MARGIN: usize = scaled(500, 2);
/// Bytes of stack of a thread: the scheduler's, of which it uses little.
const G0_STACK: usize = 256 << 10;

/// Ps that wait for a new M, linked through `P::link`, the first has waited longest. Each stays here until a thread takes it that has nothing left to allocate:
/// whoever makes that thread may have to wait for a goroutine that was stopped in malloc, and then the P goes to that one.
struct Wanted {
    first: *mut P,
    last: *mut P,
    /// Threads that were made, or are being made, and have not looked here yet.
    starting: usize,
    /// Since when the first is the first.
    since: i64,
}

// SAFETY: a P is Sync and never freed.
unsafe impl Send for Wanted {}

impl Wanted {
    fn push(&mut self, pp: &'static P) {
        let link = ptr::from_ref(pp).cast_mut();
        // Relaxed, both: under the lock.
        pp.link.store(ptr::null_mut(), Relaxed);
        if self.first.is_null() {
            self.first = link;
            self.since = nanotime();
        } else {
            // SAFETY: where there is a first there is a last, a P, which is never freed.
            unsafe { &*self.last }.link.store(link, Relaxed);
        }
        self.last = link;
    }

    fn pop(&mut self) -> Option<&'static P> {
        // SAFETY: null, or a P, which is never freed.
        let pp = unsafe { self.first.as_ref() }?;
        // Relaxed: under the lock.
        self.first = pp.link.load(Relaxed);
        Some(pp)
    }

    /// How many there are.
    fn waiting(&self) -> usize {
        // SAFETY: null, or a P, which is never freed. Relaxed: under the lock.
        let next = |pp: &&'static P| unsafe { pp.link.load(Relaxed).as_ref() };
        // SAFETY: as above.
        std::iter::successors(unsafe { self.first.as_ref() }, next).count()
    }
}

/// Ms of threads that are none of ours, linked through `M::schedlink`.
struct Guests {
    first: *mut M,
}

// SAFETY: an M is Sync and never freed.
unsafe impl Send for Guests {}

/// See the module.
pub(crate) struct Template {
    note: Note,
    wanted: Lock<Wanted>,
    /// An M without a P is wanted, to be idle.
    spare: AtomicBool,
    /// The safe-point map is wanted.
    map: AtomicBool,
    guests: Lock<Guests>,
}

impl Template {
    pub(crate) const fn new() -> Self {
        Self {
            note: Note::new(),
            wanted: Lock::new(Wanted {
                first: ptr::null_mut(),
                last: ptr::null_mut(),
                starting: 0,
                since: 0,
            }),
            spare: AtomicBool::new(false),
            map: AtomicBool::new(false),
            guests: Lock::new(Guests { first: ptr::null_mut() }),
        }
    }

    /// sched.lock held: a new M is to take `pp`, which is in hand, or whoever has nothing to do before it is made. [`wakeup`](Self::wakeup)
    /// follows.
    pub(crate) fn want(&self, state: &mut State, pp: &'static P, spinning: bool) {
        // Relaxed: under the lock.
        pp.start_spinning.store(spinning, Relaxed);
        state.nwanted += 1;
        self.wanted.lock().push(pp);
    }

    /// For sysmon: if a P has waited for its M for `patience` nanoseconds, so long that the template must be stuck, in malloc behind a goroutine that
    /// was stopped there, the P goes to a goroutine that has its own thread; perhaps to that one.
    pub(crate) fn rescue(&self, mp: &'static M, now: i64, patience: i64) {
        let sched = mp.sched();
        let mut wanted = self.wanted.lock();
        if wanted.since + patience > now {
            return;
        }
        let Some(pp) = wanted.pop() else { return };
        wanted.since = now;
        drop(wanted);
        // Held meanwhile, as by an M in `schedule`: its changes order what is done with it.
        acquirep(mp, pp);
        pp.preempt.store(false, Relaxed);
        event(mp, None, Site::Rescue, 0, || Kind::PRequest { target_p: pp.id(), preempt: false });
        let mut state = sched.lock.lock();
        state.nwanted -= 1;
        // Relaxed: in hand.
        let spinning = pp.start_spinning.load(Relaxed);
        let Some(gp) = take_locked(mp, &mut state, pp) else {
            releasep(mp);
            // An M may have become idle while nobody could see this P.
            return startm_locked(mp, state, pp, spinning, Site::Rescue);
        };
        drop(state);
        if spinning {
            // It was counted for the M that it does not get. SeqCst: rule 4 of `proc/mod.rs`.
            sched.nmspinning.fetch_sub(1, SeqCst);
        }
        tell_startlockedm(mp, gp, Site::Rescue);
        releasep(mp);
        hand_to_locked(pp, gp);
        // Nobody woke another M for work that was submitted meanwhile, as that one was to find it; and what was looked through
        // lies in the global queue.
        wakep(mp);
    }

    /// Asks for an M that is idle: see `proc/handler.rs`. Safe in a signal handler.
    pub(crate) fn want_spare(&self) {
        // Relaxed: ordered by the note.
        self.spare.store(true, Relaxed);
        self.note.wakeup();
    }

    /// Asks for the safe-point map. Safe in a signal handler.
    pub(crate) fn want_map(&self) {
        // Relaxed: ordered by the note.
        if !self.map.swap(true, Relaxed) {
            self.note.wakeup();
        }
    }

    /// Has the thread look what there is to do.
    pub(crate) fn wakeup(&self) {
        self.note.wakeup();
    }

    /// The thread.
    pub(crate) fn serve(&self, sched: &'static Sched) {
        // Relaxed: read again after each wake-up, which orders it.
        while !sched.ended.load(Relaxed) {
            self.wait();
            if self.spare.swap(false, Relaxed) && self.lacks_spare(sched) {
                make_spare(sched);
            }
            // Relaxed: as above.
            if self.map.load(Relaxed) {
                make_in_background();
            }
            while self.lacks_threads() {
                newm(sched);
            }
        }
    }

    /// Whether no M is idle, and none on its way that will find no P here.
    fn lacks_spare(&self, sched: &Sched) -> bool {
        if sched.lock.lock().nmidle != 0 {
            return false;
        }
        let wanted = self.wanted.lock();
        wanted.starting <= wanted.waiting()
    }

    /// Sleeps until there may be something to do.
    pub(crate) fn wait(&self) {
        self.note.sleep();
        self.note.clear();
    }

    /// Whether there are more Ps than threads on their way to them; then one more is.
    pub(crate) fn lacks_threads(&self) -> bool {
        let mut wanted = self.wanted.lock();
        let lacks = wanted.waiting() > wanted.starting;
        wanted.starting += usize::from(lacks);
        lacks
    }

    /// For a thread that begins: the P that it is to begin on, if any waits still.
    pub(crate) fn take_wanted(&self, sched: &'static Sched) -> Option<&'static P> {
        let mut wanted = self.wanted.lock();
        wanted.starting -= 1;
        let pp = wanted.pop()?;
        drop(wanted);
        sched.lock.lock().nwanted -= 1;
        Some(pp)
    }

    /// sched.lock held, for an M that would become idle: a P that waits for its thread.
    pub(crate) fn take_waiting(&self, state: &mut State) -> Option<&'static P> {
        let pp = self.wanted.lock().pop()?;
        state.nwanted -= 1;
        Some(pp)
    }

    /// For whoever stops the world, under `sched.lock`: a P that waits for its thread, which may wait for a goroutine that is to stop.
    pub(crate) fn take_back(&self, sched: &Sched, state: &mut State) -> Option<&'static P> {
        let pp = self.take_waiting(state)?;
        if pp.start_spinning.load(Relaxed) {
            // It was counted for the M that it does not get. SeqCst: rule 4 of `proc/mod.rs`.
            sched.nmspinning.fetch_sub(1, SeqCst);
        }
        Some(pp)
    }

    /// Whether no thread is a guest at the moment.
    pub(crate) fn guests_are_home(&self, sched: &'static Sched) -> bool {
        let all = sched.lock.lock().nmguest;
        let guests = self.guests.lock();
        // SAFETY: null, or an M, which is never freed. Relaxed: under the lock.
        let next = |mp: &&'static M| unsafe { mp.schedlink.load(Relaxed).as_ref() };
        // SAFETY: as above.
        let home = std::iter::successors(unsafe { guests.first.as_ref() }, next).count();
        home == all as usize
    }

    /// Calls `f` with an M that has no P, for a thread that has none of its own.
    pub(crate) fn with_guest(&self, sched: &'static Sched, f: impl FnOnce(&'static M)) {
        let mut guests = self.guests.lock();
        // SAFETY: null, or an M, which is never freed.
        let mp = match unsafe { guests.first.as_ref() } {
            Some(mp) => {
                guests.first = mp.schedlink.load(Relaxed);
                drop(guests);
                mp
            }
            None => {
                drop(guests);
                let mp = make_m(sched, |state| {
                    state.nmsys += 1;
                    state.nmguest += 1;
                });
                event(mp, None, Site::Mstart, 0, || Kind::MStart);
                mp
            }
        };
        f(mp);
        let mut guests = self.guests.lock();
        // Relaxed: under the lock.
        mp.schedlink.store(guests.first, Relaxed);
        guests.first = ptr::from_ref(mp).cast_mut();
    }
}

/// A new M, or that of a thread that has ended. Allocates.
pub(crate) fn make_m(sched: &'static Sched, count: impl FnOnce(&mut State)) -> &'static M {
    let mut state = sched.lock.lock();
    let id = state.mnext;
    state.mnext += 1;
    count(&mut state);
    // SAFETY: null, or an M, which is never freed.
    if let Some(mp) = unsafe { state.freem.as_ref() } {
        state.freem = mp.schedlink.load(Relaxed);
        mp.renew(id);
        return mp;
    }
    drop(state);
    let seed = (id as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ sched.config.seed;
    let mp = immortal(Box::new(M::new(id, sched, seed)));
    if let Some(tracer) = &sched.tracer {
        tracer.attach(mp);
    }
    let _state = sched.lock.lock();
    if !sched.add_m(mp) {
        throw!("more than {MAX_MS} threads: goroutines block in system calls or are locked to their threads");
    }
    mp
}

/// Has `mp`, the caller's, begin on `pp`.
pub(crate) fn begin_on(mp: &'static M, pp: &'static P) {
    // Relaxed, both: own.
    mp.spinning.store(pp.start_spinning.load(Relaxed), Relaxed);
    mp.nextp.store(ptr::from_ref(pp).cast_mut(), Relaxed);
}

/// A thread that runs goroutines, beginning on a P that waits for one.
fn newm(sched: &'static Sched) {
    let mp = make_m(sched, |_| ());
    if let Err(error) = start_thread(sched, mp) {
        throw!("cannot create a thread: {error}");
    }
}

/// An idle M for the next goroutine that is to be stopped in its handler. Near the limit, or where the kernel gives no thread,
/// there is none, and that goroutine runs on.
fn make_spare(sched: &'static Sched) {
    if sched.ms().count() + SPARE_MARGIN > MAX_MS {
        return;
    }
    let mp = make_m(sched, |_| ());
    sched.template.wanted.lock().starting += 1;
    if start_thread(sched, mp).is_err() {
        sched.template.wanted.lock().starting -= 1;
        let mut state = sched.lock.lock();
        state.nmfreed += 1;
        mp.schedlink.store(state.freem, Relaxed);
        state.freem = ptr::from_ref(mp).cast_mut();
    }
}

fn start_thread(sched: &'static Sched, mp: &'static M) -> io::Result<()> {
    let name = format!("{}-m{}", sched.config.thread_name, mp.id());
    spawn(name, Some(G0_STACK), move || mstart(mp))
}

/// The thread of an M.
fn mstart(mp: &'static M) {
    setm(Some(mp));
    mp.procid.store(thread_id(), Relaxed);
    sleep_exactly();
    // std counts panics by thread and allocates for it on first use: not later, on a goroutine's stack.
    let _ = thread::panicking();
    let hooks = &mp.sched().config.hooks;
    if let Some(hook) = &hooks.on_thread_start {
        hook();
    }
    let signal_stack = signal_stack();
    // SAFETY: this thread's own stack; it is left for good when this comes back.
    unsafe { arch::g0_enter(mp.g0_sp.as_ptr(), mstart1, ptr::from_ref(mp).cast_mut().cast()) };
    mexit(mp);
    drop(signal_stack);
    if let Some(hook) = &hooks.on_thread_stop {
        hook();
    }
}

extern "C" fn mstart1(_: *mut ()) -> ! {
    let mp = must_getm();
    event(mp, None, Site::Mstart, 0, || Kind::MStart);
    match mp.sched().template.take_wanted(mp.sched()) {
        Some(pp) => {
            begin_on(mp, pp);
            take_nextp(mp);
        }
        None => stopm(mp),
    }
    schedule(mp)
}
