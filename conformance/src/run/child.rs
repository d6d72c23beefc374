//! A program of the native layer, run in a process of its own: what is tested may crash or hang, and the harness must not.
//!
//! 1. The child ends when its standard input does: it does not outlive who started it.
//! 2. It is in a process group of its own, so Ctrl-C reaches only the one who has a report to write.

use std::fs::File;
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Until;

/// How often a child is looked at.
const TICK: Duration = Duration::from_millis(5);
/// How long a child that hangs may take to print where.
const GRACE: Duration = Duration::from_secs(5);
/// The last of what it said is kept, in bytes.
const TAIL: usize = 16 << 10;

/// What became of a child.
pub(super) enum Ran {
    /// It ended well.
    Well,
    /// It ended by itself, otherwise: how, and what it said.
    Badly { how: String, said: String },
    /// It took longer than it may; what it said.
    Stuck { said: String },
    /// It was broken off because the run is over.
    Over,
    /// It could not be started.
    Unstarted(String),
}

/// Runs `command` for that long at most.
pub(super) fn run(command: &mut Command, within: Duration, until: &Until, folder: &Path) -> Ran {
    let log = folder.join("stderr");
    let started = File::create(&log).and_then(|file| {
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(file).process_group(0).spawn()
    });
    let mut child = match started {
        Ok(child) => child,
        Err(e) => return Ran::Unstarted(e.to_string()),
    };
    let begin = Instant::now();
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
        if begin.elapsed() > within {
            end(&mut child, Some(Signal::SIGQUIT));
            return Ran::Stuck { said: tail(log) };
        }
        std::thread::sleep(TICK);
    }
}

/// Ends a child that is still there: first by `softly`, and then anyway.
fn end(child: &mut Child, softly: Option<Signal>) {
    if let Some(signal) = softly {
        let sent = kill(Pid::from_raw(child.id().cast_signed()), signal);
        let begin = Instant::now();
        while sent.is_ok() && begin.elapsed() < GRACE && matches!(child.try_wait(), Ok(None)) {
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
