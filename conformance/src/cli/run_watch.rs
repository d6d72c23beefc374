//! What `run` tells while it runs: a bar on a terminal, a line now and then elsewhere.

use std::io::{self, IsTerminal};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

use super::output::note;
use crate::report::data::Layer as Record;
use crate::run::Watch;

/// Time between two lines where there is no terminal.
const QUIET: Duration = Duration::from_secs(10);
/// Parts of the bar.
const PARTS: u64 = 1_000;
/// How much must be done before the rest can be guessed.
const ENOUGH: f64 = 0.02;

/// Who tells.
pub(super) fn new(seed: u64) -> Box<dyn Watch> {
    note(format_args!("seed {seed}"));
    if io::stderr().is_terminal() { Box::new(Bar::new()) } else { Box::new(Lines::new()) }
}

/// How far a run has come.
#[derive(Clone, Copy, Debug)]
struct So {
    layer: &'static str,
    units: u64,
    begin: Instant,
}

impl So {
    /// How long it still takes, if the rest is like what was.
    fn eta(&self, part: f64) -> String {
        if part < ENOUGH {
            return "no estimate yet".into();
        }
        let rest = self.begin.elapsed().mul_f64((1.0 - part) / part);
        format!("about {:#} left", HumanDuration(rest))
    }
}

struct Bar {
    bar: ProgressBar,
    so: Mutex<So>,
}

impl Bar {
    fn new() -> Self {
        let style = ProgressStyle::with_template("{bar:24} {prefix} {wide_msg}").expect("well-formed");
        let bar = ProgressBar::new(PARTS).with_style(style);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, so: Mutex::new(So { layer: "", units: 0, begin: Instant::now() }) }
    }

    fn so(&self) -> So {
        *self.so.lock().expect("nobody panics with it")
    }
}

impl Watch for Bar {
    fn layer(&self, name: &'static str, units: u64) {
        let mut so = self.so.lock().expect("nobody panics with it");
        (so.layer, so.units) = (name, units);
    }

    fn unit(&self, name: &str, done: u64, part: f64) {
        let so = self.so();
        self.bar.set_position((part * PARTS as f64) as u64);
        let of = if done < so.units { format!(" of {}", so.units) } else { String::new() };
        self.bar.set_prefix(format!("{} {}{of}: {name}, {}", so.layer, done + 1, so.eta(part)));
        self.bar.set_message("");
    }

    fn inside(&self, what: &str) {
        self.bar.set_message(what.to_owned());
    }

    fn ended(&self, name: &'static str, record: &Record) {
        self.bar.suspend(|| note(ended(name, record)));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

struct Lines {
    so: Mutex<So>,
    last: Mutex<Instant>,
}

impl Lines {
    fn new() -> Self {
        let now = Instant::now();
        Self { so: Mutex::new(So { layer: "", units: 0, begin: now }), last: Mutex::new(now) }
    }
}

impl Watch for Lines {
    fn layer(&self, name: &'static str, units: u64) {
        let mut so = self.so.lock().expect("nobody panics with it");
        (so.layer, so.units) = (name, units);
        note(format_args!("{name}: {units} units"));
    }

    fn unit(&self, name: &str, done: u64, part: f64) {
        let mut last = self.last.lock().expect("nobody panics with it");
        if last.elapsed() >= QUIET {
            *last = Instant::now();
            let so = *self.so.lock().expect("nobody panics with it");
            note(format_args!("  {}: {done} done, now {name}, {}", so.layer, so.eta(part)));
        }
    }

    fn inside(&self, _what: &str) {}

    fn ended(&self, name: &'static str, record: &Record) {
        note(ended(name, record));
    }
}

fn ended(name: &str, record: &Record) -> String {
    let seconds = record.took_ms as f64 / 1e3;
    match (&record.skipped, record.findings.len(), record.left.len()) {
        (Some(reason), ..) => format!("{name}: skipped, {reason}"),
        (_, 0, 0) => format!("{name}: done in {seconds:.1} s, nothing found"),
        (_, found, 0) => format!("{name}: done in {seconds:.1} s, {found} different findings"),
        (_, found, left) => {
            format!("{name}: ended after {seconds:.1} s, {left} units not begun, {found} different findings")
        }
    }
}
