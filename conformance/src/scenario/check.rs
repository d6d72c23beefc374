//! Which scenarios are accepted: those that can be shown to end.
//!
//! - *W1* Names are words and unique; indices are in range; numbers within bounds.
//! - *W2* A goroutine that is spawned is spawned at one place, which is done once, by one that runs without it.
//! - *W3* A goroutine is joined by whoever spawned it, after that, once.
//! - *W4* A channel has one sender, or room for everything that is ever sent; and one receiver, or receivers that give nothing to
//!   anybody once they have begun to receive from it, so that it does not matter who gets what.
//! - *W5* Who holds a mutex waits for nobody, and takes only later ones: so the last holder always gets on.
//! - *W6* A daemon gives nothing and waits for nobody; only a daemon runs for ever, and can be stopped there. It does not panic: where the
//!   program ends in the middle of that, the thread counts as panicking for ever, and in simulation all share one.
//! - *W7* Run sequentially it ends, and its times together are bounded.
//!
//! With W4 and W5 the steps of a goroutine depend on nothing but what it is given, and what it is given does not depend on
//! the order: so W7 decides for every order.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::expect::{self, Results, Stuck};
use super::walk::{Path, steps};
use super::{Chan, Go, Op, Scenario};

/// Ps.
pub const MOST_PROCS: u8 = 16;
/// Goroutines, channels, mutexes, flags: of each so many.
pub const MOST_OBJECTS: usize = 64;
/// Values in a channel.
pub const MOST_CAPACITY: u16 = 1024;
/// Bodies in bodies.
pub const MOST_DEPTH: usize = 8;
/// Rounds of one loop.
pub const MOST_TIMES: u32 = 100_000;
/// Microseconds of one step.
pub const MOST_US: u32 = 1_000_000;
/// Microseconds of all steps of one scenario together.
pub const MOST_US_TOGETHER: u64 = 20_000_000;
/// KiB of stack.
pub const MOST_STACK: u16 = 1024;
/// Goroutines of a burst.
pub const MOST_BURST: u16 = 5_000;
/// Signals of a storm.
pub const MOST_SIGNALS: u32 = 100_000;

/// Where a scenario is at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// As a whole.
    Whole,
    /// A goroutine.
    Goroutine(Go),
    /// A step of one.
    Step(Go, Path),
    /// A channel.
    Channel(Chan),
}

/// Why a scenario is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Fault {}

fn fault(place: Place, reason: impl Into<String>) -> Fault {
    Fault { place, reason: reason.into() }
}

/// Whether `scenario` is accepted, and then what it must come to.
///
/// # Errors
/// The first fault.
pub fn check(scenario: &Scenario) -> Result<Results, Fault> {
    whole(scenario)?;
    numbers(scenario)?;
    births(scenario)?;
    channels(scenario)?;
    sections(scenario)?;
    ends(scenario)
}

