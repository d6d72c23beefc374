//! Breadth-first search, level by level, by several threads.
//!
//! The time of a search goes into waiting for memory: nearly every successor is looked up in a line of the
//! table that no cache holds. So a worker first generates a batch of successors, then touches all their
//! lines without needing any of them (the processor fetches dozens at once), and only then inserts.
//! Invariants:
//! 1. A worker reserves room for its whole batch before it inserts, so the table is never filled beyond
//!    its load and the memory limit holds. Without room it keeps the batch and ends the round; between
//!    rounds the table grows, and the batch is the first thing of the next one.
//! 2. A frontier holds states, not slots: it is read in sequence and outlives growth.
//! 3. Of the states of one level that show a finding the smallest is remembered, whoever came first.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use sigurg_model::space::{Packed, Space};

use super::table::{DEPTH_MAX, Place, SLOT_BYTES, Shared, Table, hash};
use super::{Limits, Progress, Stop};

/// Successors that are looked up together: enough to hide the memory behind each other, few enough that
/// their lines are still in the second cache when they are inserted.
const BATCH: usize = 1024;
/// States of a frontier block, the unit of work that a worker takes.
const BLOCK: usize = 1024;
/// A frontier below this is searched by the calling thread: starting threads would take longer.
const ALONE: usize = 2 * BLOCK;
/// Slots of a table at first.
const SLOTS_MIN: u64 = 1 << 14;
/// The table grows when it is fuller than this many eighths.
const LOAD_EIGHTHS: u64 = 6;
/// No growth by less than an eighth: it would only be followed by the next one.
const GROWTH_MIN_EIGHTHS: u64 = 9;
/// Bytes of a state in a frontier.
const STATE_BYTES: u64 = size_of::<Packed>() as u64;

/// What was reached.
pub(super) struct Reached {
    pub(super) table: Table,
    pub(super) states: u64,
    pub(super) transitions: u64,
    pub(super) depth: u32,
    pub(super) stopped: Option<Stop>,
    /// Whether symmetry has folded a state into another one.
    pub(super) folded: bool,
    /// Findings (their bit number, ascending) with the smallest of the shallowest states that show them.
    pub(super) found: Vec<(usize, Packed)>,
}

/// One level's states in blocks of at most [`BLOCK`].
type Frontier = Vec<Vec<Packed>>;

struct Pending {
    state: Packed,
    hash: u64,
}

/// What the workers of a round share.
struct Round<'a> {
    table: Shared<'a>,
    frontier: &'a [Vec<Packed>],
    cursor: &'a AtomicUsize,
    /// States in the table, and room reserved for more.
    reserved: AtomicU64,
    /// The most that `reserved` may be.
    room: u64,
    /// Depth of the successors.
    depth: u32,
}

/// What one thread has of its own, from round to round of a level.
struct Worker<'s, S> {
    space: &'s S,
    batch: Vec<Pending>,
    /// Where the new states of the batch have been inserted.
    places: Vec<Place>,
    /// The rest of a block that a round's end interrupted: block and first state.
    rest: Option<(usize, usize)>,
    next: Frontier,
    transitions: u64,
    folded: bool,
    /// The smallest state of this level that shows finding `i`.
    found: [Option<Packed>; 32],
}

/// Reaches every state.
pub(super) fn reach<S: Space>(space: &S, limits: &Limits, progress: &dyn Progress) -> Reached {
    let mut search = Search::new(space, limits);
    let stopped = search.run(progress).err();
    let Search { table, states, transitions, depth, folded, found, .. } = search;
    let found = (0..32).filter_map(|bit| Some((bit, found[bit]?))).collect();
    Reached { table, states, transitions, depth, stopped, folded, found }
}

struct Search<'s, S> {
    space: &'s S,
    limits: Limits,
    table: Table,
    workers: Vec<Worker<'s, S>>,
    frontier: Frontier,
    states: u64,
    transitions: u64,
    depth: u32,
    folded: bool,
    found: [Option<Packed>; 32],
}

