//! What a runtime is built with, from the builder and from the environment.
//!
//! A variable that cannot be understood is an error, with its name, its value and the reason: nobody should have to wonder
//! why a setting does nothing.

use std::fmt;
use std::thread::available_parallelism;

use crate::sched::MAX_PROCS;

/// A function that threads call.
pub(crate) type Hook = Box<dyn Fn() + Send + Sync>;

/// What the user wants to be called for.
#[derive(Default)]
pub(crate) struct Hooks {
    pub(crate) on_thread_start: Option<Hook>,
    pub(crate) on_thread_stop: Option<Hook>,
}

/// What becomes of a goroutine that blocks inside a thread-local's `with`: `dump/held.rs`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ThreadLocals {
    /// Nobody looks.
    #[default]
    Unchecked,
    /// Each function that does so is reported once, on stderr.
    Report,
    /// It is reported, and the process ends with status 2.
    Fatal,
}

/// What `SIGURG_DEBUG` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Debug {
    /// Every so many milliseconds a line about the scheduler goes to stderr; 0: never.
    pub(crate) schedtrace_ms: u32,
    /// Goroutines are preempted at safe points only.
    pub(crate) asyncpreemptoff: bool,
    /// These lines are followed by one for each P, M and G.
    pub(crate) scheddetail: bool,
    /// Whether goroutines that block inside a thread-local are looked for.
    pub(crate) threadlocals: ThreadLocals,
}

/// See the module.
pub(crate) struct Config {
    pub(crate) gomaxprocs: u32,
    /// Bytes.
    pub(crate) stack_size: usize,
    pub(crate) thread_name: String,
    pub(crate) hooks: Hooks,
    /// Every goroutine may be moved at any instruction.
    pub(crate) injectable: bool,
    pub(crate) debug: Debug,
    /// Of the random choices.
    pub(crate) seed: u64,
}

/// A variable of the environment that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadVariable {
    name: &'static str,
    value: String,
    reason: String,
}

impl fmt::Display for BadVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "environment variable {}={:?}: {}", self.name, self.value, self.reason)
    }
}

impl std::error::Error for BadVariable {}

/// The value of a variable, if it is set and not empty.
fn variable(name: &'static str) -> Result<Option<String>, BadVariable> {
    match std::env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(value)) => {
            let value = value.to_string_lossy().into_owned();
            Err(BadVariable { name, value, reason: "not UTF-8".into() })
        }
    }
}

/// `GOMAXPROCS`, or else the processors that this process may use, by affinity and control group.
pub(crate) fn gomaxprocs() -> Result<u32, BadVariable> {
    let Some(value) = variable("GOMAXPROCS")? else {
        return Ok(available_parallelism().map_or(1, |n| n.get().min(MAX_PROCS) as u32));
    };
    match value.parse() {
        Ok(procs @ 1..=MAX) => Ok(procs),
        _ => Err(BadVariable { name: "GOMAXPROCS", value, reason: format!("not a number from 1 to {MAX}") }),
    }
}

const MAX: u32 = MAX_PROCS as u32;

/// `SIGURG_DEBUG`: names and values, `schedtrace=1000,scheddetail=1`.
pub(crate) fn debug() -> Result<Debug, BadVariable> {
    match variable("SIGURG_DEBUG")? {
        None => Ok(Debug::default()),
        Some(value) => {
            parse_debug(&value).map_err(|reason| BadVariable { name: "SIGURG_DEBUG", value, reason })
        }
    }
}

fn parse_debug(text: &str) -> Result<Debug, String> {
    let mut debug = Debug::default();
    for item in text.split(',').filter(|item| !item.is_empty()) {
        let (name, value) = item.split_once('=').ok_or_else(|| format!("{item:?} is not NAME=VALUE"))?;
        let number: u32 =
            value.parse().map_err(|_| format!("the value of {name} is not a number: {value:?}"))?;
        match name {
            "schedtrace" => debug.schedtrace_ms = number,
            "asyncpreemptoff" => debug.asyncpreemptoff = number != 0,
            "scheddetail" => debug.scheddetail = number != 0,
            "threadlocals" => {
                debug.threadlocals = match number {
                    0 => ThreadLocals::Unchecked,
                    1 => ThreadLocals::Report,
                    2 => ThreadLocals::Fatal,
                    _ => return Err(format!("threadlocals={number}: 0 (off), 1 (report) or 2 (fatal)")),
                };
            }
            _ => {
                return Err(format!(
                    "there is no setting {name:?}: asyncpreemptoff, schedtrace, scheddetail, threadlocals"
                ));
            }
        }
    }
    Ok(debug)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_and_mistakes_are_named() {
        let both = Debug { schedtrace_ms: 1000, scheddetail: true, ..Debug::default() };
        assert_eq!(parse_debug("schedtrace=1000,scheddetail=1"), Ok(both));
        assert_eq!(parse_debug(""), Ok(Debug::default()));
        for (text, part) in [
            ("schedtrace", "NAME=VALUE"),
            ("schedtrace=x", "not a number"),
            ("sched=1", "no setting"),
            ("threadlocals=3", "2 (fatal)"),
        ] {
            assert!(parse_debug(text).is_err_and(|e| e.contains(part)), "{text}");
        }
    }
}
