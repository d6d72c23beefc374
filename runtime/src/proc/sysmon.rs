//! The monitor: a thread without a P that notices what nobody else would.
//!
//! It takes Ps back from system calls that last and from threads that sleep in foreign code (`adopt.rs`), asks goroutines to yield that run for longer than a slice, and polls the
//! network when nobody has for a while. It looks every 20 us while there is something to notice, less and less often down
//! to every 10 ms when there is not, and not at all while every P is idle.
//!
//! Go: `sysmon`, `retake` (section 7 of the state rules).

use sigurg_traces::Kind;

use crate::facade::atomic::Ordering::{Relaxed, SeqCst};
use crate::facade::{be_punctual, nanotime, setm, thread_cputime};
use crate::m::M;
use crate::p::{P, PStatus};
use crate::proc::adopt::{Watch, foreign_call};
use crate::proc::deadlock::is_doubtful;
use crate::proc::inject::asks_again_soon;
use crate::proc::locked::count_idle;
use crate::proc::preempt::{nobody_was_asked, preemptone};
use crate::proc::queue::injectglist;
use crate::proc::syscall::SyscallingThread;
use crate::proc::template::{STUCK_NS, make_m};
use crate::proc::wake::handoffp;
use crate::sched::{GQueue, SYSMON_ASLEEP, SYSMON_AWAKE, SYSMON_CALM, Sched};
use crate::throw::Stderr;
use crate::trace::{Site, event};

/// A time slice, nanoseconds.
const FORCE_PREEMPT_NS: i64 = 10_000_000;
/// How long a goroutine may run while others wait to be woken (X-WAKE).
const SMALL_SLICE_NS: i64 = 100_000;
/// When a goroutine was asked to yield to somebody woken, how soon to look what became of that. Not sooner: a thread that has
/// just run is not let in before those that compute.
const LOOK_AGAIN_NS: i64 = 300_000;
/// How long a system call may keep a P that nobody needs.
const SYSCALL_PATIENCE_NS: i64 = 10_000_000;
/// How old a poll may get.
const POLL_NS: i64 = 10_000_000;
/// First and longest sleep, microseconds.
const FIRST_SLEEP_US: u32 = 20;
const LONGEST_SLEEP_US: u32 = 10_000;
/// Rounds without a find before sleeps get longer.
const IDLE_ROUNDS: u32 = 50;
/// Longest sleep while every P is idle.
const DEEP_SLEEP_NS: i64 = 60_000_000_000;
/// The same while it is a deadlock but for threads of others, of whose end nobody tells.
const DOUBTFUL_SLEEP_NS: i64 = 1_000_000_000;

/// The thread.
pub(crate) fn sysmon(sched: &'static Sched) {
    let mp = make_m(sched, |state| state.nmsys += 1);
    setm(Some(mp));
    be_punctual();
    event(mp, None, Site::Sysmon, 0, || Kind::MStart);
    let (mut idle, mut delay, mut calm) = (0u32, FIRST_SLEEP_US, false);
    let mut appointment = None;
    let mut watch = Watch::new();
    let mut last_schedtrace = nanotime();
    let mut last_calm = last_schedtrace;
    // Relaxed: read again each round; it ends a loop, nothing is ordered by it.
    while !sched.ended.load(Relaxed) {
        if idle == 0 {
            delay = FIRST_SLEEP_US;
        } else if idle > IDLE_ROUNDS {
            delay = (delay * 2).min(LONGEST_SLEEP_US);
        }
        nap(sched, delay, appointment);
        // SeqCst: set before the wake-up that `nap` may have taken away; nobody would end a deep sleep.
        if sched.ended.load(SeqCst) {
            break;
        }
        if sched.config.debug.schedtrace_ms == 0 && all_idle(sched) {
            calm |= deep_sleep(sched);
        }
        // SeqCst: with `wake_sysmon`.
        if calm && sched.sysmonwait.load(SeqCst) == SYSMON_AWAKE {
            (idle, delay, calm) = (0, FIRST_SLEEP_US, false);
        }
        let now = nanotime();
        poll_if_stale(mp, now);
        sched.template.rescue(mp, now, STUCK_NS);
        watch.look(mp);
        if last_calm + FORCE_PREEMPT_NS <= now {
            last_calm = now;
            // `retake` asks again, and whoever else waits does, too.
            nobody_was_asked();
        }
        idle = if retake(mp, now) { 0 } else { idle + 1 };
        // One made before holds though somebody woke this thread meanwhile.
        appointment = wake_preempt(mp, now).or(appointment.filter(|at| *at > now));
        let every = i64::from(sched.config.debug.schedtrace_ms) * 1_000_000;
        if every > 0 && last_schedtrace + every <= now {
            last_schedtrace = now;
            crate::schedtrace::write(sched, &mut Stderr);
        }
    }
    setm(None);
    sched.sysmon_gone.wakeup();
}

