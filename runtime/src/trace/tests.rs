//! What is recorded is in the file: all of it, once, in the order of each M.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use sigurg_traces::{Event, Kind, Options, ReadError, Stack, Target, TraceReader, source};

use super::chunk::SLOTS;
use super::{Site, TraceBuf, Tracer, intern};
use crate::facade::atomic::AtomicBool;
use crate::facade::atomic::Ordering::Relaxed;

/// An M's part of a recording.
struct Part {
    buf: TraceBuf,
    on: AtomicBool,
}

fn attach(tracer: &Tracer, m: i32) -> &'static Part {
    let part: &Part = Box::leak(Box::new(Part { buf: TraceBuf::new(), on: AtomicBool::new(false) }));
    tracer.attach_buf(&part.buf, m, &part.on);
    part
}

/// The `n`th event of an M.
fn event(n: u64) -> Event {
    let target = Some(Target { g: n, gs: 7 });
    let kind = Kind::Execute { inherit_time: n.is_multiple_of(2) };
    Event { p: 3, on: Stack::G, by: n, target, site: Site::Execute.sym(), over: n, kind, ..Event::lost(0) }
}

type Read = (TraceReader, HashMap<i32, Vec<Event>>);

fn read(path: &Path) -> Read {
    try_read(path).unwrap()
}

fn try_read(path: &Path) -> Result<Read, ReadError> {
    let mut reader = source::open(path, Options::default())?;
    let mut streams: HashMap<i32, Vec<Event>> = HashMap::new();
    while let Some(event) = reader.next()? {
        streams.entry(event.m).or_default().push(event);
    }
    Ok((reader, streams))
}

fn assert_is_whole(stream: &[Event], events: u64) {
    assert_eq!(stream.len() as u64, events);
    for (n, found) in (0..).zip(stream) {
        let expected = event(n);
        assert_eq!((found.p, found.on, found.by, found.over), (3, Stack::G, n, n), "event {n}");
        assert_eq!((found.target, found.kind), (expected.target, expected.kind), "event {n}");
    }
}

#[test]
fn nothing_is_lost_and_each_thread_keeps_its_order() {
    let (threads, events) = if cfg!(miri) { (2, 40) } else { (4, 50_000) };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trace.sgt");
    let tracer = Tracer::start(&path, 2).unwrap();
    std::thread::scope(|scope| {
        for m in 0..threads {
            let part = attach(&tracer, m);
            assert!(part.on.load(Relaxed));
            scope.spawn(move || (0..events).for_each(|n| part.buf.push(event(n))));
        }
    });
    tracer.finish(true).unwrap();
    let (reader, streams) = read(&path);
    let header = reader.header();
    assert_eq!((header.producer.as_str(), header.gomaxprocs, header.complete), ("sigurg", 2, true));
    assert_eq!(header.events, threads as u64 * events);
    for m in 0..threads {
        assert_is_whole(&streams[&m], events);
        let first = streams[&m][0];
        assert_eq!(reader.symbols().resolve(first.site), "execute");
        let times: Vec<u64> = streams[&m].iter().map(|event| event.t_ns).collect();
        assert!(times.first() <= times.last(), "time goes on: {:?}", (times.first(), times.last()));
    }
}

#[test]
fn a_few_events_are_in_the_file_at_the_end_and_an_idle_thread_withholds_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trace.sgt");
    let tracer = Tracer::start(&path, 1).unwrap();
    let (busy, idle) = (attach(&tracer, 0), attach(&tracer, 1));
    idle.buf.push(event(0));
    let events = 3 * u64::from(SLOTS);
    (0..events).for_each(|n| busy.buf.push(event(n)));
    // The file of a program that dies now: open, with what there was a flush ago.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let found = try_read(&path);
        if let Ok((reader, streams)) = &found {
            assert!(reader.header().open && !reader.header().complete);
            if streams.values().map(Vec::len).sum::<usize>() as u64 == events + 1 {
                break;
            }
        }
        // An error: the last frame is just being written.
        let found = found.map(|(reader, _)| reader.header().events);
        assert!(std::time::Instant::now() < deadline, "not in the file: {found:?}");
        std::thread::yield_now();
    }
    tracer.finish(true).unwrap();
    assert!(!busy.on.load(Relaxed) && !idle.on.load(Relaxed), "nothing is recorded after the end");
    let (reader, streams) = read(&path);
    assert!(!reader.header().open);
    assert_is_whole(&streams[&0], events);
    assert_is_whole(&streams[&1], 1);
}

