//! The order of a trace without a counter (`ordering: "stream"`).
//!
//! What is certain is each M's own order and the versions that the objects had. The merge takes the next
//! event of a stream only when its versions fit: a change when the object stands at the version before, a read
//! when it stands at the version seen or later. Any order that comes out so is legal; there may be others.
//!
//! Invariants:
//! 1. The events of one M come out in the order of the file, the changes of one object by version. A signal handler that
//!    stops nothing is a stream of its own: it may come between what its M did and the event that tells of it. It comes after what its M
//!    had told by then.
//! 2. The outcome depends on the file alone, and the work on its length: a stream that waits is looked at again only
//!    when the object it waits for has advanced far enough.
//! 3. Only events that have to wait, and those behind them in their streams, are in memory.
//! 4. A G that sleeps in a foreign call is made `Syscall` by another M (X-ADOPT), after all that its own M did before: of that no
//!    version tells. So that change comes out last: when the G's own M waits for it, or when there are no more events.
//! 5. That the world has stopped is said of every P: it comes when none moves any more, and so after all that was done with them.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet, VecDeque};

use foldhash::fast::RandomState;

use super::inconsistent::{Inconsistent, OrderRule};
use crate::event::{Event, Kind};
use crate::object::Object;
use crate::vocab::{GStatus, PStatus};

/// How many events, blocked streams or objects a report names.
const NAMED: usize = 8;

/// Merges streams by version.
#[derive(Debug, Default)]
pub struct ByVersion {
    /// By M, and whether it is that of its handler.
    by_m: HashMap<(i32, bool), usize, RandomState>,
    /// Ms whose handler looked last and stopped nothing.
    looking: HashSet<i32, RandomState>,
    streams: Vec<Stream>,
    objects: HashMap<Object, Progress, RandomState>,
    /// Streams whose head has to be looked at.
    ready: VecDeque<usize>,
    /// Streams whose head sends that G, from outside, into a system call.
    adopting: HashMap<Object, usize, RandomState>,
    /// Ps that have neither stopped nor gone.
    moving: BTreeSet<i32>,
    /// Events come as they happen.
    in_time: bool,
    /// All are there; and none was cut off.
    ended: bool,
    whole: bool,
    held: u64,
    holds: u64,
}

/// The events of one M that have not come out.
#[derive(Debug)]
struct Stream {
    m: i32,
    /// Each with how many events of `main` come before it.
    events: VecDeque<(Event, u64)>,
    /// Whether it is in `ready` or waits, for an object or for `main`; else it is empty.
    listed: bool,
    /// Of a handler: the stream of its M.
    main: Option<usize>,
    /// Events that were taken, and that came out.
    taken: u64,
    out: u64,
    /// The handler that waits until so many came out.
    waits: Option<(u64, usize)>,
}

/// How far an object has come.
#[derive(Debug, Default)]
struct Progress {
    version: u64,
    /// Of the status of a G: how often it died, and the stream of the M that it runs on.
    deaths: u64,
    runner: Option<usize>,
    /// Streams that wait, by the version they need.
    waiting: BinaryHeap<Reverse<(u64, usize)>>,
}

/// What the head of a stream needs.
struct Wait {
    object: Object,
    needs: u64,
}

impl ByVersion {
    /// A merge with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`new`](Self::new), for events that come in the order in which they happen.
    pub fn of_events_as_they_happen() -> Self {
        Self { in_time: true, ..Self::default() }
    }

    /// As new, for another trace.
    pub fn clear(&mut self) {
        let Self {
            by_m,
            looking,
            streams,
            objects,
            ready,
            adopting,
            moving,
            in_time: _,
            ended,
            whole,
            held,
            holds,
        } = self;
        by_m.clear();
        looking.clear();
        streams.clear();
        objects.clear();
        ready.clear();
        adopting.clear();
        moving.clear();
        (*ended, *whole) = (false, false);
        (*held, *holds) = (0, 0);
    }

