//! The parts of a run: goroutines, their steps, the storm, and the steps of the schedule with the signals in it.
//!
//! What is left is repaired, so that every candidate is a scenario. A schedule that names turns which cannot be had is
//! still a schedule: a driver leaves them out.
//!
//! Turns go in two ways. One is *dropped*: what its thread did in it is done later, by the turns after it, and everything of that
//! thread shifts. Or it is *put off*: its thread does as much more in its next turn, and is where it was from then on; that is one
//! change of threads less.

use std::collections::HashMap;
use std::ops::Range;

use sigurg_shuttle::sim::{Actor, End, Slice};

use super::Subject;
use crate::scenario::repair::repair;
use crate::scenario::walk::{Path, at, remove, retain, steps};
use crate::scenario::{Go, Op, Scenario};

/// What a run is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The program.
    pub scenario: Scenario,
    /// The schedule, turns that were executed only; empty for real threads.
    pub schedule: Vec<Slice>,
}

impl Run {
    /// The steps of all goroutines, in the order of the text.
    fn ops(&self) -> Vec<(usize, Path)> {
        let mut all = Vec::new();
        for (go, goroutine) in self.scenario.goroutines.iter().enumerate() {
            steps(goroutine, |_, path, _| all.push((go, path.clone())));
        }
        all
    }

    /// The program without those goroutines and steps.
    fn without_steps(&self, parts: Range<usize>) -> Scenario {
        let (goroutines, ops) = (self.scenario.goroutines.len(), self.ops());
        let mut scenario = self.scenario.clone();
        // From behind, so that what is in front stays where it is.
        for part in parts.rev() {
            if part >= goroutines {
                let (go, path) = &ops[part - goroutines];
                remove(&mut scenario.goroutines[*go].body, path);
            } else if scenario.goroutines.len() > 1 {
                without_goroutine(&mut scenario, part);
            }
        }
        scenario
    }

    /// Repaired; `None` if that is what it was.
    fn changed(&self, scenario: Scenario, schedule: Vec<Slice>) -> Option<Self> {
        let run = Self { scenario: repair(scenario), schedule };
        (run != *self).then_some(run)
    }
}

/// Takes goroutine `gone` away, and whatever is about it.
fn without_goroutine(scenario: &mut Scenario, gone: usize) {
    scenario.goroutines.remove(gone);
    let gone = gone as Go;
    for goroutine in &mut scenario.goroutines {
        retain(&mut goroutine.body, Default::default(), &mut |op, _| match op {
            Op::Spawn(other) | Op::Join(other) | Op::Ready(other) => {
                let keep = *other != gone;
                *other -= u8::from(*other > gone);
                keep
            }
            _ => true,
        });
    }
}

/// Turns that the schedule ended are put off to the next of their threads; those that end by themselves must stay.
fn put_off(schedule: &[Slice], turns: Range<usize>) -> Vec<Slice> {
    let mut put_off: HashMap<u16, u32> = HashMap::new();
    let mut all = Vec::with_capacity(schedule.len());
    for (at, &slice) in schedule.iter().enumerate() {
        match slice.actor {
            Actor::Thread(thread) if turns.contains(&at) && slice.end == End::Chosen => {
                let ops = put_off.entry(thread).or_default();
                // The operation before which the turn ended counts, too.
                *ops = ops.saturating_add(slice.amount).saturating_add(1);
            }
            Actor::Thread(thread) => {
                let more = put_off.remove(&thread).unwrap_or(0);
                all.push(Slice { amount: slice.amount.saturating_add(more), ..slice });
            }
            Actor::Signal(thread) => {
                // The signal lands where it landed.
                let before = put_off.remove(&thread).and_then(|ops| ops.checked_sub(1));
                all.extend(before.map(|amount| Slice {
                    actor: Actor::Thread(thread),
                    amount,
                    end: End::Chosen,
                }));
                all.push(slice);
            }
            Actor::Clock => all.push(slice),
        }
    }
    all
}

/// The weight of a step of a program against one of a schedule.
const OP: u64 = 1_000_000;

/// The lists of a run: goroutines and then steps of the program; turns to be put off; turns to be dropped.
const PROGRAM: usize = 0;
const PUT_OFF: usize = 1;

impl Subject for Run {
    fn lists(&self) -> Vec<usize> {
        let turns = self.schedule.len();
        vec![self.scenario.goroutines.len() + self.ops().len(), turns, turns]
    }

    fn without(&self, list: usize, parts: Range<usize>) -> Option<Self> {
        match list {
            PROGRAM => self.changed(self.without_steps(parts), self.schedule.clone()),
            _ => {
                let schedule = match list {
                    PUT_OFF => put_off(&self.schedule, parts),
                    _ => [&self.schedule[..parts.start], &self.schedule[parts.end..]].concat(),
                };
                let run = Self { scenario: self.scenario.clone(), schedule };
                (run.schedule != self.schedule).then_some(run)
            }
        }
    }

