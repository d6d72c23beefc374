//! What tests are set up with: runtimes, recordings, child processes.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use sigurg_traces::source::{Options, open};
use sigurg_traces::{Event, Ordered};

/// Long enough that only what never happens lasts as long.
pub(crate) const STUCK: Duration = Duration::from_secs(30);

const CHILD: &str = "SIGURG_TEST_CHILD";

fn builder(procs: u32) -> sigurg::Builder {
    sigurg::Builder::new().gomaxprocs(procs)
}

fn run_with<T: Send>(builder: sigurg::Builder, main: impl FnOnce() -> T + Send) -> T {
    // SAFETY: the tests take nothing from a thread_local!.
    unsafe { builder.build() }.expect("a runtime").run(main)
}

/// Runs `main` in a runtime of so many Ps.
pub(crate) fn run<T: Send>(procs: u32, main: impl FnOnce() -> T + Send) -> T {
    run_with(builder(procs), main)
}

/// As [`run`]; also everything that happened, in a legal order.
pub(crate) fn traced<T: Send>(procs: u32, main: impl FnOnce() -> T + Send) -> (T, Vec<Event>) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let result = run_with(builder(procs).trace(file.path()), main);
    let mut trace = Ordered::new(open(file.path(), Options::default()).expect("a trace"));
    let mut events = Vec::new();
    while let Some(event) = trace.next().unwrap_or_else(|e| panic!("after {} events: {e}", events.len())) {
        events.push(event);
    }
    (result, events)
}

/// Repeats `attempt` until no goroutine was preempted in it: on a busy machine any step may outlast a slice.
pub(crate) fn undisturbed<T>(mut attempt: impl FnMut() -> T) -> T {
    loop {
        let before = sigurg::metrics().preemptions;
        let result = attempt();
        if sigurg::metrics().preemptions == before {
            return result;
        }
    }
}

/// Runs the test `name` (with its module) in a child process with these variables set: what came of it, and what it wrote.
/// In that child: `None`.
pub(crate) fn child_with(name: &str, variables: &[(&str, &str)]) -> Option<(Output, String)> {
    if std::env::var_os(CHILD).is_some() {
        return None;
    }
    let mut child = Command::new(std::env::current_exe().expect("the path of the test program"));
    child.args(["--exact", name, "--nocapture"]).env(CHILD, "1");
    let output = child.envs(variables.iter().copied()).output().expect("a child process");
    let text = format!(
        "{:?}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!text.contains("running 0 tests"), "there is no test {name}");
    Some((output, text))
}

/// As [`child_with`], with the variables of this process.
pub(crate) fn child(name: &str) -> Option<(Output, String)> {
    child_with(name, &[])
}

/// Calls `f` in a process that has no thread but the one that calls, then ends this one as that ended. For the child of
/// a test: the harness keeps a thread beside the one that a test runs on.
pub(crate) fn alone(f: impl FnOnce()) -> ! {
    // SAFETY: the other thread waits for this one, so nobody holds a lock that the new process would miss.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "no process");
    if child == 0 {
        let end = catch_unwind(AssertUnwindSafe(f));
        // SAFETY: ends the process, without what the harness would do there.
        unsafe { libc::_exit(if end.is_ok() { 0 } else { 101 }) };
    }
    let mut status = 0;
    // SAFETY: waits for the child just made; a place to write to.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    let code = if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 128 + libc::WTERMSIG(status) };
    // SAFETY: as above.
    unsafe { libc::_exit(code) }
}

/// The kernel's id of the calling thread.
pub(crate) fn gettid() -> i32 {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::gettid() }
}

/// The kernel's ids of all threads of this process.
pub(crate) fn threads() -> BTreeSet<i32> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("a list of threads");
    let name = |task: std::io::Result<std::fs::DirEntry>| task.ok()?.file_name().to_str()?.parse().ok();
    tasks.filter_map(name).collect()
}

/// Looks every millisecond until `holds`; fails with `what` when it never does. Blocks its thread.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < STUCK, "never: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}