/// Sleeps for `us` microseconds, but not past `appointment` or a timer that nobody else may see to, and not once somebody wakes it.
fn nap(sched: &'static Sched, us: u32, appointment: Option<i64>) {
    let now = nanotime();
    let until = appointment.into_iter().fold(now + i64::from(us) * 1_000, i64::min);
    // SeqCst: who arms an earlier timer after this sees it (`wake_sysmon_by`); who armed one before is in a heap.
    sched.sysmon_until.store(until, SeqCst);
    let until = sched.ps().map(|pp| pp.timers.wake_time()).filter(|when| *when > now).fold(until, i64::min);
    sched.sysmonnote.sleep_for(until - now);
    sched.sysmon_until.store(0, SeqCst);
    sched.sysmonnote.clear();
}

/// X-WAKE: somebody could run, every P is busy, and some goroutine has had more than a small slice: it is asked to yield now,
/// not when sysmon would notice and a whole slice has passed. When to look again, if there was a reason to look.
///
/// One goroutine at a time, the one that runs longest; it gets at least [`SMALL_SLICE_NS`] whenever it runs. Between two looks
/// sysmon sleeps: a monitor that uses up its share of a processor is the one that the kernel lets wait.
fn wake_preempt(mp: &'static M, now: i64) -> Option<i64> {
    let sched = mp.sched();
    // SeqCst: set after the work was queued; an idle P is woken by whoever queued it.
    let urgent = sched.urgent.swap(false, SeqCst) && sched.runqsize() > 0;
    if sched.npidle.load(SeqCst) != 0 {
        return None;
    }
    // Relaxed: sysmon's own notes, just brought up to date by `retake`.
    let since = |pp: &&'static P| pp.sysmontick.schedwhen.load(Relaxed);
    let due = |pp: &&'static P| (1..=now).contains(&pp.timers.wake_time());
    // What waits for a timer becomes runnable on the P that has the timer.
    let with_timer = sched.ps().filter(due).min_by_key(since);
    let pp = with_timer.or_else(|| urgent.then(|| sched.ps().min_by_key(since)).flatten())?;
    if urgent {
        sched.urgent.store(true, SeqCst);
    }
    let slice_ends = since(&pp) + SMALL_SLICE_NS;
    if slice_ends > now {
        return Some(slice_ends);
    }
    if adopt_if_asleep(mp, pp, now) == Sleeps::No {
        preemptone(mp, pp, Site::WakePreempt);
    }
    // The request may be declined; and what runs next must be noticed before its own small slice can begin.
    Some(now + LOOK_AGAIN_NS)
}

/// Nothing to notice: every P is idle, or the world stops and whoever stops it looks itself.
fn all_idle(sched: &Sched) -> bool {
    // SeqCst: pairs with `wake_sysmon`.
    sched.gcwaiting.load(SeqCst) || sched.npidle.load(SeqCst) == sched.gomaxprocs.load(Relaxed)
}

/// Sleeps until a P is in use; whether it slept. Who is woken by that goes on as seldom as before, for a P that is in use now and then
/// needs no monitor, and from then on hears of the first system call.
fn deep_sleep(sched: &'static Sched) -> bool {
    let state = sched.lock.lock();
    if !all_idle(sched) {
        return false;
    }
    let longest = if is_doubtful(sched, &state) { DOUBTFUL_SLEEP_NS } else { DEEP_SLEEP_NS };
    let now = nanotime();
    let next = sched.ps().map(|pp| pp.timers.wake_time()).filter(|when| *when != 0).min();
    let sleep = next.map_or(longest, |next| (next - now).min(longest));
    if sleep <= 0 {
        return false;
    }
    // SeqCst, under the lock: whoever gets a P or enters a system call after this sees it.
    sched.sysmonwait.store(SYSMON_ASLEEP, SeqCst);
    drop(state);
    sched.sysmonnote.sleep_for(sleep);
    let _state = sched.lock.lock();
    // Relaxed: under the lock, which who wakes it has, too.
    if sched.sysmonwait.load(Relaxed) == SYSMON_ASLEEP {
        sched.sysmonwait.store(SYSMON_CALM, SeqCst);
    }
    sched.sysmonnote.clear();
    true
}

/// Polls the network if nobody has for a while and nobody waits in it.
fn poll_if_stale(mp: &'static M, now: i64) {
    let sched = mp.sched();
    // SeqCst: 0 while somebody waits there.
    let last = sched.lastpoll.load(SeqCst);
    if last == 0
        || last + POLL_NS >= now
        || sched.netpoll.waiters() == 0
        || sched.lastpoll.compare_exchange(last, now, SeqCst, SeqCst).is_err()
    {
        return;
    }
    let mut list = GQueue::new();
    sched.netpoll.poll(0, |gp| list.push_back(gp));
    injectglist(mp, list);
}