    fn simpler(&self) -> Vec<Self> {
        let mut all = Vec::new();
        let mut with = |change: &dyn Fn(&mut Scenario)| {
            let mut scenario = self.scenario.clone();
            change(&mut scenario);
            all.extend(self.changed(scenario, self.schedule.clone()));
        };
        with(&|s| s.storm = None);
        with(&unused);
        for procs in 1..self.scenario.procs {
            with(&|s| s.procs = procs);
        }
        with(&|s| {
            if let Some(storm) = &mut s.storm {
                storm.signals /= 2;
            }
        });
        for (go, path) in self.ops() {
            let body = &self.scenario.goroutines[go].body;
            if at(body, &path).is_some_and(|op| op.body().is_some()) {
                with(&|s| unwrap(&mut s.goroutines[go].body, &path));
            }
            with(&|s| {
                if let Some(op) = at_mut(&mut s.goroutines[go].body, &path) {
                    halve(op);
                }
            });
        }
        all
    }

    fn size(&self) -> u64 {
        let mut weight = 0u64;
        for goroutine in &self.scenario.goroutines {
            steps(goroutine, |op, _, _| weight += cost(op));
        }
        let declared = self.scenario.channels.len() + self.scenario.mutexes.len() + self.scenario.flags.len();
        let storm = self.scenario.storm.map_or(0, |storm| OP / 2 + u64::from(storm.signals));
        OP * self.scenario.size() as u64
            + weight
            + storm
            + u64::from(self.scenario.procs)
            + declared as u64
            + self.schedule.len() as u64
    }
}

/// What the number in a step adds to its weight.
fn cost(op: &Op) -> u64 {
    match *op {
        Op::Compute(n)
        | Op::Alloc(n)
        | Op::PreemptOff(n)
        | Op::Sleep(n)
        | Op::Syscall(n)
        | Op::Foreign(n)
        | Op::Call(n)
        | Op::Repeat(n, _) => u64::from(n).min(OP / 2),
        Op::Grow(n) | Op::Burst(n) => n.into(),
        _ => 0,
    }
}

fn halve(op: &mut Op) {
    match op {
        Op::Compute(n)
        | Op::Alloc(n)
        | Op::PreemptOff(n)
        | Op::Sleep(n)
        | Op::Syscall(n)
        | Op::Foreign(n)
        | Op::Call(n)
        | Op::Repeat(n, _) => *n /= 2,
        Op::Grow(n) | Op::Burst(n) => *n /= 2,
        _ => {}
    }
}

fn at_mut<'a>(ops: &'a mut [Op], path: &[usize]) -> Option<&'a mut Op> {
    let (&first, rest) = path.split_first()?;
    let op = ops.get_mut(first)?;
    if rest.is_empty() { Some(op) } else { at_mut(op.body_mut()?, rest) }
}

/// Puts what is inside the step at `path` in its place.
fn unwrap(ops: &mut Vec<Op>, path: &[usize]) {
    match path {
        [] => {}
        &[last] => {
            let inside = ops[last].body_mut().map(std::mem::take).unwrap_or_default();
            ops.splice(last..=last, inside);
        }
        [first, rest @ ..] => {
            if let Some(body) = ops.get_mut(*first).and_then(Op::body_mut) {
                unwrap(body, rest);
            }
        }
    }
}

/// Takes channels, mutexes and flags away that nobody uses.
fn unused(s: &mut Scenario) {
    for index in (0..s.channels.len() as u8).rev() {
        drop_if_unused(s, index, |op| match op {
            Op::Send(chan) | Op::Recv(chan) => Some(chan),
            _ => None,
        })
        .then(|| s.channels.remove(index.into()));
    }
    for index in (0..s.mutexes.len() as u8).rev() {
        drop_if_unused(s, index, |op| match op {
            Op::Lock(mutex, _) => Some(mutex),
            _ => None,
        })
        .then(|| s.mutexes.remove(index.into()));
    }
    for index in (0..s.flags.len() as u8).rev() {
        drop_if_unused(s, index, |op| match op {
            Op::Set(flag) | Op::Await(flag) => Some(flag),
            _ => None,
        })
        .then(|| s.flags.remove(index.into()));
    }
}

/// If no step uses number `index` of what `of` picks, those after it move up; whether that is so.
fn drop_if_unused(s: &mut Scenario, index: u8, of: impl Fn(&mut Op) -> Option<&mut u8>) -> bool {
    let mut used = false;
    let each = |s: &mut Scenario, act: &mut dyn FnMut(&mut u8)| {
        for goroutine in &mut s.goroutines {
            retain(&mut goroutine.body, Default::default(), &mut |op, _| {
                if let Some(number) = of(op) {
                    act(number);
                }
                true
            });
        }
    };
    each(s, &mut |number| used |= *number == index);
    if !used {
        each(s, &mut |number| *number -= u8::from(*number > index));
    }
    !used
}
