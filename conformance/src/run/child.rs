//! A unit of work in a process of its own: what is tested may crash or hang, and the harness must not.
//!
//! 1. The child ends when its standard input does: it does not outlive who started it.
//! 2. It is in a process group of its own, so Ctrl-C reaches only the one who has a report to write.
//! 3. A budget holds: what is not done [`GRACE`] after the end of the time is ended. That it hangs is said only of what gave no sign of
//!    life for longer than one step of it can last, or not once in all that grace.

use std::fs::File;
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant, SystemTime};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Until;

/// How often a child is looked at.
const TICK: Duration = Duration::from_millis(5);
/// How long a child that hangs may take to print where.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// How long a unit may go on after the end of its time: to end the step that it is at, and to keep what it found.
pub(super) const GRACE: Duration = Duration::from_secs(10);
/// The last of what it said is kept, in bytes.
const TAIL: usize = 16 << 10;

/// What became of a child.
pub(super) enum Ran {
    /// It ended well.
    Well,
    /// It ended by itself, otherwise: how, and what it said.
    Badly { how: String, said: String },
    /// It hangs: for so long it gave no sign of life; and what it said.
    Stuck { after: Duration, said: String },
    /// It was broken off because the time is over, and was not seen to hang.
    Late,
    /// It was broken off because the run is over.
    Over,
    /// It could not be started.
    Unstarted(String),
}

/// When a child is taken to hang.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience<'a> {
    /// If it gives no sign of life for longer than that.
    pub(super) within: Duration,
    /// A file that it writes anew at every step; without, its end is the only sign.
    pub(super) beat: Option<&'a Path>,
    /// How long it may go on after the end of the time.
    pub(super) grace: Duration,
}

impl Patience<'static> {
    /// With a child that gives no signs.
    pub(super) fn of(within: Duration) -> Self {
        Self { within, beat: None, grace: GRACE }
    }
}

impl<'a> Patience<'a> {
    /// With a child that writes to that file.
    pub(super) fn beside(self, beat: &'a Path) -> Self {
        Self { beat: Some(beat), ..self }
    }
}

/// The last sign of life of a child.
struct Life<'a> {
    beat: Option<&'a Path>,
    /// The time that stands at the file: only whether it changes matters.
    stamp: Option<SystemTime>,
    last: Instant,
}

impl Life<'_> {
    /// For how long there was none.
    fn quiet(&mut self) -> Duration {
        if let Some(beat) = self.beat {
            let stamp = beat.metadata().and_then(|file| file.modified()).ok();
            if stamp != self.stamp {
                (self.stamp, self.last) = (stamp, Instant::now());
            }
        }
        self.last.elapsed()
    }
}

/// Runs `command`, as long as it takes or as it may; `meanwhile` is called now and then.
pub(super) fn run(
    command: &mut Command,
    patience: Patience<'_>,
    until: &Until,
    folder: &Path,
    meanwhile: &mut dyn FnMut(),
) -> Ran {
    let log = folder.join("stderr");
    let started = File::create(&log).and_then(|file| {
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(file).process_group(0).spawn()
    });
    let mut child = match started {
        Ok(child) => child,
        Err(e) => return Ran::Unstarted(e.to_string()),
    };
    let mut life = Life { beat: patience.beat, stamp: None, last: Instant::now() };
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ran::Well,
            Ok(Some(status)) => return Ran::Badly { how: how(status), said: tail(log) },
            Ok(None) => {}
            Err(e) => return Ran::Unstarted(e.to_string()),
        }
        if until.is_interrupted() {
            end(&mut child, None);
            return Ran::Over;
        }
        let (quiet, is_overdue) = (life.quiet(), until.is_overdue(patience.grace));
        // Who gives signs, and gave none in the whole grace, hangs; of others nobody can tell yet.
        let hangs =
            quiet > patience.within || is_overdue && patience.beat.is_some() && quiet >= patience.grace;
        if hangs {
            end(&mut child, Some(Signal::SIGQUIT));
            return Ran::Stuck { after: quiet, said: tail(log) };
        }
        if is_overdue {
            end(&mut child, None);
            return Ran::Late;
        }
        meanwhile();
        std::thread::sleep(TICK);
    }
}

/// Ends a child that is still there: first by `softly`, and then anyway.
fn end(child: &mut Child, softly: Option<Signal>) {
    if let Some(signal) = softly {
        let sent = kill(Pid::from_raw(child.id().cast_signed()), signal);
        let begin = Instant::now();
        while sent.is_ok() && begin.elapsed() < LAST_WORDS && matches!(child.try_wait(), Ok(None)) {
            std::thread::sleep(TICK);
        }
    }
    // An error means that it is gone.
    let _ = child.kill();
    let _ = child.wait();
}

fn how(status: ExitStatus) -> String {
    match (status.code(), status.signal().and_then(|signal| Signal::try_from(signal).ok())) {
        (Some(101), _) => "panic".into(),
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => signal.as_str().into(),
        (None, None) => "ended".into(),
    }
}

fn tail(log: PathBuf) -> String {
    let mut text = Vec::new();
    let read = File::open(log).and_then(|mut file| file.read_to_end(&mut text));
    if let Err(e) = read {
        return format!("what it said cannot be read: {e}");
    }
    let from = text.len().saturating_sub(TAIL);
    String::from_utf8_lossy(&text[from..]).into_owned()
}
