//! Foreign calls that block (X-ADOPT): the goroutine's P goes to others, and the call is not disturbed.
//!
//! sysmon asks the kernel whether the thread of a goroutine that has not let go of its P sleeps in a system call. If it does,
//! sysmon makes the goroutine `Syscall` in its stead, under the scan bit, and takes the P as from any system call. No signal
//! is sent, so nothing fails with EINTR and nothing is restarted; and nobody needs to know beforehand that a call blocks.
//!
//! 1. *The look.* `LOOKED_AT` is set first, then the kernel is asked. If the thread sleeps, all that it does afterwards comes after
//!    that store, without a fence on its side. Whoever is about to use the P ([`settle`]), and the signal handler, waits
//!    for the end of the look, which waits for nobody.
//! 2. *Nothing in between.* Code on a goroutine's stack calls `settle`, then raises `m.locks` or switches to g0, with no
//!    system call in between, and uses the P until it lowers `m.locks` again. So a thread that sleeps in a call, and whose
//!    `m.locks` is zero after that, is not in the middle of such code.
//! 3. *Back again.* The call returns to user code that has no P. It gets one, or waits for one, at its next call of the runtime
//!    (`settle`), like the end of any system call. If it computes instead, sysmon sees its CPU time and sends a signal:
//!    the goroutine waits in the handler until it is scheduled, locked to its thread as in `handler.rs`.
//! 4. *Suspenders.* `Syscall` means elsewhere that the stack stands still. Here it does not: whoever has claimed such a goroutine
//!    calls [`stand_still`], and the handler waits for the scan bit.
//!
//! Not adopted: threads that sleep in a page fault, that hold `preempt_off` or `m.locks`; all with `asyncpreemptoff`, for then
//! nobody can stop what comes back; and all where the kernel does not say who sleeps. Those are stopped by signal.
//!
//! Go has nothing of the kind: its foreign calls all go through `cgocall`, which is a system call.

use std::ffi::c_void;
use std::ptr;

use sigurg_traces::Kind;

use crate::facade::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use crate::facade::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicU8, fence};
use crate::facade::{osyield, procyield, sleeps_in_call, thread_cputime};
use crate::g::G;
use crate::m::M;
use crate::p::{P, PStatus};
use crate::proc::handler::{stay_until_idle_p, tell_looked};
use crate::proc::syscall::{SyscallingThread, leave_syscall};
use crate::proc::{must_getm, on_stack_of};
use crate::sched::Sched;
use crate::signal::preempt_m;
use crate::status::GStatus;
use crate::trace::{Site, event};

const NONE: u8 = 0;
const LOOKED_AT: u8 = 1;
const ADOPTED: u8 = 2;

/// CPU time that a goroutine may use without a P before somebody looks whether it sleeps again, nanoseconds.
const UNSEEN_NS: i64 = 100_000;
/// How many threads sysmon looks after in one round.
const LOOKS: usize = 16;

/// Part of an M: what became of its goroutine's P.
pub(crate) struct Adoption {
    /// From `NONE` to `LOOKED_AT` by who looks, from there to `NONE` or `ADOPTED` by the same, back to `NONE` by the M.
    state: AtomicU8,
    /// The goroutine is to stop and wait for a P. sysmon, and the M.
    recalled: AtomicBool,
    /// It came back, and nobody has looked whether that is urgent. Own.
    returned: AtomicBool,
    /// Its thread is in the handler and stays there while anybody holds the scan bit. Own.
    stands: AtomicBool,
    /// In sysmon's list, or on the way there; and the next there.
    watched: AtomicBool,
    next: AtomicPtr<M>,
    /// CPU time at the last look. sysmon.
    cputime: AtomicI64,
}

impl Adoption {
    pub(crate) const fn new() -> Self {
        Self {
            state: AtomicU8::new(NONE),
            recalled: AtomicBool::new(false),
            returned: AtomicBool::new(false),
            stands: AtomicBool::new(false),
            watched: AtomicBool::new(false),
            next: AtomicPtr::new(ptr::null_mut()),
            cputime: AtomicI64::new(0),
        }
    }

    /// Whether [`settle`] has anything to do on this M.
    #[inline]
    pub(crate) fn is_any(&self) -> bool {
        // Relaxed: rule 1 of the module orders it; what follows is read again with Acquire.
        self.state.load(Relaxed) != NONE
    }

    /// Whether its goroutine lost its P in a foreign call and has none yet.
    pub(crate) fn is_adopted(&self) -> bool {
        // Acquire pairs with the Release of `foreign_call`.
        self.state.load(Acquire) == ADOPTED
    }

    /// Waits while somebody looks.
    pub(super) fn wait_for_look(&self) {
        let mut spins = 0u32;
        // Acquire pairs with the Release of `foreign_call`.
        while self.state.load(Acquire) == LOOKED_AT {
            if spins < 100 {
                procyield(10);
            } else {
                osyield();
            }
            spins += 1;
        }
    }