impl<'s, S: Space> Search<'s, S> {
    fn new(space: &'s S, limits: &Limits) -> Self {
        let threads = limits.threads.get();
        Self {
            space,
            limits: *limits,
            table: Table::empty(),
            workers: (0..threads).map(|_| Worker::new(space)).collect(),
            frontier: Vec::new(),
            states: 0,
            transitions: 0,
            depth: 0,
            folded: false,
            found: [None; 32],
        }
    }

    fn run(&mut self, progress: &dyn Progress) -> Result<(), Stop> {
        for state in self.space.initial() {
            self.workers[0].queue(state);
        }
        self.level(0)?;
        progress.level(0, self.states, self.states, 0);
        let last = self.limits.max_depth.map_or(DEPTH_MAX, |depth| depth.min(DEPTH_MAX));
        while !self.frontier.is_empty() {
            if self.depth == last {
                return Err(Stop::Depth);
            }
            if progress.is_over() {
                return Err(Stop::Told);
            }
            let before = self.states;
            self.level(self.depth + 1)?;
            if self.states > before {
                progress.level(self.depth, self.states, self.states - before, self.transitions);
            }
            let findings = self.space.findings().iter().zip(&self.found);
            if findings.into_iter().any(|(finding, found)| found.is_some() && !finding.expected) {
                return Err(Stop::Broken);
            }
        }
        Ok(())
    }

    /// Expands the frontier; its successors, at `depth`, are the next one.
    fn level(&mut self, depth: u32) -> Result<(), Stop> {
        let frontier = std::mem::take(&mut self.frontier);
        let queued: usize = frontier.iter().map(Vec::len).sum();
        let threads = if queued < ALONE { 1 } else { self.workers.len() };
        let cursor = AtomicUsize::new(0);
        let before = self.states;
        let outcome = loop {
            let room = self.room(queued as u64, before);
            let round = Round {
                table: self.table.shared(),
                frontier: &frontier,
                cursor: &cursor,
                reserved: AtomicU64::new(self.states),
                room,
                depth,
            };
            if let [worker] = &mut self.workers[..threads] {
                worker.run(&round);
            } else {
                std::thread::scope(|scope| {
                    for worker in &mut self.workers[..threads] {
                        scope.spawn(|| worker.run(&round));
                    }
                });
            }
            // Threads are joined: every reservation has become states or was given back.
            self.states = round.reserved.into_inner();
            let waiting: u64 = self.workers.iter().map(|worker| worker.batch.len() as u64).sum();
            if waiting == 0 {
                break Ok(());
            }
            if let Err(stop) = self.grow(waiting, queued as u64, before) {
                break Err(stop);
            }
        };
        for worker in &mut self.workers {
            self.transitions += std::mem::take(&mut worker.transitions);
            self.folded |= worker.folded;
            self.frontier.append(&mut worker.next);
        }
        for bit in 0..32 {
            let smallest = self.workers.iter_mut().filter_map(|worker| worker.found[bit].take()).min();
            self.found[bit] = self.found[bit].or(smallest);
        }
        if self.states > before {
            self.depth = depth;
        }
        outcome
    }

    /// How many states there may be before the table must grow or the search must stop, in a level whose
    /// frontier has `queued` states and that began with `before` in the table.
    fn room(&self, queued: u64, before: u64) -> u64 {
        let by_load = self.table.slots() / 8 * LOAD_EIGHTHS;
        by_load.min(self.room_by_memory(queued, before))
    }

    /// Each new state costs a place in the next frontier.
    fn room_by_memory(&self, queued: u64, before: u64) -> u64 {
        let spent = self.table.bytes() + queued * STATE_BYTES;
        before + self.limits.memory_bytes.saturating_sub(spent) / STATE_BYTES
    }

