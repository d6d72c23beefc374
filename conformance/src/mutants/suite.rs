//! The tests that mutants are tried with.
//!
//! Invariant: what is measured is the time of the tests. What they need is built before.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::run::Until;

/// Tests of one kind.
#[derive(Debug)]
pub struct Suite {
    /// A word.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Which tests, as `cargo nextest run` takes it; one group after the other, those first that find most in the least time.
    stages: &'static [&'static str],
    /// The figure that counts its kills.
    pub(super) kills: &'static str,
}

/// All of them.
pub const SUITES: &[Suite] = &[
    Suite {
        name: "loom",
        about: "every interleaving and order of the lock-free parts",
        stages: &["--package sigurg-loom"],
        kills: "killed by loom",
    },
    Suite {
        name: "shuttle",
        about: "the whole scheduler in simulation, judged by the model",
        // What tests the simulator itself finds no fault of the runtime.
        stages: &[
            "--package sigurg-conformance --test sim -E !test(/^(schedules|failures)::|every_planted_fault/)",
            "--package sigurg-conformance --test simulated -E test(/^(random|regression)::/)",
        ],
        kills: "killed by shuttle",
    },
    Suite {
        name: "unit",
        about: "unit tests of the runtime, those against an oracle among them",
        // Those of dumps want debug information; what is walked from step by step is this build's own code.
        stages: &["--package sigurg --lib -E !test(/^(dump|safepoint::tests::stepped)::/)"],
        kills: "killed by unit",
    },
    Suite {
        name: "native",
        about: "programs on real threads with real signals",
        stages: &[
            "--package sigurg --test scheduler --test chan --test select --test sync",
            // Without those that look at the code as it is built for tests, and those that mean to take long.
            "--package sigurg --test net --test preempt --test sleep -E !test(/^dump::|storm/)|test(must_not_be_stopped)",
        ],
        kills: "killed by native",
    },
    Suite {
        name: "trace",
        about: "recordings of real runs, judged by the model",
        stages: &["--package sigurg-conformance --test runtime_traces --test suspend_storm --test scenarios"],
        kills: "killed by trace",
    },
    Suite {
        name: "model",
        about: "the model's own tests, recordings, and configurations",
        stages: &[
            "--package sigurg-model",
            "--package sigurg-conformance --test check --test explore --test configurations",
        ],
        kills: "killed by model",
    },
];

/// Building is most of the work: what mutants change is hardly optimised, and what depends on it not at all. Nobody looks at it with a
/// debugger.
const LESS: [(&str, u8); 4] =
    [("sigurg-loom", 1), ("sigurg-shuttle", 0), ("sigurg", 0), ("sigurg-conformance", 0)];

/// That, as arguments of cargo.
pub(super) fn less() -> Vec<String> {
    let config = |(package, level)| {
        let profile = format!("profile.dev.package.{package}");
        [format!("--config={profile}.opt-level={level}"), format!("--config={profile}.debug=false")]
    };
    LESS.into_iter().flat_map(config).collect()
}

/// What came of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A test failed, so long after the tests began.
    Killed { test: String, after: Duration },
    /// All passed, or time was up.
    Lives { out_of_time: bool },
    /// Not a question for the tests.
    Error(String),
    /// Somebody told us to stop.
    Interrupted,
}

impl Suite {
    /// That of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<&'static Self> {
        SUITES.iter().find(|suite| suite.name == name)
    }

    /// Runs the tests of the sources in `tree` for at most `budget`. What they say is kept in `log`.
    pub(super) fn run(
        &self,
        tree: &Path,
        target: &Path,
        log: &Path,
        budget: Duration,
        until: &Until,
    ) -> Outcome {
        let cargo = |stage: &str, more: &[&str]| {
            let mut cargo = Command::new("cargo");
            cargo.args(["nextest", "run", "--locked", "--profile", "mutants"]).args(more);
            cargo.args(less()).args(stage.split(' ')).current_dir(tree).env("CARGO_TARGET_DIR", target);
            cargo.env("CARGO_TERM_COLOR", "never").env("NEXTEST_NO_INPUT_HANDLER", "1");
            cargo.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0);
            cargo
        };
        let mut log = match File::create(log) {
            Ok(log) => log,
            Err(e) => return Outcome::Error(format!("{}: {e}", log.display())),
        };
        let mut left = budget;
        for stage in self.stages {
            match watch(&mut cargo(stage, &["--no-run"]), &mut log, None, until) {
                Ok(Ended::Passed) => {}
                Ok(Ended::Interrupted) => return Outcome::Interrupted,
                Ok(_) => return Outcome::Error("it does not build".into()),
                Err(e) => return Outcome::Error(format!("cargo nextest: {e}")),
            }
            let began = Instant::now();
            match watch(&mut cargo(stage, &[]), &mut log, Some(left), until) {
                Ok(Ended::Passed) => {}
                Ok(Ended::Failed { test, at }) => {
                    return Outcome::Killed { test, after: budget - left + (at - began) };
                }
                Ok(Ended::OutOfTime) => return Outcome::Lives { out_of_time: true },
                Ok(Ended::Interrupted) => return Outcome::Interrupted,
                Ok(Ended::NoTests) => return Outcome::Error("the tests did not run".into()),
                Err(e) => return Outcome::Error(format!("cargo nextest: {e}")),
            }
            left = left.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Outcome::Lives { out_of_time: true };
            }
        }
        Outcome::Lives { out_of_time: false }
    }
}

