//! From a built runtime to a running one, and back.
//!
//! Go: `schedinit`, `rt0_go`, `main` (proc.go).

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use sigurg_traces::Kind;

use crate::facade::atomic::Ordering::{Relaxed, SeqCst};
use crate::facade::{Note, end_watch, getm, setm, spawn};
use crate::proc::body::body;
use crate::proc::checkdead;
use crate::proc::newproc::newproc_main;
use crate::proc::procresize::{make_ps, procresize};
use crate::proc::stw::stop_for_ever;
use crate::proc::sysmon::sysmon;
use crate::proc::template::make_m;
use crate::proc::wake::{handoffp, mpark, releasep};
use crate::proc::{mcall, must_current, must_getm};
use crate::sched::Sched;
use crate::throw::throw;
use crate::trace::{Site, event};

/// How long the end waits for goroutines to stop, nanoseconds. Those that do not reach a safe point run on until the process
/// ends.
const END_PATIENCE_NS: i64 = 50_000_000;
/// The same where a trace is recorded: it is complete only if all have stopped, also on a machine with much else to do.
const TRACED_END_PATIENCE_NS: i64 = 5_000_000_000;

/// Runs `main` as the main goroutine and waits for its end.
pub(crate) fn run<T: Send>(sched: &'static Sched, main: impl FnOnce() -> T + Send) -> T {
    assert!(getm().is_none(), "Runtime::run: this thread runs goroutines already");
    let ended = Note::new();
    let mut outcome = None;
    {
        let (ended, outcome) = (&ended, &mut outcome);
        boot(sched, move || {
            // Relaxed: see `newproc`.
            sched.main_started.store(true, Relaxed);
            let result = catch_unwind(AssertUnwindSafe(|| body(main)));
            let quiet = stop_for_ever(sched.end_patience_ns());
            *outcome = Some((result, quiet));
            ended.wakeup();
            // The caller's stack, with what this closure borrows, may be gone now.
            let (mp, gp) = must_current("run");
            mcall(mp, gp, main_ended);
        });
        ended.sleep();
    }
    let Some((result, quiet)) = outcome else { throw!("run: main did not end") };
    sched.end(quiet);
    result.unwrap_or_else(|panic| resume_unwind(panic))
}

/// The thread of the main goroutine ends with the others.
extern "C" fn main_ended(_: *mut ()) -> ! {
    let mp = must_getm();
    // Relaxed: the world is stopped, or the runtime gives up on it; nobody asks for this P any more.
    mp.set_p(None);
    mp.set_curg(None);
    loop {
        mpark(mp);
    }
}

/// M0 is the calling thread: it makes the Ps and the main goroutine, and hands its P over.
fn boot(sched: &'static Sched, main: impl FnOnce() + Send) {
    let procs = sched.config.gomaxprocs;
    // Relaxed: see `checkdead`. The template, and who writes the trace; this thread and sysmon are Ms.
    sched.threads.fetch_add(1 + i32::from(sched.tracer.is_some()), Relaxed);
    make_ps(sched, procs);
    let m0 = make_m(sched, |_| ());
    setm(Some(m0));
    let mut state = sched.lock.lock();
    let runnable = procresize(m0, &mut state, procs);
    if !runnable.is_null() {
        throw!("boot: a P has work before there is any");
    }
    drop(state);
    newproc_main(m0, main);
    for (name, serve) in
        [("template", (|sched| sched.template.serve(sched)) as fn(&'static Sched)), ("sysmon", sysmon)]
    {
        let name = format!("{}-{name}", sched.config.thread_name);
        if let Err(error) = spawn(name, None, move || serve(sched)) {
            throw!("cannot create a thread: {error}");
        }
    }
    event(m0, None, Site::Mexit, 0, || Kind::MExit);
    let pp = releasep(m0);
    handoffp(m0, pp, Site::Mexit);
    setm(None);
    let mut state = sched.lock.lock();
    // M0 never runs goroutines; its thread waits for their end.
    state.nmsys += 1;
    // The others may all have gone to sleep before this one counted as asleep.
    checkdead(sched, &state);
}

impl Sched {
    fn end_patience_ns(&self) -> i64 {
        if self.tracer.is_some() { TRACED_END_PATIENCE_NS } else { END_PATIENCE_NS }
    }

    /// Nothing is scheduled any more: threads that have nothing to do end.
    fn end(&'static self, quiet: bool) {
        // SeqCst: before the wake-ups.
        self.ended.store(true, SeqCst);
        self.sysmonnote.wakeup();
        // The stopped world does not stop sysmon, nor threads that are guests: what they did may not be recorded yet.
        let quiet = self.sysmon_gone.sleep_for(self.end_patience_ns())
            && quiet
            && self.template.guests_are_home(self);
        end_watch(quiet);
        if let Some(tracer) = &self.tracer
            && let Err(error) = tracer.finish(quiet)
        {
            eprintln!("sigurg: the trace is not complete: {error}");
        }
        self.template.wakeup();
        self.netpoll.wake();
        // Those that sleep find that it is over; the others will.
        self.ms().for_each(|mp| mp.park.wakeup());
    }
}
