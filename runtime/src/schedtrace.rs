//! The scheduler in lines of text, for `SIGURG_DEBUG=schedtrace=…,scheddetail=1`. Go: `schedtrace`.
//!
//! Runs on sysmon, which must not allocate: everything goes straight to the writer.

use core::fmt::{self, Write};

use crate::facade::atomic::Ordering::Relaxed;
use crate::facade::nanotime;
use crate::g::G;
use crate::m::M;
use crate::sched::Sched;
use crate::status::GStatus;

/// Writes a snapshot; racy, as all of it is read without stopping anything.
pub(crate) fn write(sched: &Sched, out: &mut impl Write) {
    // There is no other place to complain about stderr.
    let _ = try_write(sched, out);
}

fn try_write(sched: &Sched, out: &mut impl Write) -> fmt::Result {
    let (threads, idle) = {
        let state = sched.lock.lock();
        (state.mnext - state.nmfreed, state.nmidle)
    };
    // Relaxed, all: figures for people.
    write!(
        out,
        "SCHED {}ms: gomaxprocs={} idleprocs={} threads={threads} spinningthreads={} needspinning={} idlethreads={idle} \
         runqueue={} [",
        (nanotime() - sched.started) / 1_000_000,
        sched.gomaxprocs.load(Relaxed),
        sched.npidle.load(Relaxed),
        sched.nmspinning.load(Relaxed),
        sched.needspinning.load(Relaxed),
        sched.runqsize(),
    )?;
    for (i, pp) in sched.ps().enumerate() {
        write!(out, "{}{}", if i == 0 { "" } else { " " }, pp.runq.len_hint())?;
    }
    writeln!(out, "]")?;
    if sched.config.debug.scheddetail { detail(sched, out) } else { Ok(()) }
}

/// Writes a line for each P, M and goroutine; takes no lock.
pub(crate) fn detail(sched: &Sched, out: &mut impl Write) -> fmt::Result {
    for pp in sched.ps() {
        writeln!(
            out,
            "  P{}: status={:?} schedtick={} syscalltick={} m={} runqsize={} gfreecnt={} timerslen={}",
            pp.id(),
            pp.status.load(),
            pp.schedtick.load(Relaxed),
            pp.syscalltick.load(Relaxed),
            pp.m().map_or(-1, M::id),
            pp.runq.len_hint(),
            pp.gfree.len(),
            pp.timers.len(),
        )?;
    }
    for mp in sched.ms() {
        writeln!(
            out,
            "  M{}: p={} curg={} locks={} spinning={} lockedg={} adopted={}",
            mp.id(),
            mp.p().map_or(-1, |pp| pp.id()),
            mp.curg().map_or(0, G::goid),
            mp.locks.load(Relaxed),
            mp.spinning.load(Relaxed),
            mp.lockedg().map_or(0, G::goid),
            mp.adoption.is_adopted(),
        )?;
    }
    goroutines(sched, out)
}

/// Writes a line for each goroutine.
pub(crate) fn goroutines(sched: &Sched, out: &mut impl Write) -> fmt::Result {
    for gp in sched.slab.all().filter(|gp| !gp.status.load().is(GStatus::Dead)) {
        writeln!(
            out,
            "  G{}: status={:?}({}) m={} lockedm={}",
            gp.goid(),
            gp.status.load().base(),
            gp.waitreason().as_str(),
            gp.m().map_or(-1, M::id),
            gp.lockedm().map_or(-1, M::id),
        )?;
    }
    Ok(())
}
