//! Why no order of a trace is possible.

use std::fmt;

use crate::object::Object;

/// Which promise of a trace is broken; the names are those of the rules that a checker reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderRule {
    /// The versions of an object count 1, 2, 3, …: one is missing, or comes twice.
    VerChain,
    /// Each status change begins where the one before it ended.
    StatusChain,
    /// A later change of a G is never claimed before an earlier one began, and `lo` ≤ `seq`.
    Interval,
    /// The versions of several objects wait for each other in a circle.
    Cycle,
}

impl OrderRule {
    /// The rule's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VerChain => "ver_chain",
            Self::StatusChain => "status_chain",
            Self::Interval => "interval",
            Self::Cycle => "order_cycle",
        }
    }
}

/// A trace that reads well and tells an impossible story: a broken rule, not a bad file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inconsistent {
    /// The promise that is broken.
    pub rule: OrderRule,
    /// The object whose history is impossible.
    pub object: Object,
    /// The version that had to come next.
    pub expected: u64,
    /// The version that came; equal to `expected` if the versions are not what is wrong.
    pub found: u64,
    /// `seq` of the event at which it shows.
    pub seq: u64,
    /// `seq` of the other events that have a part in it; at most eight.
    pub others: Vec<u64>,
    /// The story, in one line.
    pub reason: String,
}

impl fmt::Display for Inconsistent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, at seq {}: {}", self.rule.as_str(), self.object, self.seq, self.reason)
    }
}

impl std::error::Error for Inconsistent {}
