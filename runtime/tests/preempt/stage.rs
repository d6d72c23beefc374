//! What tests are set up with: runtimes, a storm of signals, child processes.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use sigurg::{go, time};

use crate::tier;

/// Long enough that only what never happens lasts as long.
pub(crate) const STUCK: Duration = Duration::from_secs(60);

const CHILD: &str = "SIGURG_TEST_CHILD";

/// What all storms of this program take together, seconds; `SIGURG_STORM_SECONDS` in the environment changes that.
const STORMS: u32 = 20;

/// A storm that takes `usual` of the [`STORMS`] takes that share of what was asked for.
pub(crate) fn share(usual: Duration) -> Duration {
    const NAME: &str = "SIGURG_STORM_SECONDS";
    let seconds = match std::env::var(NAME) {
        Ok(value) if !value.is_empty() => match value.parse() {
            Ok(seconds @ 1..=86_400) => seconds,
            _ => panic!("{NAME}={value:?}: not a number of seconds from 1 to 86400"),
        },
        Err(std::env::VarError::NotUnicode(value)) => panic!("{NAME}={value:?}: not a number"),
        _ => STORMS,
    };
    usual * seconds / STORMS
}

/// Runs `main` in a runtime of so many Ps. The process dies with a dump if that takes for ever.
pub(crate) fn run<T: Send>(procs: u32, main: impl FnOnce() -> T + Send) -> T {
    run_with(sigurg::Builder::new().gomaxprocs(procs), Duration::ZERO, main)
}

/// As [`run`], for a `main` that means to take so long, in a runtime built so.
pub(crate) fn run_with<T: Send>(
    builder: sigurg::Builder,
    lasts: Duration,
    main: impl FnOnce() -> T + Send,
) -> T {
    let (done, ended) = mpsc::channel::<()>();
    thread::spawn(move || {
        if ended.recv_timeout(STUCK + lasts) == Err(mpsc::RecvTimeoutError::Timeout) {
            // SAFETY: ends the process as SIGQUIT does, with a dump of all goroutines.
            unsafe { libc::kill(libc::getpid(), libc::SIGQUIT) };
        }
    });
    // SAFETY: nothing of a thread_local! lives across a blocking call of the runtime here.
    let runtime = unsafe { builder.build() }.expect("a runtime");
    let result = runtime.run(main);
    drop(done);
    result
}

/// A flag that goroutines look at without a call of the runtime.
#[derive(Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    pub(crate) fn set(&self) {
        // Relaxed, both: only ends loops.
        self.0.store(true, Relaxed);
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// Goroutines stopped in their signal handlers so far.
pub(crate) fn parked() -> u64 {
    sigurg::metrics().preemptions.parked
}

/// Goroutines stopped by signal so far.
pub(crate) fn stopped() -> u64 {
    let preemptions = sigurg::metrics().preemptions;
    preemptions.parked + preemptions.injected
}

/// The threads that run goroutines.
pub(crate) fn ms() -> Vec<i32> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("a list of threads");
    let runs_goroutines = |tid: &i32| {
        std::fs::read_to_string(format!("/proc/self/task/{tid}/comm"))
            .is_ok_and(|name| name.starts_with("sigurg-m"))
    };
    tasks.filter_map(|task| task.ok()?.file_name().to_str()?.parse().ok()).filter(runs_goroutines).collect()
}

/// Sends SIGURG to every thread that runs goroutines, every 50 us or so, until told to stop: how often.
fn send_signals(stop: &Stop) -> u64 {
    let mut sent = 0;
    let mut targets = Vec::new();
    while !stop.is_set() {
        if sent % 64 == 0 {
            targets = ms();
        }
        for tid in &targets {
            // SAFETY: a signal to a thread of this process, which may be gone.
            unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), *tid, libc::SIGURG) };
        }
        sent += 1;
        thread::sleep(Duration::from_micros(20));
    }
    sent
}

/// Runs `work` on `procs` Ps beside goroutines that wake every 100 us, so that somebody always asks for preemption, and under a
/// rain of further signals; `work` ends when told to. Fails unless goroutines were stopped by signal `floor` times.
pub(crate) fn storm(procs: u32, usual: Duration, floor: u64, work: impl FnOnce(&Stop) + Send) {
    storm_with(sigurg::Builder::new().gomaxprocs(procs), usual, floor, work);
}

/// As [`storm`], in a runtime built so. It takes its [`share`] of the time of all.
pub(crate) fn storm_with(
    builder: sigurg::Builder,
    usual: Duration,
    floor: u64,
    work: impl FnOnce(&Stop) + Send,
) {
    let lasts = share(usual);
    run_with(builder, lasts, || {
        let before = tier::stopped();
        let (stop, calm) = (Stop::default(), Stop::default());
        let rain = thread::spawn({
            let calm = calm.clone();
            move || send_signals(&calm)
        });
        let wakers: Vec<_> = (0..3)
            .map(|_| {
                let calm = calm.clone();
                go(move || {
                    while !calm.is_set() {
                        time::sleep(Duration::from_micros(100));
                    }
                })
            })
            .collect();
        go({
            let stop = stop.clone();
            move || {
                let start = Instant::now();
                // On a slow machine as long as it takes to be a storm at all.
                while start.elapsed() < lasts
                    || (tier::stopped() - before < floor && start.elapsed() < STUCK / 2)
                {
                    time::sleep(Duration::from_millis(5));
                }
                stop.set();
            }
        });
        work(&stop);
        calm.set();
        for waker in wakers {
            waker.join().expect("a sleeper does not panic");
        }
        let sent = sigurg::blocking(|| rain.join()).expect("a sender does not panic");
        let stopped = tier::stopped() - before;
        eprintln!("stopped {stopped} times, {sent} rounds of signals, {:?}", sigurg::metrics().preemptions);
        assert!(stopped >= floor, "stopped {stopped} times only");
    });
}

/// Whether this process is a child made by [`spawn_child`].
pub(crate) fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// What a child said.
pub(crate) struct Child {
    process: std::process::Child,
    lines: mpsc::Receiver<String>,
}

/// Runs the test `name` (with its module) in a child process.
pub(crate) fn spawn_child(name: &str, variables: &[(&str, &str)]) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("the path of the test program"));
    command.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(CHILD, "1");
    let mut process =
        command.envs(variables.iter().copied()).stdout(Stdio::piped()).spawn().expect("a child process");
    let stdout = process.stdout.take().expect("its stdout");
    let (said, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if said.send(line).is_err() {
                break;
            }
        }
    });
    Child { process, lines }
}

impl Child {
    /// Whether the child says `word` within `patience`.
    pub(crate) fn says(&self, word: &str, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        while let Ok(line) = self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            if line.ends_with(word) {
                return true;
            }
        }
        false
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
