//! Progress bars for long work on a terminal; nothing where standard error is not one.

use std::borrow::Cow;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressState, ProgressStyle};
use sigurg_model::space::Promise;

use crate::check::judge::Tally;
use crate::explore::Progress;

/// How often a bar is drawn again.
const TICK: Duration = Duration::from_millis(100);

/// A bar that counts judged events.
pub(super) struct Events<'a> {
    bar: ProgressBar,
    tally: &'a Tally,
    files: u64,
}

impl<'a> Events<'a> {
    /// Begins to follow `tally`.
    pub(super) fn new(tally: &'a Tally, files: u64) -> Self {
        let style = style("{bar:30} {human_pos} of {human_len} events, {rate} events/s, {msg}").with_key(
            "rate",
            |state: &ProgressState, to: &mut dyn std::fmt::Write| {
                // A rate that cannot be written is not worth an error.
                let _ = write!(to, "{}", HumanCount(state.per_sec() as u64));
            },
        );
        Self { bar: ProgressBar::no_length().with_style(style), tally, files }
    }

    /// Draws how far the tally has come.
    pub(super) fn tick(&self) {
        // Relaxed: figures for people.
        self.bar.set_length(self.tally.promised.load(Relaxed));
        self.bar.set_position(self.tally.judged.load(Relaxed));
    }

    /// So many files are done.
    pub(super) fn done(&self, files: u64) {
        self.bar.set_message(format!("{files} of {} files", self.files));
    }

    /// Lets `write` write to the terminal without the bar in its way.
    pub(super) fn behind<R>(&self, write: impl FnOnce() -> R) -> R {
        self.bar.suspend(write)
    }
}

impl Drop for Events<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A line that follows a search.
pub(super) struct Search {
    bar: ProgressBar,
    begin: Instant,
}

impl Search {
    /// Begins to follow the search of a configuration.
    pub(super) fn new(name: &'static str) -> Self {
        let bar = ProgressBar::new_spinner().with_style(style("{spinner} {prefix}: {msg}")).with_prefix(name);
        if !bar.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        Self { bar, begin: Instant::now() }
    }

    fn say(&self, what: impl Into<Cow<'static, str>>) {
        self.bar.set_message(what);
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Search {
    fn level(&self, depth: u32, states: u64, frontier: u64, _transitions: u64) {
        if self.bar.is_hidden() {
            return;
        }
        let rate = (states as f64 / self.begin.elapsed().as_secs_f64().max(1e-3)) as u64;
        self.say(format!(
            "depth {depth}, {} states, {} of them ahead, {} states/s",
            HumanCount(states),
            HumanCount(frontier),
            HumanCount(rate)
        ));
    }

    fn promises(&self, promises: &[Promise]) {
        self.say(format!("all states known, checking {} promises", promises.len()));
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates of this file are well-formed")
}
