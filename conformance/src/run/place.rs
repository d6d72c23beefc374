//! Where a run ran: what somebody needs who wants to see the same, or to know why he does not.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::thread::available_parallelism;

use sigurg_model::Profile;

/// Facts by name; what cannot be found out is left out.
#[must_use]
pub fn describe() -> BTreeMap<String, String> {
    let facts = [
        ("commit", line(Command::new("git").args(["rev-parse", "--short=12", "HEAD"]))),
        ("changed files", line(Command::new("git").args(["status", "--porcelain"])).map(|_| "yes".into())),
        ("version", Some(env!("CARGO_PKG_VERSION").to_owned())),
        ("profile", Some(Profile::SIGURG.name.to_owned())),
        ("newest Go known", Some(Profile::NEWEST_GO.name.to_owned())),
        ("rustc", line(Command::new("rustc").arg("--version"))),
        ("build", Some(if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned())),
        ("machine", Some(format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH))),
        ("kernel", read("/proc/sys/kernel/osrelease")),
        ("processor", processor()),
        ("processors", available_parallelism().ok().map(|n| n.to_string())),
        ("memory", memory()),
    ];
    facts.into_iter().filter_map(|(name, fact)| Some((name.to_owned(), fact?))).collect()
}

fn line(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().next().map(str::to_owned)
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

fn processor() -> Option<String> {
    let info = fs::read_to_string("/proc/cpuinfo").ok()?;
    let model = info.lines().find(|line| line.starts_with("model name"))?;
    Some(model.split_once(": ")?.1.to_owned())
}

fn memory() -> Option<String> {
    let info = fs::read_to_string("/proc/meminfo").ok()?;
    let kib: u64 = info.lines().next()?.split_whitespace().nth(1)?.parse().ok()?;
    Some(format!("{} GiB", kib.div_ceil(1 << 20)))
}
