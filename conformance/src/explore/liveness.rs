//! Whether a promise can be broken: a run that stays in its region for ever although everybody who must
//! move does so in the end (weak fairness).
//!
//! The environment makes no more choices from some moment on, so only moves of obliged actors connect. Such a
//! run ends up in one strongly connected component of the region, and one exists exactly if in some component for every obliged actor there is a state in which it has no enabled move, or a move of its own
//! that stays inside: a run through the whole component is then fair. Moves that leave count as enabled. A
//! state in which no obliged actor can move is a component's worth of violation by itself: nothing need
//! ever happen there. Components are found by Tarjan's algorithm in Pearce's form, one word per slot.
//! Invariants:
//! 1. `rank` of a slot is 0 before its visit, then the least index it can reach on the path, and finally
//!    the number of its component, which counts down from `u32::MAX` and is above every index.
//! 2. Nothing recurses: the path, the successors still to be visited and the finished states without a
//!    component are vectors, and their memory is watched.
//! 3. What is reported lies nearest to the initial states, and is the smallest such state, whatever the
//!    order of slots.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use sigurg_model::space::{Finding, Packed, Promise, Space};

use super::cycle::{bit, enabled, fair_cycle};
use super::pages::Pages;
use super::table::Table;
use super::{Ending, Limits, Stop};

/// A broken promise: where the stem has to lead, and what follows.
pub(super) struct Violation<M> {
    pub(super) finding: Finding,
    pub(super) state: Packed,
    pub(super) ending: Ending<M>,
}

/// Checks every promise of the space, which was reached completely and without symmetry.
///
/// # Errors
/// The memory limit does not allow it.
pub(super) fn check<S: Space>(
    space: &S,
    table: &Table,
    limits: &Limits,
) -> Result<Vec<Violation<S::Move>>, Stop> {
    let promises = space.promises();
    let spare = limits.memory_bytes.saturating_sub(table.bytes());
    // Twice the ranks' memory is what a checker is likely to need.
    let affordable = (spare / (8 * table.slots())).max(1) as usize;
    let checkers = limits.threads.get().min(promises.len()).min(affordable);
    let budget = spare / checkers as u64;
    let cursor = AtomicUsize::new(0);
    let work = || {
        let mut found = Vec::new();
        loop {
            // Relaxed: only the number matters; the table does not change.
            let i = cursor.fetch_add(1, Relaxed);
            let Some(promise) = promises.get(i) else { return Ok(found) };
            found.extend(broken(space, table, promise, budget)?.map(|violation| (i, violation)));
        }
    };
    let found = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..checkers).map(|_| scope.spawn(work)).collect();
        let results = workers.into_iter().map(|worker| worker.join().expect("a space does not panic"));
        results.collect::<Result<Vec<_>, _>>()
    })?;
    let mut found: Vec<_> = found.into_iter().flatten().collect();
    found.sort_unstable_by_key(|(i, _)| *i);
    Ok(found.into_iter().map(|(_, violation)| violation).collect())
}

/// A run that breaks the promise, if there is one.
fn broken<S: Space>(
    space: &S,
    table: &Table,
    promise: &Promise,
    budget: u64,
) -> Result<Option<Violation<S::Move>>, Stop> {
    let slots = table.slots() as usize;
    if budget < 4 * table.slots() {
        return Err(Stop::Memory);
    }
    let mut ranks = Pages::zeroed::<u32>(slots).map_err(|_| Stop::Memory)?;
    let rank = ranks.items_mut::<u32>();
    let mut search = Components {
        space,
        table,
        region: promise.region,
        rank,
        budget: budget - 4 * table.slots(),
        path: Vec::new(),
        ahead: Vec::new(),
        finished: Vec::new(),
        index: 1,
        component: u32::MAX,
        nearest: None,
        successors: Vec::new(),
        slots: Vec::new(),
    };
    search.run()?;
    let Some(candidate) = search.nearest else { return Ok(None) };
    let inside = |state: Packed| match candidate.component {
        Some(component) => table.find(state).is_some_and(|slot| search.rank[slot as usize] == component),
        None => state == candidate.state,
    };
    let ending = if enabled(space, candidate.state) == 0 {
        Ending::Stuck
    } else {
        Ending::Cycle(fair_cycle(space, candidate.state, &inside))
    };
    Ok(Some(Violation { finding: promise.finding, state: candidate.state, ending }))
}

/// Where a stem may end: ordered by how good it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    depth: u32,
    state: Packed,
    /// `None` if the state alone is the violation.
    component: Option<u32>,
}

/// A state on the path of the search.
#[derive(Clone, Copy)]
struct Frame {
    slot: u32,
    /// The index that the visit gave.
    index: u32,
    /// Where its part of `ahead` begins.
    ahead: u32,
}

struct Components<'a, S> {
    space: &'a S,
    table: &'a Table,
    region: u8,
    rank: &'a mut [u32],
    /// Bytes that the vectors may take.
    budget: u64,
    path: Vec<Frame>,
    /// For each state of the path, one after the other: successors not known when it was visited.
    ahead: Vec<u32>,
    /// Slots that are done but belong to a component whose first state is still on the path.
    finished: Vec<u32>,
    index: u32,
    component: u32,
    nearest: Option<Candidate>,
    /// Room for the successors of one state, and for their slots.
    successors: Vec<Packed>,
    slots: Vec<u32>,
}