#[test]
fn recordings_use_the_memory_of_those_before() {
    let recordings = if cfg!(miri) { 4 } else { 1_000 };
    let dir = tempfile::tempdir().unwrap();
    let chunk = |_| {
        let tracer = Tracer::start(&dir.path().join("trace.sgt"), 1).unwrap();
        let part = attach(&tracer, 0);
        part.buf.push(event(0));
        let chunk = part.buf.chunk();
        tracer.finish(true).unwrap();
        chunk
    };
    let chunks: HashSet<u32> = (0..recordings).map(chunk).collect();
    // Tests beside this one take and give chunks of the same pool.
    assert!(chunks.len() <= recordings / 2, "{recordings} recordings used {} chunks", chunks.len());
}

#[test]
fn a_recording_that_is_cut_says_so() {
    let dir = tempfile::tempdir().unwrap();
    for finished in [true, false] {
        let path = dir.path().join("trace.sgt");
        let tracer = Tracer::start(&path, 1).unwrap();
        let part = attach(&tracer, 0);
        part.buf.push(event(0));
        if finished {
            tracer.finish(false).unwrap();
        }
        drop(tracer);
        part.buf.push(event(1));
        let (reader, streams) = read(&path);
        assert!(reader.header().is_cut() && reader.header().claimed > reader.header().events);
        assert_is_whole(&streams[&0], 1);
    }
}

/// A signal handler pushes in the middle of what the thread pushes: at every instruction of it, as far as a timer
/// reaches them. Go's own signal tests interrupt in the same way.
#[test]
#[cfg(not(miri))]
fn a_push_within_a_push_mixes_nothing() {
    use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

    static PART: AtomicPtr<Part> = AtomicPtr::new(std::ptr::null_mut());
    static HANDLED: AtomicU64 = AtomicU64::new(0);

    const EACH: u64 = 40;

    extern "C" fn handler(_: libc::c_int) {
        // Several, so that handlers too come to the end of chunks.
        for _ in 0..EACH {
            let n = HANDLED.fetch_add(1, Ordering::SeqCst);
            // SAFETY: set before the first signal, and leaked.
            unsafe { &*PART.load(Ordering::SeqCst) }.buf.push(Event { on: Stack::Gsignal, ..event(n) });
        }
    }

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trace.sgt");
    let tracer = Tracer::start(&path, 1).unwrap();
    let part = attach(&tracer, 0);
    PART.store(std::ptr::from_ref(part).cast_mut(), Ordering::SeqCst);
    let action = handler as extern "C" fn(libc::c_int);
    // SAFETY: SIGRTMIN is used by nothing else here; the handler does nothing but push, which may be interrupted.
    unsafe {
        let mut new: libc::sigaction = std::mem::zeroed();
        new.sa_sigaction = action as usize;
        new.sa_flags = libc::SA_RESTART;
        assert_eq!(libc::sigaction(libc::SIGRTMIN(), &new, std::ptr::null_mut()), 0);
    }
    // Each signal is handled before the next is sent, and there is a bound on the events between two: however slow the
    // machine is, the writer is never so far behind that something must be left out.
    let signals = 5_000;
    let mut pushed = 0;
    std::thread::scope(|scope| {
        // SAFETY: takes no arguments and cannot fail.
        let (pid, tid) = unsafe { (libc::getpid(), libc::syscall(libc::SYS_gettid)) };
        scope.spawn(move || {
            for sent in 1..=signals {
                // SAFETY: the thread waits for this one, so its id is still its own.
                unsafe { libc::syscall(libc::SYS_tgkill, pid, tid, libc::SIGRTMIN()) };
                while HANDLED.load(Relaxed) < sent * EACH {
                    std::thread::yield_now();
                }
                crate::facade::procyield(sent as u32 % 200);
            }
        });
        for signal in 1..=signals {
            let mut left = 600;
            while HANDLED.load(Relaxed) < signal * EACH {
                if left > 0 {
                    part.buf.push(event(pushed));
                    (pushed, left) = (pushed + 1, left - 1);
                } else {
                    std::thread::yield_now();
                }
            }
        }
    });
    tracer.finish(true).unwrap();
    let (_, streams) = read(&path);
    let (signals, own): (Vec<Event>, Vec<Event>) = streams[&0].iter().partition(|e| e.on == Stack::Gsignal);
    assert_is_whole(&own, pushed);
    let signals: Vec<Event> = signals.into_iter().map(|event| Event { on: Stack::G, ..event }).collect();
    assert_is_whole(&signals, HANDLED.load(Relaxed));
}