/// Looks at every P; whether one was taken from a system call, or should be looked at again soon.
fn retake(mp: &'static M, now: i64) -> bool {
    let mut taken = false;
    for pp in mp.sched().ps() {
        taken |= retake_one(mp, pp, now);
    }
    taken
}

fn retake_one(mp: &'static M, pp: &'static P, now: i64) -> bool {
    if pp.status.load() != PStatus::Running {
        return false;
    }
    let sched = mp.sched();
    let seen = &pp.sysmontick;
    let (mut overdue, mut soon) = (false, false);
    // Relaxed, all: sysmon's own notes; the ticks of the P are hints.
    let schedtick = pp.schedtick.load(Relaxed);
    if seen.schedtick.load(Relaxed) != schedtick {
        seen.schedtick.store(schedtick, Relaxed);
        seen.schedwhen.store(now, Relaxed);
        look_at_cputime(pp, now);
        seen.ask_asleep_at.store(now + SMALL_SLICE_NS, Relaxed);
    } else {
        look_at_cputime(pp, now);
        overdue = seen.schedwhen.load(Relaxed) + FORCE_PREEMPT_NS <= now;
        let others_wait = !pp.runq.is_empty() || sched.runqsize() > 0;
        if overdue || others_wait {
            match adopt_if_asleep(mp, pp, now) {
                Sleeps::Adopted => return true,
                Sleeps::No if overdue => {
                    preemptone(mp, pp, Site::Retake);
                    soon = asks_again_soon(pp);
                }
                Sleeps::No | Sleeps::Perhaps => {}
            }
        }
    }
    let Some(thread) = SyscallingThread::block(mp, pp, Site::Retake) else { return soon };
    let syscalltick = pp.syscalltick.load(Relaxed);
    if !overdue && seen.syscalltick.load(Relaxed) != syscalltick {
        // A call that is new since the last look.
        seen.syscalltick.store(syscalltick, Relaxed);
        seen.syscallwhen.store(now, Relaxed);
        thread.resume(mp);
        return false;
    }
    let others = sched.nmspinning.load(SeqCst) > 0 || sched.npidle.load(SeqCst) > 0;
    if pp.runq.is_empty() && others && seen.syscallwhen.load(Relaxed) + SYSCALL_PATIENCE_NS > now {
        thread.resume(mp);
        return false;
    }
    take(mp, pp, thread);
    true
}

/// Takes `pp` from a thread that is in a system call, and hands it on.
fn take(mp: &'static M, pp: &'static P, thread: SyscallingThread) {
    event(mp, None, Site::Retake, 0, || Kind::RetakeSyscall { target_p: pp.id() });
    // As if one more M ran: its goroutine may come back, find no P and go to sleep as the last, with the P in hand here.
    count_idle(mp, -1);
    thread.take_p(mp);
    thread.resume(mp);
    handoffp(mp, pp, Site::Retake);
    count_idle(mp, 1);
}

/// Notes whether the thread that has `pp` has computed most of the time since the last look.
fn look_at_cputime(pp: &'static P, now: i64) {
    let seen = &pp.sysmontick;
    // Relaxed, all: sysmon's own notes, and hints.
    let cputime = pp.m().and_then(|mp| thread_cputime(mp.procid.load(Relaxed))).unwrap_or(0);
    let computed = cputime - seen.cputime.swap(cputime, Relaxed);
    let elapsed = now - seen.cputime_at.swap(now, Relaxed);
    seen.may_sleep.store(computed * 2 < elapsed, Relaxed);
}

/// Whether a thread sleeps in a foreign call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sleeps {
    /// It does, and its P was taken.
    Adopted,
    /// It may, and it is too soon to ask the kernel again, which takes some 40 us: it is not signalled, for that would
    /// interrupt the call.
    Perhaps,
    /// It computes, or what it sleeps in is no foreign call.
    No,
}

/// X-ADOPT: takes `pp` from a thread that sleeps in a foreign call. Where it does not it is asked less and less often.
fn adopt_if_asleep(mp: &'static M, pp: &'static P, now: i64) -> Sleeps {
    let seen = &pp.sysmontick;
    // Relaxed, all: sysmon's own notes.
    if !seen.may_sleep.load(Relaxed) {
        return Sleeps::No;
    }
    if seen.ask_asleep_at.load(Relaxed) > now {
        return Sleeps::Perhaps;
    }
    seen.ask_asleep_at.store(now + (now - seen.schedwhen.load(Relaxed)).min(FORCE_PREEMPT_NS), Relaxed);
    let Some(thread) = foreign_call(mp, pp, Site::Retake) else { return Sleeps::No };
    take(mp, pp, thread);
    // What it sleeps for may be a lock of a goroutine that was stopped in its handler, which making a thread needs, too.
    mp.sched().template.rescue(mp, nanotime(), 0);
    Sleeps::Adopted
}