impl<S: Space> Components<'_, S> {
    fn run(&mut self) -> Result<(), Stop> {
        let table = self.table;
        for (first, marks) in table.marks() {
            for (i, _) in marks.iter().enumerate().filter(|(_, mark)| **mark != 0) {
                let slot = first + i as u32;
                let new = self.rank[slot as usize] == 0;
                if new && self.space.waits(table.state(slot), self.region) {
                    self.visit(slot);
                    self.walk()?;
                }
            }
        }
        Ok(())
    }

    /// Visits everything that can be reached from the first state of the path.
    fn walk(&mut self) -> Result<(), Stop> {
        while let Some(&frame) = self.path.last() {
            if self.ahead.len() > frame.ahead as usize {
                let slot = self.ahead.pop().expect("not empty");
                match self.rank[slot as usize] {
                    0 => self.visit(slot),
                    rank => self.lower(frame.slot, rank),
                }
                if self.bytes() > self.budget {
                    return Err(Stop::Memory);
                }
            } else {
                self.path.pop();
                self.finish(frame);
                if let Some(&Frame { slot, .. }) = self.path.last() {
                    self.lower(slot, self.rank[frame.slot as usize]);
                }
            }
        }
        Ok(())
    }

    fn bytes(&self) -> u64 {
        (self.path.capacity() * size_of::<Frame>() + (self.ahead.capacity() + self.finished.capacity()) * 4)
            as u64
    }

    fn lower(&mut self, slot: u32, rank: u32) {
        let own = &mut self.rank[slot as usize];
        *own = rank.min(*own);
    }

    fn visit(&mut self, slot: u32) {
        let frame = Frame { slot, index: self.index, ahead: self.ahead.len() as u32 };
        self.rank[slot as usize] = self.index;
        self.index += 1;
        self.path.push(frame);

        let (space, table, region) = (self.space, self.table, self.region);
        let state = table.state(slot);
        let (mut enabled, mut looping) = (0u32, 0u32);
        let mut successors = std::mem::take(&mut self.successors);
        space.successors(state, &mut |step, successor| {
            let actor = bit(space.actor(state, step));
            enabled |= actor;
            if successor == state {
                looping |= actor;
            } else if actor != 0 && space.waits(successor, region) {
                // So that the lookups below find all their lines on the way already.
                table.touch(successor);
                successors.push(successor);
            }
        });
        if enabled & !looping == 0 {
            self.propose(Candidate { depth: table.depth(slot), state, component: None });
        }
        let mut slots = std::mem::take(&mut self.slots);
        slots.extend(successors.drain(..).map(|successor| slot_of(table, successor)));
        // Likewise for the ranks.
        std::hint::black_box(slots.iter().fold(0, |near, &to| near ^ self.rank[to as usize]));
        for to in slots.drain(..) {
            match self.rank[to as usize] {
                0 => self.ahead.push(to),
                rank => self.lower(slot, rank),
            }
        }
        self.slots = slots;
        self.successors = successors;
    }

    /// All that the state leads to is done: if it leads to none before it, its component is complete.
    fn finish(&mut self, frame: Frame) {
        if self.rank[frame.slot as usize] != frame.index {
            self.finished.push(frame.slot);
            return;
        }
        let inside = |&&slot: &&u32| self.rank[slot as usize] >= frame.index;
        let size = self.finished.iter().rev().take_while(inside).count();
        let start = self.finished.len() - size;
        self.finished.push(frame.slot);
        for &slot in &self.finished[start..] {
            self.rank[slot as usize] = self.component;
        }
        if size > 0 {
            self.judge(start);
        }
        self.finished.truncate(start);
        self.index -= size as u32 + 1;
        self.component -= 1;
    }

    /// Judges the component that is `finished[start..]`, of several states.
    fn judge(&mut self, start: usize) {
        let (space, table) = (self.space, self.table);
        let members = &self.finished[start..];
        let nearest = members.iter().map(|&slot| (table.depth(slot), table.state(slot))).min();
        let (depth, state) = nearest.expect("a component has states");
        let candidate = Candidate { depth, state, component: Some(self.component) };
        if self.nearest.is_some_and(|nearest| nearest < candidate) {
            return;
        }
        // Actors that can always move, and have not been seen to move inside.
        let mut starved =
            members.iter().fold(u32::MAX, |always, &slot| always & enabled(space, table.state(slot)));
        for &slot in members {
            if starved == 0 {
                break;
            }
            let from = table.state(slot);
            space.successors(from, &mut |step, to| {
                let actor = bit(space.actor(from, step));
                if starved & actor != 0
                    && space.waits(to, self.region)
                    && self.rank[slot_of(table, to) as usize] == self.component
                {
                    starved &= !actor;
                }
            });
        }
        if starved == 0 {
            self.propose(candidate);
        }
    }

    fn propose(&mut self, candidate: Candidate) {
        self.nearest = Some(self.nearest.map_or(candidate, |nearest| nearest.min(candidate)));
    }
}

fn slot_of(table: &Table, state: Packed) -> u32 {
    table.find(state).expect("a complete search reached every successor")
}
