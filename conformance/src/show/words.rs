//! What an event says, in Go's words.

use sigurg_traces::{Event, Kind, Queue, Request, Sym, Symbols, Target};

/// The event in one line, without its actor.
#[must_use]
pub fn words(event: &Event, symbols: &Symbols) -> String {
    let g = event.target.map_or_else(|| "nobody".to_owned(), g_name);
    let site = symbols.resolve(event.site);
    let text = kind(&event.kind, &g, event.target, site, symbols);
    // The words of a status change name the function themselves.
    if site.is_empty() || matches!(event.kind, Kind::GStatus { .. } | Kind::GStatusFail { .. }) {
        text
    } else {
        format!("{text} in {site}")
    }
}

/// `G7`, or the struct where there is no goroutine yet.
#[must_use]
pub fn g_name(target: Target) -> String {
    match target {
        Target { g: 0, gs } => format!("G struct {gs}"),
        Target { g, .. } => format!("G{g}"),
    }
}

fn p_name(p: i32) -> String {
    if p < 0 { "any P".into() } else { format!("P{p}") }
}

fn queue(q: Queue, p: i32) -> String {
    if p < 0 { format!("the {q} queue") } else { format!("{q} of P{p}") }
}

/// `, reason "sleep"`, if there is one.
fn because(reason: Sym, symbols: &Symbols) -> String {
    match symbols.resolve(reason) {
        "" => String::new(),
        reason => format!(", reason {reason:?}"),
    }
}

fn asynchronous(by_signal: bool) -> &'static str {
    if by_signal { "asynchronously, from a signal" } else { "synchronously" }
}