/// Whether `name` can stand in the text form.
#[must_use]
pub fn is_word(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// W1, for what is declared.
fn whole(s: &Scenario) -> Result<(), Fault> {
    let mut names: Vec<&str> = s.mutexes.iter().chain(&s.flags).map(String::as_str).collect();
    names.extend(s.channels.iter().map(|channel| &*channel.name));
    names.extend(s.goroutines.iter().map(|goroutine| &*goroutine.name));
    let mut seen = BTreeSet::new();
    for name in names.iter().chain([&&*s.name]) {
        if !is_word(name) {
            return Err(fault(Place::Whole, format!("{name:?} is not a name: letters, digits, _ - .")));
        }
    }
    if let Some(name) = names.iter().find(|name| !seen.insert(**name)) {
        return Err(fault(Place::Whole, format!("two things are called {name}")));
    }
    let counts = [s.mutexes.len(), s.flags.len(), s.channels.len(), s.goroutines.len()];
    if counts.iter().any(|&count| count > MOST_OBJECTS) {
        return Err(fault(Place::Whole, format!("more than {MOST_OBJECTS} things of a kind")));
    }
    if s.goroutines.is_empty() {
        return Err(fault(Place::Whole, "no goroutines"));
    }
    if !(1..=MOST_PROCS).contains(&s.procs) {
        return Err(fault(Place::Whole, format!("procs {}: from 1 to {MOST_PROCS}", s.procs)));
    }
    if let Some(channel) = s.channels.iter().find(|channel| channel.capacity > MOST_CAPACITY) {
        return Err(fault(Place::Whole, format!("channel {}: at most {MOST_CAPACITY} values", channel.name)));
    }
    let storm = s.storm.is_none_or(|storm| {
        (1..=MOST_SIGNALS).contains(&storm.signals) && (1..=MOST_US).contains(&storm.every_us)
    });
    if !storm {
        return Err(fault(Place::Whole, format!("storm: 1 to {MOST_SIGNALS} signals, every 1us to 1s")));
    }
    Ok(())
}

/// W1, for the steps; and W7, the bound of all times together.
fn numbers(s: &Scenario) -> Result<(), Fault> {
    let mut total = 0u64;
    each_step(s, |_, op, _, around| {
        let within = |value: u64, most: u64, what: &str| match value <= most {
            true => Ok(()),
            false => Err(format!("{what} {value}: at most {most}")),
        };
        let index = |index: u8, count: usize, what: &str| match usize::from(index) < count {
            true => Ok(()),
            false => Err(format!("there is no {what} {index}")),
        };
        if around.depth > MOST_DEPTH {
            return Err(format!("more than {MOST_DEPTH} bodies in each other"));
        }
        match *op {
            Op::Compute(us)
            | Op::Alloc(us)
            | Op::PreemptOff(us)
            | Op::Sleep(us)
            | Op::Syscall(us)
            | Op::Foreign(us) => {
                if !around.forever {
                    total = total.saturating_add(around.times.saturating_mul(us.into()));
                }
                within(us.into(), MOST_US.into(), "microseconds")
            }
            Op::Call(times) | Op::Repeat(times, _) => within(times.into(), MOST_TIMES.into(), "times"),
            Op::Send(chan) | Op::Recv(chan) => index(chan, s.channels.len(), "channel"),
            Op::Lock(mutex, _) => index(mutex, s.mutexes.len(), "mutex"),
            Op::Set(flag) | Op::Await(flag) => index(flag, s.flags.len(), "flag"),
            Op::Ready(go) | Op::Spawn(go) | Op::Join(go) => index(go, s.goroutines.len(), "goroutine"),
            Op::Grow(kib) => within(kib.into(), MOST_STACK.into(), "KiB"),
            Op::Burst(count) => within(count.into(), MOST_BURST.into(), "goroutines"),
            Op::Procs(procs) if !(1..=MOST_PROCS).contains(&procs) => {
                Err(format!("procs {procs}: from 1 to {MOST_PROCS}"))
            }
            _ => Ok(()),
        }
    })?;
    if total > MOST_US_TOGETHER {
        let reason = format!("takes {} s; at most {} s", total / 1_000_000, MOST_US_TOGETHER / 1_000_000);
        return Err(fault(Place::Whole, reason));
    }
    Ok(())
}

/// W2 and W3.
fn births(s: &Scenario) -> Result<(), Fault> {
    // Who spawns it; and who has been spawned, joined so far in the order of the text.
    let mut parents: BTreeMap<Go, Go> = BTreeMap::new();
    let mut joined = BTreeSet::new();
    each_step(s, |go, op, path, around| {
        let once = around.times == 1 && !around.forever;
        match op {
            Op::Spawn(child) => {
                if !once {
                    return Err("a goroutine is spawned once, so not in a loop".into());
                }
                if parents.insert(*child, go).is_some() {
                    return Err(format!(
                        "{} is spawned at two places",
                        s.goroutines[usize::from(*child)].name
                    ));
                }
            }
            Op::Join(child) => {
                let name = &s.goroutines[usize::from(*child)].name;
                if s.goroutines[usize::from(*child)].daemon {
                    return Err(format!("{name} is a daemon: nobody waits for it"));
                }
                // A step that spawns in a body after `exit` is never done, and then nor is this one.
                if parents.get(child) != Some(&go) || path.is_empty() {
                    return Err(format!("{name} is joined by whoever spawns it, after that"));
                }
                if !once || !joined.insert(*child) {
                    return Err(format!("{name} is joined once"));
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    for (go, goroutine) in s.goroutines.iter().enumerate() {
        let (mut at, mut hops) = (go as Go, 0);
        while let Some(&parent) = parents.get(&at) {
            at = parent;
            hops += 1;
            if hops > s.goroutines.len() {
                let reason = format!("{} is spawned only by what it spawns itself", goroutine.name);
                return Err(fault(Place::Goroutine(go as Go), reason));
            }
        }
    }
    Ok(())
}

/// Who uses a channel, and how.
#[derive(Default)]
struct Ends {
    senders: BTreeSet<Go>,
    receivers: BTreeSet<Go>,
    sent: u64,
}

/// W4.
fn channels(s: &Scenario) -> Result<(), Fault> {
    let mut all: Vec<Ends> = s.channels.iter().map(|_| Ends::default()).collect();
    each_step(s, |go, op, _, around| {
        match op {
            Op::Send(chan) => {
                let ends = &mut all[usize::from(*chan)];
                ends.senders.insert(go);
                ends.sent = ends.sent.saturating_add(around.times);
            }
            Op::Recv(chan) => drop(all[usize::from(*chan)].receivers.insert(go)),
            _ => {}
        }
        Ok(())
    })?;
    for (chan, (ends, channel)) in all.iter().zip(&s.channels).enumerate() {
        if ends.senders.len() > 1 && ends.sent > u64::from(channel.capacity) {
            let reason = format!(
                "channel {} has {} senders: it must hold all {} values that they send, and holds {}",
                channel.name,
                ends.senders.len(),
                ends.sent,
                channel.capacity
            );
            return Err(fault(Place::Channel(chan as Chan), reason));
        }
    }
    let shared = |chan: Chan| all[usize::from(chan)].receivers.len() > 1;
    for (go, goroutine) in s.goroutines.iter().enumerate() {
        let go = go as Go;
        let mut from: Option<Chan> = None;
        let mut found = Ok(());
        // In a loop what stands before comes after, too.
        let looped = |path: &Path| path.len() > 1;
        let mut gives: Option<Path> = None;
        steps(goroutine, |op, path, _| {
            if found.is_err() {
                return;
            }
            let name = |chan: Chan| &s.channels[usize::from(chan)].name;
            match *op {
                Op::Recv(chan) if shared(chan) => {
                    if from.is_some_and(|first| first != chan) {
                        found = Err((
                            path.clone(),
                            "receives from two channels that others receive from, too".to_owned(),
                        ));
                    } else if let Some(gives) =
                        gives.as_ref().filter(|gives| looped(path) && gives[0] == path[0])
                    {
                        let reason = format!(
                            "others receive from {}, too: who does may give nothing afterwards",
                            name(chan)
                        );
                        found = Err((gives.clone(), reason));
                    }
                    from = Some(chan);
                }
                ref op if op.gives() || op.takes() => {
                    if let Some(first) = from {
                        let reason = format!(
                            "others receive from {}, too: who does may neither give to others nor wait for them afterwards",
                            name(first)
                        );
                        found = Err((path.clone(), reason));
                    }
                    gives = Some(path.clone());
                }
                _ => {}
            }
        });
        found.map_err(|(path, reason)| fault(Place::Step(go, path), reason))?;
    }
    // Whether such a receiver ends depends on others who may wait for whoever joins it. At the end all are waited for.
    each_step(s, |_, op, _, _| match op {
        Op::Join(child)
            if all.iter().any(|ends| ends.receivers.len() > 1 && ends.receivers.contains(child)) =>
        {
            let name = &s.goroutines[usize::from(*child)].name;
            Err(format!("{name} shares a channel with other receivers: only the end waits for it"))
        }
        _ => Ok(()),
    })
}

/// Whether a holder of a mutex may do it.
#[must_use]
pub fn may_hold(op: &Op) -> bool {
    !op.takes()
}

/// W5 and W6.
fn sections(s: &Scenario) -> Result<(), Fault> {
    each_step(s, |go, op, path, around| {
        let goroutine = &s.goroutines[usize::from(go)];
        if let Some(held) = around.holds {
            let name = &s.mutexes[usize::from(held)];
            if !may_hold(op) {
                return Err(format!("with {name} held nobody may be waited for"));
            }
            if let Op::Lock(next, _) = op
                && *next <= held
            {
                return Err(format!("with {name} held only mutexes that are declared after it may be taken"));
            }
        }
        if goroutine.daemon && (op.gives() || op.takes()) {
            return Err(format!("{} is a daemon: it gives nothing and waits for nobody", goroutine.name));
        }
        if goroutine.daemon && *op == Op::Panic {
            return Err(format!("{} is a daemon: it does not panic", goroutine.name));
        }
        if around.forever && matches!(op, Op::PreemptOff(_)) {
            // Others would have to hit the few instructions in between.
            return Err("who runs for ever may not switch preemption off: nobody could stop it".into());
        }
        if matches!(op, Op::Forever(_)) {
            let last = path.len() == 1 && path[0] + 1 == goroutine.body.len();
            if !goroutine.daemon || !last || around.holds.is_some() {
                return Err("only a daemon may run for ever, and only at its end".into());
            }
            if op.body().is_none_or(<[Op]>::is_empty) {
                return Err("for ever nothing".into());
            }
        }
        Ok(())
    })
}

/// W7.
fn ends(s: &Scenario) -> Result<Results, Fault> {
    expect::results(s).map_err(|stuck| match stuck {
        Stuck::TooLong => fault(Place::Whole, stuck.to_string()),
        Stuck::Waits(all) => {
            let name = |go: Go| &*s.goroutines[usize::from(go)].name;
            let names: Vec<_> = all.iter().map(|&(go, _)| name(go)).collect();
            let (go, path) = all[0].clone();
            if path.is_empty() {
                return fault(Place::Goroutine(go), format!("{} is never started", name(go)));
            }
            let others = match &names[1..] {
                [] => String::new(),
                others => format!(", and so do {}", others.join(", ")),
            };
            fault(Place::Step(go, path), format!("{} waits here for ever{others}", name(go)))
        }
    })
}

/// Asks `of` about every step.
fn each_step(
    s: &Scenario,
    mut of: impl FnMut(Go, &Op, &Path, super::walk::Around) -> Result<(), String>,
) -> Result<(), Fault> {
    for (goroutine, go) in s.goroutines.iter().zip(0..) {
        let mut found = Ok(());
        steps(goroutine, |op, path, around| {
            if found.is_ok() {
                found =
                    of(go, op, path, around).map_err(|reason| fault(Place::Step(go, path.clone()), reason));
            }
        });
        found?;
    }
    Ok(())
}
