//! One recording: the Ms that take part, and the thread that writes their events to a file.
//!
//! 1. Ms never wait for the writer and the writer never holds a P: it is a plain thread. Where it falls far behind, Ms
//!    rest for a bounded time, and where that does not help the recording ends, not the program.
//! 2. What the writer has got is in the file within [`FLUSH_NS`], so a program that dies leaves a trace that ends
//!    shortly before.
//! 3. What Ms may look at after the end, [`Shared`], is never freed.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use sigurg_traces::Header;
use sigurg_traces::binary::Recording;
use sigurg_traces::header::Ordering;

use super::chunk::Pool;
use super::writer::Writer;
use crate::facade::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use crate::facade::atomic::{AtomicBool, AtomicPtr};
use crate::facade::{Note, atomic};
use crate::m::M;
use crate::trace::TraceBuf;

/// How long an event may lie with its M before it is in the file, nanoseconds.
const FLUSH_NS: i64 = 200_000_000;

/// What Ms and the writer share.
pub(super) struct Shared {
    pub(super) pool: &'static Pool,
    /// The buffers that take part, linked through `link`.
    bufs: AtomicPtr<TraceBuf>,
    /// Nothing is recorded any more.
    off: AtomicBool,
    /// There was no chunk left.
    overflowed: AtomicBool,
    /// No event is missing at the end. Set before `ends`.
    complete: AtomicBool,
    /// The writer is to end.
    ends: AtomicBool,
    /// There is something to write.
    work: Note,
}

impl Shared {
    pub(super) fn is_off(&self) -> bool {
        // Relaxed: sooner or later.
        self.off.load(Relaxed)
    }

    pub(super) fn wake(&self) {
        self.work.wakeup();
    }

    /// Ends the recording for want of memory.
    pub(super) fn overflow(&self) {
        if !self.is_off() {
            self.overflowed.store(true, Relaxed); // read after the threads were told to end
            self.turn_off();
        }
    }

    /// Nothing is recorded after this but what is being recorded now.
    pub(super) fn turn_off(&self) {
        // Relaxed: sooner or later.
        self.off.store(true, Relaxed);
        for buf in self.bufs() {
            // SAFETY: set before the buffer was linked, to the word of an M, which is never freed.
            if let Some(on) = unsafe { buf.on.load(Relaxed).as_ref() } {
                on.store(false, Relaxed); // sooner or later
            }
        }
    }

    pub(super) fn bufs(&self) -> impl Iterator<Item = &'static TraceBuf> {
        // Acquire pairs with the Release in `attach`. SAFETY: null, or a buffer of an M, which is never freed.
        let first = unsafe { self.bufs.load(Acquire).as_ref() };
        // SAFETY: as above. Relaxed: written before the buffer was published.
        std::iter::successors(first, |buf| unsafe { buf.link.load(Relaxed).as_ref() })
    }

    fn attach(&'static self, buf: &'static TraceBuf, m: i32, on: &'static AtomicBool) {
        if !buf.join(self) {
            return;
        }
        // Relaxed: published with the buffer.
        buf.m.store(m, Relaxed);
        buf.on.store(ptr::from_ref(on).cast_mut(), Relaxed);
        let mut first = self.bufs.load(Relaxed);
        loop {
            buf.link.store(first, Relaxed);
            // Release publishes the buffer, AcqRel keeps those published before; pairs with the Acquire in `bufs`.
            match self.bufs.compare_exchange(first, ptr::from_ref(buf).cast_mut(), AcqRel, Relaxed) {
                Ok(_) => break,
                Err(found) => first = found,
            }
        }
        // Relaxed: set before the M first runs.
        on.store(!self.is_off(), Relaxed);
    }
}

/// A recording. Dropped without [`Tracer::finish`], it becomes a prefix.
pub(crate) struct Tracer {
    shared: &'static Shared,
    path: PathBuf,
    /// The thread, until its end was waited for. Only user code takes this lock.
    writer: Mutex<Option<JoinHandle<io::Result<()>>>>,
}

impl Tracer {
    /// Begins a recording into a new file at `path`, or over the one that is there.
    ///
    /// # Errors
    ///
    /// If the file cannot be written or is no plain file, or there is no memory or thread to record with. The message
    /// names the path.
    pub(crate) fn start(path: &Path, gomaxprocs: u32) -> io::Result<Self> {
        Self::begin(path, gomaxprocs).map_err(|e| named(path, &e))
    }

    fn begin(path: &Path, gomaxprocs: u32) -> io::Result<Self> {
        let pool = Pool::get()?;
        let file = File::create(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a plain file"));
        }
        let header = Header::new("sigurg", env!("CARGO_PKG_VERSION"), Ordering::Stream, gomaxprocs, 0);
        let recording = Recording::new(file, header)?;
        let shared: &'static Shared = Box::leak(Box::new(Shared {
            pool,
            bufs: AtomicPtr::new(ptr::null_mut()),
            off: AtomicBool::new(false),
            overflowed: AtomicBool::new(false),
            complete: AtomicBool::new(false),
            ends: AtomicBool::new(false),
            work: Note::new(),
        }));
        let mut writer = Writer::new(shared, recording);
        let writer = std::thread::Builder::new().name("sigurg-trace".into()).spawn(move || {
            loop {
                shared.work.clear();
                // SeqCst: the looks below come after, so that no wake-up for what they miss is cleared. One that is, on a
                // machine whose order is weaker than that, is made up for by the end of the sleep.
                atomic::fence(atomic::Ordering::SeqCst);
                // Acquire pairs with the Release in `end`: what was recorded before is seen by `write_all`.
                let ends = shared.ends.load(Acquire);
                writer.write_all();
                if ends {
                    // Relaxed: set before `ends`, whose Acquire came first.
                    return writer.finish(shared.complete.load(Relaxed));
                }
                shared.work.sleep_for(FLUSH_NS);
            }
        })?;
        Ok(Self { shared, path: path.into(), writer: Mutex::new(Some(writer)) })
    }

    /// Makes `mp` record from now on: before it first runs, or on its own thread. A second time changes nothing.
    /// Neither allocates nor waits.
    pub(crate) fn attach(&self, mp: &'static M) {
        self.attach_buf(&mp.trace, mp.id(), &mp.tracing);
    }

    pub(super) fn attach_buf(&self, buf: &'static TraceBuf, m: i32, on: &'static AtomicBool) {
        self.shared.attach(buf, m, on);
    }

    /// Ends the recording and waits until the file is whole. If all Ms are at rest, the world stopped or their threads
    /// gone, the trace is `complete`; else it is a prefix. A second time changes nothing.
    ///
    /// # Errors
    ///
    /// If something could not be written; then the recording ended there, and the file holds what came before. The
    /// message names the path.
    pub(crate) fn finish(&self, complete: bool) -> io::Result<()> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(writer) = writer else { return Ok(()) };
        let shared = self.shared;
        let was_off = shared.is_off();
        shared.turn_off();
        shared.complete.store(complete && !was_off, Relaxed); // published by `ends`
        // Release: what was recorded before; pairs with the Acquire of the writer.
        shared.ends.store(true, Release);
        shared.wake();
        let written = writer
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the thread that writes the trace panicked")));
        written.map_err(|e| named(&self.path, &e))?;
        // Relaxed: the writer is gone, and with it everybody who had to see it.
        if shared.overflowed.load(Relaxed) {
            let reason = io::Error::other("recording stopped: events came faster than they could be written");
            return Err(named(&self.path, &reason));
        }
        Ok(())
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        // The error is lost: who wants it calls `finish`.
        let _ = self.finish(false);
    }
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("trace {}: {error}", path.display()))
}