    /// Takes the next event of the file: whether it comes at once. Call [`ByVersion::pop`] until it is empty before the next one.
    ///
    /// # Errors
    ///
    /// As [`ByVersion::pop`].
    pub fn admit(&mut self, event: &Event) -> Result<bool, Box<Inconsistent>> {
        let at = self.stream_of(event);
        let after = self.streams[at].main.map_or(0, |main| self.streams[main].taken);
        self.streams[at].taken += 1;
        let is_next =
            self.ready.is_empty() && self.streams[at].events.is_empty() && self.behind(at, after).is_none();
        if is_next && self.blocked(event)?.is_none() && self.adopts_too_early(event)?.is_none() {
            self.came(event, at);
            return Ok(true);
        }
        self.queue(*event, after, at);
        Ok(false)
    }

    fn stream_of(&mut self, event: &Event) -> usize {
        let main = self.stream(event.m, None);
        if self.is_aside(event) { self.stream(event.m, Some(main)) } else { main }
    }

    fn stream(&mut self, m: i32, main: Option<usize>) -> usize {
        let streams = &mut self.streams;
        *self.by_m.entry((m, main.is_some())).or_insert_with(|| {
            let events = VecDeque::new();
            streams.push(Stream { m, events, listed: false, main, taken: 0, out: 0, waits: None });
            streams.len() - 1
        })
    }

    fn queue(&mut self, event: Event, after: u64, at: usize) {
        let stream = &mut self.streams[at];
        stream.events.push_back((event, after));
        self.held += 1;
        if !stream.listed {
            stream.listed = true;
            self.ready.push_back(at);
        }
    }

    /// The stream of which stream `at`, of a handler, has to wait until `after` events came out.
    fn behind(&self, at: usize, after: u64) -> Option<usize> {
        self.streams[at].main.filter(|&main| self.streams[main].out < after)
    }

    /// Whether it is part of a handler that stops nothing.
    fn is_aside(&mut self, event: &Event) -> bool {
        match event.kind {
            Kind::SigPreempt { safe: true, .. } => {
                self.looking.remove(&event.m);
                false
            }
            Kind::SigPreempt { safe: false, .. } => {
                self.looking.insert(event.m);
                true
            }
            Kind::SigAck { .. } => self.looking.remove(&event.m),
            _ => false,
        }
    }

    /// Whether some event may come out: without, [`ByVersion::pop`] has none.
    #[must_use]
    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The next event that can come out.
    ///
    /// # Errors
    ///
    /// If an object gets a version that it had before.
    pub fn pop(&mut self) -> Result<Option<Event>, Box<Inconsistent>> {
        while let Some(&at) = self.ready.front() {
            let Some(&(head, after)) = self.streams[at].events.front() else {
                self.streams[at].listed = false;
                self.ready.pop_front();
                continue;
            };
            if let Some(main) = self.behind(at, after) {
                self.streams[main].waits = Some((after, at));
                self.ready.pop_front();
                self.holds += 1;
                continue;
            }
            if let Some(wait) = self.blocked(&head)? {
                self.objects.entry(wait.object).or_default().waiting.push(Reverse((wait.needs, at)));
                self.ready.pop_front();
                self.holds += 1;
                // Perhaps it is the one that was waited for.
                self.ready.extend(self.adopting.remove(&wait.object));
                continue;
            }
            if let Some(g) = self.adopts_too_early(&head)? {
                self.adopting.insert(g, at);
                self.ready.pop_front();
                self.holds += 1;
                continue;
            }
            self.streams[at].events.pop_front();
            self.held -= 1;
            self.came(&head, at);
            return Ok(Some(head));
        }
        Ok(None)
    }

    /// `event` of stream `at` comes out.
    fn came(&mut self, event: &Event, at: usize) {
        let stream = &mut self.streams[at];
        stream.out += 1;
        let out = stream.out;
        self.ready.extend(stream.waits.take_if(|(after, _)| *after <= out).map(|(_, handler)| handler));
        let Some((object, version)) = self.makes(event) else { return };
        let progress = self.advance(object, version);
        match event.kind {
            Kind::GStatus { from: GStatus::Running, to: GStatus::Dead, .. } => progress.deaths += 1,
            Kind::GStatus { from: GStatus::Scanrunning, .. } => {}
            Kind::GStatus { to: GStatus::Running, .. } => progress.runner = Some(at),
            Kind::PStatus { target_p, to: PStatus::Gcstop | PStatus::Dead, .. } => {
                self.moving.remove(&target_p);
            }
            Kind::PStatus { target_p, .. } => {
                self.moving.insert(target_p);
            }
            _ => {}
        }
    }

