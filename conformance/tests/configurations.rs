//! Every default configuration, searched to its end: it shows exactly its hazards, breaks no rule, and has
//! exactly the size that stands in `configurations.tsv`.
//!
//! The sizes are no law, but a rule that changes without a reason shows here first. After a change that is
//! understood, `BLESS=1 cargo test --test configurations` writes to standard error what belongs there.

use libtest_mimic::{Arguments, Failed, Trial};
use sigurg_conformance::explore::{Limits, Quiet, search};
use sigurg_model::machine::config::Config;
use sigurg_model::machine::{Machine, family};

const SIZES: &str = include_str!("configurations.tsv");

fn main() -> std::process::ExitCode {
    let trials = family::all()
        .into_iter()
        .filter(|(_, when)| *when == family::When::Always)
        .map(|(config, _)| Trial::test(config.name, move || check(config)))
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn check(config: Config) -> Result<(), Failed> {
    let machine = Machine::new(config);
    let limits = Limits { promises: config.liveness, memory_bytes: 8 << 30, ..Limits::default() };
    let report = search(&machine, &limits, &Quiet);
    let found: Vec<String> =
        report.found.iter().map(|found| format!("{}:{}", found.finding.id, found.moves())).collect();
    let line = format!(
        "{}\t{}\t{}\t{}\t{}",
        config.name,
        report.states,
        report.transitions,
        report.depth,
        found.join(",")
    );
    if std::env::var_os("BLESS").is_some() {
        eprintln!("{line}");
        return Ok(());
    }
    let again = format!("again: conformance explore --config {}", config.name);
    if let Some(stop) = report.stopped {
        return Err(format!("incomplete: {stop}\n{again}").into());
    }
    let ids: Vec<&str> = report.found.iter().map(|found| found.finding.id).collect();
    if ids != config.shows || report.found.iter().any(|found| !found.finding.expected) {
        return Err(format!("shows {ids:?}, must show {:?}\n{again}", config.shows).into());
    }
    if !SIZES.lines().any(|known| known == line) {
        let known = SIZES.lines().find(|known| known.split('\t').next() == Some(config.name));
        return Err(format!("now  {line}\nwas  {}\n{again}", known.unwrap_or("unknown")).into());
    }
    Ok(())
}