fn kind(kind: &Kind, g: &str, target: Option<Target>, site: &str, symbols: &Symbols) -> String {
    let gs = target.map_or(0, |target| target.gs);
    let by = |via: &dyn std::fmt::Display| match site {
        "" => format!("({via})"),
        site => format!("({via}, {site})"),
    };
    match *kind {
        Kind::GStatus { from, to, via, ver, reason } => {
            format!("{g} {from} -> {to} {}{} ver {ver} of struct {gs}", by(&via), because(reason, symbols))
        }
        Kind::GStatusFail { want_from, want_to, saw, via, ver } => {
            format!("{g} is not {want_from} -> {want_to} {}: it is {saw}, ver {ver} of struct {gs}", by(&via))
        }
        Kind::SuspendBegin { sid } => format!("suspendG({g}) begins, call {sid}"),
        Kind::SuspendStep { sid, iter, saw, ver } => {
            format!("suspendG({g}) turn {iter} sees {saw}, ver {ver}, call {sid}")
        }
        Kind::SuspendEnd { sid, dead: true, .. } => {
            format!("suspendG({g}) ends: nothing claimed, call {sid}")
        }
        Kind::SuspendEnd { sid, stopped, .. } => {
            let how = if stopped { "stopped" } else { "claimed as it was" };
            format!("suspendG({g}) ends: {how}, call {sid}")
        }
        Kind::ResumeBegin { sid, dead: true, .. } => format!("resumeG of a dead G, call {sid}"),
        Kind::ResumeBegin { sid, stopped, .. } => {
            format!("resumeG({g}) begins{}, call {sid}", if stopped { ", to ready it" } else { "" })
        }
        Kind::ResumeEnd { sid, .. } => format!("resumeG({g}) ends, call {sid}"),
        Kind::GRequest { request } => match request {
            Request::Preempt(value) => format!("{g}.preempt = {value}"),
            Request::PreemptStop(value) => format!("{g}.preemptStop = {value}"),
            Request::PreemptShrink(value) => format!("{g}.preemptShrink = {value}"),
            Request::Stackguard0(guard) => format!("{g}.stackguard0 = {guard}"),
        },
        Kind::PRequest { target_p, preempt } => format!("P{target_p}.preempt = {preempt}"),
        Kind::PreemptOne { target_p, target_m } => format!("preemptone(P{target_p}) asks {g} on M{target_m}"),
        Kind::PreemptM { target_m, sent: true } => format!("preemptM(M{target_m}) sends a signal"),
        Kind::PreemptM { target_m, sent: false } => format!("preemptM(M{target_m}): one is pending already"),
        Kind::SigPreempt { want, safe, reject } => match (want, safe, reject) {
            (false, ..) => format!("signal on {g}: not wanted"),
            (true, true, _) => format!("signal on {g}: wanted, at a safe point"),
            (true, false, Some(reject)) => format!("signal on {g}: wanted, declined: {reject}"),
            (true, false, None) => format!("signal on {g}: wanted, declined"),
        },
        Kind::SigAck { generation } => format!("signal acknowledged, preemptGen {generation}"),
        Kind::Newstack { preempt: false, .. } => format!("newstack: {g} grows"),
        Kind::Newstack { can_preempt: false, .. } => format!("newstack: {g} declines for now"),
        Kind::Newstack { preempt_stop, preempt_shrink, .. } => {
            let shrink = if preempt_shrink { ", shrinks first" } else { "" };
            let then = if preempt_stop { "stop for a suspender" } else { "yield" };
            format!("newstack: {g} is preempted, will {then}{shrink}")
        }
        Kind::PreemptPark { by_signal } => format!("preemptPark: {g} stops {}", asynchronous(by_signal)),
        Kind::PreemptYield { by_signal } => format!("gopreempt_m: {g} yields {}", asynchronous(by_signal)),
        Kind::GoschedImpl { preempted } => match preempted {
            Some(true) => format!("goschedImpl: {g}, preempted"),
            Some(false) => format!("goschedImpl: {g}, of its own accord"),
            None => format!("goschedImpl: {g}"),
        },
        Kind::Goyield => format!("goyield: {g}"),
        Kind::StackCopy { old_size, new_size } => format!("copystack: {g} {old_size} -> {new_size} bytes"),
        Kind::StackShrink => format!("shrinkstack({g})"),
        Kind::RunqPut { target_p, q, how } => format!("put {g} on {} ({how})", queue(q, target_p)),
        Kind::RunqGet { target_p, q, how } => format!("take {g} from {} ({how})", queue(q, target_p)),
        Kind::RunqKick { target_p, q } => format!("kick {g} out of {}", queue(q, target_p)),
        Kind::RunqSteal { target_p, q } => format!("steal {g} from {}", queue(q, target_p)),
        Kind::Execute { inherit_time } => {
            format!("execute({g}){}", if inherit_time { ", inherits the time slice" } else { "" })
        }
        Kind::Newproc { entry, parent, parked } => {
            let parked = if parked { ", parked" } else { "" };
            format!("newproc: {g} is born of G{parent} to run {}{parked}", symbols.resolve(entry))
        }
        Kind::Ready { next } => format!("ready({g}){}", if next { ", next" } else { "" }),
        Kind::Goready { next } => format!("goready({g}){}", if next == Some(true) { ", next" } else { "" }),
        Kind::Gopark { reason, unlockf } => {
            let unlockf = if unlockf { ", unlockf" } else { "" };
            format!("gopark: {g}{}{unlockf}", because(reason, symbols))
        }
        Kind::ParkAbort => format!("gopark is called off, {g} runs on"),
        Kind::Goexit => format!("goexit: {g}"),
        Kind::Gdestroy => format!("gdestroy({g})"),
        Kind::Gfput { target_p } => {
            format!("gfput: struct {gs} goes to the free list of {}", p_name(target_p))
        }
        Kind::CoroFrom { exit } => format!("coroswitch from {g}{}", if exit { ", which exits" } else { "" }),
        Kind::CoroTo => format!("coroswitch to {g}"),
        Kind::Stoplockedm => format!("stoplockedm waits for {g}"),
        Kind::Startlockedm { target_m } => format!("startlockedm: the P goes to M{target_m}, bound to {g}"),
        Kind::PStatus { target_p, from, to, cas } => {
            format!("P{target_p} {from} -> {to}{}", if cas { " (cas)" } else { "" })
        }
        Kind::Handoffp { target_p } => format!("handoffp(P{target_p})"),
        Kind::RetakeSyscall { target_p } => format!("retake takes P{target_p} from a system call"),
        Kind::SyscallBlock { target_p, target_m } => {
            format!("holds the scan bit of {g} in a system call, to take P{target_p} from M{target_m}")
        }
        Kind::Startm { target_p, spinning } => {
            format!("startm({}){}", p_name(target_p), if spinning { ", spinning" } else { "" })
        }
        Kind::Stopm => "stopm".into(),
        Kind::MStart => "the M starts".into(),
        Kind::MExit => "the M exits".into(),
        Kind::Procresize { old, new } => format!("procresize: {old} -> {new} Ps"),
        Kind::StwBegin { reason } => format!("stopTheWorld begins{}", because(reason, symbols)),
        Kind::StwStopped { reason } => format!("the world is stopped{}", because(reason, symbols)),
        Kind::StwStart => "startTheWorld begins".into(),
        Kind::StwStarted { procs } => format!("the world runs again, {procs} Ps"),
        Kind::ForEachPBegin { procs } => format!("asks each of {procs} Ps for a safe point"),
        Kind::SafePointFn { target_p } => format!("runs the safe point function for P{target_p}"),
        Kind::ForEachPEnd => "every P has been at a safe point".into(),
        Kind::GcPhase { phase } => format!("collector: {phase}"),
        Kind::Lost => "lost: this event was claimed and never written".into(),
    }
}