/// The handlers in the middle of a step to another chunk may push so much that the chunk which was full is read, goes
/// back to the pool and is the one being filled when the step is resumed.
#[test]
fn a_step_from_a_chunk_that_was_given_back_and_taken_again_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trace.sgt");
    let tracer = Tracer::start(&path, 1).unwrap();
    let part = attach(&tracer, 0);
    part.buf.push(event(0));
    let late = part.buf.chunk();
    let mut pushed = 1;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while part.buf.chunk() == late {
        part.buf.push(event(pushed));
        pushed += 1;
    }
    while part.buf.chunk() != late {
        assert!(std::time::Instant::now() < deadline, "chunk {late} does not come back");
        part.buf.push(event(pushed));
        pushed += 1;
    }
    part.buf.go_on_late(late);
    assert_eq!(part.buf.chunk(), late);
    part.buf.push(event(pushed));
    tracer.finish(true).unwrap();
    let (_, streams) = read(&path);
    assert_is_whole(&streams[&0], pushed + 1);
}

#[test]
fn a_thread_that_becomes_an_m_again_goes_on_under_its_new_number() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trace.sgt");
    let tracer = Tracer::start(&path, 1).unwrap();
    let part = attach(&tracer, 4);
    for m in [4, 9] {
        part.buf.push(Event { m, target: None, kind: Kind::MStart, ..event(0) });
        part.buf.push(Event { m, ..event(1) });
    }
    tracer.finish(true).unwrap();
    let (_, streams) = read(&path);
    for m in [4, 9] {
        let stream: Vec<Kind> = streams[&m].iter().map(|event| event.kind).collect();
        assert_eq!(stream, [Kind::MStart, event(1).kind], "M{m}");
    }
}

#[test]
fn names_are_those_of_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trace.sgt");
    let tracer = Tracer::start(&path, 1).unwrap();
    let part = attach(&tracer, 0);
    let entry = intern("names_are_those_of_the_file::entry");
    let kind = Kind::Newproc { entry, parent: 1, parked: false };
    part.buf.push(Event { kind, ..event(1) });
    let reason = super::reason(crate::waitreason::WaitReason::Sleep);
    part.buf.push(Event { kind: Kind::Gopark { reason, unlockf: true }, ..event(2) });
    tracer.finish(true).unwrap();
    let (reader, streams) = read(&path);
    let names: Vec<&str> = streams[&0]
        .iter()
        .map(|event| match event.kind {
            Kind::Newproc { entry, .. } => reader.symbols().resolve(entry),
            Kind::Gopark { reason, .. } => reader.symbols().resolve(reason),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["names_are_those_of_the_file::entry", "sleep"]);
}

#[test]
fn faults_of_the_path_are_told_at_the_start_with_the_path() {
    let dir = tempfile::tempdir().unwrap();
    for path in [dir.path().join("none/trace.sgt"), dir.path().to_path_buf(), "/dev/null".into()] {
        let error = Tracer::start(&path, 1).err().expect("no trace can be written there");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}

/// `/dev/full` is no plain file, so the limit of this process' files stands in for a full disk.
#[test]
#[cfg(not(miri))]
fn a_full_disk_ends_the_recording_and_not_the_program() {
    const CHILD: &str = "SIGURG_TEST_FULL_DISK";
    if let Some(path) = std::env::var_os(CHILD) {
        let tracer = Tracer::start(Path::new(&path), 1).unwrap();
        let part = attach(&tracer, 0);
        let limit = libc::rlimit { rlim_cur: 100_000, rlim_max: 100_000 };
        // SAFETY: `limit` is valid; the signal that would kill is turned into an error of write.
        unsafe {
            libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
            assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &limit), 0);
        }
        (0..200_000).for_each(|n| part.buf.push(event(n)));
        let error = tracer.finish(true).expect_err("the file cannot hold that much");
        assert!(error.to_string().contains(Path::new(&path).to_str().unwrap()), "{error}");
        assert!(!part.on.load(Relaxed));
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trace.sgt");
    let this = "trace::tests::a_full_disk_ends_the_recording_and_not_the_program";
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args([this, "--exact", "--nocapture"])
        .env(CHILD, &path)
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
    let (reader, streams) = read(&path);
    assert!(reader.header().open, "nobody could write the end");
    let events = streams[&0].len() as u64;
    assert!(events > 1_000, "{events}");
    assert_is_whole(&streams[&0], events);
}
