//! Drives the simulator along a walk of the model, as far as the runtime follows.
//!
//! A walk is what a trace must show of one goroutine, change by change. Executions are cheap, so the way is found by trying: the
//! turns that led some part of the way are repeated, and from there chance goes on, until somebody gets farther. Half of the time chance
//! is one of the usual ones; else it draws anew after each event: what a trace shows depends on no finer order.
//!
//! 1. What is kept was executed. A part of the way counts at the end of a turn: what happens later in the turn may leave the way.
//! 2. The same seed finds the same.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sigurg_model::machine::Face;
use sigurg_shuttle::sim::{Choice, Replay, Schedule, Slice, Strategy, View};

use super::drive::{Chance, Drive};
use super::event_by_event::EventByEvent;
use crate::report::coverage::Faces;
use crate::run::Draw;
use crate::scenario::Scenario;
use crate::scenario::expect::Results;
use crate::survey::edges::Edge;

/// How far the runtime followed.
#[derive(Clone, Debug)]
pub struct Followed {
    /// Faces of the walk that one goroutine showed, one after the other.
    pub reached: usize,
    /// The turns that led there.
    pub schedule: Schedule,
    /// How many executions it took.
    pub executions: u64,
    /// Every edge that was seen meanwhile, on the way and beside it.
    pub edges: HashSet<Edge>,
}

/// Tries to have a goroutine of `scenario` show the faces of `walk`, in that order and no others between, in `most` executions.
pub fn follow(
    drive: &mut Drive,
    scenario: &Arc<Scenario>,
    expected: &Results,
    walk: &[Face],
    most: u64,
    seed: u64,
) -> Followed {
    let mut draw = Draw::new(seed, "follow");
    // The turns that led to so many faces; the first are none.
    let mut ways: Vec<Schedule> = vec![Schedule::default()];
    let mut executions = 0;
    let mut edges = HashSet::new();
    while executions < most && ways.len() <= walk.len() {
        // Mostly from the farthest; from others, too: it may be a dead end.
        let last = ways.len() - 1;
        let from = if draw.between(0, 2) > 0 { last } else { draw.between(0, last as u64) as usize };
        let way = ways[from].clone();
        let seen = RefCell::new(Seen { walk, faces: Faces::default(), at: HashMap::new(), farthest: 0 });
        let told = Cell::new(0);
        let seed = draw.between(0, u64::MAX - 1);
        let chance: Box<dyn Strategy + '_> = match draw.between(0, 1) {
            0 => Chance::ALL[draw.between(0, 2) as usize].strategy(seed),
            _ => Box::new(EventByEvent::new(seed, &told)),
        };
        let mut guide = Guide {
            way: Replay::lenient(&way),
            left: way.slices.len(),
            chance,
            turns: Vec::new(),
            best: from,
            found: None,
            seen: &seen,
        };
        drive.run_and_hear(scenario, expected, &mut guide, &mut |event, _| {
            told.set(told.get() + 1);
            let mut seen = seen.borrow_mut();
            if let Some((from, to)) = seen.faces.see(event)
                && let Some(target) = event.target
            {
                edges.insert((from, to));
                seen.shows(target.gs, to);
            }
        });
        executions += 1;
        let Guide { found, turns, .. } = guide;
        if seen.borrow().farthest == walk.len() {
            ways.resize(walk.len(), Schedule::default());
            ways.push(Schedule { slices: turns });
        } else if let Some((reached, turns)) = found {
            let way = Schedule { slices: turns };
            if reached < ways.len() {
                ways[reached] = way;
            } else {
                // Those between were passed in one turn: they begin here, too.
                ways.resize(reached + 1, way);
            }
        }
    }
    Followed { reached: ways.len() - 1, schedule: ways.pop().expect("there is one"), executions, edges }
}

/// How far every goroutine is on the walk.
struct Seen<'a> {
    walk: &'a [Face],
    faces: Faces,
    at: HashMap<u32, usize>,
    farthest: usize,
}

impl Seen<'_> {
    fn shows(&mut self, gs: u32, face: Face) {
        let at = self.at.entry(gs).or_default();
        *at = match self.walk.get(*at) {
            Some(next) if *next == face => *at + 1,
            _ => usize::from(self.walk.first() == Some(&face)),
        };
        self.farthest = self.farthest.max(*at);
    }
}

/// Repeats a way, and then lets chance go on.
struct Guide<'a> {
    way: Replay<'a>,
    left: usize,
    chance: Box<dyn Strategy + 'a>,
    /// All that were had.
    turns: Vec<Slice>,
    best: usize,
    found: Option<(usize, Vec<Slice>)>,
    seen: &'a RefCell<Seen<'a>>,
}

impl Strategy for Guide<'_> {
    fn choose(&mut self, view: &View<'_>) -> Result<Choice, String> {
        // What the last turn brought has been told by now.
        let now = self.seen.borrow().at.values().copied().max().unwrap_or(0);
        if now > self.best {
            self.best = now;
            self.found = Some((now, self.turns.clone()));
        }
        if self.way.repeated() < self.left { self.way.choose(view) } else { self.chance.choose(view) }
    }

    fn ran(&mut self, slice: &Slice) -> Result<(), String> {
        self.turns.push(*slice);
        self.chance.ran(slice)
    }
}
