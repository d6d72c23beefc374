//! Records programs of the runtime, has the traces judged, and tells what they hold.

use std::collections::BTreeMap;
use std::path::Path;

use sigurg_conformance::check::judge::{Accepted, How, Tally, Verdict, judge};
use sigurg_model::rules::sequence::{Step, Word};

/// What a trace holds.
pub(crate) struct Seen {
    pub(crate) procs: u32,
    #[allow(dead_code, reason = "not in every test file")]
    pub(crate) events: u64,
    pub(crate) kinds: BTreeMap<String, u64>,
    pub(crate) rows: BTreeMap<&'static str, u64>,
    steps: Vec<u64>,
}

impl Seen {
    /// How many events of that kind there are.
    pub(crate) fn kind(&self, name: &str) -> u64 {
        self.kinds.get(name).copied().unwrap_or(0)
    }

    /// How often that row of the transition table was taken.
    pub(crate) fn row(&self, id: &str) -> u64 {
        self.rows.get(id).copied().unwrap_or(0)
    }

    /// How often that step was taken.
    pub(crate) fn step(&self, step: Step) -> u64 {
        self.steps[Word::step(step).index()]
    }

    /// Goroutines that signals stopped: each was found at a safe point, and acknowledged.
    pub(crate) fn stopped_by_signal(&self) -> u64 {
        self.step(Step::HandlerYield) + self.step(Step::HandlerPark)
    }
}

/// Records `program`, on so many Ps, and checks the file: what it holds.
#[allow(dead_code, reason = "not in every test file")]
pub(crate) fn record(procs: u32, program: impl FnOnce() + Send) -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.sgt");
    // SAFETY: nothing taken from a thread_local! lives across a blocking call in these programs.
    let runtime = unsafe { sigurg::Builder::new().gomaxprocs(procs).trace(&path).build() }.unwrap();
    runtime.run(program);
    let (profile, accepted) = accepted(&path, procs);
    assert_eq!(profile, "sigurg");
    assert_eq!((accepted.cut_off, accepted.header.complete), (0, true), "{procs} Ps");
    let mut rows = BTreeMap::new();
    for (row, &count) in sigurg_model::rules::transition::ROWS.iter().zip(&accepted.summary.rows) {
        *rows.entry(row.id).or_insert(0) += count;
    }
    Seen {
        procs,
        events: accepted.summary.events,
        kinds: accepted.census.expect("asked for").kinds(),
        rows,
        steps: accepted.summary.steps,
    }
}

/// Records `program` at several numbers of Ps, checks the files, and hands what they hold to `expect`.
#[allow(dead_code, reason = "not in every test file")]
pub(crate) fn traced(program: fn(), expect: impl Fn(&Seen)) {
    for procs in [1, 2, 4] {
        expect(&record(procs, program));
    }
}

/// A refused trace is kept beside the built tests, and the message says where.
fn accepted(path: &Path, procs: u32) -> (&'static str, Box<Accepted>) {
    let how = How { census: true, ..How::default() };
    let judged = judge(path, &how, &Tally::default());
    let story = match judged.verdict {
        Verdict::Accepted(accepted) => {
            return (judged.profile.map_or("none", |profile| profile.name), accepted);
        }
        Verdict::Rejected(rejected) => rejected.story,
        Verdict::Unreadable(unreadable) => unreadable.to_string(),
    };
    let name = format!("refused-{}-{procs}.sgt", std::thread::current().name().unwrap_or("main"));
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::copy(path, &kept).unwrap();
    panic!("{procs} Ps, {}: {story}", kept.display());
}

pub(crate) fn join_all<T>(handles: Vec<sigurg::JoinHandle<T>>) -> Vec<T> {
    handles.into_iter().map(|handle| handle.join().unwrap()).collect()
}
