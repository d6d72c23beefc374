//! What the writer's thread does: takes the events of all Ms, gives them numbers and times, and writes them.

use std::fs::File;
use std::io;

use sigurg_traces::Event;
use sigurg_traces::binary::Recording;

use super::names::Names;
use super::tracer::Shared;
use crate::facade::{cputicks, nanotime};

/// See the module.
pub(super) struct Writer {
    shared: &'static Shared,
    /// Where to, or why not any more.
    file: io::Result<Recording<File>>,
    names: Names,
    clock: Clock,
    seq: u64,
}

impl Writer {
    pub(super) fn new(shared: &'static Shared, recording: Recording<File>) -> Self {
        Self { shared, file: Ok(recording), names: Names::new(), clock: Clock::start(), seq: 0 }
    }

    /// Writes what was recorded until now.
    ///
    /// At most a chunk at a time, and always of the M that is farthest behind: events that happened together lie near
    /// each other in the file, and who puts them in order has little to remember.
    pub(super) fn write_all(&mut self) {
        let Shared { pool, .. } = *self.shared;
        let behind = || {
            let fronts = self.shared.bufs().filter_map(|buf| Some((buf.front(pool)?, buf)));
            fronts.min_by_key(|&(ticks, _)| ticks).map(|(_, buf)| buf)
        };
        while let Some(buf) = behind() {
            self.clock.look();
            buf.read(pool, |ticks, event| self.write(ticks, event));
        }
        self.keep(Recording::flush);
    }

    fn write(&mut self, ticks: u64, mut event: Event) {
        self.names.translate(&mut event.kind);
        event.seq = self.seq;
        event.lo = self.seq;
        event.t_ns = self.clock.ns(ticks);
        self.seq += 1;
        if let Ok(recording) = &mut self.file
            && let Err(error) = recording.write(&event, self.names.symbols())
        {
            self.fail(error);
        }
    }

    fn keep(&mut self, act: impl FnOnce(&mut Recording<File>) -> io::Result<()>) {
        if let Ok(recording) = &mut self.file
            && let Err(error) = act(recording)
        {
            self.fail(error);
        }
    }

    /// From now on chunks are only emptied.
    #[cold]
    fn fail(&mut self, error: io::Error) {
        self.shared.turn_off();
        self.file = Err(error);
    }

    /// Where the trace is complete the Ms are at rest, and need their memory no more; else one may be in the middle of an event.
    pub(super) fn finish(self, complete: bool) -> io::Result<()> {
        if complete {
            self.shared.bufs().for_each(|buf| buf.give_back(self.shared.pool));
        }
        self.file?.finish(complete).map(drop)
    }
}

/// Turns ticks into nanoseconds since the start, by what the monotonic clock says.
struct Clock {
    start: (u64, i64),
    now: (u64, i64),
    /// Nanoseconds of a tick, from the start to now.
    rate: f64,
}

impl Clock {
    fn start() -> Self {
        let start = (cputicks(), nanotime());
        Self { start, now: start, rate: 1.0 }
    }

    fn look(&mut self) {
        let now = (cputicks(), nanotime());
        let (ticks, ns) = (now.0.saturating_sub(self.start.0), now.1 - self.start.1);
        if ticks > 0 {
            self.now = now;
            self.rate = ns as f64 / ticks as f64;
        }
    }

    /// Counted from the last look, so that the rate only has to be right for the time since.
    fn ns(&self, ticks: u64) -> u64 {
        let since_look = ticks.wrapping_sub(self.now.0).cast_signed() as f64 * self.rate;
        // Saturates at 0: an event can be older than the writer's first look.
        ((self.now.1 - self.start.1) as f64 + since_look) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_become_nanoseconds_since_the_start() {
        let mut clock = Clock { start: (1_000, 50), now: (1_000, 50), rate: 1.0 };
        clock.now = (3_000, 1_050);
        clock.rate = 0.5;
        assert_eq!([900, 1_000, 2_000, 3_000, 3_100].map(|ticks| clock.ns(ticks)), [0, 0, 500, 1_000, 1_050]);
        let mut clock = Clock::start();
        std::thread::sleep(std::time::Duration::from_millis(2));
        let before = nanotime();
        let ticks = cputicks();
        clock.look();
        let off = clock.ns(ticks).cast_signed() - (before - clock.start.1);
        assert!(off.abs() < 1_000_000, "{off} ns off");
    }
}