    /// The goroutine is out of the call, if it was adopted. The M itself.
    #[inline]
    pub(super) fn end(&self) {
        // Relaxed, all: while it is `ADOPTED` only this thread changes it; the next look begins with an exchange.
        if self.state.load(Relaxed) == ADOPTED {
            self.state.store(NONE, Relaxed);
            self.returned.store(true, Relaxed);
            self.recalled.store(false, Relaxed);
        }
    }

    /// Whether its goroutine came back by itself since the last call of this. The M itself.
    pub(super) fn take_returned(&self) -> bool {
        // Relaxed: own.
        self.returned.swap(false, Relaxed)
    }
}

/// For the goroutine that calls, on `mp`: if its P was taken in a foreign call, gets one, perhaps on another thread; the M that it
/// is on then. To be called before its P is used (rule 2). Elsewhere, or with `m.locks` raised, it does nothing.
#[inline]
pub(crate) fn settle(mp: &'static M) -> &'static M {
    if mp.adoption.is_any() { settle_slow(mp) } else { mp }
}

#[cold]
#[inline(never)]
fn settle_slow(mp: &'static M) -> &'static M {
    // Relaxed: own. In the middle of a use of the P it cannot be taken.
    if mp.locks.load(Relaxed) != 0 {
        return mp;
    }
    mp.adoption.wait_for_look();
    let Some(gp) = mp.curg().filter(|gp| on_stack_of(gp)) else { return mp };
    // First: the handler may take it back, too.
    mp.acquire();
    if !mp.adoption.is_adopted() {
        mp.release();
        return mp;
    }
    /// More than the frames below use, in which registers of this one may be.
    const FRAMES: usize = 4 << 10;
    let here = 0u8;
    // Relaxed: looked at under the scan bit, which `leave_syscall` waits for.
    gp.syscallsp.store(((&raw const here).addr() - FRAMES).max(gp.stack_lo()), Relaxed);
    leave_syscall(mp, gp);
    must_getm()
}

/// If the goroutine that has `pp` sleeps in a foreign call: it is in a system call from now on, and held there.
pub(super) fn foreign_call(me: &'static M, pp: &'static P, site: Site) -> Option<SyscallingThread> {
    if me.sched().config.debug.asyncpreemptoff || pp.status.load() != PStatus::Running {
        return None;
    }
    let mp = pp.m().filter(|mp| !ptr::eq(*mp, me))?;
    let gp = mp.curg()?;
    // AcqRel, and Release below: who waits for the look sees what it did. A failure decides nothing: Relaxed.
    if !gp.status.load().is(GStatus::Running)
        || mp.adoption.state.compare_exchange(NONE, LOOKED_AT, AcqRel, Relaxed).is_err()
    {
        return None;
    }
    let adopted = is_asleep(mp, gp, pp) && gp.cas_g_to_adopted(me, Site::Adopt);
    mp.adoption.state.store(if adopted { ADOPTED } else { NONE }, Release);
    if !adopted {
        return None;
    }
    me.stats.adopted.bump();
    // Relaxed: handed over with the scan bit.
    mp.oldp.store(ptr::from_ref(pp).cast_mut(), Relaxed);
    watch(me.sched(), mp);
    Some(SyscallingThread::held(me, gp, mp, pp, site))
}

/// Rules 1 and 2.
fn is_asleep(mp: &M, gp: &'static G, pp: &P) -> bool {
    // Relaxed, all: the thread may be changing any of them, but then it did not sleep, or it waits for the end of the look.
    let Some(sp) = sleeps_in_call(mp.procid.load(Relaxed)) else { return false };
    // Not before the kernel has answered.
    fence(SeqCst);
    (gp.stack_lo()..gp.stack_hi()).contains(&sp)
        && mp.locks.load(Relaxed) == 0
        && gp.preempt_off.load(Relaxed) == 0
        && !mp.in_handler.load(Relaxed)
        && mp.curg().is_some_and(|g| ptr::eq(g, gp))
        && gp.m().is_some_and(|m| ptr::eq(m, mp))
        && mp.p().is_some_and(|p| ptr::eq(p, pp))
        && pp.m().is_some_and(|m| ptr::eq(m, mp))
        && pp.status.load() == PStatus::Running
}

/// Has sysmon look after `mp`.
fn watch(sched: &Sched, mp: &'static M) {
    // SeqCst: with `Watch::look`, which takes the mark away and then looks at the state once more.
    if mp.adoption.watched.swap(true, SeqCst) {
        return;
    }
    let mut first = sched.adopted.load(Relaxed);
    loop {
        // Relaxed: published by the exchange.
        mp.adoption.next.store(first, Relaxed);
        // Release hands the link over, pairs with `Watch::look`.
        match sched.adopted.compare_exchange_weak(first, ptr::from_ref(mp).cast_mut(), Release, Relaxed) {
            Ok(_) => return,
            Err(found) => first = found,
        }
    }
}

/// sysmon's list of Ms whose goroutines may run without a P: a queue, linked through `Adoption::next`.
pub(super) struct Watch {
    first: Option<&'static M>,
    last: Option<&'static M>,
}

impl Watch {
    pub(super) const fn new() -> Self {
        Self { first: None, last: None }
    }

    /// Recalls goroutines that compute without a P (rule 3).
    pub(super) fn look(&mut self, me: &'static M) {
        // Acquire pairs with `watch`.
        let mut new = me.sched().adopted.swap(ptr::null_mut(), Acquire);
        // SAFETY: null, or an M, which is never freed.
        while let Some(mp) = unsafe { new.as_ref() } {
            // Relaxed, here and below: the list is sysmon's.
            new = mp.adoption.next.load(Relaxed);
            mp.adoption.cputime.store(thread_cputime(mp.procid.load(Relaxed)).unwrap_or(0), Relaxed);
            self.push(mp);
        }
        for _ in 0..LOOKS {
            let Some(mp) = self.pop() else { return };
            if mp.adoption.is_adopted() {
                recall_if_computing(me, mp);
                self.push(mp);
                continue;
            }
            // SeqCst, all: with `watch`. One of the two sees the other.
            mp.adoption.watched.store(false, SeqCst);
            if mp.adoption.state.load(SeqCst) == ADOPTED && !mp.adoption.watched.swap(true, SeqCst) {
                self.push(mp);
            }
        }
    }

    fn push(&mut self, mp: &'static M) {
        mp.adoption.next.store(ptr::null_mut(), Relaxed);
        match self.last.replace(mp) {
            Some(last) => last.adoption.next.store(ptr::from_ref(mp).cast_mut(), Relaxed),
            None => self.first = Some(mp),
        }
    }

    fn pop(&mut self) -> Option<&'static M> {
        let mp = self.first?;
        // SAFETY: null, or an M, which is never freed.
        self.first = unsafe { mp.adoption.next.load(Relaxed).as_ref() };
        if self.first.is_none() {
            self.last = None;
        }
        Some(mp)
    }
}

fn recall_if_computing(me: &'static M, mp: &'static M) {
    // Relaxed, all: sysmon's own, and hints.
    let tid = mp.procid.load(Relaxed);
    let Some(cputime) = thread_cputime(tid) else { return };
    if cputime < mp.adoption.cputime.load(Relaxed) + UNSEEN_NS {
        return;
    }
    mp.adoption.cputime.store(cputime, Relaxed);
    if sleeps_in_call(tid).is_some() {
        return;
    }
    // Relaxed: the signal orders it.
    mp.adoption.recalled.store(true, Relaxed);
    let (over, sent) = preempt_m(mp);
    event(me, None, Site::Adopt, over, || Kind::PreemptM { target_m: mp.id(), sent });
}

/// The caller holds the scan bit of `gp`, which is `Syscall`: from now on nothing runs on its stack until that is given back.
pub(super) fn stand_still(me: &'static M, gp: &'static G) {
    let Some(mp) = gp.m().filter(|mp| mp.adoption.is_adopted()) else { return };
    let (over, sent) = preempt_m(mp);
    event(me, None, Site::SuspendG, over, || Kind::PreemptM { target_m: mp.id(), sent });
    // Between the claim and the look, with `signalled`: whoever is seen to stand sees the claim before it goes.
    fence(SeqCst);
    let mut spins = 0u32;
    // Acquire, both: what the thread wrote before is seen. With `m.locks` raised it is in `leave_syscall`, and waits there.
    while !mp.adoption.stands.load(Acquire) && mp.locks.load(Acquire) == 0 {
        if spins < 1_000 {
            procyield(10);
        } else {
            osyield();
        }
        spins += 1;
    }
}

/// The handler, on the thread of a goroutine that has no P.
pub(super) fn signalled(mp: &'static M, sp: usize, context: *mut c_void) {
    let Some(gp) = mp.curg() else { return tell_looked(mp, None) };
    // Relaxed, all: own. What is interrupted in `settle` goes on there.
    if mp.locks.load(Relaxed) != 0 {
        return tell_looked(mp, Some(gp));
    }
    // Relaxed: before the mark below, which who looks at the stack waits for.
    mp.interrupted.store(context.cast(), Relaxed);
    tell_looked(mp, Some(gp));
    let on_stack = (gp.stack_lo()..gp.stack_hi()).contains(&sp);
    let recalled = mp.adoption.recalled.swap(false, Relaxed);
    loop {
        // Release hands `interrupted` over.
        mp.adoption.stands.store(true, Release);
        if recalled && on_stack && gp.preempt_off.load(Relaxed) == 0 {
            // Its first change of status waits for the scan bit.
            stay_until_idle_p(mp, gp);
            mp.adoption.stands.store(false, Relaxed);
            return;
        }
        while gp.status.load().has_scan() {
            osyield();
        }
        // With `stand_still`: who saw the mark has claimed before it went, and is seen here.
        mp.adoption.stands.store(false, Relaxed);
        fence(SeqCst);
        if !gp.status.load().has_scan() {
            break;
        }
    }
    mp.interrupted.store(ptr::null_mut(), Relaxed);
}