    /// There are no more events, and in a `prefix` there should be: call [`ByVersion::pop`] until it is empty once more.
    pub fn end(&mut self, prefix: bool) {
        self.ended = true;
        let mut last: Vec<_> = self.adopting.drain().map(|(_, at)| at).collect();
        if !prefix {
            // It was said, and it is for the model to say that it was not true.
            self.whole = true;
            let stops =
                |stream: &Stream| stream.events.front().is_some_and(|(head, _)| says_that_all_stopped(head));
            last.extend((0..self.streams.len()).filter(|&at| stops(&self.streams[at])));
        }
        // The outcome depends on the file alone.
        last.sort_unstable();
        self.ready.extend(last);
    }

    /// Invariant 4: the G that `head` makes `Syscall` from outside, if the G's own M does not wait for that yet.
    fn adopts_too_early(&self, head: &Event) -> Result<Option<Object>, Box<Inconsistent>> {
        let adopts =
            matches!(head.kind, Kind::GStatus { from: GStatus::Running, to: GStatus::Scansyscall, .. });
        if !adopts || self.in_time || self.ended {
            return Ok(None);
        }
        let Some((g, _)) = head.changes() else { return Ok(None) };
        let Some(runner) = self.objects.get(&g).and_then(|progress| progress.runner) else { return Ok(None) };
        let wait = match self.streams[runner].events.front() {
            Some((next, _)) => self.blocked(next)?,
            None => None,
        };
        Ok(wait.is_none_or(|wait| wait.object != g).then_some(g))
    }

    /// How often a stream had to wait.
    pub fn holds(&self) -> u64 {
        self.holds
    }

    /// After [`ByVersion::end`]: says how many events never came out: none, unless the trace is a `prefix`. Where one was cut
    /// every M may lack its last events, and with them goes whatever rests on them.
    ///
    /// # Errors
    ///
    /// If streams are blocked: by a version that is missing, or, also in a prefix, by each other.
    pub fn finish(&self, prefix: bool) -> Result<u64, Box<Inconsistent>> {
        if self.held == 0 {
            return Ok(0);
        }
        match self.stuck(prefix) {
            Ok(None) => Ok(self.held),
            Ok(Some(error)) | Err(error) => Err(error),
        }
    }

    fn version(&self, object: Object) -> u64 {
        self.objects.get(&object).map_or(0, |progress| progress.version)
    }

    /// What `event` changes and the version that this makes; a G struct that is given back is counted here.
    fn makes(&self, event: &Event) -> Option<(Object, u64)> {
        match (event.kind, event.target) {
            (Kind::Gfput { .. }, Some(target)) => {
                let freed = Object::Freed(target.gs);
                Some((freed, self.version(freed) + 1))
            }
            _ => event.changes(),
        }
    }

    /// What the next life of a G struct has to wait for: whoever ended the last one is done with it.
    fn unfinished(&self, head: &Event) -> Option<Wait> {
        let (Kind::Newproc { .. }, Some(target)) = (head.kind, head.target) else { return None };
        let needs = self.objects.get(&Object::G(target.gs))?.deaths;
        let object = Object::Freed(target.gs);
        (head.over != 0 && needs > self.version(object)).then_some(Wait { object, needs })
    }

    /// What `head` has to wait for, if anything.
    fn blocked(&self, head: &Event) -> Result<Option<Wait>, Box<Inconsistent>> {
        if let Some((object, found)) = head.changes() {
            let version = self.version(object);
            if found <= version {
                return Err(again(head, object, found, version));
            }
            if found - 1 > version {
                return Ok(Some(Wait { object, needs: found - 1 }));
            }
        }
        Ok(head
            .reads()
            .filter(|&(object, seen)| seen > self.version(object))
            .map(|(object, needs)| Wait { object, needs })
            .or_else(|| self.unfinished(head))
            .or_else(|| self.not_stopped(head)))
    }