    /// Makes room for `waiting` more states, and for as many again as there are if memory allows.
    fn grow(&mut self, waiting: u64, queued: u64, before: u64) -> Result<(), Stop> {
        let needed = self.states + waiting;
        if needed <= self.room(queued, before) {
            // The reservations of two workers were in each other's way for a moment.
            return Ok(());
        }
        let slots = self.table.slots();
        let threads = self.workers.len();
        // This level's frontiers as they are, and once more for the levels to come.
        let frontiers = 2 * (queued + needed - before) * STATE_BYTES;
        let spent = frontiers + self.table.growing_bytes(threads);
        let affordable = self.limits.memory_bytes.saturating_sub(spent) / SLOT_BYTES;
        let enough = Table::rounded((needed + 1).div_ceil(LOAD_EIGHTHS) * 8);
        let wanted = enough.max(2 * slots).max(SLOTS_MIN).min(affordable / 64 * 64);
        if wanted < enough || wanted < slots / 8 * GROWTH_MIN_EIGHTHS {
            return Err(Stop::Memory);
        }
        self.table.grow(wanted, threads).map_err(|_| Stop::Memory)
    }
}

impl<'s, S: Space> Worker<'s, S> {
    fn new(space: &'s S) -> Self {
        Self {
            space,
            batch: Vec::new(),
            places: Vec::new(),
            rest: None,
            next: Vec::new(),
            transitions: 0,
            folded: false,
            found: [None; 32],
        }
    }

    /// Works on the frontier until nothing is left of it, or no room in the table.
    fn run(&mut self, round: &Round<'_>) {
        if !self.insert_batch(round) {
            return;
        }
        loop {
            // Relaxed: only the number matters; the frontier was complete before the threads began.
            let (block, from) = self.rest.take().unwrap_or_else(|| (round.cursor.fetch_add(1, Relaxed), 0));
            let Some(states) = round.frontier.get(block) else { break };
            for (i, &state) in states.iter().enumerate().skip(from) {
                self.expand(state);
                if self.batch.len() >= BATCH && !self.insert_batch(round) {
                    self.rest = Some((block, i + 1));
                    return;
                }
            }
        }
        // Without room the batch stays, which the owner of the workers sees.
        self.insert_batch(round);
    }

    fn expand(&mut self, state: Packed) {
        let space = self.space;
        let before = self.batch.len();
        space.successors(state, &mut |_, successor| self.queue(successor));
        self.transitions += (self.batch.len() - before) as u64;
    }

    #[inline]
    fn queue(&mut self, state: Packed) {
        let representative = self.space.canonical(state);
        self.folded |= representative != state;
        self.batch.push(Pending { state: representative, hash: hash(representative) });
    }

    /// Inserts the batch; `false` if there is no room for it.
    fn insert_batch(&mut self, round: &Round<'_>) -> bool {
        let count = self.batch.len() as u64;
        // Relaxed, here and below: a count on which no other memory depends.
        if round.reserved.fetch_add(count, Relaxed) + count > round.room {
            round.reserved.fetch_sub(count, Relaxed);
            return count == 0;
        }
        round.table.touch(self.batch.iter().map(|pending| pending.hash));
        let mut batch = std::mem::take(&mut self.batch);
        for Pending { state, hash } in batch.drain(..) {
            if let Some(place) = round.table.insert(state, hash) {
                self.places.push(place);
                self.reached(state);
            }
        }
        round.table.set_depths(&self.places, round.depth);
        let known = count - self.places.len() as u64;
        self.places.clear();
        self.batch = batch;
        round.reserved.fetch_sub(known, Relaxed);
        true
    }

    fn reached(&mut self, state: Packed) {
        match self.next.last_mut() {
            Some(block) if block.len() < BLOCK => block.push(state),
            _ => {
                let mut block = Vec::with_capacity(BLOCK);
                block.push(state);
                self.next.push(block);
            }
        }
        let mut broken = self.space.broken(state);
        while broken != 0 {
            let found = &mut self.found[broken.trailing_zeros() as usize];
            *found = Some(found.map_or(state, |other| other.min(state)));
            broken &= broken - 1;
        }
    }
}