/// How a command ended.
enum Ended {
    Passed,
    /// The first test that failed, and when.
    Failed {
        test: String,
        at: Instant,
    },
    /// It failed without one.
    NoTests,
    OutOfTime,
    Interrupted,
}

/// Runs `command` for at most `time`, to the first test that fails. Its errors go to `log`.
fn watch(command: &mut Command, log: &mut File, time: Option<Duration>, until: &Until) -> io::Result<Ended> {
    /// How often somebody looks whether he is told to stop.
    const LOOK: Duration = Duration::from_millis(200);
    let mut child = command.spawn()?;
    let errors = child.stderr.take().map(BufReader::new);
    let (tell, lines) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        // What a test writes need not be text.
        for line in errors.into_iter().flat_map(|errors| errors.split(b'\n')).map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            if tell.send((Instant::now(), line)).is_err() {
                return;
            }
        }
    });
    let deadline = time.map(|time| Instant::now() + time);
    let mut ended = None;
    loop {
        match lines.recv_timeout(LOOK) {
            Ok((at, line)) => {
                writeln!(log, "{line}")?;
                if ended.is_none() {
                    ended = failed(&line).map(|test| Ended::Failed { test, at });
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if ended.is_none() && until.is_interrupted() {
            ended = Some(Ended::Interrupted);
            stop(&child);
        }
        if ended.is_none() && deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            ended = Some(Ended::OutOfTime);
            stop(&child);
        }
    }
    let status = child.wait()?;
    reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    Ok(ended.unwrap_or(if status.success() { Ended::Passed } else { Ended::NoTests }))
}

/// Ends nextest, which ends its tests.
fn stop(child: &Child) {
    // Fails if it has ended, which is as good.
    let _ = killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM);
}

/// The test of which `line` of nextest says that it failed: `FAIL [   0.1s] (3/7) package::binary module::test`.
fn failed(line: &str) -> Option<String> {
    let (word, rest) = line.trim_start().split_once(" [")?;
    let is_failure = ["FAIL", "TIMEOUT", "ABORT", "LEAK-FAIL"].contains(&word)
        || word.strip_prefix("SIG").is_some_and(|name| name.bytes().all(|c| c.is_ascii_alphanumeric()));
    let (_, rest) = rest.split_once("] ").filter(|_| is_failure)?;
    let rest = rest.trim_start();
    let test = rest.strip_prefix('(').and_then(|rest| rest.split_once(") ")).map_or(rest, |(_, test)| test);
    Some(test.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_test_is_recognised_by_its_line() {
        for (line, test) in [
            (
                "        FAIL [   0.005s] ( 3/10) sigurg-loom::loom runq::steal",
                Some("sigurg-loom::loom runq::steal"),
            ),
            ("     TIMEOUT [  20.000s] (1/1) sigurg::chan close", Some("sigurg::chan close")),
            ("     SIGABRT [   0.1s] sigurg chan::tests::close", Some("sigurg chan::tests::close")),
            ("        PASS [   0.005s] ( 3/10) sigurg-loom::loom runq::steal", None),
            ("        SLOW [> 10.000s] sigurg::chan close", None),
            (" Terminating [> 10.000s] sigurg::chan close", None),
            ("   Compiling sigurg v0.1.0", None),
            ("    Starting 10 tests across 2 binaries", None),
        ] {
            assert_eq!(failed(line).as_deref(), test, "{line}");
        }
    }

    fn ended(script: &str, time: Duration) -> (Ended, String) {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let mut sh = Command::new("sh");
        sh.args(["-c", script]).stderr(Stdio::piped()).process_group(0);
        let until = Until::interrupted(Default::default());
        let ended = watch(&mut sh, &mut File::create(&log).unwrap(), Some(time), &until).unwrap();
        (ended, std::fs::read_to_string(log).unwrap())
    }

    #[test]
    fn the_first_failure_counts_and_all_is_kept() {
        let script = "echo '  FAIL [ 1s] a b' >&2; echo '  SIGTERM [ 1s] c d' >&2; exit 100";
        let (ended, log) = ended(script, Duration::from_secs(600));
        assert!(matches!(ended, Ended::Failed { test, .. } if test == "a b"));
        assert_eq!(log.lines().count(), 2);
    }

    #[test]
    fn without_a_failed_test_it_passed_or_did_not_run() {
        assert!(matches!(ended("exit 0", Duration::from_secs(600)).0, Ended::Passed));
        assert!(matches!(ended("exit 101", Duration::from_secs(600)).0, Ended::NoTests));
    }

    #[test]
    fn it_is_ended_when_its_time_is_up() {
        assert!(matches!(ended("exec sleep 1000", Duration::from_millis(1)).0, Ended::OutOfTime));
    }
}