    /// Invariant 5: who has yet to stop before `head` says that all have.
    fn not_stopped(&self, head: &Event) -> Option<Wait> {
        let too_early = says_that_all_stopped(head) && !self.in_time && !self.whole;
        let object = Object::P(*self.moving.first().filter(|_| too_early)?);
        Some(Wait { object, needs: self.version(object) + 1 })
    }

    /// Brings `object` to `version` and wakes the streams that waited for it.
    fn advance(&mut self, object: Object, version: u64) -> &mut Progress {
        let progress = self.objects.entry(object).or_default();
        progress.version = version;
        while let Some(&Reverse((needs, at))) = progress.waiting.peek() {
            if needs > version {
                break;
            }
            progress.waiting.pop();
            self.ready.push_back(at);
        }
        progress
    }

    /// Why the streams are blocked, unless all of them wait in the end for what a `prefix` may lack; the error is the
    /// same, found on the way.
    #[cold]
    fn stuck(&self, prefix: bool) -> Result<Option<Box<Inconsistent>>, Box<Inconsistent>> {
        let offers: HashMap<(Object, u64), i32, RandomState> = self
            .streams
            .iter()
            .flat_map(|stream| {
                stream
                    .events
                    .iter()
                    .filter_map(|(event, _)| self.makes(event))
                    .map(|change| (change, stream.m))
            })
            .collect();
        let mut blocked = Vec::new();
        for stream in &self.streams {
            if let Some((head, _)) = stream.events.front()
                && let Some(wait) = self.blocked(head)?
            {
                blocked.push((stream, head, wait));
            }
        }
        blocked.sort_by_key(|(_, head, _)| head.seq);
        // Who has the next version of what is waited for.
        let offered = |wait: &Wait| offers.get(&(wait.object, self.version(wait.object) + 1));
        if prefix {
            let mut waiting: Vec<_> =
                blocked.iter().map(|(stream, _, wait)| (stream.m, offered(wait))).collect();
            // Those that wait for what was cut off, or for somebody who does, are done with.
            loop {
                let left: HashSet<i32, RandomState> = waiting.iter().map(|&(m, _)| m).collect();
                let before = waiting.len();
                waiting.retain(|(_, by)| by.is_some_and(|by| left.contains(by)));
                if waiting.len() == before {
                    break;
                }
            }
            blocked.retain(|(stream, ..)| waiting.iter().any(|&(m, _)| m == stream.m));
            if blocked.is_empty() {
                return Ok(None);
            }
        }
        let missing = blocked.iter().position(|(_, _, wait)| offered(wait).is_none());
        let waits: Vec<String> = blocked
            .iter()
            .take(NAMED)
            .map(|(stream, head, wait)| {
                let Wait { object, needs } = wait;
                let version = self.version(*object);
                format!(
                    "M{} (seq {}) waits for version {needs} of {object}, now {version}",
                    stream.m, head.seq
                )
            })
            .collect();
        let waits = waits.join("; ");
        let (_, head, wait) = &blocked[missing.unwrap_or(0)];
        let expected = self.version(wait.object) + 1;
        let (rule, reason) = match missing {
            Some(_) => (OrderRule::VerChain, format!("version {expected} is nowhere in the trace: {waits}")),
            None => (OrderRule::Cycle, format!("the streams wait for each other: {waits}")),
        };
        Ok(Some(Box::new(Inconsistent {
            rule,
            object: wait.object,
            expected,
            found: wait.needs,
            seq: head.seq,
            others: blocked
                .iter()
                .map(|(_, head, _)| head.seq)
                .filter(|&seq| seq != head.seq)
                .take(NAMED)
                .collect(),
            reason,
        })))
    }
}

fn says_that_all_stopped(event: &Event) -> bool {
    matches!(event.kind, Kind::StwStopped { .. })
}

#[cold]
fn again(head: &Event, object: Object, found: u64, version: u64) -> Box<Inconsistent> {
    Box::new(Inconsistent {
        rule: OrderRule::VerChain,
        object,
        expected: version.saturating_add(1),
        found,
        seq: head.seq,
        others: Vec::new(),
        reason: format!("version {found} comes when version {version} has been there; each comes once"),
    })
}
