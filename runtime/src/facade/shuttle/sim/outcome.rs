//! How an execution ended.

use std::fmt;

use super::schedule::Schedule;

/// What was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// No thread can ever go on.
    Deadlock,
    /// The runtime found a fault of its own: `throw`.
    Throw,
    /// The runtime found a mistake of its user: `fatal`; a deadlock of goroutines is one.
    Fatal,
    /// The main thread, or one that is none of the runtime's, panicked with this message.
    Panic(String),
    /// The listener refused an event, for this reason.
    Rejected(String),
    /// After some turn the state of the runtime did not fit together: a count, a link, or a goroutine in two places.
    Inconsistent(String),
    /// The limit of operations was reached.
    TooLong {
        /// How many there were.
        ops: u64,
    },
    /// The limit of virtual time was reached: probably nobody but sysmon does anything any more.
    TooLate {
        /// The limit.
        virtual_ns: u64,
    },
    /// The schedule does not fit the program; where and how.
    Diverged(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadlock => f.write_str("deadlock: no thread can ever go on"),
            Self::Throw => f.write_str("the runtime found a fault of its own"),
            Self::Fatal => f.write_str("the runtime ended the program"),
            Self::Panic(message) => write!(f, "panicked: {message}"),
            Self::Rejected(reason) => write!(f, "rejected: {reason}"),
            Self::Inconsistent(what) => write!(f, "the state does not fit together: {what}"),
            Self::TooLong { ops } => write!(f, "not at its end after {ops} operations"),
            Self::TooLate { virtual_ns } => write!(f, "not at its end after {virtual_ns} ns of virtual time"),
            Self::Diverged(how) => write!(f, "the schedule does not fit: {how}"),
        }
    }
}

/// One execution, when it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Outcome {
    /// `None`: the main thread returned and nobody objected.
    pub failure: Option<Failure>,
    /// If it failed: what the runtime said, and what every thread, P, M and goroutine was doing.
    pub report: String,
    /// What [`Replay`](super::Replay) repeats.
    pub schedule: Schedule,
    /// Operations of all threads.
    pub ops: u64,
    /// Turns of all actors.
    pub turns: u64,
    /// Virtual time that passed, nanoseconds.
    pub virtual_ns: u64,
    /// The runtime ended with all its threads at rest: its events are a whole trace.
    pub complete: bool,
}

impl Outcome {
    /// Whether nothing was wrong.
    pub fn is_ok(&self) -> bool {
        self.failure.is_none()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.failure {
            None => f.write_str("no failure")?,
            Some(failure) => write!(f, "{failure}")?,
        }
        write!(f, "\n{} operations in {} turns\n{}", self.ops, self.turns, self.report)?;
        if self.failure.is_some() {
            write!(f, "schedule: {}", self.schedule)?;
        }
        Ok(())
    }
}
